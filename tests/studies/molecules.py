"""Simulated campaigns whose budgets cut relaxations: is the time of a relaxed molecule right, and its interval?

    .venv/bin/python tests/studies/molecules.py [--count 200]

Each round measures structures in the order of a real one until its time is over. Steps scatter by 30 % among the
structures of a system, times of a step by 10 %, fresh processes by 5 %, rounds by 5 %, and single times by 4 %. Writes
JSON lines. `bound` is the share of campaigns that give a lower bound, `below` how many of these bounds are below the
truth; `bias` is that of the others, less what the rounds of each campaign did.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))
from synthetic import campaign, measurements, method

from bench.analysis.summary import summarise
from bench.data.selection import measuring_order
from bench.engine.schedule import in_order_of

MS, STEPS = 10.0, 30.0
FIRST = 0.9  # the force call before the first step, in steps


@dataclasses.dataclass(frozen=True)
class Kind:
    """One kind of campaign."""

    rounds: int
    time: float
    """Of a round, in typical relaxations."""
    cut: bool = True
    """Whether the relaxation in progress when the time ends is cut off; otherwise it goes on to its end."""
    structures: int = 101
    sizes: tuple[tuple[float, float], ...] = ((1.0, 1.0),)
    """By system, the time of a step and the number of steps, as multiples."""


SIZES = ((1.0, 0.37), (2.0, 0.74), (4.0, 1.35), (20.0, 2.72))
KINDS = (
    Kind(3, 1000.0),
    Kind(3, 5.0, cut=False),
    Kind(3, 5.0),
    Kind(3, 2.0),
    Kind(12, 2.0),
    Kind(12, 1.2),
    Kind(12, 0.9),
    Kind(3, 0.9),
    Kind(3, 1000.0, structures=16, sizes=SIZES),
    Kind(6, 6.0, cut=False, structures=16, sizes=SIZES),
    Kind(6, 3.0, structures=16, sizes=SIZES),
    Kind(6, 1.5, structures=16, sizes=SIZES),
)


def simulated(rng: np.random.Generator, kind: Kind) -> tuple[pd.DataFrame, float]:
    """Return the relaxations of a campaign, and the logarithm of what its rounds did to all times."""
    systems = np.arange(kind.structures) % len(kind.sizes)
    sizes = np.array(kind.sizes)[systems]
    steps = np.maximum(np.round(STEPS * sizes[:, 1] * np.exp(rng.normal(0.0, 0.3, kind.structures))), 1)
    step_ms = MS * sizes[:, 0] * np.exp(rng.normal(0.0, 0.1, kind.structures))
    rounds = rng.normal(0.0, math.hypot(0.05, 0.05), kind.rounds)
    least = kind.time * MS * STEPS * float(np.mean([one * other for one, other in kind.sizes]))
    lines = []
    for number, did in enumerate(rounds):
        left = least
        for structure in in_order_of(measuring_order(kind.structures), number):
            ms = step_ms[structure] * math.exp(did + rng.normal(0.0, 0.04))
            whole = not kind.cut or ms * (steps[structure] + FIRST) <= left
            made = steps[structure] if whole else min(max(int(left / ms - FIRST), 1), steps[structure] - 1)
            if left <= 0 or made < 1:
                break
            lines.append((number, structure, systems[structure], "converged" if whole else "censored", made, ms * 1e6))
            left -= ms * (made + FIRST)
    return _relaxations(lines, len(kind.sizes) > 1), float(rounds.mean())


def _relaxations(lines: list[tuple[object, ...]], several: bool) -> pd.DataFrame:
    """Return the data frame of relaxations, from round, structure, system, status, steps and nanoseconds of a step."""
    found = pd.DataFrame(lines, columns=["round", "structure", "system", "status", "steps", "step_ns"])
    found["step_ns"] *= found["steps"]
    found["step_calculator_ns"] = FIRST * found["step_ns"]
    found["calculator_ns"] = found["step_calculator_ns"] * (1 + 1 / found["steps"])
    same = {"method": "a", "device": "cpu", "optimizer": "BFGS", "bonds_changed": 0, "energy": -10.0, "fmax": 0.04}
    nothing = {"failure": None, "message": None, "positions": None, "first_energy": None, "first_fmax": None}
    found = found.assign(**same, **nothing, harness_ns=0.0, wall_ns=found["step_ns"], step_force_calls=found["steps"])
    return found if several else found.drop(columns="system")


def study(kind: Kind, count: int, seed: int) -> dict[str, float]:
    """Return bias, its error, coverage and the share of lower bounds."""
    rng = np.random.default_rng(seed)
    many = np.random.default_rng(0).normal(0.0, 0.3, 200_000)
    per_system = [
        math.log(MS * ms) + np.log(np.maximum(np.round(STEPS * steps * np.exp(many)), 1) + FIRST).mean()
        for ms, steps in kind.sizes
    ]
    truth, errors, inside, below = float(np.mean(per_system)), [], [], []
    for _ in range(count):
        relaxed, did = simulated(rng, kind)
        (row,) = summarise(measurements([method("a")], [relaxed], description=campaign(kind.structures))).rows
        found = row.ms_per_molecule
        if found is None:
            below.append(math.log(row.ms_per_molecule_at_least or math.inf) < truth)
        else:
            errors.append(math.log(found.estimate) - did - truth)
            if found.low is not None and found.high is not None:
                inside.append(found.low <= math.exp(truth) <= found.high)
    return {
        "bias": float(np.mean(errors)) if errors else math.nan,
        "error": float(np.std(errors)) / math.sqrt(len(errors)) if errors else math.nan,
        "covered": float(np.mean(inside)) if inside else math.nan,
        "bound": len(below) / count,
        "below": float(np.mean(below)) if below else math.nan,
    }


def main() -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=200)
    count = parser.parse_args().count
    for seed, kind in enumerate(KINDS):
        found = study(kind, count, seed)
        rounded = {name: None if math.isnan(value) else round(value, 3) for name, value in found.items()}
        print(json.dumps({"systems": len(kind.sizes), **dataclasses.asdict(kind), **rounded}), flush=True)


if __name__ == "__main__":
    main()

"""What of UFF's time per step is not Open Babel's: each step of its minimiser is a call from Python, through SWIG.

    .venv/bin/python tests/studies/swig.py [--structures 21] [--repeats 15]

Each structure of the embedded set is relaxed by the same steps in three ways, in turn: by a single call that makes all
steps, step by step from Python, and by pesbench's own `relax`, which reads a clock around each step. All must end at
the same energy. Prints the ratios of the second and the third to the single call as JSON: per structure the median over
repeats, then the median, the lowest and the highest over structures. All times are CPU time of the thread, also in
`relax`, so others on the machine hardly matter; reading that clock costs more than reading the usual one.
"""

from __future__ import annotations

import argparse
import functools
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
ADAPTER = PROJECT / "adapters" / "uff.py"
MOST_STEPS = 5000
TOLERANCE = 1e-6  # of the energy from one step to the next, as in the adapter, kJ/mol


def main() -> None:
    """Measure in the environment of UFF, and print the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--structures", type=int, default=21)
    parser.add_argument("--repeats", type=int, default=15)
    options = parser.parse_args()
    sys.path.insert(0, str(PROJECT))
    from bench.data.selection import measuring_order
    from bench.data.structures import load_dataset
    from bench.environments import environments
    from bench.environments.header import read_header

    data = load_dataset("naphthalene-gfn2")
    chosen = measuring_order(len(data.atoms))[: options.structures]
    task = {
        "numbers": data.reference.numbers.tolist(),
        "reference": data.reference.positions.tolist(),
        "structures": [data.atoms[i].positions.tolist() for i in chosen],
        "repeats": options.repeats,
    }
    python = environments.prepare(read_header(ADAPTER)).python
    done = subprocess.run(
        [str(python), __file__, "--inside"],
        input=json.dumps(task),
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=True,
    )
    print(done.stdout, end="")


def inside() -> None:
    """Measure; this runs where Open Babel is."""
    from ase import Atoms

    from bench.core.records import NATIVE
    from bench.measure import relax as module

    spec = importlib.util.spec_from_file_location("uff", ADAPTER)
    assert spec is not None and spec.loader is not None
    uff = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(uff)
    task = json.load(sys.stdin)
    adapter = uff.UFF()
    adapter.reference = Atoms(task["numbers"], task["reference"])
    calculator = adapter.load("uff", "cpu", "float64", 1, None)
    field = adapter._force_field

    def steps_of(atoms: Atoms) -> int:
        relaxation, steps = adapter.native_relax(calculator, atoms, MOST_STEPS), 1
        while not relaxation.step():
            steps += 1
        return steps

    def stepwise(atoms: Atoms) -> int:
        relaxation = adapter.native_relax(calculator, atoms, MOST_STEPS)
        begin = time.thread_time_ns()
        while not relaxation.step():
            pass
        return time.thread_time_ns() - begin

    def whole(atoms: Atoms, steps: int) -> int:
        field.set_structure(atoms)
        begin = time.thread_time_ns()
        field.instance.ConjugateGradientsInitialize(MOST_STEPS, TOLERANCE)
        field.instance.ConjugateGradientsTakeNSteps(steps - 1)
        return time.thread_time_ns() - begin

    def measured(atoms: Atoms) -> int:
        key = {"method": "uff", "device": "cpu", "round": 0, "structure": 0}
        settings = {"optimizer": NATIVE, "fmax": 0.05, "max_steps": MOST_STEPS}
        return sum(module.relax(adapter, calculator, atoms.copy(), key=key, **settings).trace["optimizer_ns"])

    module.perf_counter_ns = time.thread_time_ns

    rows = []
    for positions in task["structures"]:
        atoms = Atoms(task["numbers"], positions)
        steps = steps_of(atoms)
        energies = []
        one, other, clock = [], [], []
        for number in range(task["repeats"] + 1):
            ways = [
                (one, functools.partial(whole, atoms, steps)),
                (other, functools.partial(stepwise, atoms)),
                (clock, functools.partial(measured, atoms)),
            ]
            for found, way in ways[number % 3 :] + ways[: number % 3]:
                found.append(way())
                energies.append(field.instance.Energy(False))
        assert max(energies) - min(energies) < 1e-6, "the ways ended at different energies (kJ/mol)"
        one, other, clock = one[1:], other[1:], clock[1:]  # the first warm up
        rows.append(
            (
                steps,
                statistics.median(b / a for a, b in zip(one, other, strict=True)),
                statistics.median(b / a for a, b in zip(one, clock, strict=True)),
                statistics.median(clock) / steps / 1e3,
            )
        )
    counts, stepped, clocked, microseconds = map(list, zip(*rows, strict=True))
    found = {
        "structures": len(rows),
        "repeats": task["repeats"],
        "steps": round(statistics.mean(counts), 1),
        "us_per_step": round(statistics.median(microseconds), 1),
        "stepwise_over_whole": summary(stepped),
        "measured_over_whole": summary(clocked),
    }
    print(json.dumps(found))


def summary(ratios: list[float]) -> list[float]:
    """Return the median, the lowest and the highest."""
    return [round(one, 4) for one in (statistics.median(ratios), min(ratios), max(ratios))]


if __name__ == "__main__":
    inside() if "--inside" in sys.argv else main()

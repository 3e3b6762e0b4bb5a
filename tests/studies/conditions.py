"""Every figure under the conditions in which it is used, simulated: is it right, and does its interval hold?

    .venv/bin/python tests/studies/conditions.py [--count 400] [--only ranks]

Writes a JSON line for each figure and condition: `bias` of the logarithm with its `error`, the share of 95 % intervals
that `covered` the truth (of `tune` they are 99 % intervals, and those of a timeline and of `regress` are, too, where
they ended early), the median `width`, and how often the campaign said something `wrong`.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))


from bench.analysis import joules
from bench.analysis.alternation import alternating_ratio
from bench.analysis.changes import changes, without_machine
from bench.analysis.model import Fit, fit
from bench.analysis.ordering import ranks
from bench.analysis.paired import ratio
from bench.analysis.prediction import CALLS_PER_NS, Relaxed, hours_per_ns, relaxation
from bench.analysis.prediction import steps as expected_steps
from bench.analysis.regression import FASTER, SLOWER, decided, in_turn, verdict
from bench.analysis.statistics import Estimate
from bench.analysis.timelines import Release, Timeline
from bench.analysis.timelines import steps as releases
from bench.analysis.times import paired_ratio, unpaired_ratio
from bench.analysis.tuning import process_scatter
from bench.analysis.tuning import ratio as tuned_ratio

Floats = NDArray[np.float64]
Generator = np.random.Generator
NOISE = 0.04
"""Standard deviation of the logarithm of single times."""


class Found:
    """Collects the figures of one condition."""

    def __init__(self) -> None:
        self.errors: list[float] = []
        self.inside: list[bool] = []
        self.widths: list[float] = []
        self.wrong: list[bool] = []

    def estimate(self, one: Estimate | None, truth: float) -> None:
        """Enter an estimate."""
        if one is None:
            return
        self.errors.append(math.log(one.estimate / truth))
        if one.low is not None and one.high is not None:
            self.inside.append(one.low <= truth <= one.high)
            self.widths.append(one.high / one.low - 1)

    def fit(self, one: Fit, truth: float) -> None:
        """Enter a mean logarithm."""
        self.estimate(one.estimate(), math.exp(truth))

    def summary(self) -> dict[str, float]:
        """Return what is printed."""
        found = {}
        if self.errors:
            found["bias"] = float(np.mean(self.errors))
            found["error"] = float(np.std(self.errors)) / math.sqrt(len(self.errors))
        if self.inside:
            found |= {"covered": float(np.mean(self.inside)), "width": float(np.median(self.widths))}
        if self.wrong:
            found["wrong"] = float(np.mean(self.wrong))
        return {name: round(value, 4) for name, value in found.items()}


Case = tuple[dict[str, Any], dict[str, Found]]


def frame(logs: Floats) -> pd.DataFrame:
    """Return times by structure and round, without rounds that measured nothing."""
    return pd.DataFrame(np.exp(logs)).dropna(axis=1, how="all").dropna(how="all")


def cut(rng: Generator, logs: Floats, least: int = 4) -> Floats:
    """Leave in each round the structures that its time allowed, from another one on."""
    structures, rounds = logs.shape
    kept = logs.copy()
    for number in range(rounds):
        reached = (np.arange(structures) - 7 * number) % structures < rng.integers(least, structures + 1)
        kept[~reached, number] = np.nan
    return kept


def resumed(rng: Generator, count: int) -> Iterator[Case]:
    """A run that was stopped: the machine is another 10 % slower afterwards, and its processes differ by more."""
    for before, after in ((3, 3), (2, 6), (6, 2), (1, 3)):
        rows, ratios = Found(), Found()
        for _ in range(count):
            session = np.repeat([0.0, 0.10], [before, after])
            common = session + rng.normal(0.0, np.repeat([0.02, 0.05], [before, after]))
            structure = rng.normal(0.0, 0.10, (20, 1))
            both = [
                cut(
                    rng,
                    structure
                    + common
                    + rng.normal(0.0, np.repeat([0.03, 0.10], [before, after]))
                    + rng.normal(0.0, NOISE, (20, before + after)),
                )
                for _ in range(2)
            ]
            rows.fit(fit(both[0]), float(session.mean()))
            paired = ratio(*both)
            assert paired is not None
            ratios.fit(paired, 0.0)
        yield {"before": before, "after": after}, {"row": rows, "ratio": ratios}


def rank(rng: Generator, count: int) -> Iterator[Case]:
    """Methods that are all alike, where the first one scatters by more: `wrong` is any order at all."""
    for methods, rounds, more in ((8, 2, 1.0), (8, 3, 1.0), (8, 3, 3.0), (8, 6, 1.0), (16, 5, 3.0)):
        found = Found()
        for _ in range(count // 4):
            common = rng.normal(0.0, 0.10, (20, 1)) + rng.normal(0.0, 0.05, (1, rounds))
            times = {}
            for number in range(methods):
                process = rng.normal(0.0, 0.05 * (more if number == 0 else 1.0), (1, rounds))
                times[str(number), "cpu"] = frame(common + process + rng.normal(0.0, NOISE, (20, rounds)))
            places = ranks(times, list(times)).values()
            found.wrong.append(any(one.low > 1 or one.high < methods for one in places))
        yield {"methods": methods, "rounds": rounds, "noisiest": more}, {"rank": found}


def compare(rng: Generator, count: int) -> Iterator[Case]:
    """Two runs: `wrong` is a verdict beyond the threshold of 5 % on the wrong side, or on no difference."""
    for truth in (1.0, 1.02, 1.05, 1.10):
        for structures, rounds, short in ((101, (6, 6), False), (101, (3, 5), True), (3, (3, 3), False)):
            found = Found()
            for _ in range(count):
                structure, runs = rng.normal(0.0, 0.15, (structures, 1)), []
                for number, shift in zip(rounds, (0.0, math.log(truth)), strict=True):
                    logs = shift + structure + rng.normal(0.0, 0.03, (1, number))
                    logs = logs + rng.normal(0.0, 0.02, (structures, 1)) + rng.normal(0.0, NOISE, (structures, number))
                    runs.append(frame(cut(rng, logs, 4) if short else logs))
                one = unpaired_ratio(runs[1], runs[0])
                assert one is not None
                found.estimate(one, truth)
                found.wrong.append(verdict(one, 0.05) in ((FASTER, SLOWER) if truth == 1.0 else (FASTER,)))
            yield {"truth": truth, "structures": structures, "rounds": rounds}, {"compare": found}


def versions(rng: Generator, truth: float, rounds: int, dies: bool = False, bursts: float = 0.0) -> list[pd.DataFrame]:
    """Return the times of an old and a new version in turns, whose starting order matters by 2 %."""
    shape = (5, rounds)
    shared = rng.normal(0.0, 0.15, (5, 1)) + rng.normal(0.0, 0.10, shape)
    shared = shared + np.where(rng.random(shape) < bursts, rng.uniform(0.4, 1.1, shape), 0.0)
    order = np.where(np.arange(rounds) % 2 == 0, 0.01, -0.01)
    old = shared + rng.normal(0.0, 0.01, shape)
    new = math.log(truth) + shared + order + rng.normal(0.0, 0.011, (1, rounds)) + rng.normal(0.0, 0.01, shape)
    if dies:
        for number in range(rounds):
            if number % 4 in (1, 2):
                new[rng.integers(0, 5) :, number] = np.nan
    return [frame(old), frame(new)]


def regress(rng: Generator, count: int) -> Iterator[Case]:
    """Two versions: `wrong` as for `compare`."""
    kinds: tuple[dict[str, Any], ...] = ({"rounds": 6}, {"rounds": 8, "dies": True}, {"rounds": 8, "bursts": 0.1})
    for truth in (1.0, 1.02, 1.05, 1.10):
        for kind in kinds:
            found = Found()
            for _ in range(count):
                old, new = versions(rng, truth, **kind)
                one = alternating_ratio(new, old)
                assert one is not None
                found.estimate(one, truth)
                found.wrong.append(verdict(one, 0.05) in ((FASTER, SLOWER) if truth == 1.0 else (FASTER,)))
            yield {"truth": truth, **kind}, {"regress": found}


def tune(rng: Generator, count: int) -> Iterator[Case]:
    """Settings that are all as fast as the default: `wrong` is one that is called 2 % faster."""
    for settings, sessions, process in ((4, 3, 0.03), (8, 3, 0.03), (8, 6, 0.03), (8, 3, 0.08)):
        found = Found()
        for _ in range(count):
            common = rng.normal(0.0, 0.10, (6, 1)) + rng.normal(0.0, 0.05, (1, sessions))
            logs = [
                common + rng.normal(0.0, process, (1, sessions)) + rng.normal(0.0, 0.03, (6, sessions))
                for _ in range(settings + 1)
            ]
            relatives = {str(number): frame(one - logs[0]) for number, one in enumerate(logs)}
            assumed = process_scatter(relatives)
            each = [tuned_ratio(relatives[str(one)], relatives["0"], assumed) for one in range(1, settings + 1)]
            for one in each:
                found.estimate(one, 1.0)
            found.wrong.append(any(one is not None and verdict(one, 0.02) == FASTER for one in each))
        yield {"settings": settings, "sessions": sessions, "process": process}, {"tune": found}


def engines(rng: Generator, count: int) -> Iterator[Case]:
    """An engine that is twice as fast; in the last case it fails within half of the rounds."""
    for rounds, process, fails in ((3, 0.05, False), (5, 0.05, False), (3, 0.15, False), (6, 0.05, True)):
        found = Found()
        for _ in range(count):
            common = rng.normal(0.0, 0.10, (3, 1)) + rng.normal(0.0, 0.10, (1, rounds))
            both = [common + rng.normal(0.0, process, (1, rounds)) + rng.normal(0.0, 0.03, (3, rounds)) for _ in "ab"]
            both[1] -= math.log(2.0)
            for number in range(1, rounds, 2) if fails else ():
                both[1][rng.integers(0, 3) :, number] = np.nan
            found.estimate(paired_ratio(frame(both[0]), frame(both[1])), 2.0)
        yield {"rounds": rounds, "process": process, "fails": fails}, {"engines": found}


def timeline(rng: Generator, count: int) -> Iterator[Case]:
    """Four releases, of which three were compared with the fourth, and that with the newest on another day."""
    times = {"1.0": 1.5, "1.1": 1.2, "1.2": 1.0, "1.3": 1.25, "1.4": 1.0}
    names = list(times)
    ratios, changes = Found(), Found()
    for _ in range(count // 4):
        kept = []
        for name in names[:-1]:
            against = "1.4" if name == "1.3" else "1.3"
            newer, older = versions(rng, times[name] / times[against], 6)
            done = 4
            while done < 6 and not decided(newer.iloc[:, :done], older.iloc[:, :done], 0.05):
                done += 1
            _, one = in_turn(newer.iloc[:, :done], older.iloc[:, :done], 0.05)
            assert one is not None
            kept.append(Release(name, against, one.estimate, one.low, one.high, answers=()))
        for number, step in enumerate(releases(Timeline("m", "M", "package", tuple(kept)), "1.4")):
            mine, following = times[names[number]], times[names[number + 1]]
            ratios.estimate(step.ratio, mine)
            changes.estimate(step.change, following / mine)
    yield {}, {"over the newest": ratios, "next over this": changes}


def history(rng: Generator, count: int) -> Iterator[Case]:
    """A step in one of six methods, on a machine whose speed differs by 10 %: `wrong` is what was not found there."""
    for change in (1.0, 1.05, 1.10):
        beside, alone = Found(), Found()
        for _ in range(count // 4):
            logs = rng.normal(0.0, 1.0, 6) + rng.normal(0.0, 0.10, (16, 1)) + rng.normal(0.0, 0.01, (16, 6))
            logs[8:, 0] += math.log(change)
            for into, series in ((beside, without_machine(logs, 0)), (alone, logs[:, 0])):
                here = [abs(step.at - 8) <= 1 for step in changes(np.exp(series).tolist())]
                into.wrong.append(here != ([] if change == 1.0 else [True]))
        yield {"change": change}, {"beside the others": beside, "alone": alone}


def advise(rng: Generator, count: int) -> Iterator[Case]:
    """Hours of dynamics in one more process, from one or four; 10 % are assumed beforehand."""
    for process in (0.02, 0.05, 0.10, 0.20):
        for measured in (1, 4):
            found = Found()
            for _ in range(count):
                ms = 10.0 * np.exp(rng.normal(0.0, process, measured + 1))
                truth = float(ms[-1]) * CALLS_PER_NS / 3.6e6
                found.estimate(hours_per_ns(ms[:-1].tolist(), 5), truth)
            yield {"process": process, "processes": measured}, {"md": found}


def relaxed(rng: Generator, count: int) -> Iterator[Case]:
    """Seconds of a relaxation in one more process, from one whose time ends after some of 20 structures.

    The method needs as many steps as others do, give or take the scatter among methods. `wrong` is how often no
    relaxation ended, so that its steps are a guess.
    """
    for process, time in ((0.05, 4.0), (0.10, 2.0), (0.10, 1.2)):
        found = Found()
        for _ in range(count):
            needed = np.maximum(np.round(30.0 * np.exp(rng.normal(0.0, 0.3, 20))), 1.0)
            middle = math.log(needed.mean()) - rng.normal(0.0, 0.3)
            ms, left, seen = 10.0 * math.exp(rng.normal(0.0, process)), 300.0 * time, {}
            for number, steps_needed in enumerate(needed):
                made = min(int(steps_needed), int(left / ms))
                if made < 1:
                    break
                seen[number] = Relaxed(made, made >= steps_needed)
                left -= made * ms
            expected = expected_steps(seen, np.exp(middle + rng.normal(0.0, 0.3, 4)).tolist(), 20)
            assert expected is not None
            found.wrong.append(not expected.measured)
            truth = 10.0 * math.exp(rng.normal(0.0, process)) * (needed.mean() + 1) / 1e3
            found.estimate(relaxation([ms], expected, ms, len(seen)), truth)
        yield {"process": process, "time": time}, {"relaxation": found}


def power(rng: Generator, count: int) -> Iterator[Case]:
    """Joules of a step and of a molecule, where the power is 50 W and differs between rounds."""
    for rounds, differs in ((3, 0.02), (3, 0.10), (6, 0.10)):
        per_step, per_molecule = Found(), Found()
        for _ in range(count // 2):
            structure, number = rng.normal(0.0, 0.10, 20), 30 + np.arange(20) % 7
            structure -= structure.mean()
            rows, blocks = [], []
            for each in range(rounds):
                ms = 10.0 * np.exp(structure + rng.normal(0.0, 0.04) + rng.normal(0.0, 0.03, 20))
                work, watts = 0.04 * float((ms * (number + 1)).sum()), 50.0 * math.exp(rng.normal(0.0, differs))
                key = {"method": "a", "device": "cpu", "round": each}
                counted = {"seconds": work, "work_s": work, "cpu_joules": watts * work, "cpu_idle_watts": 20.0}
                blocks.append(key | counted | {"part": "relax", "device_joules": None, "device_idle_watts": None})
                time = {"step_ns": ms * number * 1e6, "wall_ns": ms * (number + 1) * 1e6, "harness_ns": 0.0}
                done = {"structure": np.arange(20), "status": "converged", "steps": number}
                rows.append(pd.DataFrame(key | done | time))
            found = joules.relaxed(joules.with_power(pd.concat(rows, ignore_index=True), pd.DataFrame(blocks), "relax"))
            per_step.estimate(found.joules_per_step, 0.5)
            per_molecule.estimate(found.joules_per_molecule, 0.5 * float((np.exp(structure) * (number + 1)).mean()))
        yield {"rounds": rounds, "differs": differs}, {"per step": per_step, "per molecule": per_molecule}


FIGURES: dict[str, Callable[[Generator, int], Iterator[Case]]] = {
    "resumed": resumed,
    "ranks": rank,
    "compare": compare,
    "regress": regress,
    "tune": tune,
    "engines": engines,
    "timeline": timeline,
    "history": history,
    "advise": advise,
    "relaxed": relaxed,
    "joules": power,
}


def main() -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--only", choices=FIGURES, nargs="+", default=list(FIGURES))
    options = parser.parse_args()
    for seed, (name, cases) in enumerate(FIGURES.items()):
        for condition, found in cases(np.random.default_rng(seed), options.count) if name in options.only else ():
            for figure, one in found.items():
                print(json.dumps({"study": name, "figure": figure, **condition, **one.summary()}), flush=True)


if __name__ == "__main__":
    main()

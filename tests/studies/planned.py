"""What `regress` would say in simulated comparisons, with the scatter and the costs of SevenNet-0: now and before.

Before, three rounds were measured at least, the order in which the processes started counted as chance, and the noise
of single times was in both parts of the interval. Writes one JSON line for each kind of comparison and each way.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
import pandas as pd
from comparing import tell

from bench.analysis import regression
from bench.analysis.alternation import alternating_ratio
from bench.analysis.statistics import CONFIDENCE, Estimate
from bench.analysis.times import paired_ratio
from bench.engine import rounds
from bench.engine.turns import POINTS

START, CALLS, END = 14.0, 0.15, 10.0
"""Seconds: both versions start, one call of each, both processes end. The last was waited for before."""
SCATTER = {"processes": (0.0157, 0.0), "both": (0.011, 0.063), "calls": (0.0, 0.089)}
"""Standard deviations of a round and of a pair of calls: 1.6 % in a round of 32 pairs, whatever it comes from."""
KINDS = (
    *((kind, order, 1.0, budget) for kind in SCATTER for order in (0.02, 0.0) for budget in (120.0,)),
    *(("both", 0.02, 1.0, budget) for budget in (60.0, 300.0)),
    *(("both", 0.02, effect, 120.0) for effect in (1.03, 1.05, 1.10)),
)
GATE = 0.05

Ratio = Callable[[pd.DataFrame, pd.DataFrame, float], "Estimate | None"]


def before(new: pd.DataFrame, old: pd.DataFrame, confidence: float) -> Estimate | None:
    """Return the ratio as it was made before."""
    return paired_ratio(new, old, confidence=confidence)


def length_before(start: float, budget: float) -> tuple[int, int, float]:
    """Return the fewest rounds, their structures and seconds as they were planned before."""
    seconds = min(max(8.0, start), max(budget / 3 - start, 3.0))
    structures = round(seconds / CALLS / POINTS)
    return 3, structures, start + structures * POINTS * CALLS + END


def length_now(start: float, budget: float) -> tuple[int, int, float]:
    """Return the fewest rounds, their structures and seconds as they are planned now."""
    structures = max(1, round(rounds.plan(start, CALLS, budget, 404).pairs / POINTS))
    return rounds.FEWEST_ROUNDS, structures, start + structures * POINTS * CALLS


def simulated(
    rng: np.random.Generator, count: int, structures: int, scatter: tuple[float, float], order: float, effect: float
) -> pd.DataFrame:
    """Return ratios of `count` rounds."""
    process, single = scatter
    starts = np.where((np.arange(count) + rng.integers(2)) % 2, order, -order)
    logs = starts + rng.normal(0.0, process, (1, count))
    logs = logs + rng.normal(0.0, single / np.sqrt(POINTS), (structures, count))
    return pd.DataFrame(effect * np.exp(logs))


def compared(times: pd.DataFrame, ratio: Ratio, fewest: int) -> tuple[str, Estimate, int]:
    """Return verdict, ratio and number of rounds of a comparison that ends as soon as it is decided."""
    ones = pd.DataFrame(np.ones(times.shape), times.index, times.columns)
    for count in range(fewest, times.shape[1] + 1):
        found = ratio(times.iloc[:, :count], ones.iloc[:, :count], regression.EARLY)
        assert found is not None
        if regression.verdict(found, GATE) != regression.UNDECIDED:
            return regression.verdict(found, GATE), found, count
    last = ratio(times, ones, CONFIDENCE)
    assert last is not None
    return regression.verdict(last, GATE), last, times.shape[1]


def main() -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--start", type=float, default=START, help="seconds until both versions have started")
    options = parser.parse_args()
    for case, (kind, order, effect, budget) in enumerate(KINDS):
        for way, ratio, length in (("before", before, length_before), ("now", alternating_ratio, length_now)):
            rng = np.random.default_rng(case)
            fewest, structures, seconds = length(options.start, budget)
            most = max(fewest, int(budget // seconds))
            shown, whole = [], []
            for _ in range(options.count):
                times = simulated(rng, most, structures, SCATTER[kind], order, effect)
                shown.append(compared(times, ratio, fewest))
                whole.append(ratio(times, pd.DataFrame(np.ones(times.shape)), CONFIDENCE))
            tell(
                {
                    "scatter_from": kind,
                    "starting_order": order,
                    "effect": effect,
                    "budget": budget,
                    "way": way,
                    "rounds": most,
                    "structures": structures,
                    **{
                        name: round(float(np.mean([verdict == name for verdict, _, _ in shown])), 4)
                        for name in (regression.EQUAL, regression.SLOWER, regression.FASTER, regression.UNDECIDED)
                    },
                    "covered": round(float(np.mean([one.low <= effect <= one.high for one in whole])), 4),
                    "width": round(float(np.median([one.high / one.low - 1 for one in whole])), 4),
                    "covered_as_shown": round(float(np.mean([s.low <= effect <= s.high for _, s, _ in shown])), 4),
                    "seconds": round(float(np.mean([count for _, _, count in shown])) * seconds),
                }
            )


if __name__ == "__main__":
    main()

"""What a method costs over systems of unlike size, of which a short run saw some and cut others.

The dearest systems are the ones that the time cuts. So each relaxation takes its own system's time of a step, and what
a method did not begin takes the time that it has by the other methods: as much longer than the systems that both saw.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from bench.analysis import prediction
from bench.analysis.prediction import METHODS, STRUCTURES, Prior, Reach, Steps, pooled
from bench.analysis.statistics import Estimate
from bench.core.records import CONVERGED

Costs = Mapping[int, float]
"""Milliseconds by structure, or by system."""


def relaxation(
    mine: pd.DataFrame,
    others: pd.DataFrame,
    found: Steps,
    system_of: Mapping[int, int],
    total: int,
    rounds: Sequence[float],
    processes: Prior,
) -> Estimate | None:
    """Return the seconds of a relaxation, the mean over all structures of all systems.

    Parameters
    ----------
    mine, others : DataFrame
        The relaxations of the method, and those of the other methods, as in ``Measurements.structures``.
    found : Steps
        The steps of the method. Where they are guessed, they are the same at each structure.
    system_of : mapping of int to int
        The number of the system of each structure.
    total : int
        Structures that the mean is about.
    rounds : sequence of float
        The mean time of a step in each process, milliseconds.
    processes : Prior
        How processes differ, as far as it is known without these.
    """
    step = _by_system(mine, system_of, "step_ns", "steps")
    first = _first(mine)
    each = found.by_structure or {int(one): found.mean for one in mine["structure"]}
    costs = {
        structure: steps * step[system_of[structure]] + first.get(structure, 0.0)
        for structure, steps in each.items()
        if system_of[structure] in step
    }
    if not costs:
        return None
    cut = [
        (reach[0] * costs[structure] / sum(costs.values()), reach[1] * costs[structure] / sum(costs.values()))
        for structure, reach in found.cut.items()
        if structure in costs
    ]
    wanted = {int(one) for one in [*mine["structure"], *others["structure"]]}
    mean, reach = over_all(costs, _whole(others), wanted, total)
    log = np.log(rounds)
    guessed = () if found.measured else (found.reach,)
    parts = [prediction.of_one_more(log, processes), reach, *cut, *guessed]
    return prediction.estimate(max(mean, 1e-6) / 1e3, prediction.together(parts), len(costs), len(log))


def hours_per_ns(
    mine: pd.DataFrame,
    others: pd.DataFrame,
    system_of: Mapping[int, int],
    rounds: Sequence[float],
    processes: Prior,
) -> Estimate | None:
    """Return the hours of a nanosecond of md, the mean over all systems; parameters as for :func:`relaxation`."""
    ways = ("step_calculator_ns", "step_force_calls")
    costs = _by_system(mine, system_of, *ways)
    if not costs:
        return None
    theirs: list[Costs] = [_by_system(rows, system_of, *ways) for _, rows in others.groupby("method")]
    mean, reach = over_all(costs, theirs, set(system_of.values()), len(set(system_of.values())))
    log = np.log(rounds)
    reach = prediction.together([prediction.of_one_more(log, processes), reach])
    return prediction.estimate(mean * prediction.CALLS_PER_NS / 3.6e6, reach, len(costs), len(log))


def over_all(mine: Costs, others: Sequence[Costs], wanted: set[int], total: int) -> tuple[float, Reach]:
    """Return the mean cost over `total` structures or systems, and how far it may be off for those that were not seen.

    What is `wanted` and lacks here is taken from the other methods that saw it, with the scatter between methods; what
    nobody saw scatters as the seen ones do.
    """
    values, far = dict(mine), 0.0
    for one in sorted(wanted - mine.keys()):
        logs = [
            math.log(other[one]) + float(np.mean([math.log(mine[each] / other[each]) for each in common]))
            for other in others
            if one in other and (common := other.keys() & mine.keys())
        ]
        if logs:
            variance, freedom = pooled(logs, METHODS)
            values[one] = math.exp(float(np.mean(logs)))
            far += values[one] * prediction.student(freedom) * math.sqrt(variance * (1 + 1 / len(logs)))
    far /= sum(values.values())
    variance, freedom = pooled(np.log(list(values.values())), STRUCTURES)
    unseen = max(0.0, 1 - len(values) / max(total, 1))
    beyond = prediction.student(freedom) * math.sqrt(variance * unseen / len(values))
    return float(np.mean(list(values.values()))), prediction.together([(far, far), (beyond, beyond)])


def _by_system(rows: pd.DataFrame, system_of: Mapping[int, int], time: str, count: str) -> dict[int, float]:
    """Return milliseconds by `count` at each system."""
    found = {}
    for system, mine in rows.groupby(rows["structure"].map(system_of)):
        nanoseconds, number = mine[time].astype(float).sum(), mine[count].astype(float).sum()
        if nanoseconds > 0 and number > 0:
            found[int(system)] = float(nanoseconds / number / 1e6)
    return found


def _first(rows: pd.DataFrame) -> dict[int, float]:
    """Return the milliseconds of the force call before the first step, by structure; none where it is not known."""
    first = (rows["calculator_ns"].astype(float) - rows["step_calculator_ns"].astype(float)) / 1e6
    return _means(first, rows)


def _whole(rows: pd.DataFrame) -> list[Costs]:
    """Return the milliseconds of the relaxations of each method that ended, by structure."""
    ended = rows[(rows["status"] == CONVERGED) & (rows["steps"] > 0)]
    found: list[Costs] = []
    for _, mine in ended.groupby("method"):
        first = _first(mine)
        times = _means(mine["step_ns"].astype(float) / 1e6, mine)
        found.append({one: ms + first.get(one, 0.0) for one, ms in times.items()})
    return found


def _means(values: pd.Series[float], rows: pd.DataFrame) -> dict[int, float]:
    """Return the mean of values by structure; those above zero."""
    means = values.groupby(rows["structure"]).mean()
    return {one: ms for one, ms in zip(means.index.tolist(), means.tolist(), strict=True) if ms > 0}

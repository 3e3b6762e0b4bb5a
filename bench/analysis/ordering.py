"""Which methods of a run are faster than which, as far as their intervals tell, and by how much.

All pairs of methods are compared, each by the rounds in which both were measured. With many pairs some intervals miss
by chance, so the comparisons are those of S. Holm (Scand. J. Statist. 6, 65 (1979)): the probability that any of the
found differences is none is at most 5 %. The possible places of a method follow from its differences, so all of them
hold at once with 95 % confidence (D. Al Mohamad et al., Biom. J. 64, 1 (2022)).
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Collection, Mapping, Sequence
from typing import TypeVar

import numpy as np
import pandas as pd

from bench.analysis.like_steps import pair
from bench.analysis.model import Fit
from bench.analysis.paired import ratio
from bench.analysis.statistics import CONFIDENCE
from bench.analysis.times import Key, Times, at_systems, fitted, systems_of

K = TypeVar("K")


@dataclasses.dataclass(frozen=True)
class Ranks:
    """The places that a method can have among those on its device, with 95 % confidence for all."""

    low: int
    """1, plus the number of methods that are certainly faster."""
    high: int
    """The number of methods, less those that are certainly slower."""


@dataclasses.dataclass(frozen=True)
class Relative:
    """How many times slower a method is than a reference, paired by structure and round."""

    to: str
    """Name of the reference."""
    estimate: float
    low: float | None
    high: float | None


def between(times: Times, one: Key, other: Key, systems: Collection[int] | None = None) -> Fit | None:
    """Return the mean logarithm of the ratio of two methods; None where they were not measured together.

    `systems` are those that count; None: all.
    """
    above, below = (at_systems(mine, systems) for mine in pair(times, one, other))
    columns = above.columns.intersection(below.columns)
    lines = above.index.union(below.index)
    return ratio(_logs(above, lines, columns), _logs(below, lines, columns), systems_of(lines))


def _logs(times: pd.DataFrame, lines: pd.Index, columns: pd.Index) -> np.ndarray:
    if not (times.index.equals(lines) and times.columns.equals(columns)):
        times = times.reindex(index=lines, columns=columns)
    return np.log(times.to_numpy(dtype=float))


def ranks(times: Times, keys: Sequence[Key]) -> dict[Key, Ranks]:
    """Return the possible places of each method; empty for fewer than two.

    Parameters
    ----------
    times : mapping of (method, device) to DataFrame
        Milliseconds by structure and round.
    keys : sequence of (method, device)
        The methods on one device. A pair that was not measured together has no order, nor has one with
        a single process or structure in common.
    """
    if len(keys) < 2:
        return {}
    found = {(one, other): between(times, one, other) for one, other in itertools.combinations(keys, 2)}
    certain = holm({both: one.p_value() for both, one in found.items() if one is not None}, len(found))
    faster = dict.fromkeys(keys, 0)
    slower = dict.fromkeys(keys, 0)
    for (one, other), difference in found.items():
        if difference is not None and (one, other) in certain:
            quick, slow = (one, other) if difference.mean < 0 else (other, one)
            faster[slow] += 1
            slower[quick] += 1
    return {key: Ranks(1 + faster[key], len(keys) - slower[key]) for key in keys}


def holm(p_values: Mapping[K, float], tests: int, level: float = 1 - CONFIDENCE) -> set[K]:
    """Return the tests that reject, so that any wrong one among them is as improbable as `level`.

    `tests` is the number of all tests, also of those without a p-value.
    """
    certain: set[K] = set()
    for done, (key, p) in enumerate(sorted(p_values.items(), key=lambda one: one[1])):
        if p > level / (tests - done):
            break
        certain.add(key)
    return certain


def relative(times: Times, key: Key, to: Key, systems: Collection[int] | None = None) -> Relative | None:
    """Return how many times slower a method is than another; None where they were not measured together.

    `systems` are those that count; None: all.
    """
    if key == to:
        return Relative(to[0], 1.0, 1.0, 1.0)
    found = between(times, key, to, systems)
    if found is None:
        return None
    slower = found.estimate()
    return Relative(to[0], slower.estimate, slower.low, slower.high)


def fastest(times: Times, keys: Sequence[Key]) -> Key | None:
    """Return the fastest of some methods, by their means; None where there is none.

    One that was in less than half of the rounds does not count, nor one that was measured at fewer systems than others:
    a method that takes only small molecules is not the fastest for that.
    """
    most = max((times[key].shape[1] for key in keys), default=0)
    often = [key for key in keys if 2 * times[key].shape[1] >= most]
    reached = {key: _count(systems_of(times[key].index)) for key in often}
    widely = [key for key in often if reached[key] == max(reached.values())]
    return min(widely, key=lambda key: fitted(times[key]).mean, default=None)


def _count(systems: np.ndarray | None) -> int:
    return 1 if systems is None else len(np.unique(systems))


def half_widths(times: Times, to: Key) -> dict[Key, float]:
    """Return for each other method half the width of the interval of its ratio to a reference, relative to the ratio.

    For a campaign that decides which methods need more rounds: 0.05 means that the ratio is known to about 5 %.

    Parameters
    ----------
    times : mapping of (method, device) to DataFrame
        Milliseconds by structure and round.
    to : (method, device)
        The reference.

    Returns
    -------
    dict of (method, device) to float
        Half the width of the interval of the logarithm; infinite where there is no interval yet.
    """
    found = {key: between(times, key, to) for key in times if key != to}
    return {key: math.inf if one is None else one.reach() for key, one in found.items()}

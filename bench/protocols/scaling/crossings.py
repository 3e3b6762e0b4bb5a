"""From which size on one method is faster than another."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from bench.analysis.statistics import ONE_PROCESS, SEED, Estimate
from bench.protocols.scaling.growth import Law, drawn

FARTHEST = 4.0
"""A crossing is looked for up to this many times the largest size that both methods reached."""
POINTS, DRAWS = 150, 1000

Array = NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Crossing:
    """From this size on the one law is below the other."""

    atoms: Estimate
    extrapolated: bool
    """Whether it lies beyond the sizes that both were measured at."""
    first_is_faster: bool
    """Whether it is the first law that is faster for larger systems."""


def crossing(first: Law, second: Law) -> Crossing | None:
    """Return the largest size at which two laws cross; None where they do not between the smallest size and four times
    the largest that both reached.

    The interval is over the laws that the measurements allow; those that do not cross in this range count as the end of
    it that they would cross beyond. What a round does to both does not count; a single process gives no interval.
    """
    largest = min(first.largest, second.largest)
    grid = np.geomspace(max(first.smallest, second.smallest), FARTHEST * largest, POINTS)
    estimate = _last_crossing(grid, np.log(first.time(grid) / second.time(grid)))
    if estimate is None:
        return None
    first_is_faster = bool(first.time(grid[-1]) < second.time(grid[-1]))
    if min(first.rounds, second.rounds) < 2:
        alone = Estimate(estimate, None, None, first.sizes, None, 1, ONE_PROCESS)
        return Crossing(alone, extrapolated=estimate > largest, first_is_faster=first_is_faster)
    logs = [np.log(law.drawn_times(grid, DRAWS)) for law in (first, second)]
    logs[0] += _apart(first, second)[:, None]
    found = []
    for difference in logs[0] - logs[1][np.random.default_rng(SEED).permutation(DRAWS)]:
        size = _last_crossing(grid, difference)
        if size is None:  # the winner of large systems wins everywhere, or nowhere in the range
            size = float(grid[0] if bool(difference[-1] < 0) == first_is_faster else grid[-1])
        found.append(size)
    low, high = np.percentile(found, [2.5, 97.5])
    return Crossing(
        Estimate(estimate, min(float(low), estimate), max(float(high), estimate), first.sizes, "rounds", first.rounds),
        extrapolated=estimate > largest,
        first_is_faster=first_is_faster,
    )


def _apart(first: Law, second: Law) -> Array:
    """Return errors of the logarithm of the ratio of both by their processes, (DRAWS,): paired in the same rounds."""
    if first.numbers == second.numbers:
        return drawn(np.subtract(first.processes, second.processes).tolist(), DRAWS, SEED + 1)
    return drawn(first.processes, DRAWS, SEED + 1) - drawn(second.processes, DRAWS, SEED + 2)


def _last_crossing(grid: Array, difference: Array) -> float | None:
    changes = np.flatnonzero(np.sign(difference[:-1]) * np.sign(difference[1:]) < 0)
    if not len(changes):
        return None
    i = changes[-1]
    share = difference[i] / (difference[i] - difference[i + 1])
    return float(np.exp((1 - share) * np.log(grid[i]) + share * np.log(grid[i + 1])))

"""Changes of level in a series of times: where a method became faster or slower for good."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import ruptures

LEAST_RUN = 3
"""Measurements on either side of a change, of which the median counts: a single odd one is no change."""
LEAST_NOISE = 0.01
"""Relative; keeps a series that happens to vary less from getting a change by chance."""
PENALTY = 6.0
"""In units of the noise squared and of log n: the penalty for each change. 3 is the usual minimum."""


@dataclasses.dataclass(frozen=True)
class Change:
    """A change of level."""

    at: int
    """Index of the first measurement at the new level."""
    ratio: float
    """New level over the one before it."""


def changes(times: Sequence[float], threshold: float = 0.05) -> list[Change]:
    """Return where the level of a series changes by at least `threshold`.

    Change points in the mean logarithm (PELT: Killick, Fearnhead and Eckley, JASA 107, 1590, 2012), with a penalty of
    the noise that successive measurements show.

    Parameters
    ----------
    times : sequence of float, shape (n,)
        Positive, in the order of their measurement.
    threshold : float
        0.05 means 5 %.
    """
    logs = np.log(np.asarray(times, dtype=float))
    if logs.size < 2 * LEAST_RUN:
        return []
    # a few changes of level do not affect the median of the differences
    noise = max(float(np.median(np.abs(np.diff(logs)))) / 0.6745 / np.sqrt(2), LEAST_NOISE)
    finder = ruptures.Pelt(model="l2", min_size=LEAST_RUN, jump=1).fit(logs[:, None])
    ends = finder.predict(pen=PENALTY * noise**2 * np.log(logs.size))
    starts = [0, *ends[:-1]]
    levels = [float(np.median(logs[start:end])) for start, end in zip(starts, ends, strict=True)]
    found = [Change(starts[i], float(np.exp(levels[i] - levels[i - 1]))) for i in range(1, len(levels))]
    return [one for one in found if max(one.ratio, 1 / one.ratio) >= 1 + threshold]

"""Changes of level in a series of times: where a method became faster or slower for good.

Single runs of one machine differ by more than such a change, because the whole machine is faster on one day than on
another. Where several methods were measured in the same runs, each is compared with what the others did.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import ruptures
from numpy.typing import NDArray

LEAST_RUN = 3
"""Measurements on either side of a change, of which the median counts: a single odd one is no change."""
SMALLEST = 0.03
"""Relative: a smaller change is not reported. It is less than what one wants to find, 5 %, which comes out smaller in
half of the cases."""
LEAST_NOISE = 0.01
"""Relative; keeps a series that happens to vary less from getting a change by chance."""
PENALTY = 6.0
"""In units of the noise squared and of log n: the penalty for each change. 3 is the usual minimum."""
LEAST_OTHERS = 3
"""Methods whose median shows what the machine did in a run: one that changed itself does not move it."""
_POLISHED = 20
"""Rounds of the median polish: a history converges in a few."""

Floats = NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Change:
    """A change of level."""

    at: int
    """Index of the first measurement at the new level."""
    ratio: float
    """New level over the one before it."""


def changes(times: Sequence[float], threshold: float = SMALLEST) -> list[Change]:
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
    logs: Floats = np.log(np.asarray(times, dtype=float))
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


def machine(logs: Floats) -> Floats:
    """Return what each run did to all its methods, by the median over them (J. W. Tukey's median polish).

    Parameters
    ----------
    logs : ndarray, shape (runs, methods)
        Logarithms of times, NaN where a run did not measure a method.

    Returns
    -------
    ndarray, shape (runs,)
        Logarithms, 0 in the median run; NaN where fewer than :data:`LEAST_OTHERS` methods were measured.
    """
    found: Floats = np.full(len(logs), np.nan)
    known = (~np.isnan(logs)).sum(axis=1) >= LEAST_OTHERS
    kept = logs[known][:, ~np.isnan(logs[known]).all(axis=0)]
    if not kept.size:
        return found
    common = np.zeros(len(kept))
    for _ in range(_POLISHED):
        levels = np.nanmedian(kept - common[:, None], axis=0)
        common = np.nanmedian(kept - levels, axis=1)
    found[known] = common - np.median(common)
    return found


def without_machine(logs: Floats, number: int) -> Floats:
    """Return the logarithms of one method, (runs,), less what the runs did to the others; NaN where that is unknown.

    `logs` and the result are as for :func:`machine`; `number` is the column of the method.
    """
    return np.asarray(logs[:, number] - machine(np.delete(logs, number, axis=1)), dtype=float)

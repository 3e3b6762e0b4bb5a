"""The estimate of a time, a ratio or another figure with its interval, and the flag for outliers.

Times and ratios of times are positive and vary by factors rather than by amounts, so everything about them works on
logarithms. How their intervals are made is in :mod:`bench.analysis.model`; ``docs/timing.md`` explains it in plain
words.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import ArrayLike, NDArray

CONFIDENCE = 0.95
FEWEST = 5
"""With fewer values than this there is no bootstrap, and nothing is called an outlier."""
FEWEST_ROUNDS = 3
"""Two processes say almost nothing about a third: with Student's t their interval is nine times their distance."""
SEED = 20260117
"""Every bootstrap starts from the same seed, so that it does not depend on earlier computations."""
ONE_STRUCTURE, ONE_PROCESS = "one structure", "one process"
"""Why a time has no interval."""


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A mean or another figure over several values, with its 95 % interval."""

    estimate: float
    low: float | None
    high: float | None
    n: int
    """The number of structures, or of other values, in the mean."""
    over: str | None
    """What the interval is over: ``structures`` (and the rounds in which they were measured) or ``rounds`` alone; None
    where there is no interval."""
    rounds: int = 1
    """The number of rounds, each a fresh process, whose scatter the interval includes; 1 where it does not."""
    lacks: str | None = None
    """Why there is no interval: :data:`ONE_STRUCTURE` or :data:`ONE_PROCESS`; None where there is one, or another
    reason."""

    def scaled(self, factor: float) -> Estimate:
        """Return the estimate and its interval times `factor`, which is positive."""
        if self.low is None or self.high is None:
            return dataclasses.replace(self, estimate=self.estimate * factor)
        return dataclasses.replace(
            self, estimate=self.estimate * factor, low=self.low * factor, high=self.high * factor
        )


def bounded_exp(log: float) -> float:
    """Return a finite number even for a useless interval (two rounds far apart)."""
    return float(np.exp(np.clip(log, -700.0, 700.0)))


def flag_outliers(values: ArrayLike) -> NDArray[np.bool_]:
    """Flag the values far from the median; they are shown, never dropped.

    Parameters
    ----------
    values : array_like, shape (n,)
        Positive.

    Returns
    -------
    ndarray of bool, shape (n,)
        True where the logarithm is more than five median absolute deviations from its median, and the value
        more than 5 % from the median (so that nearly equal values are not flagged); never among fewer than
        :data:`FEWEST`.
    """
    logs = np.log(np.asarray(values, dtype=float).ravel())
    if logs.size < FEWEST:
        return np.zeros(logs.size, dtype=bool)
    distance = np.abs(logs - np.median(logs))
    return distance > max(5.0 * float(np.median(distance)), np.log(1.05))

"""Geometric means with their bootstrap intervals, and the flag for outliers.

Times and ratios of times are positive and spread by factors rather than by amounts, so that all of
this works on logarithms: a geometric mean is the mean of logs, and a ratio of two geometric means over
the same structures is the geometric mean of the paired ratios.
"""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import bootstrap

CONFIDENCE = 0.95
FEWEST = 5
"""With fewer values than this there is no interval: a bootstrap of four values promises more than it knows."""
SEED = 20260117
"""Every interval starts from the same seed, so that a number does not depend on what was computed before it."""

_MOST_RESAMPLES = 9999
_DRAWS = 2_000_000  # above 200 values fewer resamples do, and a large run stays a matter of seconds
_FEWEST_RESAMPLES = 999
_MOST_FOR_BCA = 1000  # BCa takes time like n squared, and its corrections fade like one over n


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A geometric mean and its 95 % interval, in the unit of the values."""

    estimate: float
    low: float | None
    high: float | None
    n: int
    """The number of values that the estimate is the mean of."""
    over: str | None
    """What the interval is over, ``structures`` or ``steps``; None where there is no interval."""

    def scaled(self, factor: float) -> Estimate:
        """Return the estimate and its interval times `factor`, which is positive."""
        if self.low is None or self.high is None:
            return dataclasses.replace(self, estimate=self.estimate * factor)
        return dataclasses.replace(
            self, estimate=self.estimate * factor, low=self.low * factor, high=self.high * factor
        )


def geometric_mean(values: ArrayLike, over: str = "structures") -> Estimate:
    """Return the geometric mean of `values` with a BCa bootstrap interval (a percentile one above 1000 values).

    Parameters
    ----------
    values : array_like, shape (n,)
        Positive and finite.
    over : str
        What one value belongs to; told on in :attr:`Estimate.over`.

    Returns
    -------
    Estimate
        ``low`` and ``high`` are None for fewer than :data:`FEWEST` values. Nothing in it is ever NaN.

    Raises
    ------
    ValueError
        Where there is no value, or one that is not positive and finite.
    """
    array = np.asarray(values, dtype=float).ravel()
    if array.size == 0:
        raise ValueError("a geometric mean needs at least one value")
    if not (np.isfinite(array).all() and (array > 0).all()):
        raise ValueError("a geometric mean needs positive, finite values")
    logs = np.log(array)
    estimate = float(np.exp(logs.mean()))
    if array.size < FEWEST:
        return Estimate(estimate, None, None, array.size, None)
    low, high = _interval_of_mean(logs)
    # the estimate lies inside its interval also where rounding put it a bit outside
    return Estimate(estimate, min(float(np.exp(low)), estimate), max(float(np.exp(high)), estimate), array.size, over)


def _interval_of_mean(logs: NDArray[np.float64]) -> tuple[float, float]:
    if np.ptp(logs) <= 1e-12 * max(1.0, float(np.abs(logs).max())):
        return float(logs.mean()), float(logs.mean())
    resamples = int(np.clip(_DRAWS // logs.size, _FEWEST_RESAMPLES, _MOST_RESAMPLES))
    for method in ("BCa", "percentile") if logs.size <= _MOST_FOR_BCA else ("percentile",):
        with warnings.catch_warnings():
            # scipy warns and answers NaN where the resamples hardly vary; the percentiles then still tell
            warnings.simplefilter("ignore")
            interval = bootstrap(
                (logs,),
                np.mean,
                vectorized=True,
                n_resamples=resamples,
                batch=max(1, _DRAWS // logs.size),
                confidence_level=CONFIDENCE,
                method=method,
                rng=np.random.default_rng(SEED),
            ).confidence_interval
        if np.isfinite([interval.low, interval.high]).all():
            break
    return float(interval.low), float(interval.high)


def flag_outliers(values: ArrayLike) -> NDArray[np.bool_]:
    """Flag the values that lie far from the median; they are shown, never dropped.

    Parameters
    ----------
    values : array_like, shape (n,)
        Positive.

    Returns
    -------
    ndarray of bool, shape (n,)
        True where the logarithm is more than five median absolute deviations from the median one, and the
        value more than 5 % from the median (which keeps quiet about values that are all but the same); never
        among fewer than :data:`FEWEST`.
    """
    logs = np.log(np.asarray(values, dtype=float).ravel())
    if logs.size < FEWEST:
        return np.zeros(logs.size, dtype=bool)
    distance = np.abs(logs - np.median(logs))
    return distance > max(5.0 * float(np.median(distance)), np.log(1.05))

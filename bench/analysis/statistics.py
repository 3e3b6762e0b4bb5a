"""Geometric means with their intervals, and the flag for outliers.

Times and ratios of times are positive and vary by factors rather than by amounts, so everything here
works on logarithms: a geometric mean is the mean of logs, and a ratio of two geometric means over
the same structures is the geometric mean of the paired ratios.

An interval has two parts. Structures differ: their part is a BCa bootstrap over structures. Fresh processes of the
same method differ too, all structures of a process together: their part is the standard error of the rounds, since a
bootstrap of three rounds could never reach beyond the largest of them. Their variances add. The noise of single times
is in both, so it is subtracted from the first.
``docs/timing.md`` explains it in plain words.
"""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

CONFIDENCE = 0.95
FEWEST = 5
"""With fewer values than this there is no bootstrap: one of four values would be too narrow."""
FEWEST_ROUNDS = 3
"""Two processes say almost nothing about a third: with Student's t their interval is nine times their distance."""
SEED = 20260117
"""Every interval starts from the same seed, so that it does not depend on earlier computations."""

_MOST_RESAMPLES = 9999
_DRAWS = 2_000_000  # above 200 values fewer resamples suffice, and a large run still takes only seconds
_FEWEST_RESAMPLES = 999
_MOST_FOR_BCA = 1000  # the time of BCa grows like n squared, and its corrections shrink like 1/n


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A mean or another figure over several values, with its 95 % interval."""

    estimate: float
    low: float | None
    high: float | None
    n: int
    """The number of values in the mean."""
    over: str | None
    """The interval is over ``structures``, ``steps`` or, with too few of both, ``rounds`` alone; None where there is
    no interval."""
    rounds: int = 1
    """The number of rounds whose scatter the interval includes; 1 where it does not include that of fresh processes."""

    def scaled(self, factor: float) -> Estimate:
        """Return the estimate and its interval times `factor`, which is positive."""
        if self.low is None or self.high is None:
            return dataclasses.replace(self, estimate=self.estimate * factor)
        return dataclasses.replace(
            self, estimate=self.estimate * factor, low=self.low * factor, high=self.high * factor
        )


class Between(NamedTuple):
    """The uncertainty of a mean log from the scatter of fresh processes alone."""

    error: float
    """Standard error of the mean over rounds."""
    freedom: float
    """Degrees of freedom of the standard error."""
    rounds: int
    noise: float = 0.0
    """Variance of a value, the mean over the rounds, that comes from single times and is in the error already."""


def between_rounds(logs: ArrayLike) -> Between | None:
    """Return the scatter of the rounds' means.

    Parameters
    ----------
    logs : array_like, shape (rounds, structures)
        Logarithms, NaN where a round did not measure a structure. Only structures that all rounds have are used.

    Returns
    -------
    Between or None
        None for fewer than :data:`FEWEST_ROUNDS`, or where they have no structure in common.
    """
    table = np.asarray(logs, dtype=float)
    if table.ndim != 2 or table.size == 0:
        return None
    table = table[~np.isnan(table).all(axis=1)]
    common = table[:, ~np.isnan(table).any(axis=0)]
    rounds = len(common)
    if rounds < FEWEST_ROUNDS or common.shape[1] == 0:
        return None
    error = float(common.mean(axis=1).std(ddof=1)) / math.sqrt(rounds)
    return Between(error, rounds - 1, rounds, noise([common]) / rounds)


def noise(groups: Iterable[NDArray[np.float64]]) -> float:
    """Return the variance of a single logarithm that is due neither to its structure nor to its round.

    It is the mean square of what is left, in each group, after the means of rounds (rows) and of structures (columns);
    0 where there is only one structure.
    """
    left, freedom = 0.0, 0
    for group in groups:
        residual = group - group.mean(axis=1, keepdims=True) - group.mean(axis=0, keepdims=True) + group.mean()
        left += float((residual**2).sum())
        freedom += (group.shape[0] - 1) * (group.shape[1] - 1)
    return left / freedom if freedom else 0.0


def independent(one: Between | None, other: Between | None) -> Between | None:
    """Return the scatter of a difference of two means whose rounds were not measured together.

    Welch's t: variances add, and the degrees of freedom are Satterthwaite's. None where one of the two is unknown.
    """
    if one is None or other is None:
        return None
    variances = one.error**2, other.error**2
    total = sum(variances)
    noises = one.noise + other.noise
    if total == 0.0:
        return Between(0.0, one.freedom + other.freedom, min(one.rounds, other.rounds), noises)
    freedom = total**2 / sum(v**2 / b.freedom for v, b in zip(variances, (one, other), strict=True))
    return Between(math.sqrt(total), freedom, min(one.rounds, other.rounds), noises)


def geometric_mean(
    values: ArrayLike,
    over: str = "structures",
    between: Between | None = None,
    confidence: float = CONFIDENCE,
) -> Estimate:
    """Return the geometric mean of `values` with its interval.

    The values' own part of the interval is a BCa bootstrap (a percentile one above 1000 values), each side separately.
    It is combined with the standard error of the rounds by a common t: variances add.

    Parameters
    ----------
    values : array_like, shape (n,)
        Positive and finite.
    over : str
        What one value belongs to, for :attr:`Estimate.over`.
    between : Between, optional
        The scatter of the rounds over which each value is a mean.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    Estimate
        ``low`` and ``high`` are None for fewer than :data:`FEWEST` values without rounds. Nothing in it is ever NaN.

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
    middle = float(logs.mean())
    estimate = float(np.exp(middle))
    enough = array.size >= FEWEST
    if not enough and between is None:
        return Estimate(estimate, None, None, array.size, None)
    low, high = _interval_of_mean(logs, confidence) if enough else (middle, middle)
    low = middle - _reach(middle - low, array.size, between, confidence)
    high = middle + _reach(high - middle, array.size, between, confidence)
    rounds = 1 if between is None else between.rounds
    # rounding must not leave the estimate just outside its interval
    return Estimate(
        estimate,
        min(bounded_exp(low), estimate),
        max(bounded_exp(high), estimate),
        array.size,
        over if enough else "rounds",
        rounds,
    )


def _reach(bootstrapped: float, n: int, between: Between | None, confidence: float) -> float:
    """Return how far an interval extends to one side, from the extent of the bootstrap of n values.

    A bootstrap treats the values as the whole population: its error is too small by the square root of (n - 1) / n, and
    has only n - 1 degrees of freedom. So it is treated as a standard error and combined with that of the rounds
    after Cochran and Cox (Experimental Designs, 1950): variances add, and the t of the sum is the mean of both t's,
    weighted by their variances. Welch's t covers too little where three rounds dominate.
    """
    tail = (1 + confidence) / 2
    own = bootstrapped / float(stats.norm.ppf(tail)) * math.sqrt(n / max(n - 1, 1))
    variances, freedoms = [own**2], [float(max(n - 1, 1))]
    if between is not None:
        variances[0] = max(0.0, variances[0] - between.noise / n)
        variances.append(between.error**2)
        freedoms.append(between.freedom)
    total = sum(variances)
    if total == 0.0:
        return 0.0
    return float(np.dot(variances, stats.t.ppf(tail, freedoms))) / total * math.sqrt(total)


def bounded_exp(log: float) -> float:
    """Return a finite number even for a useless interval (two rounds far apart)."""
    return float(np.exp(np.clip(log, -700.0, 700.0)))


def _interval_of_mean(logs: NDArray[np.float64], confidence: float) -> tuple[float, float]:
    if np.ptp(logs) <= 1e-12 * max(1.0, float(np.abs(logs).max())):
        return float(logs.mean()), float(logs.mean())
    resamples = int(np.clip(_DRAWS // logs.size, _FEWEST_RESAMPLES, _MOST_RESAMPLES))
    for method in ("BCa", "percentile") if logs.size <= _MOST_FOR_BCA else ("percentile",):
        with warnings.catch_warnings():
            # scipy warns and returns NaN where the resamples hardly vary; the percentiles are then still valid
            warnings.simplefilter("ignore")
            interval = stats.bootstrap(
                (logs,),
                np.mean,
                vectorized=True,
                n_resamples=resamples,
                batch=max(1, _DRAWS // logs.size),
                confidence_level=confidence,
                method=method,
                rng=np.random.default_rng(SEED),
            ).confidence_interval
        if np.isfinite([interval.low, interval.high]).all():
            break
    return float(interval.low), float(interval.high)


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

"""Arithmetic means and other statistics of errors with their 95 % intervals, over structures and over systems.

Unlike times, errors may be zero or negative, so nothing here works on logarithms as :mod:`bench.analysis.statistics`
does; what is common to both comes from there.
"""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import special

from bench.analysis.statistics import CONFIDENCE, FEWEST, SEED, Estimate, bounded_exp

Floats = NDArray[np.float64]
Chosen = NDArray[np.intp]
"""(..., s) indices of structures, those of one resample along the last axis."""

_RESAMPLES = 1999
_AT_ONCE = 10_000  # structures of all resamples at a time, which limits the memory
_TAIL = (1 + CONFIDENCE) / 2


def mean(systems: Sequence[Floats], least: float, most: float = math.inf) -> Estimate:
    """Return the mean over systems of the means over the structures of each, so that each system counts the same.

    The interval is about these systems: Student's t of the structures within them, with Satterthwaite's degrees of
    freedom. Where one of several systems has a single structure, nobody knows how its structures scatter, and the
    interval is Student's t over the systems.

    Parameters
    ----------
    systems : sequence of ndarray
        One value for each structure of a system, at least one.
    least, most : float
        The possible values.
    """
    found = _Mean.of(systems)
    # rounding must not leave the possible values
    estimate = float(np.clip(found.value, least, most))
    if found.over is None:
        return Estimate(estimate, None, None, found.n, None)
    low, high = max(least, estimate - found.reach), min(most, estimate + found.reach)
    return Estimate(estimate, low, high, found.n, found.over)


def positive_mean(systems: Sequence[Floats]) -> Estimate:
    """Return the same of values that are not negative, with the interval of a logarithm.

    Errors are skewed, and an interval that reaches as far down as up would lie too low.
    """
    found = _Mean.of(systems)
    if found.over is None:
        return Estimate(found.value, None, None, found.n, None)
    factor = bounded_exp(found.reach / found.value) if found.value > 0 else 1.0
    return Estimate(found.value, found.value / factor, found.value * factor, found.n, found.over)


@dataclasses.dataclass(frozen=True)
class _Mean:
    """A mean over systems."""

    value: float
    n: int
    """Structures."""
    reach: float = 0.0
    """Half-width of its interval."""
    over: str | None = None
    """What the interval is over; None for a single structure, which has none."""

    @classmethod
    def of(cls, systems: Sequence[Floats]) -> _Mean:
        means = np.array([one.mean() for one in systems])
        value, n = float(means.mean()), sum(map(len, systems))
        if n < 2:
            return cls(value, n)
        if min(map(len, systems)) < 2:
            return cls(value, n, _reach([means]), "systems")
        return cls(value, n, _reach(systems), "structures")


def _reach(systems: Sequence[Floats]) -> float:
    """Return the half-width of the interval of the mean of means; each of two values or more."""
    variances = np.array([one.var(ddof=1) / len(one) for one in systems])
    total = float(variances.sum())
    if total == 0.0:
        return 0.0
    freedom = total**2 / sum(v**2 / (len(one) - 1) for v, one in zip(variances, systems, strict=True))
    return float(special.stdtrit(freedom, _TAIL)) * math.sqrt(total) / len(systems)


def spearman(one: Floats, other: Floats) -> Floats:
    """Return the rank correlation along the last axis; 0 in a resample where all values of one are equal."""
    from scipy import stats

    first, second = (stats.rankdata(each, axis=-1) for each in (one, other))
    first, second = (each - each.mean(axis=-1, keepdims=True) for each in (first, second))
    products = (first * second).sum(axis=-1)
    lengths = np.sqrt((first**2).sum(axis=-1) * (second**2).sum(axis=-1))
    return np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0)


def bootstrapped(
    statistic: Callable[[Chosen], Floats], structures: int, least: float, most: float = math.inf
) -> Estimate:
    """Return a statistic of all structures with its interval, within the possible values.

    `statistic` takes the indices of structures, shape (..., s). The interval is a BCa bootstrap, or a percentile one
    where the resamples hardly vary, made wider, because a bootstrap treats the structures as the whole population.
    """
    everything = np.arange(structures)
    estimate = float(np.clip(statistic(everything), least, most))
    if structures < FEWEST:
        return Estimate(estimate, None, None, structures, None)
    from scipy import stats  # slow to import, and a few structures have no interval

    for method in ("BCa", "percentile"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = stats.bootstrap(
                (everything,),
                lambda chosen, axis: statistic(chosen),
                vectorized=True,
                n_resamples=_RESAMPLES,
                batch=max(1, _AT_ONCE // structures),
                confidence_level=CONFIDENCE,
                method=method,
                rng=np.random.default_rng(SEED),
            ).confidence_interval
        if np.isfinite([found.low, found.high]).all():
            break
    wider = float(stats.t.ppf(_TAIL, structures - 1) / stats.norm.ppf(_TAIL)) * math.sqrt(structures / (structures - 1))
    low = estimate - wider * max(0.0, estimate - float(found.low))
    high = estimate + wider * max(0.0, float(found.high) - estimate)
    return Estimate(estimate, max(least, low), min(most, high), structures, "structures")

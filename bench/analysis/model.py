"""The model of every time: rounds, structures and the rest are random, and each has its part of an interval.

The logarithm of the time at structure s in round r is ``mean + a[r] + b[s] + e[r, s]``. ``a`` is what a round does to
all its structures: the machine at that time, and the fresh process. ``b`` is what a structure does in all rounds. A
round may have measured any structures, and few of them. A ratio is the same model for the differences of two methods'
logarithms, where both have a value; what a round does to both is not in them.

* Each round has its own mean, after what its structures do is taken out (generalised least squares, structures random).
* The mean over rounds gives each round the same weight. A fast process that reached more structures counts once.
* The variance of this mean is Q / R + c. Q is the scatter of the R rounds' means, with R - 1 degrees of freedom. c is
  what different rounds have in common because they measured the same structures; it has S - 1 degrees of freedom.
* Student's factor is the mean of those of both parts, weighted by their variances (W. G. Cochran and G. M. Cox,
  Experimental Designs, 1950), which covers a little more than Satterthwaite's where two or three rounds dominate.

Where the data set consists of several systems, each system has a fixed effect of its own, ``g[system]``, and all have
the same weight in the mean. The interval is then that of the mean over these systems, not over others like them: what a
system does to the time is no error. Structures are random within their system.

``docs/timing.md`` explains it in plain words, with its coverage in simulated campaigns.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from bench.analysis.statistics import CONFIDENCE, ONE_PROCESS, ONE_STRUCTURE, Estimate, bounded_exp
from bench.analysis.variances import Floats, contrasts, equations, variances


class Component(NamedTuple):
    """A part of the variance of a mean logarithm."""

    variance: float
    freedom: float
    """Degrees of freedom with which it is known; infinite where it is given."""


@dataclasses.dataclass(frozen=True)
class Fit:
    """A mean logarithm, and what is known of its error."""

    mean: float
    structures: int
    rounds: int
    of_rounds: Component
    """Q / R."""
    of_structures: Component
    """c: what the rounds have in common through their structures."""
    values: Floats = dataclasses.field(compare=False)
    """(structures,) the mean logarithm at each structure, after what the rounds do is taken out; NaN where there is
    none."""
    rest: float = 0.0
    """The mean variance of these values by what is neither the structure nor the round."""

    @property
    def lacks(self) -> str | None:
        """Why there is no interval; None where there is one."""
        return ONE_PROCESS if self.rounds < 2 else ONE_STRUCTURE if self.structures < 2 else None

    @property
    def parts(self) -> tuple[Component, Component]:
        """The parts of its variance."""
        return (self.of_rounds, self.of_structures)

    def reach(self, confidence: float = CONFIDENCE) -> float:
        """Return how far the interval reaches to either side, in logarithms; infinite where there is none."""
        return math.inf if self.lacks else reach(self.parts, confidence)

    def p_value(self) -> float:
        """Return how improbable a mean that far from 0 is if the true one is 0; 1 where there is no interval."""
        return 1.0 if self.lacks else p_value(self.mean, self.parts)

    def estimate(self, confidence: float = CONFIDENCE) -> Estimate:
        """Return the mean, no longer a logarithm, with its interval."""
        return estimate(
            self.mean,
            None if self.lacks else self.parts,
            n=self.structures,
            over="structures",
            rounds=self.rounds,
            lacks=self.lacks,
            confidence=confidence,
        )


def fit(logs: ArrayLike, groups: ArrayLike | None = None, systems: ArrayLike | None = None) -> Fit:
    """Return the mean of the model.

    Parameters
    ----------
    logs : array_like, shape (structures, rounds)
        Natural logarithms, NaN where a round did not measure a structure; at least one value.
    groups : array_like, shape (rounds,), optional
        A label for each round, where two kinds of rounds differ by a fixed effect: the mean is that of both kinds'
        means, and the scatter is that within each kind.
    systems : array_like, shape (structures,), optional
        The system of each structure; None: all are of one.
    """
    table = np.asarray(logs, dtype=float)
    known = ~np.isnan(table)
    lines, columns = known.any(axis=1), known.any(axis=0)
    labels = np.zeros(len(columns), dtype=int) if groups is None else np.unique(groups, return_inverse=True)[1]
    of_systems = contrasts(None if systems is None else np.asarray(systems)[lines], known[np.ix_(lines, columns)])
    found = _rounds(table[np.ix_(lines, columns)], of_systems)
    mean = mean_over_rounds(
        found.means, found.covariance, int(lines.sum()), labels[columns], systems=1 + of_systems.shape[1]
    )
    values = np.full(len(lines), np.nan)
    values[lines] = mean.mean + found.at
    return dataclasses.replace(mean, values=values, rest=found.rest)


def mean_over_rounds(
    means: Floats,
    covariance: Floats,
    structures: int,
    labels: NDArray[np.int_] | None = None,
    *,
    systems: int = 1,
) -> Fit:
    """Return the mean over rounds of their means, each with the same weight; its `values` are empty.

    Parameters
    ----------
    means : ndarray, shape (rounds,)
        After what the structures do is taken out.
    covariance : ndarray, shape (rounds, rounds)
        Of their errors by structures and the rest; what the rounds themselves do is not in it.
    structures : int
        How many were measured.
    labels : ndarray, shape (rounds,), optional
        The kinds of the rounds: see `groups` of :func:`fit`.
    systems : int, optional
        How many systems have an effect of their own.
    """
    rounds = len(means)
    labels = np.zeros(rounds, dtype=int) if labels is None else labels
    kinds = [labels == one for one in np.unique(labels)]
    weights, squares, noise = np.zeros(rounds), 0.0, 0.0
    for kind in kinds:
        mine, errors = means[kind], covariance[np.ix_(kind, kind)]
        weights[kind] = 1 / (len(kinds) * len(mine))
        squares += float(((mine - mine.mean()) ** 2).sum())
        noise += float(np.trace(errors) - errors.sum() / len(mine))
    mean, each = float(weights @ means), float(weights @ weights)
    freedom = rounds - len(kinds)
    nothing: Floats = np.array([])
    if freedom == 0:
        return Fit(mean, structures, 1, Component(0.0, 1.0), Component(0.0, 1.0), nothing)
    # the scatter of the rounds contains their own errors of measurement; c is what is left of the mean's
    common = float(weights @ covariance @ weights) - each * noise / freedom
    return Fit(
        mean,
        structures,
        rounds,
        Component(each * squares / freedom, freedom),
        Component(max(0.0, common), max(structures - systems, 1)),
        nothing,
    )


class _Rounds(NamedTuple):
    means: Floats
    """(rounds,) after what the structures do is taken out."""
    covariance: Floats
    """(rounds, rounds) of their errors by structures and the rest; what the rounds themselves do is not in it."""
    at: Floats
    """(structures,) the mean over a structure's rounds of what is left after the rounds' means."""
    rest: float
    """The mean variance of the latter by the rest alone."""


def _rounds(table: Floats, of_systems: Floats) -> _Rounds:
    """Return what the rounds and the structures of a table do, whose lines and columns all have a value."""
    known = ~np.isnan(table)
    middle = float(table[known].mean())  # taken out, so that rounding does not depend on the unit
    values, there = np.where(known, table - middle, 0.0), known.astype(float)
    k = there.sum(axis=1)
    total, share = variances(values, there, of_systems)
    # generalised least squares: this share of a structure's mean is taken out of its values
    system, right = equations(values, there, share / (1 - share + share * k), of_systems)
    rounds = there.shape[1]
    inverse = np.linalg.inv(system)
    means: Floats = (inverse @ right)[:rounds]
    inverse = inverse[:rounds, :rounds]
    rest = total * (1 - share)
    at: Floats = ((values - means) * there).sum(axis=1) / k
    return _Rounds(middle + means, np.asarray(rest * inverse, dtype=float), at, rest * float((1 / k).mean()))


def difference(one: ArrayLike, other: ArrayLike, systems: ArrayLike | None = None) -> Fit:
    """Return the mean of `one` less `other`, whose rounds were not measured together.

    Parameters
    ----------
    one, other : array_like, shape (structures, rounds)
        Logarithms at the same structures, NaN where a round did not measure a structure; each structure has a value in
        both. What a structure does to both drops out; the rounds' parts add.
    systems : array_like, shape (structures,), optional
        The system of each structure; None: all are of one.
    """
    both = fit(one, systems=systems), fit(other, systems=systems)
    n = both[0].structures
    apart = both[0].values - both[1].values
    numbers = np.zeros(n, dtype=int) if systems is None else np.unique(np.asarray(systems), return_inverse=True)[1]
    freedom = n - len(np.unique(numbers))
    means = np.bincount(numbers, apart) / np.bincount(numbers)
    # a structure's values also differ by the rest, which the rounds' parts have already
    scatter = float(((apart - means[numbers]) ** 2).sum()) / freedom if freedom > 0 else 0.0
    shared = max(0.0, scatter - both[0].rest - both[1].rest) / n
    return Fit(
        both[0].mean - both[1].mean,
        n,
        min(each.rounds for each in both),
        together([each.of_rounds for each in both]),
        Component(shared, max(freedom, 1)),
        apart,
    )


def together(parts: Iterable[Component]) -> Component:
    """Return the sum of independent parts as one, with Satterthwaite's degrees of freedom."""
    kept = [part for part in parts if part.variance > 0]
    total = sum(part.variance for part in kept)
    if not kept:
        return Component(0.0, 1.0)
    return Component(total, total**2 / sum(part.variance**2 / part.freedom for part in kept))


def reach(parts: Sequence[Component], confidence: float = CONFIDENCE) -> float:
    """Return how far an interval reaches to either side, from the parts of a variance."""
    total = sum(part.variance for part in parts)
    return _factor(parts, (1 + confidence) / 2) * math.sqrt(total) if total > 0 else 0.0


def _factor(parts: Sequence[Component], tail: float) -> float:
    """Return Student's factor of a sum: the mean of those of its parts, weighted by their variances."""
    total = sum(part.variance for part in parts)
    return sum(part.variance * float(special.stdtrit(part.freedom, tail)) for part in parts) / total


def p_value(mean: float, parts: Sequence[Component]) -> float:
    """Return how improbable a mean that far from 0 is if the true one is 0.

    The reaches of the parts, each with its own Student's factor, are added as squares. At 5 % this is a little wider
    than :func:`reach`; far out it is much wider where a part of few degrees of freedom happens to be small, and there
    the mean of the factors rejects too often: with two rounds, three times as often as it says.
    """
    kept = [part for part in parts if part.variance > 0]
    if not kept:
        return 1.0 if mean == 0 else 0.0
    # no part alone reaches further than both, and both no further than all the variance with the fewest degrees
    total = sum(part.variance for part in kept)
    least = max(_two_sided(mean, part.variance, part.freedom) for part in kept)
    low, high = math.log(least), math.log(max(least, _two_sided(mean, total, min(part.freedom for part in kept))))
    while high - low > 1e-3:
        middle = (low + high) / 2
        far = math.hypot(
            *(math.sqrt(part.variance) * special.stdtrit(part.freedom, math.exp(middle) / 2) for part in kept)
        )
        low, high = (middle, high) if far > abs(mean) else (low, middle)
    return math.exp(high)


def _two_sided(mean: float, variance: float, freedom: float) -> float:
    return max(2 * float(special.stdtr(freedom, -abs(mean) / math.sqrt(variance))), 1e-300)


def estimate(
    mean: float,
    parts: Sequence[Component] | None,
    *,
    n: int,
    over: str,
    rounds: int = 1,
    lacks: str | None = None,
    confidence: float = CONFIDENCE,
) -> Estimate:
    """Return a mean logarithm as an estimate of the time or ratio; without an interval where `parts` is None."""
    middle = bounded_exp(mean)
    if parts is None:
        return Estimate(middle, None, None, n, None, rounds, lacks)
    far = reach(parts, confidence)
    # rounding must not leave the estimate just outside its interval
    low, high = min(bounded_exp(mean - far), middle), max(bounded_exp(mean + far), middle)
    return Estimate(middle, low, high, n, over, rounds)


def mean_of(values: ArrayLike, over: str, confidence: float = CONFIDENCE) -> Estimate:
    """Return the geometric mean of independent values, each of another structure or round, with Student's interval.

    Parameters
    ----------
    values : array_like, shape (n,)
        Positive and finite; a single one has no interval.
    over : str
        ``structures`` or ``rounds``: what the values differ by.
    """
    array = np.asarray(values, dtype=float).ravel()
    if array.size == 0:
        raise ValueError("a geometric mean needs at least one value")
    if not (np.isfinite(array).all() and (array > 0).all()):
        raise ValueError("a geometric mean needs positive, finite values")
    logs = np.log(array)
    n, rounds = array.size, array.size if over == "rounds" else 1
    lacks = None if n > 1 else ONE_PROCESS if over == "rounds" else ONE_STRUCTURE
    parts = None if lacks else [scatter_of(logs)]
    return estimate(float(logs.mean()), parts, n=n, over=over, rounds=rounds, lacks=lacks, confidence=confidence)


def scatter_of(logs: Floats) -> Component:
    """Return the variance of the mean of independent logarithms; at least two."""
    return Component(float(logs.var(ddof=1)) / len(logs), len(logs) - 1)

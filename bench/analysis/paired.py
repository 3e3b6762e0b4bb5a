"""The ratio of two methods that were measured in the same rounds: the model of every time, for both at once.

Each method has the model of :mod:`bench.analysis.model`. What a structure does to one may be related to what it does to
the other, and is: the covariance comes from the differences where both measured a structure in the same round. All
values of a round count, also those at structures that the slower method did not reach, because both methods were
measured all through the round. Each round has the difference of both means, after what the structures do to either is
taken out (generalised least squares). The mean over rounds and its interval follow as for a single method.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bench.analysis.model import Fit, Floats, mean_over_rounds, variances

_LEAST = 1e-14
"""A variance of single times; at 0 the equations have no unique solution."""


def ratio(one: ArrayLike, other: ArrayLike) -> Fit | None:
    """Return the mean of `one` less `other`; None where no round measured both at some structure.

    Parameters
    ----------
    one, other : array_like, shape (structures, rounds)
        Natural logarithms of times at the same structures in the same rounds, NaN where there is none. Only rounds that
        have values of both count.
    """
    tables = [np.asarray(table, dtype=float) for table in (one, other)]
    columns = np.logical_and(*(~np.isnan(table).all(axis=0) for table in tables))
    lines = np.logical_or(*(~np.isnan(table[:, columns]).all(axis=1) for table in tables))
    tables = [table[np.ix_(lines, columns)] for table in tables]
    there = [~np.isnan(table) for table in tables]
    common = there[0] & there[1]
    if not common.any():
        return None
    middles = [float(table[known].mean()) for table, known in zip(tables, there, strict=True)]
    logs = [np.where(known, table - middle, 0.0) for table, known, middle in zip(tables, there, middles, strict=True)]
    found = _rounds(logs, there, common)
    return mean_over_rounds(
        found.differences + middles[0] - middles[1], found.covariance, structures=int(common.any(axis=1).sum())
    )


class _Rounds(NamedTuple):
    differences: Floats
    """(rounds,) of both methods' means, after what the structures do is taken out."""
    covariance: Floats
    """(rounds, rounds) of their errors by structures and the rest; what the rounds themselves do is not in it."""


def _rounds(logs: list[Floats], there: list[NDArray[np.bool_]], common: NDArray[np.bool_]) -> _Rounds:
    """Solve the equations of the rounds' means of both methods, structures random.

    The inverse of a structure's covariance matrix is that of its single times, less a term of rank two (Woodbury).
    """
    rounds = common.shape[1]
    sigma, rest = _components(logs, there, common)
    weights = np.hstack([known / variance for known, variance in zip(there, rest, strict=True)])
    counts = np.stack([known.sum(axis=1) / variance for known, variance in zip(there, rest, strict=True)], axis=1)
    sums = np.stack([table.sum(axis=1) / variance for table, variance in zip(logs, rest, strict=True)], axis=1)
    taken = np.linalg.solve(np.eye(2) + sigma * counts[:, None, :], np.broadcast_to(sigma, (len(counts), 2, 2)))
    system = np.diag(weights.sum(axis=0))
    for a in range(2):
        for b in range(2):
            mine, its = _half(weights, a, rounds), _half(weights, b, rounds)
            system[a * rounds : (a + 1) * rounds, b * rounds : (b + 1) * rounds] -= mine.T @ (
                its * taken[:, a, b][:, None]
            )
    effects = np.repeat(np.einsum("sab,sb->sa", taken, sums), rounds, axis=1)
    right = np.concatenate([table.sum(axis=0) / variance for table, variance in zip(logs, rest, strict=True)])
    inverse = np.linalg.inv(system)
    means = inverse @ (right - (weights * effects).sum(axis=0))
    less = np.hstack([np.eye(rounds), -np.eye(rounds)])
    return _Rounds(less @ means, less @ inverse @ less.T)


def _half(weights: Floats, which: int, rounds: int) -> Floats:
    return weights[:, which * rounds : (which + 1) * rounds]


def _components(
    logs: list[Floats], there: list[NDArray[np.bool_]], common: NDArray[np.bool_]
) -> tuple[Floats, list[float]]:
    """Return the covariance matrix of what a structure does to both methods, and the variances of single times."""
    own, rest = [], []
    for table, known in zip(logs, there, strict=True):
        reached = known.any(axis=1)
        total, share = variances(table[reached], known[reached].astype(float))
        own.append(total * share)
        rest.append(max(total * (1 - share), _LEAST))
    # from the difference of both: what else they share at a structure of one round, such as a burst, drops out of it
    apart = np.where(common, logs[0] - logs[1], 0.0)[np.ix_(common.any(axis=1), common.any(axis=0))]
    total, share = variances(apart, common[np.ix_(common.any(axis=1), common.any(axis=0))].astype(float))
    most = float(np.sqrt(own[0] * own[1]))
    between = min(max((own[0] + own[1] - total * share) / 2, -most), most)
    return np.array([[own[0], between], [between, own[1]]]), rest

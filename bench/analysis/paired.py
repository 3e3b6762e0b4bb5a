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

from bench.analysis.model import Fit, mean_over_rounds
from bench.analysis.variances import Floats, contrasts, variances

_LEAST = 1e-14
"""A variance of single times; at 0 the equations have no unique solution."""


def ratio(one: ArrayLike, other: ArrayLike, systems: ArrayLike | None = None) -> Fit | None:
    """Return the mean of `one` less `other`; None where no round measured both at some structure.

    Parameters
    ----------
    one, other : array_like, shape (structures, rounds)
        Natural logarithms of times at the same structures in the same rounds, NaN where there is none. Only rounds that
        have values of both count.
    systems : array_like, shape (structures,), optional
        The system of each structure; None: all are of one. Only systems count that both have.
    """
    tables = [np.asarray(table, dtype=float) for table in (one, other)]
    columns = np.logical_and(*(~np.isnan(table).all(axis=0) for table in tables))
    lines = np.logical_or(*(~np.isnan(table[:, columns]).all(axis=1) for table in tables))
    numbers = np.zeros(len(lines), dtype=int) if systems is None else np.asarray(systems)
    reached = [set(numbers[~np.isnan(table[:, columns]).all(axis=1)].tolist()) for table in tables]
    lines &= np.isin(numbers, sorted(reached[0] & reached[1]))
    columns &= np.logical_and(*(~np.isnan(table[lines]).all(axis=0) for table in tables))
    lines &= np.logical_or(*(~np.isnan(table[:, columns]).all(axis=1) for table in tables))
    tables = [table[np.ix_(lines, columns)] for table in tables]
    there = [~np.isnan(table) for table in tables]
    common = there[0] & there[1]
    if not common.any():
        return None
    middles = [float(table[known].mean()) for table, known in zip(tables, there, strict=True)]
    logs = [np.where(known, table - middle, 0.0) for table, known, middle in zip(tables, there, middles, strict=True)]
    of_systems = [contrasts(numbers[lines], known) for known in there]
    if not all(one.shape[1] == of_systems[0].shape[1] for one in of_systems):
        of_systems = [np.zeros((int(lines.sum()), 0))] * 2
    found = _rounds(logs, there, common, of_systems)
    return mean_over_rounds(
        found.differences + middles[0] - middles[1],
        found.covariance,
        structures=int(common.any(axis=1).sum()),
        systems=1 + of_systems[0].shape[1],
    )


class _Rounds(NamedTuple):
    differences: Floats
    """(rounds,) of both methods' means, after what the structures do is taken out."""
    covariance: Floats
    """(rounds, rounds) of their errors by structures and the rest; what the rounds themselves do is not in it."""


def _rounds(
    logs: list[Floats], there: list[NDArray[np.bool_]], common: NDArray[np.bool_], of_systems: list[Floats]
) -> _Rounds:
    """Solve the equations of the rounds' means and the systems' effects of both methods, structures random.

    The inverse of a structure's covariance matrix is that of its single times, less a term of rank two (Woodbury).
    """
    sigma, rest = _components(logs, there, common, of_systems)
    weights = [known / variance for known, variance in zip(there, rest, strict=True)]
    counts = np.stack([one.sum(axis=1) for one in weights], axis=1)
    sums = np.stack([table.sum(axis=1) / variance for table, variance in zip(logs, rest, strict=True)], axis=1)
    taken = np.linalg.solve(np.eye(2) + sigma * counts[:, None, :], np.broadcast_to(sigma, (len(counts), 2, 2)))
    # a structure's sums over its rounds, as each effect of either method enters them
    designs = [np.hstack([weights[a], counts[:, a, None] * of_systems[a]]) for a in range(2)]
    size, rounds = designs[0].shape[1], common.shape[1]
    system, right = np.zeros((2 * size, 2 * size)), np.zeros(2 * size)
    for a in range(2):
        mine = slice(a * size, (a + 1) * size)
        system[mine, mine] += _alone(weights[a], of_systems[a])
        right[mine] += np.concatenate([logs[a].sum(axis=0) / rest[a], of_systems[a].T @ sums[:, a]])
        for b in range(2):
            its = slice(b * size, (b + 1) * size)
            system[mine, its] -= designs[a].T @ (designs[b] * taken[:, a, b][:, None])
            right[mine] -= designs[a].T @ (taken[:, a, b] * sums[:, b])
    inverse = np.linalg.inv(system)
    means = inverse @ right
    less = np.zeros((rounds, 2 * size))
    less[:, :rounds], less[:, size : size + rounds] = np.eye(rounds), -np.eye(rounds)
    return _Rounds(less @ means, less @ inverse @ less.T)


def _alone(weights: Floats, of_systems: Floats) -> Floats:
    """Return the normal equations of one method where structures have no effect: rounds first, then systems."""
    across = weights.T @ of_systems
    of_rounds = np.diag(weights.sum(axis=0))
    within = of_systems.T @ (weights.sum(axis=1)[:, None] * of_systems)
    return np.block([[of_rounds, across], [across.T, within]])


def _components(
    logs: list[Floats], there: list[NDArray[np.bool_]], common: NDArray[np.bool_], of_systems: list[Floats]
) -> tuple[Floats, list[float]]:
    """Return the covariance matrix of what a structure does to both methods, and the variances of single times."""
    own, rest = [], []
    for table, known, of_system in zip(logs, there, of_systems, strict=True):
        reached = known.any(axis=1)
        total, share = variances(table[reached], known[reached].astype(float), of_system[reached])
        own.append(total * share)
        rest.append(max(total * (1 - share), _LEAST))
    # from the difference of both: what else they share at a structure of one round, such as a burst, drops out of it
    lines, columns = common.any(axis=1), common.any(axis=0)
    apart = np.where(common, logs[0] - logs[1], 0.0)[np.ix_(lines, columns)]
    both = common[np.ix_(lines, columns)]
    total, share = variances(apart, both.astype(float), _of_common(of_systems[0][lines], both))
    most = float(np.sqrt(own[0] * own[1]))
    between = min(max((own[0] + own[1] - total * share) / 2, -most), most)
    return np.array([[own[0], between], [between, own[1]]]), rest


def _of_common(of_systems: Floats, common: NDArray[np.bool_]) -> Floats:
    """Return the columns of the systems' effects for the structures that both have, which may be fewer systems."""
    if not of_systems.shape[1]:
        return of_systems
    return contrasts(np.unique(of_systems, axis=0, return_inverse=True)[1].ravel(), common)

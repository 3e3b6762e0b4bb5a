"""The normal equations of the model of times, and the variances of its random parts.

See :mod:`bench.analysis.model`. Rounds have fixed effects and, where the data set has several, so have systems;
structures are random.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

_MOST = 1 - 1e-7
"""The largest share of structures in the variance within rounds; at 1 the equations have no unique solution."""


def contrasts(systems: ArrayLike | None, known: NDArray[np.bool_]) -> Floats:
    """Return the columns of the systems' effects, (structures, systems - 1); they add up to zero over the systems.

    Without columns for a single system, and where the effects cannot be told from those of the rounds, because no chain
    of common structures or systems connects all rounds: the structures' differences are then all random, which makes
    the interval wide.
    """
    nothing: Floats = np.zeros((known.shape[0], 0))
    if systems is None:
        return nothing
    number = np.unique(np.asarray(systems), return_inverse=True)[1]
    count = int(number.max(initial=0)) + 1
    if count < 2:
        return nothing
    there = np.stack([known[number == one].any(axis=0) for one in range(count)])  # (systems, rounds)
    joined, grown = there[:, :1].any(axis=1), True
    while grown:
        rounds = there[joined].any(axis=0)
        wider = there[:, rounds].any(axis=1)
        grown, joined = bool((wider & ~joined).any()), wider
    if not joined.all():
        return nothing
    columns: Floats = np.vstack([np.eye(count - 1), np.full((1, count - 1), -1.0)])[number]
    return columns


def equations(values: Floats, there: Floats, taken: Floats, of_systems: Floats) -> tuple[Floats, Floats]:
    """Return the normal equations of the rounds' means and the systems' effects, in this order.

    `taken` times a structure's sum is taken out of its values.
    """
    k = there.sum(axis=1)
    design = np.hstack([there, k[:, None] * of_systems])  # a structure's sums
    rounds = there.shape[1]
    system = -design.T @ (design * taken[:, None])
    system[:rounds, :rounds] += np.diag(there.sum(axis=0))
    system[:rounds, rounds:] += there.T @ of_systems
    system[rounds:, :rounds] += of_systems.T @ there
    system[rounds:, rounds:] += of_systems.T @ (k[:, None] * of_systems)
    sums = values.sum(axis=1)
    right = np.concatenate([values.sum(axis=0), of_systems.T @ sums])
    return system, right - design.T @ (taken * sums)


def variances(values: Floats, there: Floats, of_systems: Floats | None = None) -> tuple[float, float]:
    """Return the variance of a value within its round, and the share of the structures in it.

    By moments (C. R. Henderson, Biometrics 9, 226 (1953), method 3). The squares within rounds are N - R times the
    whole variance; what is left after rounds and structures, both as fixed effects, gives that of the rest. Where
    nothing is left, all of it is taken for that of the structures, which makes intervals wider rather than narrower.
    With the columns of several systems, the whole variance is that within systems.
    """
    if of_systems is not None and of_systems.shape[1]:
        return _within_systems(values, there, of_systems)
    n, rounds = there.sum(axis=0), there.shape[1]
    cells = int(n.sum())
    if cells == rounds:  # one structure a round: only the rounds' means say how much structures may differ
        return (float(values.sum(axis=0).var(ddof=1)) if rounds > 1 else 0.0), _MOST
    within = (values - values.sum(axis=0) / n) * there
    total = float((within**2).sum()) / (cells - rounds)
    rest = _rest(values, there)
    if rest is None or total <= 0:
        return total, _MOST
    return total, min(max(1 - rest / total, 0.0), _MOST)


def _rest(values: Floats, there: Floats) -> float | None:
    """Return the variance of what is neither the round's nor the structure's; None where nothing is left."""
    k = there.sum(axis=1)
    system, right = equations(values, there, 1 / k, np.zeros((len(k), 0)))
    effects, _, rank, _ = np.linalg.lstsq(system, right, rcond=1e-9)
    left = (values - effects) * there
    left -= there * (left.sum(axis=1) / k)[:, None]
    freedom = int(there.sum()) - len(k) - int(rank)
    return float((left**2).sum()) / freedom if freedom > 0 else None


def _within_systems(values: Floats, there: Floats, of_systems: Floats) -> tuple[float, float]:
    """Return what :func:`variances` does, within systems: the squares that rounds and systems leave are expected to be
    the rest's variance and that of the structures, times what the design gives to either (Henderson's method 3).
    """
    k, cells = there.sum(axis=1), int(there.sum())
    system, right = equations(values, there, np.zeros(len(k)), of_systems)
    inverse = np.linalg.pinv(system, rcond=1e-9, hermitian=True)
    effects = inverse @ right
    rounds = there.shape[1]
    left = (values - effects[:rounds] - (of_systems @ effects[rounds:])[:, None]) * there
    squares = float((left**2).sum())
    sums = np.hstack([there, k[:, None] * of_systems])
    of_rest = cells - len(system)
    of_structures = cells - float(np.trace(inverse @ sums.T @ sums))
    rest = _rest(values, there)
    if rest is None:
        rest = squares / of_rest if of_rest > 0 else 0.0
        return rest, (_MOST if of_structures > 1e-9 else 0.0)
    structures = max(0.0, (squares - of_rest * rest) / of_structures) if of_structures > 1e-6 * cells else 0.0
    total = rest + structures
    return total, min(structures / total, _MOST) if total > 0 else 0.0

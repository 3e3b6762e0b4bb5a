"""Whether relaxations that started from different distortions end in the same geometry.

There is no true answer to compare a method with, so each is compared with itself: by the distance of every
relaxed structure from the method's own median geometry. A large distance means another minimum, a broken
molecule or a relaxation that stopped early.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

FAR = 0.1
"""Angstrom. Relaxed copies of one rigid molecule lie within a few hundredths of each other."""


@dataclasses.dataclass(frozen=True)
class Fidelity:
    """How far relaxed geometries lie from their median geometry, in Angstrom."""

    median: float
    max: float
    n: int
    outliers: int
    """Geometries farther than :data:`FAR`."""


def superpose(mobile: ArrayLike, target: ArrayLike) -> Floats:
    """Rotate and shift each geometry of `mobile` onto `target` (Kabsch's algorithm).

    Rotations are proper: a mirror image is not superposed on its original.

    Parameters
    ----------
    mobile : array_like, shape (n_atoms, 3) or (n, n_atoms, 3)
        Angstrom; the atoms in the same order as in `target`.
    target : array_like, shape (n_atoms, 3)
        Angstrom.

    Returns
    -------
    ndarray, shape of `mobile`
        Angstrom; the centroid is that of `target`.

    Raises
    ------
    ValueError
        Where the shapes do not fit, or a coordinate is not finite.
    """
    moved = np.asarray(mobile, dtype=float)
    fixed = np.asarray(target, dtype=float)
    if fixed.ndim != 2 or fixed.shape[1] != 3 or moved.shape[-2:] != fixed.shape:
        raise ValueError(f"cannot superpose coordinates of shape {moved.shape} on {fixed.shape}")
    if not (np.isfinite(moved).all() and np.isfinite(fixed).all()):
        raise ValueError("cannot superpose coordinates that are not finite")
    centre = fixed.mean(axis=0)
    moved = moved - moved.mean(axis=-2, keepdims=True)
    # the rotation R that minimises |moved R - fixed| comes from the singular vectors of their covariance
    u, _, vt = np.linalg.svd(np.swapaxes(moved, -1, -2) @ (fixed - centre))
    handedness = np.where(np.linalg.det(u) * np.linalg.det(vt) < 0.0, -1.0, 1.0)
    # to turn an improper solution into the best proper one, the smallest singular vector changes sign
    u[..., :, 2] *= np.asarray(handedness)[..., None]
    return moved @ (u @ vt) + centre


def kabsch_rmsd(a: ArrayLike, b: ArrayLike) -> float:
    """Return the root mean square distance between the atoms of two superposed geometries, in Angstrom.

    Parameters
    ----------
    a, b : array_like, shape (n_atoms, 3)
        Angstrom; the atoms in the same order.

    Raises
    ------
    ValueError
        See :func:`superpose`.
    """
    return float(_rmsd(superpose(a, b), np.asarray(b, dtype=float)))


def median_geometry(positions: ArrayLike) -> Floats:
    """Return the coordinate-wise median of superposed geometries.

    All are superposed on the first, then on their median, and so on until it converges, so the result does not
    depend on a first geometry that is an outlier.

    Parameters
    ----------
    positions : array_like, shape (n, n_atoms, 3)
        Angstrom, n at least 1.

    Returns
    -------
    ndarray, shape (n_atoms, 3)
        Angstrom.

    Raises
    ------
    ValueError
        See :func:`superpose`.
    """
    geometries = np.asarray(positions, dtype=float)
    centre = geometries[0]
    for _ in range(20):
        median = np.median(superpose(geometries, centre), axis=0)
        moved = kabsch_rmsd(median, centre)
        centre = median
        if moved < 1e-6:
            break
    return centre


def spread(positions: ArrayLike) -> Fidelity:
    """Return how far the geometries of one system lie from their median geometry; see :func:`distances`."""
    return summed_up(distances(positions))


def distances(positions: ArrayLike) -> Floats:
    """Return the distance of each geometry from their median geometry, (n,) in Angstrom.

    Parameters
    ----------
    positions : array_like, shape (n, n_atoms, 3)
        Relaxed geometries of one method in Angstrom, n at least 1.

    Raises
    ------
    ValueError
        See :func:`superpose`.
    """
    geometries = np.asarray(positions, dtype=float)
    centre = median_geometry(geometries)
    return _rmsd(superpose(geometries, centre), centre)


def summed_up(distances: Floats) -> Fidelity:
    """Return the median and the largest of distances, (n,) in Angstrom, n at least 1."""
    return Fidelity(
        median=float(np.median(distances)),
        max=float(distances.max()),
        n=len(distances),
        outliers=int((distances > FAR).sum()),
    )


def _rmsd(a: Floats, b: Floats) -> Floats:
    return np.sqrt(((a - b) ** 2).sum(axis=-1).mean(axis=-1))

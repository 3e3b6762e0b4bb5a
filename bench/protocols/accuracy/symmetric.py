"""Second derivatives with the symmetry of a molecule, for forces that cost minutes.

A displacement has a part in each symmetry species, and the forces that it causes have the same species. So one
displacement that holds a motion of each species gives a column of the Hessian in each of them at once: naphthalene
(D2h) needs 18 force calls instead of 108.
"""

from __future__ import annotations

import itertools

import numpy as np

from bench.measure.derivatives import STEP, Forces

CLOSE = 0.01
"""Angstrom: an atom this near to the image of another one of its element is that image."""
_SAME = 1e-8  # of eigenvalues that are 0 or 1


def in_principal_axes(positions: np.ndarray) -> np.ndarray:
    """Return positions, (n, 3) in Angstrom, about their centroid and along its principal axes, the longest first.

    Grids of a quadrature that have the symmetry of a cube then have that of the molecule.
    """
    centred = positions - positions.mean(axis=0)
    axes = np.linalg.eigh(centred.T @ centred)[1][:, ::-1]
    axes = axes * np.sign(np.linalg.det(axes))
    return centred @ axes


def operations(numbers: np.ndarray, positions: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the operations of D2h, about the coordinate axes through the centroid, that leave a molecule as it is.

    Parameters
    ----------
    numbers : ndarray, shape (n,)
        Atomic numbers.
    positions : ndarray, shape (n, 3)
        Angstrom, as from :func:`in_principal_axes`.

    Returns
    -------
    list of (signs, images)
        The sign of each coordinate, (3,), and on which atom each atom falls, (n,). The identity is always there, and
        they are a group.
    """
    centred = positions - positions.mean(axis=0)
    found = []
    for signs in itertools.product((1.0, -1.0), repeat=3):
        distances = np.linalg.norm((centred * signs)[:, None] - centred[None], axis=-1)
        images = distances.argmin(axis=1)
        if distances.min(axis=1).max() < CLOSE and (numbers[images] == numbers).all():
            found.append((np.array(signs), images))
    return found


def symmetrised(numbers: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Return positions, (n, 3) in principal axes, with the exact symmetry that they have nearly."""
    centred = positions - positions.mean(axis=0)
    found = np.zeros_like(centred)
    group = operations(numbers, positions)
    for signs, images in group:
        found[images] += centred * signs
    return found / len(group)


def adapted(numbers: np.ndarray, positions: np.ndarray) -> list[np.ndarray]:
    """Return an orthonormal basis of the motions of each symmetry species, a list of (3n, d)."""
    n = len(numbers)
    group = operations(numbers, positions)
    matrices = []
    for signs, images in group:
        matrix = np.zeros((n, 3, n, 3))
        matrix[images[:, None], np.arange(3), np.arange(n)[:, None], np.arange(3)] = signs
        matrices.append(matrix.reshape(3 * n, 3 * n))
    bases = []
    for characters in _species([signs for signs, _ in group]):
        projector = np.mean([c * matrix for c, matrix in zip(characters, matrices, strict=True)], axis=0)
        # a basis of motions of few atoms each, from the projector's own columns
        kept: list[np.ndarray] = []
        for column in projector.T:
            rest = column - sum((one * (one @ column) for one in kept), np.zeros(3 * n))
            size = np.linalg.norm(rest)
            if size > _SAME:
                kept.append(rest / size)
        if kept:
            bases.append(np.array(kept).T)
    return bases


def _species(signs: list[np.ndarray]) -> list[tuple[int, ...]]:
    """Return the characters of each species of a group of sign changes: products of signs of the coordinates."""
    found: dict[tuple[int, ...], None] = {}
    for axes in itertools.product((False, True), repeat=3):
        characters = tuple(int(np.prod(one[list(axes)])) for one in signs)
        found[characters] = None
    return list(found)


def hessian(forces: Forces, numbers: np.ndarray, positions: np.ndarray, step: float = STEP) -> np.ndarray:
    """Return the second derivatives of the energy at a symmetric geometry by central differences of the forces.

    Parameters
    ----------
    forces : callable
        With the symmetry of the molecule.
    numbers : ndarray, shape (n,)
    positions : ndarray, shape (n, 3)
        Angstrom, from :func:`symmetrised`.
    step : float
        Angstrom, the largest component of a displacement.

    Returns
    -------
    ndarray, shape (3n, 3n)
        eV/Angstrom^2. Takes two force calls for each of the d motions of the species that has most; its antisymmetric
        part is the noise of the forces.
    """
    bases = adapted(numbers, positions)
    columns: list[list[np.ndarray]] = [[] for _ in bases]
    for k in range(max(basis.shape[1] for basis in bases)):
        motion = sum(basis[:, k] for basis in bases if k < basis.shape[1])
        size = step / np.abs(motion).max()
        moved = (size * motion).reshape(positions.shape)
        slope = -(forces(positions + moved) - forces(positions - moved)).ravel() / (2 * size)
        for basis, mine in zip(bases, columns, strict=True):
            if k < basis.shape[1]:
                mine.append(basis.T @ slope)
    found = np.zeros((positions.size, positions.size))
    for basis, mine in zip(bases, columns, strict=True):
        found += basis @ np.array(mine).T @ basis.T
    return found

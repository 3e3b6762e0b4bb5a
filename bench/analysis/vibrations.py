"""Harmonic vibrations of a molecule from its Hessian; :mod:`bench.protocols.accuracy.matching` compares them."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import constants
from scipy.linalg import null_space

Floats = NDArray[np.float64]

# omega^2 is in eV/(Angstrom^2 u); the wavenumber is omega / (2 pi c)
CM1 = math.sqrt(constants.e / constants.atomic_mass) / constants.angstrom / (2 * math.pi * constants.c * 100)
"""cm^-1 for the root of an eigenvalue of 1 eV/(Angstrom^2 u): 521.47."""
MEV = 1000 * constants.h * constants.c * 100 / constants.e
"""meV for 1 cm^-1: 0.12398."""
IMAGINARY = 10.0
"""cm^-1. A mode counts as imaginary beyond this: noise of 1e-5 eV/Angstrom in the forces (float32), at displacements of
0.01 Angstrom, moves the mode of a carbon atom without a force constant by 4 cm^-1."""
_LINEAR = 1e-3  # the rotation about the axis of a linear molecule is less than this share of the largest motion


@dataclasses.dataclass(frozen=True)
class NormalModes:
    """The harmonic vibrations of a molecule."""

    wavenumbers: Floats
    """(m,) cm^-1, ascending; imaginary ones as negative numbers."""
    modes: Floats
    """(3n, m) orthonormal, mass-weighted; the columns belong to the wavenumbers."""
    residue: float
    """Largest |wavenumber| of the translations and rotations before they were projected out, cm^-1."""
    asymmetry: float
    """Frobenius norm of the antisymmetric part of the Hessian over that of the symmetric part."""


def external_motions(masses: ArrayLike, positions: ArrayLike) -> Floats:
    """Return an orthonormal basis of the mass-weighted translations and rotations, (3n, 6).

    They are root(m) e_a and root(m) e_a x (r - r_cm) for the three axes a (C. Eckart, Phys. Rev. 47, 552 (1935)); a
    linear molecule has five, and an atom three.

    Parameters
    ----------
    masses : array_like, shape (n,)
        u.
    positions : array_like, shape (n, 3)
        Angstrom.
    """
    weights, points = np.asarray(masses, dtype=float), np.asarray(positions, dtype=float)
    arms = points - centre(weights, points)
    root = np.sqrt(weights)[:, None]
    motions = [np.broadcast_to(axis, arms.shape) for axis in np.eye(3)] + [np.cross(axis, arms) for axis in np.eye(3)]
    basis, sizes, _ = np.linalg.svd(np.stack([(root * one).ravel() for one in motions], axis=1), full_matrices=False)
    return basis[:, sizes > _LINEAR * sizes[0]]


def harmonic(hessian: ArrayLike, masses: ArrayLike, positions: ArrayLike) -> NormalModes:
    """Return the normal modes of a molecule at a stationary point.

    They are the eigenvectors of M^-1/2 H M^-1/2, the Hessian's symmetric part, in the space orthogonal to all
    translations and rotations, so these are projected out exactly (E. B. Wilson, J. C. Decius and P. C. Cross,
    Molecular Vibrations, 1955). The wavenumber is the root of the eigenvalue over 2 pi c.

    Parameters
    ----------
    hessian : array_like, shape (3n, 3n)
        Second derivatives of the energy, eV/Angstrom^2.
    masses : array_like, shape (n,)
        u.
    positions : array_like, shape (n, 3)
        Angstrom.

    Returns
    -------
    NormalModes
        m is 3n - 6, or 3n - 5 for a linear molecule.

    Raises
    ------
    ValueError
        Where the shapes do not fit, a value is not finite, or a mass is not positive.
    """
    curvature, weights = np.asarray(hessian, dtype=float), np.asarray(masses, dtype=float)
    points = np.asarray(positions, dtype=float)
    n = weights.size
    if weights.shape != (n,) or points.shape != (n, 3) or curvature.shape != (3 * n, 3 * n) or n == 0:
        raise ValueError(f"a Hessian {curvature.shape}, masses {weights.shape} and positions {points.shape} do not fit")
    if not all(np.isfinite(each).all() for each in (curvature, weights, points)) or not (weights > 0).all():
        raise ValueError("a Hessian and positions must be finite, and masses positive")
    symmetric, antisymmetric = (curvature + curvature.T) / 2, (curvature - curvature.T) / 2
    norm = float(np.linalg.norm(symmetric))
    root = np.repeat(np.sqrt(weights), 3)
    weighted = symmetric / np.outer(root, root)
    external = external_motions(weights, points)
    internal = null_space(external.T)
    values, vectors = np.linalg.eigh(internal.T @ weighted @ internal)
    return NormalModes(
        wavenumbers=_wavenumbers(values),
        modes=internal @ vectors,
        residue=float(np.abs(_wavenumbers(np.linalg.eigvalsh(external.T @ weighted @ external))).max()),
        asymmetry=float(np.linalg.norm(antisymmetric)) / norm if norm > 0 else 0.0,
    )


def _wavenumbers(eigenvalues: Floats) -> Floats:
    return np.sign(eigenvalues) * np.sqrt(np.abs(eigenvalues)) * CM1


def imaginary(wavenumbers: ArrayLike) -> int:
    """Return how many modes, (m,) in cm^-1, are imaginary: below minus :data:`IMAGINARY`."""
    return int((np.asarray(wavenumbers, dtype=float) < -IMAGINARY).sum())


def scale_factor(wavenumbers: ArrayLike, fundamentals: ArrayLike) -> float:
    """Return the factor by which harmonic wavenumbers meet fundamentals best, in the sense of least squares.

    It is sum(w v) / sum(w^2) (A. P. Scott and L. Radom, J. Phys. Chem. 100, 16502 (1996)), some 0.96 to 1: it stands
    for the anharmonicity and for the errors of a level of theory together.

    Parameters
    ----------
    wavenumbers, fundamentals : array_like, shape (m,)
        cm^-1; those of the same mode in the same place.

    Raises
    ------
    ValueError
        Where the shapes differ, or all wavenumbers are zero.
    """
    ours, measured = np.asarray(wavenumbers, dtype=float), np.asarray(fundamentals, dtype=float)
    if ours.shape != measured.shape or not ours.any():
        raise ValueError(f"wavenumbers {ours.shape} cannot be scaled to fundamentals {measured.shape}")
    return float((ours * measured).sum() / (ours**2).sum())


def shift(residue: float, wavenumber: float) -> float:
    """Return how far an error of the squared wavenumber of residue^2 moves a mode, cm^-1: residue^2 / (2 w).

    Translations and rotations have the squared wavenumber 0, so what they come out at is such an error of the Hessian.
    That of another mode need not be the same; it is its scale.
    """
    return residue**2 / (2 * wavenumber)


def zero_point_energy(wavenumbers: ArrayLike) -> float:
    """Return half the sum of h c times the wavenumbers, (m,) in cm^-1, of all modes that are real, in meV."""
    return MEV * float(np.maximum(np.asarray(wavenumbers, dtype=float), 0.0).sum()) / 2


def centre(masses: Floats, positions: Floats) -> Floats:
    """Return the centre of mass, (3,), from masses (n,) and positions (n, 3), in the unit of the positions."""
    return masses @ positions / masses.sum()

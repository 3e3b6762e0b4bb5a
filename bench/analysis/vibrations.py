"""Harmonic vibrations of a molecule from its Hessian, and their comparison with those of a reference.

Modes are compared by their motion, not by their order: two methods may order neighbouring modes differently.
"""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import constants
from scipy.linalg import null_space
from scipy.optimize import linear_sum_assignment
from scipy.spatial.transform import Rotation

from bench.analysis.species import species as species_of

Floats = NDArray[np.float64]

# omega^2 is in eV/(Angstrom^2 u); the wavenumber is omega / (2 pi c)
CM1 = math.sqrt(constants.e / constants.atomic_mass) / constants.angstrom / (2 * math.pi * constants.c * 100)
"""cm^-1 for the root of an eigenvalue of 1 eV/(Angstrom^2 u): 521.47."""
MEV = 1000 * constants.h * constants.c * 100 / constants.e
"""meV for 1 cm^-1: 0.12398."""
IMAGINARY = 10.0
"""cm^-1. A mode counts as imaginary beyond this: noise of 1e-5 eV/Angstrom in the forces (float32), at displacements of
0.01 Angstrom, moves the mode of a carbon atom without a force constant by 4 cm^-1."""
SPLIT = 2000.0
"""cm^-1. Between the stretches of bonds to hydrogen and all other modes of organic molecules."""
MIXED = 0.5
"""A matched pair with a smaller overlap is not the same motion."""
_FORBIDDEN = 1000.0  # more than all overlaps together
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


@dataclasses.dataclass(frozen=True)
class Match:
    """Which of a method's modes is which of the reference's."""

    order: NDArray[np.intp]
    """(m,) the method's mode for each mode of the reference."""
    overlaps: Floats
    """(m,) squared overlap of each pair, 0 to 1."""
    mixed: int
    """Pairs whose overlap is below :data:`MIXED`."""


@dataclasses.dataclass(frozen=True)
class Deviation:
    """How far wavenumbers are from those of the reference."""

    rmsd_cm1: float
    largest_cm1: float
    """Absolute."""
    modes: int


@dataclasses.dataclass(frozen=True)
class FrequencyErrors:
    """The deviations of all modes, and of those below and above a wavenumber of the reference."""

    all: Deviation
    below: Deviation | None
    """None where there is no such mode."""
    above: Deviation | None


@dataclasses.dataclass(frozen=True)
class Pair:
    """One mode in both."""

    reference_cm1: float
    wavenumber_cm1: float
    overlap: float


@dataclasses.dataclass(frozen=True)
class ComparedVibrations:
    """The vibrations of a method next to those of a reference."""

    pairs: tuple[Pair, ...]
    """In the reference's order."""
    errors: FrequencyErrors
    mixed: int
    """Pairs that are not the same motion: see :func:`match`."""


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
    arms = points - _centre(weights, points)
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


def aligned(normal_modes: NormalModes, rotation: ArrayLike) -> NormalModes:
    """Return the modes of the same molecule after it was rotated by a matrix, (3, 3): r becomes R r."""
    modes = normal_modes.modes.reshape(-1, 3, normal_modes.modes.shape[1])
    turned = np.einsum("ab,nbm->nam", np.asarray(rotation, dtype=float), modes)
    return dataclasses.replace(normal_modes, modes=turned.reshape(normal_modes.modes.shape))


def match(
    modes: ArrayLike,
    reference_modes: ArrayLike,
    species: Sequence[str | None] | None = None,
    reference_species: Sequence[str | None] | None = None,
) -> Match:
    """Assign each of a method's modes to one of the reference's, so that the sum of the squared overlaps is largest.

    The squared overlap (q . q_ref)^2 is the share of the reference's motion that is in the method's mode. Above 0.5
    no other mode has as much. Below, the motion is spread over several of the method's modes, as happens with modes of
    nearly equal wavenumbers: the pair is then the best there is and not the same motion, so its error says little;
    these are counted. Degenerate modes may be any mixture of each other, which their common wavenumber does not feel.

    Parameters
    ----------
    modes, reference_modes : array_like, shape (3n, m)
        Orthonormal and mass-weighted, in the same orientation: see :func:`aligned`.
    species, reference_species : sequence of (str or None), length m, optional
        The symmetry species of each mode: modes of two known species that differ are no pair, however they overlap.
        None is a mode without a clear species, which may be paired with any.

    Raises
    ------
    ValueError
        Where the shapes differ: one molecule is linear and the other is not, or they are different molecules.
    """
    ours, theirs = np.asarray(modes, dtype=float), np.asarray(reference_modes, dtype=float)
    if ours.shape != theirs.shape:
        raise ValueError(f"modes of shapes {ours.shape} and {theirs.shape} cannot be matched")
    overlaps = (theirs.T @ ours) ** 2
    rows, order = linear_sum_assignment(
        overlaps - _FORBIDDEN * _apart(reference_species, species, overlaps.shape), maximize=True
    )
    found = overlaps[rows, order]
    return Match(order=order, overlaps=found, mixed=int((found < MIXED).sum()))


def _apart(
    species: Sequence[str | None] | None, others: Sequence[str | None] | None, shape: tuple[int, ...]
) -> NDArray[np.bool_]:
    """Return for which pairs the species are known and differ."""
    if species is None or others is None:
        return np.zeros(shape, dtype=bool)
    return np.array([[None not in (one, other) and one != other for other in others] for one in species])


def frequency_errors(wavenumbers: ArrayLike, reference_wavenumbers: ArrayLike, split: float = SPLIT) -> FrequencyErrors:
    """Return the root mean square and the largest deviation of matched wavenumbers, cm^-1.

    Parameters
    ----------
    wavenumbers, reference_wavenumbers : array_like, shape (m,)
        cm^-1, imaginary ones as negative numbers; those of a matched pair in the same place.
    split : float
        Where the reference's modes are parted into two ranges, cm^-1; one exactly there belongs to those above.

    Raises
    ------
    ValueError
        Where the shapes differ, or there is no mode.
    """
    ours, theirs = np.asarray(wavenumbers, dtype=float), np.asarray(reference_wavenumbers, dtype=float)
    if ours.shape != theirs.shape:
        raise ValueError(f"wavenumbers of shapes {ours.shape} and {theirs.shape} cannot be compared")
    deviations, high = ours - theirs, theirs >= split
    everything = _deviation(deviations)
    if everything is None:
        raise ValueError("there is no mode to compare")
    return FrequencyErrors(all=everything, below=_deviation(deviations[~high]), above=_deviation(deviations[high]))


def _deviation(deviations: Floats) -> Deviation | None:
    if not deviations.size:
        return None
    return Deviation(
        rmsd_cm1=float(np.sqrt((deviations**2).mean())),
        largest_cm1=float(np.abs(deviations).max()),
        modes=deviations.size,
    )


def compare(
    normal_modes: NormalModes,
    reference: NormalModes,
    masses: ArrayLike,
    positions: ArrayLike,
    reference_positions: ArrayLike,
    numbers: ArrayLike | None = None,
) -> ComparedVibrations:
    """Compare the vibrations of a method, at its own geometry, with those of a reference.

    The method's geometry is turned onto the reference's with the masses as weights, which is Eckart's condition (K. N.
    Kudin and A. Y. Dymarsky, J. Chem. Phys. 122, 224105 (2005)); its modes turn with it and are matched by overlap.

    Parameters
    ----------
    normal_modes, reference : NormalModes
    masses : array_like, shape (n,)
        u.
    positions, reference_positions : array_like, shape (n, 3)
        Angstrom; the atoms in the same order.
    numbers : array_like of int, shape (n,), optional
        Atomic numbers. With them, the modes of a planar D2h molecule are matched within their symmetry species.

    Raises
    ------
    ValueError
        See :func:`match` and :func:`frequency_errors`.
    """
    weights = np.asarray(masses, dtype=float)
    own, fixed = (np.asarray(each, dtype=float) for each in (positions, reference_positions))
    with warnings.catch_warnings():
        # SciPy warns of a linear molecule: the rotation about its axis is then arbitrary, and mixes degenerate modes
        warnings.simplefilter("ignore", UserWarning)
        rotation, _ = Rotation.align_vectors(
            fixed - _centre(weights, fixed), own - _centre(weights, own), weights=weights
        )
    turned = aligned(normal_modes, rotation.as_matrix()).modes
    names: list[list[str | None] | None] = [None, None]
    if numbers is not None:
        # both by the reference's mirrors, which a method's own geometry may have only nearly
        elements = np.asarray(numbers, dtype=int)
        names = [species_of(elements, fixed, modes) for modes in (turned, reference.modes)]
    found = match(turned, reference.modes, *names)
    wavenumbers = normal_modes.wavenumbers[found.order]
    return ComparedVibrations(
        pairs=tuple(
            Pair(float(true), float(ours), float(overlap))
            for true, ours, overlap in zip(reference.wavenumbers, wavenumbers, found.overlaps, strict=True)
        ),
        errors=frequency_errors(wavenumbers, reference.wavenumbers),
        mixed=found.mixed,
    )


def _centre(masses: Floats, positions: Floats) -> Floats:
    return masses @ positions / masses.sum()

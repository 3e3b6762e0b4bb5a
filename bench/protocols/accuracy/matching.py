"""Compares the harmonic vibrations of a method with those of a reference.

Modes are compared by their motion, not by their order: two methods may order neighbouring modes differently.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation

from bench.analysis.vibrations import Floats, NormalModes, centre
from bench.protocols.accuracy.species import species as species_of

SPLIT = 2000.0
"""cm^-1. Between the stretches of bonds to hydrogen and all other modes of organic molecules."""
MIXED = 0.5
"""A matched pair with a smaller overlap is not the same motion."""
_FORBIDDEN = 1000.0  # more than all overlaps together


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
    from scipy.optimize import linear_sum_assignment  # slow to import, and most runs have no frequencies

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
            fixed - centre(weights, fixed), own - centre(weights, own), weights=weights
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

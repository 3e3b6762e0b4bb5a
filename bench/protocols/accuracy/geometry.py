"""Compares a relaxed geometry with a reference, bond by bond, and with experiment.

The distance between whole geometries is :func:`bench.analysis.fidelity.kabsch_rmsd`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from ase.data import chemical_symbols, covalent_radii
from numpy.typing import ArrayLike, NDArray

from bench.analysis.events import BONDED, topology

Floats = NDArray[np.float64]

_MILLI = 1000.0


@dataclasses.dataclass(frozen=True)
class BondErrors:
    """The errors of the lengths of a molecule's bonds, which are those of the reference geometry."""

    mae: Mapping[str, float]
    """Mean absolute error by pair of elements, the heavier first (``C-C``, ``C-H``), 10^-3 Angstrom."""
    bonds: Mapping[str, int]
    """How many bonds each of the means is over."""
    lost: int
    """Bonds that are longer than 1.3 times the sum of the covalent radii in the method's geometry."""


@dataclasses.dataclass(frozen=True)
class Planarity:
    """The distances of atoms from the plane that fits them best, Angstrom."""

    rms: float
    largest: float


def bond_errors(numbers: ArrayLike, positions: ArrayLike, reference_positions: ArrayLike) -> BondErrors:
    """Return the mean of |r - r_ref| over the bonds of each pair of elements, in 10^-3 Angstrom.

    Atoms of the reference closer than :data:`bench.analysis.events.BONDED` times the sum of their covalent radii
    (Cordero et al., Dalton Trans. 2008, 2832) are bonded. A bond that the method broke stays in the mean.

    Parameters
    ----------
    numbers : array_like of int, shape (n,)
    positions, reference_positions : array_like, shape (n, 3)
        Angstrom; the atoms in the same order, the geometries turned and shifted as they like.

    Raises
    ------
    ValueError
        Where the shapes do not fit, or a coordinate is not finite.
    """
    elements = np.asarray(numbers, dtype=int)
    found, reference = _positions(positions), _positions(reference_positions)
    if elements.ndim != 1 or not len(elements) == len(found) == len(reference):
        raise ValueError(f"{len(elements)} atoms, but positions of {len(found)} and of {len(reference)}")
    molecule = topology(elements, reference, reference[None])
    pairs = np.sort(elements[molecule.bonds], axis=1)[:, ::-1]
    lengths = _lengths(found, molecule.bonds)
    errors = _MILLI * np.abs(lengths - molecule.lengths)
    names = np.array(["-".join(chemical_symbols[number] for number in pair) for pair in pairs])
    return BondErrors(
        mae={str(name): float(errors[names == name].mean()) for name in np.unique(names)},
        bonds={str(name): int((names == name).sum()) for name in np.unique(names)},
        lost=int((lengths > BONDED * covalent_radii[pairs].sum(axis=1)).sum()),
    )


def unique_bonds_error(positions: ArrayLike, experimental: Sequence[tuple[Sequence[tuple[int, int]], float]]) -> float:
    """Return the mean of |mean of r over equivalent bonds - r_exp| over a molecule's unique bonds, 10^-3 Angstrom.

    Parameters
    ----------
    positions : array_like, shape (n, 3)
        Angstrom.
    experimental : sequence of (pairs, length)
        Each unique bond: the pairs of atoms that symmetry makes equivalent, and the measured length, Angstrom. Each
        counts once, however many pairs it has.

    Raises
    ------
    ValueError
        Where there is no bond, or one without pairs, or a coordinate is not finite.
    """
    found = _positions(positions)
    if not experimental or not all(len(pairs) for pairs, _ in experimental):
        raise ValueError("a comparison with experiment needs at least one bond, and pairs of atoms for each")
    errors = [abs(_lengths(found, np.array(pairs)).mean() - length) for pairs, length in experimental]
    return _MILLI * float(np.mean(errors))


def planarity(positions: ArrayLike) -> Planarity:
    """Return how far atoms are from their best plane, in the sense of least squares.

    The plane passes through the centroid; its normal is the last right singular vector of the centred positions
    (V. Schomaker et al., Acta Cryst. 12, 600 (1959), solved by singular values).

    Parameters
    ----------
    positions : array_like, shape (n, 3)
        Angstrom.

    Raises
    ------
    ValueError
        Where the shape is another, or a coordinate is not finite.
    """
    found = _positions(positions)
    centred = found - found.mean(axis=0)
    normal = np.linalg.svd(centred)[2][-1]
    distances = np.abs(centred @ normal)
    return Planarity(rms=float(np.sqrt((distances**2).mean())), largest=float(distances.max()))


def _positions(positions: ArrayLike) -> Floats:
    found = np.asarray(positions, dtype=float)
    if found.ndim != 2 or found.shape[1] != 3 or not len(found) or not np.isfinite(found).all():
        raise ValueError(f"positions must be finite, of shape (n, 3); these have shape {found.shape}")
    return found


def _lengths(positions: Floats, bonds: NDArray[np.int_]) -> Floats:
    return np.linalg.norm(positions[bonds[:, 0]] - positions[bonds[:, 1]], axis=-1)

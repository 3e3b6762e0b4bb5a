"""Which atoms are near one another: the closest pair and the bonds, of molecules and of periodic systems.

All searches go by trees or cell lists, so time and memory grow with the number of atoms and not with its square.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
from ase import Atoms
from ase.data import covalent_radii
from ase.geometry import complete_cell, minkowski_reduce
from ase.neighborlist import neighbor_list
from numpy.typing import NDArray
from scipy.spatial import cKDTree

BONDED = 1.3
"""Atoms closer than this are bonded, in units of the sum of their covalent radii."""


class Pair(NamedTuple):
    """Two atoms, or an atom and its own image in the next cell."""

    first: int
    second: int
    """Equal to :attr:`first` for an atom and its own image."""
    distance: float
    """Angstrom."""
    ratio: float
    """The distance over the sum of the covalent radii."""


def closest_pair(atoms: Atoms) -> Pair | None:
    """Return the pair with the smallest ratio of its distance to the sum of its covalent radii.

    Positions must be finite. Along periodic directions images count, those of the same atom too. None for a single
    atom without periodicity.
    """
    # measured between an atom's home and all atoms and images: nearest neighbours of each two elements
    wrapped = Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=atoms.pbc)
    if atoms.pbc.any():
        # an oblique cell would have many images near it; its reduced one has few
        wrapped.set_cell(minkowski_reduce(complete_cell(atoms.cell), pbc=atoms.pbc)[0])
        wrapped.wrap()
    nearest = _closest(wrapped.numbers, wrapped.positions, np.arange(len(atoms)))
    if not atoms.pbc.any() or not len(atoms):
        return nearest
    own = float(wrapped.cell.lengths()[atoms.pbc].min())
    reach = own if nearest is None else min(own, nearest.ratio * 2 * float(covalent_radii[atoms.numbers].max()))
    positions, originals = _with_images(wrapped, reach * (1 + 1e-9))
    return _closest(wrapped.numbers, positions, originals)


def bonds(atoms: Atoms) -> NDArray[np.int64]:
    """Return the pairs of atoms closer than :data:`BONDED` times the sum of their covalent radii.

    Along periodic directions images count, but a pair is listed once, and an atom's own images are left out. Where
    many atoms lie in one place the list is long: let :func:`closest_pair` refuse such systems first.

    Returns
    -------
    ndarray, shape (pairs, 2)
        The smaller index first; sorted.
    """
    radii = covalent_radii[atoms.numbers]
    if len(atoms) < 2:
        return np.empty((0, 2), dtype=np.int64)
    if atoms.pbc.any():
        first, second = neighbor_list("ij", atoms, list(BONDED * radii))
        pairs = np.stack([first, second], axis=1)[first < second]
    else:
        near = cKDTree(atoms.positions).query_pairs(2 * BONDED * radii.max(), output_type="ndarray")
        distances = np.linalg.norm(atoms.positions[near[:, 0]] - atoms.positions[near[:, 1]], axis=1)
        pairs = near[distances < BONDED * (radii[near[:, 0]] + radii[near[:, 1]])]
    return np.unique(pairs.astype(np.int64).reshape(-1, 2), axis=0)


def _closest(numbers: NDArray[np.int_], positions: NDArray[np.float64], originals: NDArray[np.int_]) -> Pair | None:
    """Return the closest pair of an atom and an atom or image.

    Parameters
    ----------
    numbers : ndarray, shape (atoms,)
        Atomic numbers.
    positions : ndarray, shape (points, 3)
        Angstrom: of the atoms, then of images.
    originals : ndarray, shape (points,)
        The atom that is at each point.
    """
    # a tree cannot divide points that are all in one place
    order = np.lexsort(positions.T)
    same = np.flatnonzero((np.diff(positions[order], axis=0) == 0).all(axis=1))
    if len(same):
        first, second = sorted(int(originals[point]) for point in order[same[0] : same[0] + 2])
        return Pair(first, second, 0.0, 0.0)
    best: Pair | None = None
    elements = [int(number) for number in np.unique(numbers)]
    trees = {number: cKDTree(positions[numbers[originals] == number]) for number in elements}
    for one, other in itertools.combinations_with_replacement(elements, 2):
        mine = np.flatnonzero(numbers == one)
        # the nearest of its own element is an atom itself
        distances, found = trees[other].query(positions[mine], k=[2 if one == other else 1])
        atom = int(np.argmin(distances[:, 0]))
        distance = float(distances[atom, 0])
        ratio = distance / float(covalent_radii[one] + covalent_radii[other])
        if np.isfinite(distance) and (best is None or ratio < best.ratio):
            partner = np.flatnonzero(numbers[originals] == other)[found[atom, 0]]
            first, second = sorted((int(mine[atom]), int(originals[partner])))
            best = Pair(first, second, distance, ratio)
    return best


def _with_images(atoms: Atoms, reach: float) -> tuple[NDArray[np.float64], NDArray[np.int_]]:
    """Return the points of wrapped atoms and of their images within `reach` of the cell, and the atom at each."""
    cell = atoms.cell.array
    heights = 1 / np.linalg.norm(np.linalg.inv(cell), axis=0)
    scaled = atoms.positions @ np.linalg.inv(cell)
    margin = reach / heights
    counts = [int(np.ceil(part)) if periodic else 0 for part, periodic in zip(margin, atoms.pbc, strict=True)]
    positions, originals = [atoms.positions], [np.arange(len(atoms))]
    for shift in itertools.product(*(range(-count, count + 1) for count in counts)):
        if any(shift):
            moved = scaled + np.array(shift)
            near = ((moved >= -margin) & (moved <= 1 + margin) | ~atoms.pbc).all(axis=1)
            positions.append(atoms.positions[near] + np.array(shift) @ cell)
            originals.append(np.flatnonzero(near))
    return np.concatenate(positions), np.concatenate(originals)

"""The neighbours of the atoms of a crystal: what its bonds are to the fate of a simulated molecule."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from ase import Atoms
from ase.data import covalent_radii

from bench.analysis.events import APART, BONDED, BROKEN, Topology

SHARE = 0.35
"""Of the distance of two neighbours: so far a crystal's must part to count as broken, and by 0.5 Angstrom at least. In
a solid they differ by less than a tenth (Lindemann); the next shell of neighbours is 41 % further in fcc."""
FARTHEST = 1.8
"""In units of the sum of the covalent radii: pairs beyond this are not watched for new bonds."""


def topology(
    numbers: np.ndarray, undistorted: np.ndarray, minimum: np.ndarray, cell: np.ndarray, pbc: Sequence[bool]
) -> Topology:
    """Return the neighbours in a crystal, a slab or a wire, through the walls of the cell.

    Parameters
    ----------
    numbers : ndarray, shape (n,)
    undistorted : ndarray, shape (n, 3)
        Angstrom; decides which atoms are neighbours.
    minimum : ndarray, shape (n, 3)
        The relaxed structure, with atoms in the same cells; gives the distances.
    cell : ndarray, shape (3, 3)
        Angstrom.
    pbc : sequence of bool
    """
    atoms = Atoms(numbers=numbers, positions=undistorted, cell=cell, pbc=pbc)
    sums = {
        (int(a), int(b)): FARTHEST * float(covalent_radii[a] + covalent_radii[b])
        for a, b in itertools.product(np.unique(numbers), repeat=2)
    }
    from ase.neighborlist import neighbor_list  # slow to import, and most runs have no crystal

    first, second, distances, images = neighbor_list("ijdS", atoms, sums)
    once = first < second  # an atom and its own image keep their distance
    first, second, distances, shifts = first[once], second[once], distances[once], images[once] @ cell
    radii = covalent_radii[numbers[first]] + covalent_radii[numbers[second]]
    near, far = distances < BONDED * radii, distances > APART * radii
    relaxed = np.linalg.norm(minimum[second] + shifts - minimum[first], axis=1)
    limits = np.maximum(BROKEN, SHARE * distances)
    lengths = np.where(np.abs(relaxed - distances) < limits, relaxed, distances)
    pairs = np.stack([first, second], axis=1)
    return Topology(
        numbers,
        pairs[near],
        lengths[near],
        pairs[far],
        shifts=shifts[near],
        stranger_shifts=shifts[far],
        limits=limits[near],
        lattice=cell * np.asarray(pbc)[:, None],
    )

"""Systems of growing size: clusters cut from the crystal of naphthalene, its supercells, or the user's own.

The crystal is that of D. W. J. Cruickshank, Acta Cryst. 10, 504 (1957), at room temperature. Its carbon atoms say where
the molecules lie; each is the data set's undistorted molecule, laid onto them, with its eight hydrogen atoms.
"""

from __future__ import annotations

import functools

import numpy as np
from ase import Atoms
from ase.geometry import cellpar_to_cell
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from bench.data.naphthalene import naphthalene
from bench.data.systems import System
from bench.errors import BadInput
from bench.protocols.scaling.record import LARGEST

LATTICE = (8.235, 6.003, 8.658, 90.0, 122.92, 90.0)
"""a, b, c in Angstrom and the angles in degrees; P2_1/a, two molecules in a cell, each on a centre of inversion."""
CARBONS = (
    (0.0856, 0.0186, 0.3251),
    (0.1148, 0.1588, 0.2200),
    (0.0472, 0.1025, 0.0351),
    (0.0749, 0.2471, -0.0784),
    (0.0116, 0.1869, -0.2541),
)
"""Fractional coordinates of half a molecule, from one beta carbon atom around to the other."""
# The same atoms in the order of MD17's naphthalene: number in CARBONS, and whether it is the inverted one
_ORDER = ((1, 1), (0, 1), (4, -1), (3, -1), (2, -1), (1, -1), (0, -1), (4, 1), (3, 1), (2, 1))


def doublings(largest: int = LARGEST) -> tuple[int, ...]:
    """Return the numbers of atoms of clusters of 1, 2, 4 ... molecules, up to `largest`."""
    return tuple(18 * 2**k for k in range(64) if 18 * 2**k <= largest)


def _shapes(molecule: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Return the two molecules of a cell around their centres, each (18, 3) in Angstrom."""
    cell = cellpar_to_cell(LATTICE)
    half = np.array(CARBONS)
    at_corner = np.array([sign * half[number] for number, sign in _ORDER])
    glided = at_corner * [1, -1, 1]  # x + 1/2, 1/2 - y, z, without the shift
    return [_laid_onto(molecule, carbons @ cell) for carbons in (at_corner, glided)]


@functools.lru_cache(maxsize=1)
def _molecules(reference: bytes, count: int) -> NDArray[np.float64]:
    """Return the positions of the `count` molecules nearest to one of them, (count, 18, 3) in Angstrom."""
    molecule = np.frombuffer(reference).reshape(-1, 3)
    cell = cellpar_to_cell(LATTICE)
    shapes = _shapes(molecule)
    reach = int(np.ceil((count / 2) ** (1 / 3))) + 3
    corners = np.array(list(np.ndindex(*(2 * reach + 1,) * 3))) - reach
    centres = np.concatenate([corners, corners + np.array([0.5, 0.5, 0.0])]) @ cell
    kinds = np.repeat([0, 1], len(corners))
    # rounded, so that the order of equally distant molecules does not depend on the last digit
    distance = np.round(np.linalg.norm(centres, axis=1), 6)
    nearest = np.lexsort((*np.round(centres, 6).T, distance))[:count]
    return np.array([centres[i] + shapes[kinds[i]] for i in nearest])


def cluster(molecule: Atoms, molecules: int) -> Atoms:
    """Return the cluster of this many naphthalene molecules, each next to the one in the middle.

    Parameters
    ----------
    molecule : ase.Atoms
        Undistorted naphthalene in MD17's order of atoms.
    molecules : int

    Returns
    -------
    ase.Atoms
        Molecule by molecule, the middle one first; without a cell.
    """
    # a larger cluster begins with the smaller one
    positions = _molecules(molecule.positions.tobytes(), molecules)
    return Atoms(np.tile(molecule.numbers, molecules), np.round(positions.reshape(-1, 3), 6))


def _laid_onto(molecule: NDArray[np.float64], carbons: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the molecule, rotated so that its carbon atoms lie as near as possible to `carbons` around the origin."""
    centred = molecule - molecule[: len(carbons)].mean(axis=0)
    rotation, _ = Rotation.align_vectors(carbons - carbons.mean(axis=0), centred[: len(carbons)])
    return np.asarray(rotation.apply(centred))


def supercell(molecule: Atoms, cells: int) -> Atoms:
    """Return the crystal as a periodic supercell of this many unit cells, a power of two.

    Each doubling is along the shortest edge, so that the supercell stays compact. The arguments are those of
    :func:`cluster`.
    """
    at_corner, glided = _shapes(molecule.positions)
    cell = cellpar_to_cell(LATTICE)
    positions = np.concatenate([at_corner, glided + np.array([0.5, 0.5, 0.0]) @ cell])
    atoms = Atoms(np.tile(molecule.numbers, 2), np.round(positions, 6), cell=cell, pbc=True)
    while len(atoms) < 2 * len(molecule) * cells:
        atoms = doubled(atoms)
    return atoms


def supercells(system: System, largest: int = LARGEST) -> tuple[System, ...]:
    """Return a crystal's or a slab's supercells of 1, 2, 4 ... cells, up to `largest` atoms; see :func:`doubled`."""
    found = [system]
    while 2 * len(found[-1].reference) <= largest:
        atoms = doubled(found[-1].reference)
        found.append(System(f"{system.name}, {2 ** len(found)} cells", atoms, system.charge, system.spin, ()))
    return tuple(found)


def doubled(atoms: Atoms) -> Atoms:
    """Return a periodic system twice as large, along its shortest edge that is periodic, so that it stays compact."""
    lengths = np.where(atoms.pbc, np.round(atoms.cell.lengths(), 6), np.inf)
    shortest = int(np.argmin(lengths))
    return atoms.repeat(tuple(2 if axis == shortest else 1 for axis in range(3)))


def systems(own: tuple[System, ...], sizes: tuple[int, ...], periodic: bool = False) -> tuple[System, ...]:
    """Return the systems of a series by their numbers of atoms: the user's own, clusters, or supercells."""
    if own:
        return tuple(one for one in own if len(one.reference) in sizes)
    molecule = naphthalene()
    made = (
        (supercell(molecule, atoms // (2 * len(molecule))) for atoms in sizes)
        if periodic
        else (cluster(molecule, atoms // len(molecule)) for atoms in sizes)
    )
    return tuple(System(f"{len(atoms)} atoms", atoms, charge=0, spin=1, frames=()) for atoms in made)


def sizes_of(own: tuple[System, ...], largest: int, periodic: bool = False) -> tuple[int, ...]:
    """Return the numbers of atoms of a series up to `largest`, ascending; raises BadInput where there are none."""
    if own and periodic:
        raise BadInput("--periodic measures supercells of naphthalene; leave out --structures, or --periodic.")
    # a unit cell has two molecules
    doubled = doublings(largest)[1 if periodic else 0 :]
    each = [len(one.reference) for one in own]
    found = tuple(atoms for atoms in each if atoms <= largest) if own else doubled
    if not found:
        raise BadInput(f"--max-atoms is {largest}, and the smallest system of the series has more atoms.")
    return found

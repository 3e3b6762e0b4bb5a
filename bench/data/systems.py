"""Systems: what a data set is made of. Each has its own atoms, charge, multiplicity, periodicity and fixed atoms.

Frames are one system where they have the same atoms in the same order, the same charge and multiplicity, the same
periodic directions, fixed atoms and masses, and the same bonds. Bonds are told by distance, with a wide margin: a bond
that is stretched by a vibration stays one, and only a pair that is clearly bonded in one frame and clearly not in the
other makes two systems.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from ase import Atoms
from ase.constraints import FixAtoms
from ase.data import atomic_masses, covalent_radii
from ase.geometry import complete_cell
from numpy.typing import NDArray
from scipy.spatial.distance import pdist

from bench.core.spin import is_lowest
from bench.core.strain import ALONG
from bench.data.distances import closest_pair
from bench.data.files import Frame
from bench.data.files.state import check
from bench.errors import BadInput

# In units of the sum of the covalent radii. Real molecules stay above 0.7, and even compressed ones of a scan
# above 0.4; below 0.3 are atoms listed twice and coordinates in nanometres.
OVERLAP = 0.3
BONDED, APART = 1.2, 1.5
"""In the same unit: clearly bonded below, clearly not above."""
MOST_COMPARED = 2_000
"""Atoms of the largest system whose frames' bonds are compared; of larger ones, only the atoms are."""
DECIMALS = 8
"""Of a coordinate in Angstrom, as a run keeps it."""
VACUUM = 20.0
"""Angstrom: added in a direction that is not periodic and has no cell vector."""


@dataclasses.dataclass(frozen=True)
class System:
    """A molecule, ion, crystal or slab, with one or several structures."""

    name: str
    reference: Atoms
    """The undistorted atoms, for the topology and the warm-up; its first frame where there is nothing better."""
    charge: int
    """Elementary charges."""
    spin: int
    """The multiplicity 2S+1."""
    frames: tuple[int, ...]
    """Its structures, as indices into the data set."""

    @property
    def formula(self) -> str:
        """Its chemical formula."""
        return str(self.reference.get_chemical_formula())

    @property
    def periodic(self) -> bool:
        """Whether it is periodic in some direction."""
        return bool(self.reference.pbc.any())

    @property
    def free(self) -> bool:
        """Whether it is a molecule: without a cell, and all its atoms may move."""
        return not self.periodic and not fixed_atoms(self.reference)

    @property
    def lowest_spin(self) -> bool:
        """Whether the multiplicity is the lowest that the number of electrons allows."""
        return is_lowest(self.spin)


def fixed_atoms(atoms: Atoms) -> list[int]:
    """Return the indices of the atoms that do not move."""
    return sorted({int(i) for one in atoms.constraints if isinstance(one, FixAtoms) for i in one.get_indices()})


def cells_that_relax(systems: Sequence[System]) -> None:
    """Raise BadInput where no system is periodic, or where the cell of one cannot be relaxed."""
    periodic = [one for one in systems if one.periodic]
    if not periodic:
        raise BadInput("--relax-cell has no cell to relax: no system is periodic; leave it out.")
    for one in periodic:
        cell, pbc = one.reference.cell.array, one.reference.pbc
        along = np.abs(cell[pbc]).max(axis=0) > ALONG
        if not pbc.all() and (along.sum() != pbc.sum() or np.abs(cell[~pbc][:, along]).max() > ALONG):
            raise BadInput(
                f"--relax-cell cannot relax {one.name}: the periodic vectors of a slab or a wire must lie in the plane "
                "or along the axis of coordinates, with the other vectors at right angles to them; rotate it."
            )


def own_masses(atoms: Atoms) -> list[float] | None:
    """Return the masses in u where they are not those of the natural elements; else None."""
    if not atoms.has("masses"):
        return None
    masses = atoms.get_masses()
    return None if np.allclose(masses, atomic_masses[atoms.numbers], atol=1e-4) else masses.tolist()


def measurable(frame: Frame) -> tuple[Atoms, int, int]:
    """Return what is measured of a frame, its charge and its multiplicity.

    Raises BadInput, in one sentence that names the frame, where no method could be measured on it.
    """
    atoms = _checked(frame.atoms, frame.where)
    charge, spin = check(atoms.numbers, frame.charge, frame.spin, frame.where)
    kept = Atoms(atoms.numbers, as_kept(atoms.positions))
    if atoms.pbc.any():
        kept.set_cell(_whole_cell(atoms, frame.where))
        kept.pbc = atoms.pbc
    if fixed := fixed_atoms(atoms):
        kept.set_constraint(FixAtoms(fixed))
    if (masses := own_masses(atoms)) is not None:
        kept.set_masses(as_kept(np.array(masses)))
    if charge or not is_lowest(spin):
        kept.info = {"charge": charge, "spin": spin}
    return kept, charge, spin


def as_kept(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return numbers as a run's files give them back, so that what is measured is what is kept."""
    flat = [float(f"{number:.{DECIMALS}f}") for number in np.asarray(numbers, dtype=float).ravel()]
    return np.array(flat).reshape(np.shape(numbers))


def _checked(atoms: Atoms, here: str) -> Atoms:
    """Refuse a frame on which no method could be measured."""
    if not len(atoms):
        raise BadInput(f"{here} has no atoms.")
    broken = np.flatnonzero(~np.isfinite(atoms.positions).all(axis=1))
    if len(broken):
        raise BadInput(f"{here} has a coordinate of atom {broken[0]} that is not a finite number; remove the frame.")
    nearest = closest_pair(atoms)
    if nearest is not None and nearest.ratio < OVERLAP:
        i, j, distance = nearest.first, nearest.second, nearest.distance
        raise BadInput(
            f"{here} has the atoms {i} ({atoms.symbols[i]}) and {j} ({atoms.symbols[j]}) only "
            f"{distance:.3f} Angstrom apart; are its coordinates in Angstrom?"
        )
    return atoms


def _whole_cell(atoms: Atoms, here: str) -> NDArray[np.float64]:
    """Return the cell, with a vector for each direction that is not periodic and has none.

    It is right-handed: the opposite vectors span the same lattice, and some methods divide by a signed volume.
    """
    cell = np.asarray(atoms.cell.array, dtype=float)
    there = np.abs(cell).max(axis=1) > 1e-9
    if not np.isfinite(cell).all() or (atoms.pbc & ~there).any():
        raise BadInput(f"{here} is periodic in a direction without a cell vector; give its cell, or set pbc to F F F.")
    if not there.all():
        whole = np.asarray(complete_cell(cell))
        for axis in np.flatnonzero(~there):
            along = whole[axis] / np.linalg.norm(whole[axis])
            whole[axis] = along * (np.ptp(atoms.positions @ along) + VACUUM)
        cell = whole
    volume = np.linalg.det(cell)
    if abs(volume) < 1e-6:
        raise BadInput(f"{here} has a cell without a volume; correct its cell vectors.")
    return as_kept(cell if volume > 0 else -cell)


def grouped(measured: Sequence[tuple[Atoms, int, int]]) -> list[list[int]]:
    """Return the indices of the frames of each system, in the order in which the systems first appear."""
    groups: list[list[int]] = []
    by_kind: dict[tuple[object, ...], list[int]] = {}
    for index, (atoms, charge, spin) in enumerate(measured):
        kind = _kind(atoms, charge, spin)
        for number in by_kind.setdefault(kind, []):
            if _same_bonds(measured[groups[number][0]][0], atoms):
                groups[number].append(index)
                break
        else:
            by_kind[kind].append(len(groups))
            groups.append([index])
    return groups


def _kind(atoms: Atoms, charge: int, spin: int) -> tuple[object, ...]:
    masses = own_masses(atoms)
    return (
        atoms.numbers.tobytes(),
        charge,
        spin,
        tuple(atoms.pbc.tolist()),
        tuple(fixed_atoms(atoms)),
        None if masses is None else tuple(masses),
    )


def _same_bonds(one: Atoms, other: Atoms) -> bool:
    """Return whether no pair is clearly bonded in one and clearly not in the other; crystals have no such pairs."""
    if one.pbc.any() or not 1 < len(one) <= MOST_COMPARED:
        return True
    first, second = np.triu_indices(len(one), 1)
    radii = covalent_radii[one.numbers]
    sums = radii[first] + radii[second]
    near, far = pdist(one.positions) / sums, pdist(other.positions) / sums
    return not (((near < BONDED) & (far > APART)) | ((far < BONDED) & (near > APART))).any()


def named(names: Iterable[str]) -> list[str]:
    """Return names of systems without commas and blanks at their ends, each a different one."""
    found: list[str] = []
    taken: Counter[str] = Counter()
    for name in names:
        plain = " ".join(name.replace(",", " ").split()) or "system"
        taken[plain] += 1
        unique = plain if taken[plain] == 1 else f"{plain}-{taken[plain]}"
        while unique in found:
            taken[plain] += 1
            unique = f"{plain}-{taken[plain]}"
        found.append(unique)
    return found


def some(names: Iterable[str], most: int = 8) -> str:
    """Return names as a list, the first ones only where there are many."""
    every = list(names)
    return ", ".join(every[:most]) + (f" and {len(every) - most} more" if len(every) > most else "")


def digest(images: Sequence[Atoms], systems: Sequence[System]) -> str:
    """Return the SHA-256 of what is measured.

    It is over atomic numbers and positions to 1e-6 Angstrom of each structure; over charge and multiplicity where these
    are not the usual ones, or where there are several systems; and over cells, fixed atoms and masses where there are
    any. Baselines of neutral molecules are named by it, so nothing is added for these.
    """
    sha256 = hashlib.sha256()

    def add(numbers: object, scale: float = 1.0) -> None:
        sha256.update(np.rint(np.asarray(numbers, dtype=float) * scale).astype("<i8").tobytes())

    for image in images:
        add(image.numbers)
        add(image.positions, 1e6)
    usual = all(not one.charge and one.lowest_spin for one in systems)
    add([] if len(systems) == 1 and usual else [number for one in systems for number in (one.charge, one.spin)])
    for image in images:
        if image.pbc.any():
            add(image.cell.array, 1e6)
            add(image.pbc)
        add(fixed_atoms(image))
        add(own_masses(image) or [], 1e6)
    return sha256.hexdigest()

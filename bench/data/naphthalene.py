"""Naphthalene, the molecule of the default data sets."""

from __future__ import annotations

import ase.io
import numpy as np
from ase import Atoms
from ase.data import covalent_radii

from bench import paths
from bench.data.distances import BONDED


def naphthalene() -> Atoms:
    """Return the undistorted molecule, in MD17's order of atoms."""
    atoms = ase.io.read(paths.datasets_dir() / "naphthalene.xyz")
    return Atoms(atoms.numbers, atoms.positions)


def is_naphthalene(molecule: Atoms) -> bool:
    """Return whether a molecule has naphthalene's atoms and bonds, whatever their order."""
    ours = naphthalene()
    return sorted(molecule.numbers) == sorted(ours.numbers) and np.allclose(_bonds(molecule), _bonds(ours))


def _bonds(molecule: Atoms) -> np.ndarray:
    """Return the spectrum of the matrix of bonds and elements, which does not depend on the order of the atoms."""
    radii = covalent_radii[molecule.numbers]
    near = molecule.get_all_distances() < BONDED * np.add.outer(radii, radii)
    return np.linalg.eigvalsh(np.where(near, 1.0, 0.0) + np.diag(molecule.numbers - 1.0))

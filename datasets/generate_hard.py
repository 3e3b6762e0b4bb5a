# /// script
# requires-python = ">=3.11"
# dependencies = ["ase==3.29.0", "numpy==2.4.6", "rdkit==2026.9.1"]
#
# [tool.uv]
# exclude-newer = "2026-11-15T00:00:00Z"
# ///
"""Regenerate hard.extxyz beside this file, or in the folder that is named: a second.

    uv run --script datasets/generate_hard.py [FOLDER]

Three systems that are hard to relax, four starts of each: a chain of 40 atoms with many soft torsions, eight water
molecules that hardly hold together yet, and naphthalene whose atoms are 0.3 Angstrom from their places (root mean
square), half of them stretched bonds.
"""

from __future__ import annotations

import sys
from pathlib import Path

import ase.io
import numpy as np
from ase import Atoms
from ase.build import molecule
from ase.data import covalent_radii
from rdkit import Chem
from rdkit.Chem import rdDistGeom
from write import extxyz, save

SEED = 20263
STARTS = 4
FILE = "hard.extxyz"
CHAIN = "OCCCCCCCCCCCCO"
APART = 3.1  # Angstrom between the oxygen atoms of a cube, a little more than in ice
OFF = 0.3  # Angstrom
MADE_BY = f"generate_hard.py, seed {SEED}, licence CC0-1.0"


def chains() -> list[Atoms]:
    """Return conformers of 1,12-dodecanediol by distance geometry, without a force field."""
    mol = Chem.AddHs(Chem.MolFromSmiles(CHAIN))
    parameters = rdDistGeom.ETKDGv3()
    parameters.randomSeed = SEED
    rdDistGeom.EmbedMultipleConfs(mol, STARTS, parameters)
    symbols = [atom.GetSymbol() for atom in mol.GetAtoms()]
    return [Atoms(symbols, one.GetPositions()) for one in mol.GetConformers()]


def waters(rng: np.random.Generator) -> Atoms:
    """Return eight molecules near the corners of a cube, each turned at random."""
    found = Atoms()
    for corner in np.ndindex(2, 2, 2):
        one = molecule("H2O")
        one.rotate(rng.uniform(0, 360), rng.normal(size=3), center="COM")
        one.translate(APART * np.array(corner) + rng.normal(0, 0.1, 3) - one.positions[0])
        found += one
    return found


def shaken(rng: np.random.Generator) -> Atoms:
    """Return naphthalene off its places, the first of many draws in which all bonds are still bonds."""
    reference = ase.io.read(Path(__file__).with_name("naphthalene.xyz"))
    bonded = ratios(reference) < 1.2
    while True:
        atoms = Atoms(reference.numbers, reference.positions)
        move = rng.normal(size=(len(atoms), 3))
        atoms.positions += move * OFF / np.sqrt((move**2).sum(axis=1).mean())
        found = ratios(atoms)
        if found[bonded].min() > 0.6 and found[bonded].max() < 1.45 and found[~bonded].min() > 1.25:
            return atoms


def ratios(atoms: Atoms) -> np.ndarray:
    """Return the distance of each pair of atoms over the sum of their covalent radii."""
    one, other = np.triu_indices(len(atoms), k=1)
    radii = covalent_radii[atoms.numbers]
    return np.linalg.norm(atoms.positions[one] - atoms.positions[other], axis=1) / (radii[one] + radii[other])


def main() -> None:
    """Write the structures."""
    rng = np.random.default_rng(SEED)
    systems = {
        "dodecanediol": chains(),
        "water-octamer": [waters(rng) for _ in range(STARTS)],
        "naphthalene-off": [shaken(rng) for _ in range(STARTS)],
    }
    starts = [(name, one) for name, mine in systems.items() for one in mine]
    texts = [extxyz(one, name, 0, 1, made_by="" if number else MADE_BY) for number, (name, one) in enumerate(starts)]
    save(texts, FILE, sys.argv[1:])


if __name__ == "__main__":
    main()

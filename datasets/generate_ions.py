# /// script
# requires-python = ">=3.11"
# dependencies = ["ase==3.29.0", "numpy==2.4.6", "rdkit==2026.9.1"]
#
# [tool.uv]
# exclude-newer = "2026-11-15T00:00:00Z"
# ///
"""Regenerate ions.extxyz beside this file, or in the folder that is named: a second.

    uv run --script datasets/generate_ions.py [FOLDER]

Eight small species that a method for neutral closed shells cannot take or gets wrong: two cations, two anions, two
neutral radicals, a zwitterion and a triplet; one of the cations is a radical too. The geometries are made as those of
druglike.extxyz.

The zwitterion is glycine betaine. In vacuum an amino acid loses its charges: a proton goes from the ammonium group to
the carboxylate. Betaine's nitrogen atom has three methyl groups and no proton to give, so it stays as it is.
"""

from __future__ import annotations

import sys

import rdkit
from generate_druglike import SEED, embedded
from write import extxyz, save

FILE = "ions.extxyz"
# name: SMILES, charge, multiplicity. The SMILES says which atoms are bonded. Its formal charges need not add up to the
# charge: an electron that is taken from, or unpaired in, the orbitals of a whole molecule has no atom in a SMILES.
IONS = {
    "methylammonium": ("C[NH3+]", 1, 1),
    "naphthalene-cation": ("c1ccc2ccccc2c1", 1, 2),
    "acetate": ("CC(=O)[O-]", -1, 1),
    "nitrate": ("[O-][N+](=O)[O-]", -1, 1),
    "ethyl": ("C[CH2]", 0, 2),
    "phenoxyl": ("[O]c1ccccc1", 0, 2),
    "betaine": ("C[N+](C)(C)CC(=O)[O-]", 0, 1),
    "oxygen": ("O=O", 0, 3),
}


def main() -> None:
    """Write the file."""
    made_by = f"generate_ions.py, ETKDGv3 of RDKit {rdkit.__version__}, seed {SEED}, licence CC0-1.0"
    texts = [
        extxyz(embedded(name, smiles), name, charge, spin, made_by=made_by if number == 0 else "")
        for number, (name, (smiles, charge, spin)) in enumerate(IONS.items())
    ]
    save(texts, FILE, sys.argv[1:])
    print(f"{FILE}: {len(texts)} species")


if __name__ == "__main__":
    main()

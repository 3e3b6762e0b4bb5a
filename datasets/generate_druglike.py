# /// script
# requires-python = ">=3.11"
# dependencies = ["ase==3.29.0", "numpy==2.4.6", "rdkit==2026.9.1"]
#
# [tool.uv]
# exclude-newer = "2026-11-15T00:00:00Z"
# ///
"""Regenerate druglike.extxyz beside this file, or in the folder that is named: a few seconds.

    uv run --script datasets/generate_druglike.py [FOLDER]

24 molecules of C, H, N, O, F, S and Cl with 10 to 60 atoms: drugs, and small molecules that are parts of drugs. Each is
neutral with all electrons paired, and each stereocentre and double bond is the one that is drawn in its SMILES.

The geometries are those of RDKit's distance geometry (ETKDGv3; S. Wang, J. Witte, G. A. Landrum, S. Riniker, J. Chem.
Inf. Model. 60, 2044 (2020)) with a fixed seed. No force field has touched them: it would give its own minimum, and
favour the methods that are like it.
"""

from __future__ import annotations

import sys

import rdkit
from ase import Atoms
from rdkit import Chem
from rdkit.Chem import rdDistGeom
from write import extxyz, save

SEED = 20262
FILE = "druglike.extxyz"
# in ascending order of size; acids and amines as neutral molecules, as they are in vacuum
MOLECULES = {
    "aminothiazole": "Nc1nccs1",
    "fluorouracil": "O=c1[nH]cc(F)c(=O)[nH]1",
    "taurine": "NCCS(=O)(=O)O",
    "sevoflurane": "FCOC(C(F)(F)F)C(F)(F)F",
    "isoniazid": "NNC(=O)c1ccncc1",
    "sulfanilamide": "Nc1ccc(cc1)S(N)(=O)=O",
    "metformin": r"[H]/N=C(/N=C(N)N)N(C)C",
    "clonidine": "Clc1cccc(Cl)c1N=C1NCCN1",
    "caffeine": "Cn1cnc2c1c(=O)n(C)c(=O)n2C",
    "nicotine": "CN1CCC[C@H]1c1cccnc1",
    "captopril": "C[C@H](CS)C(=O)N1CCC[C@H]1C(=O)O",
    "furosemide": "NS(=O)(=O)c1cc(C(=O)O)c(NCc2ccco2)cc1Cl",
    "ibuprofen": "CC(C)Cc1ccc(cc1)[C@H](C)C(=O)O",
    "clopidogrel": "COC(=O)[C@H](c1ccccc1Cl)N1CCc2sccc2C1",
    "lidocaine": "CCN(CC)CC(=O)Nc1c(C)cccc1C",
    "fluoxetine": "CNCC[C@H](Oc1ccc(cc1)C(F)(F)F)c1ccccc1",
    "ciprofloxacin": "OC(=O)C1=CN(C2CC2)c2cc(N3CCNCC3)c(F)cc2C1=O",
    "ranitidine": r"CN/C(NCCSCc1ccc(CN(C)C)o1)=C/[N+](=O)[O-]",
    "flucloxacillin": "Cc1onc(-c2c(F)cccc2Cl)c1C(=O)N[C@@H]1C(=O)N2[C@@H](C(=O)O)C(C)(C)S[C@H]12",
    "haloperidol": "OC1(CCN(CCCC(=O)c2ccc(F)cc2)CC1)c1ccc(Cl)cc1",
    "levocetirizine": "OC(=O)COCCN1CCN(CC1)[C@H](c1ccccc1)c1ccc(Cl)cc1",
    "gefitinib": "COc1cc2ncnc(Nc3ccc(F)c(Cl)c3)c2cc1OCCCN1CCOCC1",
    "dexamethasone": "C[C@@H]1C[C@H]2[C@@H]3CCC4=CC(=O)C=C[C@]4(C)[C@@]3(F)[C@@H](O)C[C@]2(C)[C@@]1(O)C(=O)CO",
    "lisinopril": "NCCCC[C@H](N[C@@H](CCc1ccccc1)C(=O)O)C(=O)N1CCC[C@H]1C(=O)O",
}


def embedded(name: str, smiles: str, seed: int = SEED) -> Atoms:
    """Return RDKit's first geometry of a molecule, hydrogen atoms included, around its centre.

    Raises ValueError where the SMILES leaves a stereocentre or a double bond open, or no geometry is found.
    """
    molecule = Chem.AddHs(Chem.MolFromSmiles(smiles))
    open_ones = [one for one in Chem.FindPotentialStereo(molecule) if one.specified != Chem.StereoSpecified.Specified]
    if open_ones:
        raise ValueError(f"{name}: {len(open_ones)} stereocentres or double bonds are not defined")
    settings = rdDistGeom.ETKDGv3()
    settings.randomSeed = seed
    if rdDistGeom.EmbedMolecule(molecule, settings) != 0:
        raise ValueError(f"{name}: RDKit finds no geometry")
    positions = molecule.GetConformer().GetPositions()
    return Atoms([atom.GetAtomicNum() for atom in molecule.GetAtoms()], positions - positions.mean(axis=0))


def main() -> None:
    """Write the file."""
    made_by = f"generate_druglike.py, ETKDGv3 of RDKit {rdkit.__version__}, seed {SEED}, licence CC0-1.0"
    texts = [
        extxyz(embedded(name, smiles), name, charge=0, spin=1, made_by=made_by if number == 0 else "")
        for number, (name, smiles) in enumerate(MOLECULES.items())
    ]
    save(texts, FILE, sys.argv[1:])
    print(f"{FILE}: {len(texts)} molecules")


if __name__ == "__main__":
    main()

"""Formats that are not read, each by its name: a refusal says what the file is."""

from __future__ import annotations

import re

_BY_SUFFIX = {
    ".pqr": "PQR, which has no elements",
    ".pdbqt": "PDBQT, which lacks hydrogen atoms",
    ".lmp": "LAMMPS data, which names types and no elements",
    ".lammps": "LAMMPS data, which names types and no elements",
    ".lammpstrj": "LAMMPS dump, which names types and no elements",
    ".dump": "LAMMPS dump, which names types and no elements",
    ".zmat": "a Z-matrix",
    ".smi": "SMILES, which has no coordinates",
    ".mop": "MOPAC input, which is not read",
    ".gro": "GRO, which names atoms and no elements",
    ".car": "CAR, of which ASE reads the first structure only",
    ".arc": "ARC, which is not read",
    ".npz": "a file of NumPy, whose arrays have no fixed names",
    ".nc": "NetCDF, in which trajectories name types and no elements",
}
_BY_TEXT = {
    r"^\s*molecule\s*\w*\s*\{": "an input of Psi4",
    r"^\s*geometry\s*=\s*\{": "an input of Molpro",
    r"^\s*&(force_eval|subsys|coord)\b": "an input of CP2K",
    r"^\s*geometry\b(?!\s*=).*\n[^=]*^\s*end\b": "an input of NWChem",
    r"^\s*\$data\b": "an input of GAMESS",
    r"^\s*%block\s+(AtomicCoordinatesAndAtomicSpecies|ChemicalSpeciesLabel)\b": "an input of SIESTA",
    r"^\s*LATTICE_CONSTANT\b": "a STRU file of ABACUS",
    r"^\s*\d+\s+atom types\b": "LAMMPS data, which names types and no elements",
    r"^\s*\[Molden Format\]": "Molden",
    r"<molecule\b": "CML",
    r"^\s*Number of atoms\s+I\s+\d+": "a formatted checkpoint of Gaussian",
    r"^\s*\$orca_hessian_file\b": "a Hessian of ORCA",
    r"^# Number of atoms\s*\n": "a gradient of ORCA",
}


def by_suffix(suffix: str) -> str:
    """Return what a file with this suffix is, such as ".gro"; empty where it may be read."""
    return _BY_SUFFIX.get(suffix, "")


def by_text(text: str) -> str:
    """Return what a text is by its beginning or its keywords; empty where it is none of these formats."""
    for pattern, name in _BY_TEXT.items():
        if re.search(pattern, text, re.MULTILINE | re.IGNORECASE):
            return name if ", which" in name else f"{name}, which is not read"
    return ""

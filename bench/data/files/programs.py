"""Outputs of quantum programs: which program wrote a file, its charge and multiplicity, and whose energies it has.

ASE reads the structures; what it leaves out of these files is read or refused here.
"""

from __future__ import annotations

import re
from typing import Any

from ase import Atoms

from bench.data.files.contents import Ledger
from bench.errors import BadInput

KINDS = {
    "gaussian-out": r"Gaussian, Inc|Entering Link 1|Input orientation:|Standard orientation:",
    "orca-output": r"O   R   C   A",
    "nwchem-out": r"Northwest Computational Chemistry Package|NWChem",
    "gamess-us-out": r"GAMESS",
    "espresso-out": r"Program PWSCF",
    "aims-output": r"Invoking FHI-aims|FHI-aims",
    "vasp-out": r"vasp|VASP",
    "vasp-xml": r"<modeling>",
    "castep-castep": r"CASTEP",
    "turbomole-gradient": r"\$grad",
}
"""ASE's names of the outputs that are read, and what each has in its text. ASE tells some by their suffix alone."""

_STATES: dict[str, tuple[str, ...]] = {
    "gaussian-out": (r"Charge\s*=\s*(?P<charge>[+-]?\d+)\s+Multiplicity\s*=\s*(?P<multiplicity>\d+)",),
    "orca-output": (
        r"Total Charge\s+Charge\s+\.+\s*(?P<charge>[+-]?\d+)",
        r"Multiplicity\s+Mult\s+\.+\s*(?P<multiplicity>\d+)",
    ),
    "gamess-us-out": (
        r"CHARGE OF MOLECULE\s*=\s*(?P<charge>[+-]?\d+)",
        r"(?:SPIN|STATE) MULTIPLICITY\s*=\s*(?P<multiplicity>\d+)",
    ),
    "nwchem-out": (
        r"^[ \t]*[Cc]harge[ \t]*[:=][ \t]*(?P<charge>[+-]?\d+)(?:\.0*)?[ \t]*$",
        r"^[ \t]*Spin multiplicity[ \t]*:[ \t]*(?P<multiplicity>\d+)[ \t]*$",
        r"^[ \t]*open shells[ \t]*=[ \t]*(?P<unpaired>\d+)[ \t]*$",
    ),
}
_LEVELS = {
    "gaussian-out": r"Excited State\s+\d|CCSD|QCISD|EUMP\d|BD\(|\bE4\(|CASSCF|ONIOM|SCRF=|PCM",
    "orca-output": r"(?m)^IROOT=|^STATE\s+\d+(:|\s+Exc)|CPCM SOLVATION|CAS-SCF ITERATIONS",
    "nwchem-out": r"TDDFT|Excited state energy|COSMO|tce|MP2|CCSD",
    "gamess-us-out": r"(?s).",  # ASE's figures differ from the program's for CI, MP2 and DFT
}
"""Where the energy that ASE finds is that of an excited state, a solvent model or another of several levels."""
_STRUCTURES = {
    "orca-output": r"(?s)CARTESIAN COORDINATES \(ANGSTROEM\)\n-+\n(.*?)\n\s*\n",
    "gamess-us-out": r"(?s)COORDINATES OF ALL ATOMS ARE \(ANGS\)\n[^\n]*\n\s*-+\n(.*?)\n\s*\n",
}
"""The coordinates of each structure in outputs of which ASE may read fewer."""


def check_program(kind: str, text: str, file: str) -> None:
    """Raise BadInput where another program wrote a file than its suffix makes ASE believe."""
    if text and not re.search(KINDS[kind], text):
        raise BadInput(f"{file} is the output of a program that is not read; convert it to extended XYZ.")


def state_of_output(kind: str, text: str, file: str) -> dict[str, Any]:
    """Return charge and multiplicity where the output states them; raises BadInput where it states several."""
    found: dict[str, set[int]] = {}
    for pattern in _STATES.get(kind, ()):
        for match in re.finditer(pattern, text, re.MULTILINE):
            for key, value in match.groupdict().items():
                name, number = ("multiplicity", int(value) + 1) if key == "unpaired" else (key, int(value))
                found.setdefault(name, set()).add(number)
    for key, values in found.items():
        if len(values) > 1:
            raise BadInput(f"{file} has several states ({key}); split it.")
    return {key: next(iter(values)) for key, values in found.items()}


def check_images(kind: str, text: str, images: list[Atoms], file: str) -> None:
    """Raise BadInput where ASE leaves out structures or the cell of an output."""
    pattern = _STRUCTURES.get(kind)
    found = len(set(re.findall(pattern, text))) if pattern else 0
    if found > len(images):
        raise BadInput(f"{file} has {found} structures, of which ASE reads {len(images)}; write them as extended XYZ.")
    periodic = kind == "aims-output" and re.search(r"^\s*lattice_vector\s", text, re.MULTILINE)
    if periodic and not all(image.pbc.all() for image in images):
        raise BadInput(f"{file} has a cell, which ASE does not read from it; write it as extended XYZ.")


def drop_unclear_labels(kind: str, text: str, results: dict[str, Any], file: str, ledger: Ledger) -> None:
    """Take energy and forces out of `results` where they may belong to another level, state or orientation."""
    why = ""
    if kind == "xsf":
        why = "programs write them in different units"
    elif kind in _LEVELS and re.search(_LEVELS[kind], text):
        why = "they may be of an excited state, a solvent model or another level than the last one of the calculation"
    elif kind == "gaussian-out" and "forces" in results and "Input orientation:" not in text:
        why = "the forces are in another orientation than the coordinates"
    dropped = [key for key in ("energy", "free_energy", "forces") if results.get(key) is not None] if why else []
    for key in dropped:
        del results[key]
        ledger.unused(f"the result '{key}'", file)
    if dropped:
        ledger.note(f"Energies and forces of {file} are not used as labels: {why}.")

"""SDF and MOL files by RDKit, V2000 and V3000; MOL2 files."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from ase import Atoms
from rdkit import Chem, RDLogger

from bench.data.files.contents import Ledger, Record
from bench.data.files.elements import elements, number_of
from bench.data.files.state import FROM_WHOLE
from bench.errors import BadInput

RDLogger.DisableLog("rdApp.*")  # type: ignore[attr-defined]

_MOL2_ATOM = re.compile(r"\s*\d+\s+\S+(?:\s+[-+]?\d*\.?\d+){3}\s+[A-Za-z]")
_OF_IONS = {"N.4", "O.co2", "C.cat"}
"""Types of atoms in MOL2 files which ammonium, carboxylates and guanidinium have, and few neutral molecules."""
_CODES = {"CHG", "RAD", "ISO", "ZCH", "ZBO", "HYD", "V30"}
"""Properties (M) of a MOL file that RDKit reads."""
_UNPAIRED = {1: 0, 2: 1, 3: 2}  # of M RAD: singlet, doublet, triplet


def read_sdf(text: str, file: str, ledger: Ledger) -> list[Record]:
    """Return all records of an SDF or MOL file; raises BadInput where one is no complete 3D structure."""
    blocks = re.split(r"^\$\$\$\$.*\n?", text.replace("\r\n", "\n").replace("\r", "\n"), flags=re.MULTILINE)
    while blocks and not blocks[-1].strip():
        blocks.pop()
    return [_record(block, f"frame {k} of {file}", file, ledger) for k, block in enumerate(blocks)]


def _record(block: str, here: str, file: str, ledger: Ledger) -> Record:
    head, end, data = block.partition("M  END")
    if not end:
        raise BadInput(f"{here} has no line 'M  END'; the record is cut off.")
    try:
        molecule = Chem.MolFromMolBlock(head + end + "\n", sanitize=False, removeHs=False, strictParsing=True)
    except Exception as error:  # RDKit raises all kinds of exceptions
        raise BadInput(f"{here} cannot be read by RDKit ({str(error).splitlines()[0]}).") from None
    lines = head.split("\n")
    if molecule is None or not molecule.GetNumConformers() or len(lines) < 4:
        raise BadInput(f"{here} cannot be read by RDKit as a MOL or SDF record.")
    _same_count(lines, molecule.GetNumAtoms(), here)
    for atom in molecule.GetAtoms():
        if atom.GetAtomicNum() == 0 or atom.HasQuery():
            raise BadInput(f"{here} has a dummy, a list or a query in place of atom {atom.GetIdx()}; name its element.")
    positions = np.array(molecule.GetConformer().GetPositions())
    _check_3d(lines[1], positions, here)
    said = _fields(data, here)
    charges = [atom.GetFormalCharge() for atom in molecule.GetAtoms()]
    if any(charges):
        said["M  CHG"] = sum(charges)
    unpaired = _radicals(head, here)
    if not unpaired:
        unpaired = [1 for row in lines[4 : 4 + len(charges)] if row[36:39].strip() == "4" and "V2000" in lines[3]]
    if len(unpaired) == 1:
        said["M  RAD"] = unpaired[0] + 1
    elif len(unpaired) > 1:
        ledger.note(f"{here} has several radical centres, whose M  RAD does not give one multiplicity; state its spin.")
        ledger.unused("the radicals (M  RAD)", file)
    _check_hydrogens(molecule, unpaired, here, ledger)
    atoms = Atoms([atom.GetAtomicNum() for atom in molecule.GetAtoms()], positions)
    isotopes = {atom.GetIdx(): atom.GetMass() for atom in molecule.GetAtoms() if atom.GetIsotope()}
    if isotopes:
        masses = atoms.get_masses()
        for index, mass in isotopes.items():
            if not mass > 0:
                raise BadInput(f"{here} has an isotope of atom {index} that does not exist; correct it.")
            masses[index] = mass
        atoms.set_masses(masses)
        ledger.note(f"Isotopes of {file} are read with their own masses.")
    if molecule.GetNumBonds():
        ledger.unused("the bonds", file)
    for code in sorted(set(re.findall(r"^M  ([A-Z]{3})\b", head, flags=re.MULTILINE)) - _CODES):
        ledger.unused(f"the lines M  {code}", file)
    comment = lines[2].strip()
    if comment:
        ledger.unused("the comment line", file)
    record = Record(atoms, here, file, lines[0].strip(), said)
    if not unpaired and not any(charges) and atoms.numbers.sum() % 2:
        record.needs = ("charge",)
        record.unread = f"{here} has an odd number of electrons, but neither charges (M  CHG) nor radicals (M  RAD)"
    return record


def _same_count(lines: list[str], atoms: int, here: str) -> None:
    """Check the number of atoms that the head announces, which RDKit need not do."""
    counts = re.search(r"^M  V30 COUNTS\s+(\d+)", "\n".join(lines), flags=re.MULTILINE)
    announced = counts[1] if counts else lines[3][:3]
    if not announced.strip().isdigit() or int(announced) != atoms or not atoms:
        raise BadInput(f"{here} announces {announced.strip()} atoms and has {atoms}.")


def _radicals(head: str, here: str) -> list[int]:
    values = [int(value) for value in re.findall(r"^M  V30 .*\bRAD=(\d+)", head, flags=re.MULTILINE)]
    for row in re.findall(r"^M  RAD(.*)$", head, flags=re.MULTILINE):
        cells = row.split()
        if not all(cell.isdigit() for cell in cells):
            raise BadInput(f"{here} has a line M  RAD that cannot be read ({row.strip()!r}).")
        values += [int(cell) for cell in cells[2::2]]
    if any(value not in (0, *_UNPAIRED) for value in values):
        raise BadInput(f"{here} has an M  RAD that is not 1, 2 or 3; correct it.")
    return [_UNPAIRED[value] for value in values if value]


def _check_3d(program: str, positions: np.ndarray, here: str) -> None:
    flag = program[20:22].upper()
    flat = len(positions) > 3 and not np.abs(positions[:, 2]).max() > 1e-4
    if (flag == "2D" and len(positions) > 1) or (flat and flag != "3D"):
        raise BadInput(
            f"{here} is a drawing in two dimensions, not a structure; embed it, or write 3D into its second line "
            "(columns 21 and 22) if the molecule is planar."
        )


def _check_hydrogens(molecule: Any, unpaired: list[int], here: str, ledger: Ledger) -> None:
    copy = Chem.Mol(molecule)
    try:
        Chem.SanitizeMol(copy)
    except Exception:  # metals and unusual bonding: RDKit's valences do not apply
        ledger.note(f"{here} has valences that RDKit does not know, so missing hydrogens cannot be noticed.")
        return
    missing = sum(atom.GetNumImplicitHs() for atom in copy.GetAtoms())
    if missing and not unpaired:
        raise BadInput(
            f"{here} lacks {missing} hydrogen atom{'s' if missing > 1 else ''} by the valences of its atoms; add "
            "them, or mark radicals (M  RAD)."
        )


def _fields(data: str, here: str) -> dict[str, Any]:
    """Return the data fields of an SDF record as text."""
    fields: dict[str, Any] = {}
    parts = re.split(r"^>.*?<(.*?)>.*$", data, flags=re.MULTILINE)
    if parts[0].strip():
        raise BadInput(f"{here} has text after its structure that is no data field ({parts[0].strip()[:40]!r}).")
    for name, value in zip(parts[1::2], parts[2::2], strict=True):
        if name in fields:
            raise BadInput(f"{here} has the data field {name!r} twice; remove one of the two.")
        fields[name] = value.strip()
    return fields


def read_mol2(text: str, file: str, ledger: Ledger) -> list[Record]:
    """Return all molecules of a MOL2 file; the sum of the charges of its atoms is the charge."""
    before, *blocks = re.split(r"^@<TRIPOS>MOLECULE[ \t]*\n", text.replace("\r\n", "\n"), flags=re.MULTILINE)
    if any(line.strip() and not line.startswith("#") for line in before.split("\n")):
        raise BadInput(f"{file} has text before its first molecule ({before.strip()[:40]!r}); remove it.")
    return [_mol2(block, f"frame {k} of {file}", file, ledger) for k, block in enumerate(blocks)]


def _mol2(block: str, here: str, file: str, ledger: Ledger) -> Record:
    head, *sections = re.split(r"^@<TRIPOS>", block, flags=re.MULTILINE)
    lines = [*head.split("\n"), "", "", "", ""]
    named = {part.split("\n", 1)[0].strip(): part.split("\n")[1:] for part in sections}
    rows = [row.split() for row in named.pop("ATOM", []) if row.strip() and not row.startswith("#")]
    count = lines[1].split()[:1]
    if count != [str(len(rows))] or not rows:
        raise BadInput(f"{here} announces {''.join(count) or 'no'} atoms and has {len(rows)}.")
    others = [*lines, *(row for section in named.values() for row in section)]
    if any(_MOL2_ATOM.match(row) for row in others):
        raise BadInput(f"{here} has a line of an atom outside its section ATOM; move or remove it.")
    try:
        positions = np.array([[number_of(cell) for cell in row[2:5]] for row in rows])
        symbols = [_sybyl(row[5], here) for row in rows]
        charges = np.array([number_of(row[8]) if len(row) > 8 else 0.0 for row in rows])
    except (ValueError, IndexError) as error:
        raise BadInput(f"{here} has a line of an atom that cannot be read ({error}).") from None
    if positions.shape != (len(rows), 3):
        raise BadInput(f"{here} has a line of an atom that cannot be read.")
    if "CRYSIN" in named:
        raise BadInput(f"{here} has a cell (CRYSIN), which is not read from MOL2 files; use CIF or extended XYZ.")
    numbers, masses = elements(symbols, here, ledger)
    atoms = Atoms(numbers, positions)
    if masses is not None:
        atoms.set_masses(masses)
    if lines[3].strip() != "NO_CHARGES" and charges.any():
        atoms.arrays["charges"] = charges
    for section in named:
        ledger.unused(f"the section {section}", file)
    record = Record(atoms, here, file, lines[0].strip().strip("*"))
    formal = re.findall(r"(?m)^\s*charge\s+([+-]?\d+)\s*$", "\n".join(named.get("UNITY_ATOM_ATTR", [])))
    if formal:
        record.said["formal charge"] = sum(map(int, formal))
    if "charges" in atoms.arrays and abs(charges.sum() - round(charges.sum())) > FROM_WHOLE:
        record.needs, record.unread = ("charge",), f"{here} has charges that add up to {charges.sum():.2f}"
    ionic = sorted({row[5] for row in rows} & _OF_IONS)
    if ionic and "charges" not in atoms.arrays:
        record.needs, record.unread = ("charge",), f"{here} has atoms of ions ({', '.join(ionic)}) and no charges"
    return record


def _sybyl(kind: str, here: str) -> str:
    """Return the element of one of SYBYL's types of atoms, such as C.ar; those of force fields are refused.

    GAFF's ca and cd are carbon, not calcium and cadmium.
    """
    symbol = kind.split(".")[0]
    if symbol[:1].islower():
        raise BadInput(
            f"{here} has the type {kind!r} of an atom, which is a force field's and not SYBYL's; write SYBYL's types "
            "(antechamber -at sybyl)."
        )
    return symbol

"""Files that ASE reads, with what ASE leaves out: states, occupancies, flags."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
from ase import Atoms
from ase.io.formats import UnknownFileTypeError, filetype

from bench.data.files import programs
from bench.data.files.contents import Ledger, Record
from bench.errors import BadInput

COMPLETE = {"traj", "json", "db", "vasp", "vasp-xdatcar", "cif", "gen", "aims", "xsf", "cube", "espresso-in"}
"""Formats that have no charge or spin, or whose charge and spin are read; tested one by one."""
PLAIN = {"res", "castep-cell", "siesta-xv", "struct_out"}
"""Formats that are read as ASE reads them, which a note says. Others are refused: ASE takes the first of several
structures, coordinates in Bohr, or names of atoms for elements in some of them."""
BINARY = {"traj", "db"}


def format_of(path: Path) -> str:
    """Return ASE's name for a file's format; raises BadInput where it is unknown or not read."""
    try:
        found = str(filetype(str(path)))
    except (UnknownFileTypeError, OSError, ValueError, UnicodeDecodeError):
        raise BadInput(
            f"{path.name} is in no format that is known; give extended XYZ, SDF, PDB, CIF or POSCAR."
        ) from None
    if found not in COMPLETE | PLAIN | programs.KINDS.keys():
        raise BadInput(f"{path.name} is in the format {found!r}, which is not read; convert it to extended XYZ or CIF.")
    return found


def read_by_ase(path: Path, text: str, file: str, ledger: Ledger, kind: str) -> list[Record]:
    """Return all frames of a file of ASE's format `kind`; `text` is empty for binary files."""
    said = _before(kind, text, file, ledger)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            if kind in ("db", "json"):
                images = _database(path)
            else:
                images = list(ase.io.read(path, index=":", format=kind, do_not_split_by_at_sign=True))
    except Exception as error:  # ASE's readers raise all kinds of exceptions
        reason = (str(error).strip() or "no reason given").splitlines()[0]
        raise BadInput(f"ASE cannot read structures from {file} ({type(error).__name__}: {reason}).") from None
    for warning in caught:
        if issubclass(warning.category, UserWarning):
            ledger.note(f"ASE says of {file}: {' '.join(str(warning.message).split())[:200]}")
    if not images:
        raise BadInput(f"{file} holds no structure.")
    if kind == "cif":
        _check_cif(text, len(images), file)
    programs.check_images(kind, text, images, file)
    if kind in PLAIN or kind in programs.KINDS:
        ledger.note(f"{file} is read as ASE reads the format {kind}; what ASE leaves out of it cannot be listed.")
    records = [_record(image, f"frame {k} of {file}", file, said, kind) for k, image in enumerate(images)]
    for record in records:
        programs.drop_unclear_labels(kind, text, record.results, file, ledger)
    return records


def _database(path: Path) -> list[Atoms]:
    """Return the rows of an ASE database with their keys, which ase.io.read drops."""
    import ase.db  # slow to import, and few files are databases

    images = []
    for row in ase.db.connect(path).select():
        image = row.toatoms()
        image.info |= row.key_value_pairs | dict(row.data)
        images.append(image)
    return images


def _record(image: Atoms, here: str, file: str, said: dict[str, Any], kind: str) -> Record:
    results = dict(getattr(image.calc, "results", {}) or {})
    info = {str(key): value for key, value in image.info.items()}
    if kind == "cube":  # its box is that of the grid
        image.set_cell(None)
        image.pbc = False
    if kind == "vasp" and any(type(one).__name__ == "FixScaled" for one in image.constraints):
        raise BadInput(
            f"{here} has selective dynamics that fix atoms in some directions only; pesbench fixes whole atoms: "
            "write T T T or F F F."
        )
    if kind == "cif" and "occupancy" in info:
        occupancies = info["occupancy"]
        if any(value < 1 for site in occupancies.values() for value in site.values()):
            raise BadInput(f"{here} has occupancies below 1; write an ordered structure.")
    record = Record(image, here, file, said=info | said, results=results)
    if kind in programs.KINDS:
        record.needs = ("charge", "spin")
        record.unread = f"charge and spin are not read from {file} (format {kind})"
    return record


def _before(kind: str, text: str, file: str, ledger: Ledger) -> dict[str, Any]:
    """Return what the text of a file says about its electrons, which ASE drops; refuse what cannot be known."""
    said: dict[str, Any] = {}
    if kind in programs.KINDS:
        programs.check_program(kind, text, file)
        said = programs.state_of_output(kind, text, file)
    if kind == "espresso-in":
        for key in ("tot_charge", "tot_magnetization"):
            found_here = re.search(rf"^[^!\n]*\b{key}\s*=\s*([^\s,!]+)", text, re.MULTILINE | re.IGNORECASE)
            if found_here:
                said[key] = _number(found_here[1])
        if re.search(r"^\s*ATOMIC_POSITIONS.*?^\s*\S+(\s+\S+){3}\s+[01]\s+[01]\s+[01]", text, 26):
            _check_if_pos(text, file)
        for card in ("CELL_PARAMETERS", "ATOMIC_POSITIONS"):  # what ASE takes for a missing unit is not what pw.x takes
            if re.search(rf"^\s*{card}\b(?![ \t]*[({{]?[ \t]*[a-z])", text, re.MULTILINE | re.IGNORECASE):
                raise BadInput(f"{file} has no unit after {card}; add one, such as angstrom.")
        ledger.unused("the settings of the job", file)
    elif kind == "vasp" and text and not re.search(r"[A-Za-z]", (text.splitlines() + [""] * 6)[5]):
        raise BadInput(f"{file} names no elements (VASP 4); add a line of symbols before that of the numbers of atoms.")
    elif kind == "vasp" and re.search(r"^\s*[+-]?\d*\.?\d+([eE][+-]?\d+)?(\s+\S+){2}\s*$", _tail(text), re.MULTILINE):
        ledger.unused("the lines after the positions (velocities)", file)
    elif kind == "cube":
        ledger.unused("the grid of values", file)
        ledger.note(f"{file} is read as a molecule: the box of its grid is no cell. Give crystals as CIF or POSCAR.")
    elif kind == "aims":
        _check_aims(text, file, said)
    return said


def _number(text: str) -> Any:
    try:
        return float(text.lower().replace("d", "e"))
    except ValueError:
        return text


def _tail(text: str) -> str:
    """Return what follows the positions of a POSCAR."""
    lines = text.splitlines()
    for at, line in enumerate(lines[5:8], 5):
        counts = line.split()
        if counts and all(cell.isdigit() for cell in counts):
            first = at + 1 + (lines[at + 1].strip()[:1].lower() == "s" if len(lines) > at + 1 else 0) + 1
            return "\n".join(lines[first + sum(map(int, counts)) :])
    return ""


def _check_if_pos(text: str, file: str) -> None:
    for flags in re.findall(
        r"^\s*[A-Za-z]\w*(?:\s+[-+\d.eEdD]+){3}\s+([01])\s+([01])\s+([01])\s*$", text, re.MULTILINE
    ):
        if len(set(flags)) > 1:
            raise BadInput(f"{file} fixes atoms in some directions only ({' '.join(flags)}); fix or free them in all.")


def _check_aims(text: str, file: str, said: dict[str, Any]) -> None:
    for line in text.splitlines():
        words = line.split("#")[0].split()
        if words and words[0] in ("initial_charge", "initial_moment", "constrain_relaxation"):
            if words[0] == "constrain_relaxation" and words[1:] != [".true."]:
                raise BadInput(
                    f"{file} fixes atoms in some directions only ({' '.join(words)}); fix or free them in all."
                )
        elif words and words[0] in ("empty", "pseudocore", "multipole", "homogeneous_field", "hessian_block"):
            raise BadInput(f"{file} has {words[0]}, which is not read; remove it.")


def _check_cif(text: str, frames: int, file: str) -> None:
    import gemmi

    try:
        document = gemmi.cif.read_string(text)
    except Exception as error:  # gemmi raises all kinds of exceptions
        raise BadInput(f"{file} is no valid CIF ({str(error).splitlines()[0]}).") from None
    blocks = 0
    for block in document:
        sites = len(block.find_loop("_atom_site_fract_x")) or len(block.find_loop("_atom_site_Cartn_x"))
        blocks += bool(sites)
        for occupancy in block.find_loop("_atom_site_occupancy"):
            value = gemmi.cif.as_number(occupancy)
            if np.isfinite(value) and value < 1:
                raise BadInput(f"{file} has occupancies below 1 in block {block.name}; write an ordered structure.")
    if blocks != frames:
        raise BadInput(f"{file} has {blocks} blocks with atoms, of which ASE reads {frames}; split it.")

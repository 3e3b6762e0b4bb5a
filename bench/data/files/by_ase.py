"""Files that ASE reads, with what ASE leaves out: states, occupancies, flags."""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path
from typing import Any

import ase.io
from ase import Atoms
from ase.constraints import FixAtoms
from ase.io.formats import UnknownFileTypeError, filetype, ioformats

from bench.data.files import crystals, programs
from bench.data.files.contents import Ledger, Record
from bench.errors import BadInput

COMPLETE = {"traj", "json", "db", "vasp", "vasp-xdatcar", "gen", "aims", "xsf", "cube", "espresso-in"}
"""Formats that have no charge or spin, or whose charge and spin are read; tested one by one."""
PLAIN = {"res", "castep-cell", "siesta-xv", "struct_out"}
"""Formats that are read as ASE reads them, which a note says. Others are refused: ASE takes the first of several
structures, coordinates in Bohr, or names of atoms for elements in some of them."""
BINARY = {"traj", "db"}


def format_of(path: Path) -> str:
    """Return ASE's name for a file's format; raises BadInput where it is unknown or not read."""
    try:
        found = str(filetype(str(path)))
        if found not in ioformats:  # ASE gives the suffix where it knows nothing
            raise UnknownFileTypeError
    except (UnknownFileTypeError, OSError, ValueError, UnicodeDecodeError):
        raise BadInput(
            f"{path.name} is in no format that is known; give extended XYZ, SDF, PDB, CIF or POSCAR."
        ) from None
    if found not in COMPLETE | PLAIN | programs.KINDS.keys():
        raise BadInput(f"{path.name} is in the format {found!r}, which is not read; convert it to extended XYZ or CIF.")
    return found


def binary_format_of(path: Path) -> str:
    """Return ASE's name for the format of a binary file that is read; empty where it is none."""
    try:
        found = format_of(path)
    except BadInput:
        return ""
    if found == "db" and not path.read_bytes().startswith(b"SQLite format 3"):  # such as Thumbs.db of Windows
        return ""
    return found if found in BINARY else ""


def has_structures(text: str) -> bool:
    """Return whether a JSON text is a database of ASE: an object with numbered rows."""
    try:
        found = json.loads(text)
    except ValueError:
        return True  # ASE says what is wrong with it
    return isinstance(found, dict) and "ids" in found


def read_by_ase(path: Path, text: str, file: str, ledger: Ledger, kind: str) -> list[Record]:
    """Return all frames of a file of ASE's format `kind`; `text` is empty for binary files."""
    said = _before(kind, text, file, ledger)
    fixed = crystals.fixed_in_poscar(text, file, ledger) if kind == "vasp" else []
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            if kind in ("db", "json"):
                images = _database(path)
            else:
                images = list(ase.io.read(path, index=":", format=kind, do_not_split_by_at_sign=True))
    except Exception as error:  # ASE's readers raise all kinds of exceptions
        reason = (str(error).strip() or "no reason given").splitlines()[0]
        if isinstance(error, KeyError) and re.fullmatch(r"'[A-Z][\w.:*'+-]{0,9}'", reason):
            raise BadInput(f"{file} has the atom {reason}, whose name is no element; write the element.") from None
        raise BadInput(f"ASE cannot read structures from {file} ({type(error).__name__}: {reason}).") from None
    for warning in caught:
        if issubclass(warning.category, UserWarning) and "CASTEP" not in str(warning.message):  # of its installation
            ledger.note(f"ASE says of {file}: {' '.join(str(warning.message).split())[:200]}")
    if not images:
        raise BadInput(f"{file} holds no structure.")
    programs.check_images(kind, text, images, file)
    if kind == "vasp":  # ASE knows F alone, and takes velocities
        images = [
            Atoms(one.numbers, one.positions, cell=one.cell, pbc=True, constraint=FixAtoms(fixed)) for one in images
        ]
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
        said = crystals.said_by_espresso(text, file)
        ledger.unused("the settings of the job", file)
        if crystals.has_own_masses(text):
            ledger.unused("masses that are not those of the elements (ATOMIC_SPECIES)", file)
    elif kind == "cube":
        _check_cube(text, file)
        ledger.unused("the grid of values", file)
        ledger.note(f"{file} is read as a molecule: the box of its grid is no cell. Give crystals as CIF or POSCAR.")
    elif kind == "aims":
        crystals.check_aims(text, file)
    elif kind == "res":
        crystals.check_res(text, file)
    elif kind == "castep-cell":
        crystals.check_castep(text, file)
    return said


def _check_cube(text: str, file: str) -> None:
    """Refuse a cube that is cut off, at the end of which ASE waits for ever, and one that is not in Bohr."""
    lines = [line.split() for line in text.splitlines()]
    try:
        atoms, *voxels = (int(lines[k][0]) for k in range(2, 6))
    except (IndexError, ValueError):
        raise BadInput(f"{file} has no complete head of a cube file; correct it.") from None
    if min(voxels) <= 0:
        raise BadInput(f"{file} has voxels in Angstrom (their numbers are not above zero); write it in Bohr.")
    values = sum(map(len, lines[6 + abs(atoms) :])) - (atoms < 0)
    if not atoms or values < voxels[0] * voxels[1] * voxels[2]:
        raise BadInput(f"{file} is cut off: it has {max(values, 0)} values of its grid; write it again.")

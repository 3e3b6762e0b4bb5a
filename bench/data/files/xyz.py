"""XYZ files: plain ones and extended ones.

The frames are counted here and not by ASE, which ends at the first blank line.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from ase import Atoms
from ase.data import atomic_masses
from ase.io.extxyz import key_val_str_to_dict

from bench.data.files import comments, state
from bench.data.files.contents import Ledger, Record
from bench.data.files.elements import elements, number_of
from bench.errors import BadInput

_PLAIN = "species:S:1:pos:R:3"
_RESULTS: tuple[str, ...] = (
    "energy",
    "free_energy",
    "forces",
    "stress",
    "dipole",
    "magmom",
    "magmoms",
    "charges",
    "energies",
)
_RESULTS += ("stresses", "bandgap", "polarizability")
_OTHER_CELLS = {"cell", "box", "unitcell", "supercell", "cellvectors", "latticevectors", "latticeparameters", "celldm"}
_OTHER_CELLS |= {"cellpar", "cellparameters", "boxvectors", "boxlengths", "boxsize", "celllengths", "tv", "vec1", "vec"}
_OTHER_CELLS |= {"lx", "ly", "lz", "xl", "yl", "zl", "xlo", "alat", "acell", "hmat", "latticeconstant", "latticevector"}
_NO_LATTICE = "{} has a Lattice that is not nine numbers; correct it."
_SHORTEST_EDGE = 2.0  # Angstrom, of a cubic cell
_OTHER_FLAGS = {"periodic", "periodicity", "isperiodic", "boundary", "boundaries", "boundaryconditions", "bc"}
_OTHER_FLAGS |= {"periodicboundaryconditions", "periodicboundary"}
_MAY_FIX = re.compile(r"(?i)[tf]|\.?(true|false)\.?|fixed|frozen|free(ze)?|fix")
_QM9 = re.compile(r"[-\d.\s]+\n\S+[ \t]+\S+[ \t]*\nInChI=.*")
"""What the files of QM9 have after the atoms: frequencies, SMILES, InChI."""
_CHARGE_OF_XYZ2MOL = re.compile(r"(?i)\b(charge=[+-]?\d+)=(?=\s|$)")
"""It writes charge=-1= in the comment."""
_ALIASES = {"species": "species", "symbols": "species", "element": "species", "elements": "species"}
_ALIASES |= {"pos": "pos", "positions": "pos", "z": "numbers", "numbers": "numbers", "atomic_numbers": "numbers"}


def looks_like(text: str) -> bool:
    """Return whether a text begins as an XYZ file does: a number, any line, and a line of an atom."""
    return bool(re.match(r"\s*\d+[ \t]*\n[^\n]*\n[ \t]*[A-Za-z]{1,2}([ \t]+[-+]?\d*\.?\d+\S*){3}", text))


def read_xyz(text: str, file: str, ledger: Ledger) -> list[Record]:
    """Return all frames of an XYZ file; raises BadInput where a line cannot belong to any."""
    lines = text.splitlines()
    records: list[Record] = []
    at = 0
    while at < len(lines):
        if lines[at].strip() in ("", ">"):  # ORCA's .allxyz has > between its frames
            at += 1
            continue
        here = f"frame {len(records)} of {file}"
        head = lines[at].split()
        if len(head) != 1 or not re.fullmatch(r"\+?\d{1,9}", head[0]):
            after = f"text follows frame {len(records) - 1} of {file}" if records else f"{file} begins with text"
            raise BadInput(f"{after} ({lines[at].strip()[:40]!r}, line {at + 1}), where a number of atoms is expected.")
        count = int(head[0])
        rows = lines[at + 2 : at + 2 + count]
        if not count:
            raise BadInput(f"{here} has no atoms; remove the frame.")
        if len(rows) < count:
            raise BadInput(f"{here} should have {count} atoms, but the file has lines for {len(rows)}.")
        records.append(_frame(lines[at + 1], [row.split() for row in rows], here, file, ledger, at + 3))
        at += 2 + count
        if _QM9.fullmatch("\n".join(lines[at : at + 3])):
            ledger.unused("the frequencies, SMILES and InChI after the atoms", file)
            at += 3
    return records


def _frame(comment: str, rows: list[list[str]], here: str, file: str, ledger: Ledger, line: int) -> Record:
    pairs = comments.between_bars(comment, here, file, ledger) or _pairs(comment, here)
    said = {} if pairs is None else pairs
    properties = said.pop(_key(said, "properties"), _PLAIN)
    layout = _layout(properties, here)
    width = sum(columns for _, _, columns in layout)
    for offset, row in enumerate(rows):
        if len(row) < width or (len(row) > width and properties is not _PLAIN):
            raise BadInput(f"{here} has {len(row)} columns in line {line + offset}, where {width} are expected.")
    arrays = _columns(layout, rows, here)
    symbols = arrays.pop("species", None)
    numbers = arrays.pop("numbers", None)
    if symbols is None and numbers is None:
        raise BadInput(f"{here} has no column of elements (species); its Properties are {properties!r}.")
    texts = [str(one) for one in (symbols if symbols is not None else numbers)]  # type: ignore[union-attr]
    _refuse_types(texts, comment, here)
    of_symbols, masses = elements(texts, here, ledger)
    if numbers is not None and (np.asarray(numbers) != of_symbols).any():
        raise BadInput(f"{here} has species and atomic numbers that disagree; correct one of the two.")
    positions = arrays.pop("pos", None)
    if positions is None or positions.shape != (len(rows), 3):
        raise BadInput(f"{here} has no three columns of positions (pos); its Properties are {properties!r}.")
    atoms = Atoms(of_symbols, positions)
    _set_cell(atoms, said, comment if pairs else "", here)
    results = {key: said.pop(key) for key in _RESULTS if key in said}
    results |= {key: arrays.pop(key) for key in _RESULTS if key in arrays}
    if masses is not None and not {"masses", "mass"} & set(arrays):
        atoms.set_masses(masses)
    for key, values in arrays.items():
        atoms.arrays[key] = values
    if any(len(row) > width for row in rows):
        if all(len(row) > width for row in rows):
            _refuse_shifted(rows, of_symbols, here)
        _refuse_flags([cell for row in rows for cell in row[width:]], here)
        ledger.unused(f"the columns after the coordinates (up to {max(map(len, rows)) - width})", file)
    if pairs is None and comment.strip():
        said |= comments.stated(comment, of_symbols, here, file, ledger)
    name = next((str(said.pop(key)) for key in ("name", "title") if isinstance(said.get(key), str)), "").strip(" ,;")
    record = Record(atoms, here, file, name, said, results)
    if not atoms.pbc.any():
        _set_needs(record, comment)
    return record


def _set_needs(record: Record, comment: str) -> None:
    """Say that the user must state what a comment may name: an ion, or a state such as a triplet."""
    numbers = record.atoms.numbers
    named = {"charge": "an ion"} if comments.may_be_ion(comment, numbers) else {}
    if word := comments.may_be_in_state(comment, numbers):
        named["spin"] = f"a {word}"
    record.needs = tuple(named)
    said = " and ".join(named.values())
    record.unread = f"{record.where} has the comment {comment.strip()[:60]!r}, which may name {said}"


def _refuse_types(symbols: list[str], comment: str, here: str) -> None:
    """Refuse numbers that count the atoms or the types of atoms: only other ones are atomic numbers."""
    if not all(one.isdigit() for one in symbols):
        return
    kinds = {int(one) for one in symbols}
    counted = len(kinds) > 1 or len(symbols) > 2 or "lattice" in comment.lower()  # two atoms 1 may be H2
    if re.match(r"\s*Atoms\. Timestep", comment) or (counted and kinds == set(range(1, len(kinds) + 1))):
        raise BadInput(
            f"{here} has numbers in place of elements ({' '.join(symbols[:3])}) that seem to count its atoms or types "
            "of atoms; write the symbols of the elements."
        )


def _key(said: dict[str, Any], name: str) -> str:
    """Return a key as the file writes it, in whatever letter case."""
    return next((key for key in said if key.lower() == name), name)


def _pairs(comment: str, here: str) -> dict[str, Any] | None:
    """Return the keys of an extended comment line; None for a plain one."""
    if not re.search(r"[A-Za-z_]\w*\s*=\s*\S", comment) and not re.search(r"[A-Za-z_][\w-]*=", comment):
        return None
    comment = _CHARGE_OF_XYZ2MOL.sub(r"\1 ", comment)
    try:
        found = key_val_str_to_dict(comment)
    except Exception as error:  # ASE's parser raises all kinds of exceptions
        if "Lattice" in str(error):
            raise BadInput(_NO_LATTICE.format(here)) from None
        raise BadInput(f"{here} has a comment line whose keys cannot be read ({error}).") from None
    words = re.findall(r"""([\w+-]+)\s*=\s*(?:"[^"]*"|'[^']*'|\{[^}]*\}|\[[^\]]*\]|[^\s"']+)""", comment)
    names = [word.lower() if state.is_about(word) else word for word in words]
    for key in dict.fromkeys(names):
        if names.count(key) > 1:
            raise BadInput(f"{here} has the key {key!r} twice; remove one of the two.")
    return {str(key): value for key, value in found.items()}


def _layout(properties: Any, here: str) -> list[tuple[str, str, int]]:
    fields = str(properties).split(":")
    layout: list[tuple[str, str, int]] = []
    for name, kind, count in zip(fields[::3], fields[1::3], fields[2::3], strict=False):
        kind = kind.upper()  # GPUMD takes small letters, too
        if kind not in ("S", "R", "I", "L") or not count.isdigit() or not int(count) or not name:
            layout = []
            break
        layout.append((_ALIASES.get(name.lower(), name), kind, int(count)))
    if len(fields) % 3 or not layout or len({name for name, _, _ in layout}) < len(layout):
        raise BadInput(f"{here} has Properties that cannot be read ({properties!r}).")
    return layout


def _columns(layout: list[tuple[str, str, int]], rows: list[list[str]], here: str) -> dict[str, np.ndarray]:
    arrays: dict[str, np.ndarray] = {}
    first = 0
    for name, kind, count in layout:
        cells = [row[first : first + count] for row in rows]
        first += count
        try:
            values = np.array([[_value(cell, kind) for cell in row] for row in cells])
        except ValueError as error:
            raise BadInput(f"{here} has a value in the column '{name}' that cannot be read ({error}).") from None
        arrays[name] = values[:, 0] if count == 1 else values
    return arrays


def _value(cell: str, kind: str) -> Any:
    if kind == "S":
        return cell
    if kind == "L":
        if cell.lower() in ("t", "true", "1"):
            return True
        if cell.lower() in ("f", "false", "0"):
            return False
        raise ValueError(f"{cell!r} is not T or F")
    return int(cell) if kind == "I" else number_of(cell)


def _is_edge(value: Any) -> bool:
    """Return whether the value of a key 'a' may be the edge of a cell; capital letters are rotational constants."""
    return isinstance(value, int | float | np.number) and bool(value > _SHORTEST_EDGE)


def _set_cell(atoms: Atoms, said: dict[str, Any], comment: str, here: str) -> None:
    lattice = said.pop(_key(said, "lattice"), None)
    pbc = said.pop(_key(said, "pbc"), None)
    if lattice is not None:
        try:
            cell = np.asarray(lattice, dtype=float)
            # ASE's parser hands the nine numbers of 'Lattice' over as the transposed matrix
            atoms.cell = cell.T if cell.shape == (3, 3) else cell.reshape(3, 3)
        except (TypeError, ValueError):
            raise BadInput(_NO_LATTICE.format(here)) from None
        atoms.pbc = bool(atoms.cell.array.any())  # QUIP writes nine zeros where there is no cell
    if pbc is not None:
        flags = np.atleast_1d(np.asarray(pbc))
        if flags.dtype.kind not in "bi" or flags.size not in (1, 3) or not np.isin(flags, (0, 1)).all():
            raise BadInput(f"{here} has a pbc that is not T or F for each direction; correct it.")
        atoms.pbc = flags.astype(bool)
    elif others := [key for key in said if state.plain(key) in _OTHER_FLAGS]:
        raise BadInput(
            f"{here} has the key '{others[0]}', which is not read as periodicity; write it as pbc, or remove it."
        )
    if lattice is None:
        comments.refuse_cell(comment, here)
    others = [key for key in said if state.plain(key) in _OTHER_CELLS or (key == "a" and _is_edge(said[key]))]
    if others and lattice is None:
        raise BadInput(
            f"{here} has the key '{others[0]}', which is not read as a cell; write it as Lattice, or remove it."
        )


def _refuse_flags(cells: list[str], here: str) -> None:
    """Refuse words after the coordinates of a plain file that may fix atoms."""
    if all(_MAY_FIX.fullmatch(cell) for cell in cells):
        raise BadInput(
            f"{here} has {cells[0]!r} after its coordinates, which may fix or free atoms; write a column move_mask "
            "(F: fixed) of extended XYZ, or remove it."
        )


def _refuse_shifted(rows: list[list[str]], numbers: np.ndarray, here: str) -> None:
    """Refuse a plain file that has a column between elements and coordinates, or flags between the coordinates."""
    first = [number_of(row[1]) for row in rows]
    masses = np.abs(np.array(first) - atomic_masses[numbers]) < 0.05
    flags = all(row[1] in ("0", "-1") and all("." in cell for cell in row[2:5]) for row in rows)
    mopac = all(len(row) == 7 and all(cell in ("1", "+1") for cell in row[2::2]) for row in rows)
    counted = len(set(numbers.tolist())) > 1 and (np.array_equal(first, numbers) or bool(masses.all()))
    if len(rows) > 1 and (counted or flags or mopac):
        raise BadInput(
            f"{here} has a column of numbers or flags before or between its coordinates ({' '.join(rows[0])[:50]!r}); "
            "write element, x, y and z."
        )

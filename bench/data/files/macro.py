"""PDB and mmCIF files by gemmi."""

from __future__ import annotations

import re

import gemmi
import numpy as np
from ase import Atoms
from ase.data import atomic_numbers

from bench.data.files.contents import Ledger, Record
from bench.data.files.elements import elements
from bench.errors import BadInput

_ATOM = ("ATOM  ", "HETATM")
_IONIC = {"ASP", "GLU", "LYS", "ARG", "HIS", "HIP", "HSP", "CYM", "TYM", "SO4", "PO4", "ACT", "NO3", "NH4"}
_NEUTRAL = {"H", "C", "N", "O", "He", "Ne", "Ar", "Kr", "Xe"}
_SILENT = {"END", "TER", "MASTER", "MODEL", "ENDMDL", "CRYST1", "ATOM", "HETATM", ""}


def read_pdb(text: str, file: str, ledger: Ledger) -> list[Record]:
    """Return all models of a PDB file, whether MODEL and ENDMDL or END separate them."""
    models: list[list[str]] = [[]]
    cell = ""
    others: dict[str, None] = {}
    for line in text.splitlines():
        kind = line[:6].strip()
        if line[:6].ljust(6) in _ATOM:
            models[-1].append(_with_element(line, f"frame {len(models) - 1} of {file}"))
        elif kind in ("END", "ENDMDL", "MODEL"):
            if models[-1]:
                models.append([])
        elif kind == "CRYST1":
            cell = line
        elif kind not in _SILENT or kind in ("ATOM", "HETATM"):
            if re.match(r"ATOM|HETATM", line):
                raise BadInput(f"{file} has a line that cannot be read ({line[:40]!r}).")
            others[kind.rstrip("0123456789")] = None
    for kind in others:
        ledger.unused(f"the records {kind}", file)
    models = [model for model in models if model]
    return [_pdb_model(model, cell, f"frame {k} of {file}", file, ledger) for k, model in enumerate(models)]


def _pdb_model(lines: list[str], cell: str, here: str, file: str, ledger: Ledger) -> Record:
    try:
        structure = gemmi.read_pdb_string("\n".join([cell, *lines, "END"] if cell else [*lines, "END"]) + "\n")
    except Exception as error:  # gemmi raises all kinds of exceptions
        raise BadInput(f"{here} cannot be read by gemmi ({str(error).splitlines()[0]}).") from None
    found = sum(1 for model in structure for _ in model.all())
    if len(structure) != 1 or found != len(lines):
        raise BadInput(f"{here} has {len(lines)} lines of atoms, of which gemmi reads {found}; correct the others.")
    return _record(structure, structure[0], here, file, ledger)


def _with_element(line: str, here: str) -> str:
    """Fill in the columns of the element where they are empty, from the names of atom and residue."""
    if not line.isascii():  # gemmi counts bytes, so the columns after it would move
        raise BadInput(f"{here} has a line of an atom with a letter that is not ASCII ({line[:54]!r}); replace it.")
    line = line.rstrip().ljust(80)
    for first in (30, 38, 46):
        try:
            float(line[first : first + 8])
        except ValueError:
            raise BadInput(f"{here} has a coordinate that is no number ({line[:54]!r}).") from None
    if line[76:78].strip():
        return line
    name, residue = line[12:16], line[17:20].strip()
    letters = re.sub(r"[^A-Za-z]", "", name).upper()
    kind = gemmi.find_tabulated_residue(residue)
    polymer = kind.is_amino_acid() or kind.is_nucleic_acid() or kind.is_water()
    if polymer and letters[:1] in ("H", "C", "N", "O", "S", "P", "D"):
        symbol = "SE" if letters == "SE" else letters[:1]
    elif len(letters) == 1 or (letters and letters.capitalize()[:2] not in atomic_numbers):
        symbol = letters[:1]
    elif letters == residue.upper():  # an ion
        symbol = letters
    elif letters and name[:2].strip().isalpha() is False and not name[:1].isalpha():
        symbol = letters[:1]  # the standard aligns elements of one letter in column 14
    else:
        raise BadInput(
            f"{here} has the atom {name.strip()!r} of residue {residue!r} without an element (columns 77 and 78), "
            f"which may be {letters[:1]} or {letters[:2].capitalize()}; fill it in."
        )
    return line[:76] + symbol.rjust(2) + line[78:]


def read_mmcif(text: str, file: str, ledger: Ledger) -> list[Record]:
    """Return all models of all blocks of an mmCIF file."""
    records: list[Record] = []
    try:
        document = gemmi.cif.read_string(text)
        structures = [gemmi.make_structure_from_block(block) for block in document]
    except Exception as error:  # gemmi raises all kinds of exceptions
        raise BadInput(f"{file} cannot be read by gemmi ({str(error).splitlines()[0]}).") from None
    for block, structure in zip(document, structures, strict=True):
        rows = len(block.find_values("_atom_site.Cartn_x"))
        if rows != sum(1 for model in structure for _ in model.all()):
            raise BadInput(f"{file} has {rows} lines of atoms in block {block.name}, of which gemmi reads fewer.")
        for model in structure:
            records.append(_record(structure, model, f"frame {len(records)} of {file}", file, ledger))
            records[-1].name = block.name if len(structure) == 1 and block.name else ""
        ledger.unused("what the file says besides its atoms", file)
    return records


def _record(structure: gemmi.Structure, model: gemmi.Model, here: str, file: str, ledger: Ledger) -> Record:
    symbols, positions, charges = [], [], []
    first = _positions_kept(model, here)
    partial = b_factors = False
    occupied = any(site.atom.occ > 0 for site in model.all())  # some programs write 0 everywhere
    for site in model.all():
        atom = site.atom
        if atom.has_altloc():
            if first[site.chain.name, str(site.residue.seqid)] != atom.altloc:
                ledger.note(f"{file} has alternative positions (altLoc); the first of each residue is read.")
                continue
        elif occupied and atom.occ < 1:
            partial = True
        b_factors |= atom.b_iso != 0
        symbols.append(atom.element.name)
        positions.append(atom.pos.tolist())
        charges.append(atom.charge)
    numbers, masses = elements(symbols, here, ledger)
    atoms = Atoms(numbers, np.array(positions))
    if masses is not None:
        atoms.set_masses(masses)
    if partial:
        ledger.note(f"{file} has occupancies below 1; its atoms are read as if they were all there.")
    if b_factors:
        ledger.unused("the B factors", file)
    if 6 in numbers and 1 not in numbers:
        ledger.note(f"{here} has carbon and no hydrogen; are its hydrogen atoms missing?")
    _set_cell(atoms, structure, here, file, ledger)
    record = Record(atoms, here, file, said={"charge": sum(charges)} if any(charges) else {})
    ionic = sorted({residue.name for chain in model for residue in chain if _may_be_charged(residue.name)})
    if ionic and not any(charges):
        record.needs = ("charge",)
        record.unread = f"{here} has residues that may be charged ({', '.join(ionic)}) and no charges"
    return record


def _positions_kept(model: gemmi.Model, here: str) -> dict[tuple[str, str], str]:
    """Return the first alternative position (altLoc) of each residue that has several.

    Raises BadInput where they are not the same in all residues: those of one letter belong together, such as a ligand
    and the water in its place.
    """
    first: dict[tuple[str, str], str] = {}
    for site in model.all():
        if site.atom.has_altloc():
            first.setdefault((site.chain.name, str(site.residue.seqid)), site.atom.altloc)
    letters = sorted(set(first.values()))
    if len(letters) > 1:
        one = next(residue for (_, residue), letter in first.items() if letter == letters[1])
        raise BadInput(
            f"{here} has alternative positions {' and '.join(letters)} in different residues (such as {letters[1]} of "
            f"residue {one}), which may not be there together; keep those of one altLoc."
        )
    return first


def _may_be_charged(residue: str) -> bool:
    """Return whether a residue is an acid, a base, a nucleotide or an ion."""
    kind = gemmi.find_tabulated_residue(residue)
    ion = residue.strip("+-").capitalize() in set(atomic_numbers) - _NEUTRAL
    return residue in _IONIC or kind.is_nucleic_acid() or ion


def _set_cell(atoms: Atoms, structure: gemmi.Structure, here: str, file: str, ledger: Ledger) -> None:
    cell = structure.cell
    lengths = (cell.a, cell.b, cell.c)
    if max(lengths) <= 1.0 or min(lengths) <= 0.0:  # what programs write for molecules
        return
    group = structure.spacegroup_hm.replace(" ", "").upper()
    if group not in ("", "P1"):
        raise BadInput(
            f"{here} has the cell of a crystal of space group {structure.spacegroup_hm}, of which the file has only "
            "one asymmetric unit; write all atoms of the cell (P 1), or remove the cell (CRYST1)."
        )
    atoms.cell = np.array(cell.parameters)
    atoms.pbc = True
    ledger.note(f"{file} has a cell and is read as periodic; remove the cell (CRYST1) if it is a molecule.")

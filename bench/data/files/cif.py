"""CIF files of crystals by gemmi: all atoms of the cell, made from the symmetry that the file states.

Whatever would leave the atoms of the cell uncertain is refused: disorder, missing atoms, two readings of the symmetry.
"""

from __future__ import annotations

import re

import gemmi
import numpy as np
from ase import Atoms
from ase.data import atomic_numbers

from bench.data.files.contents import Ledger, Record
from bench.data.files.elements import HEAVY_HYDROGEN, elements
from bench.errors import BadInput

_CELL = [f"_cell_{name}" for name in ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")]
_OPERATIONS = ("_space_group_symop_operation_xyz", "_symmetry_equiv_pos_as_xyz", "_space_group_symop.operation_xyz")
_NAMES = ("_space_group_name_H-M_alt", "_symmetry_space_group_name_H-M", "_space_group_name_H-M_ref")
_HALL = ("_space_group_name_Hall", "_symmetry_space_group_name_Hall")
_NUMBERS = ("_space_group_IT_number", "_symmetry_Int_Tables_number")
_MOMENTS = "_atom_site_moment_label"
_SAME_PLACE = 0.2
"""Angstrom. Images of one atom that are closer are one atom on a special position, whose coordinates are rounded."""
_FULL = 0.999  # an occupancy that is 1 up to rounding


def read_cif(text: str, file: str, ledger: Ledger) -> list[Record]:
    """Return the crystal of each block with atoms; raises BadInput where its atoms are not certain."""
    try:
        document = gemmi.cif.read_string(text)
    except Exception as error:  # gemmi raises all kinds of exceptions
        raise BadInput(f"{file} is no valid CIF ({str(error).splitlines()[0]}).") from None
    blocks = [block for block in document if _column(block, "_atom_site_label", "_atom_site_type_symbol")]
    if not blocks and any(block.find_values("_chem_comp_atom.atom_id") for block in document):
        raise BadInput(f"{file} is a component of the PDB, which is not read as CIF; give its SDF file.")
    records = []
    for k, block in enumerate(blocks):
        record = _record(block, f"frame {k} of {file}", file, ledger)
        record.name = block.name if len(blocks) > 1 else ""
        records.append(record)
    return records


def _record(block: gemmi.cif.Block, here: str, file: str, ledger: Ledger) -> Record:
    _refuse_disorder(block, here)
    cell = _cell(block, here)
    symbols = _symbols(block, here, file, ledger)
    sites = _sites(block, cell, len(symbols), here)
    operations = _operations(block, cell, here, file, ledger)
    if operations is None:  # as the file has them, also outside of the cell
        numbers, places = list(range(len(sites))), sites
    else:
        numbers, places = _expanded(sites, operations, cell, symbols, here, file, ledger)
    listed = [symbols[number] for number in numbers]
    _check_formula(block, listed, here)
    kinds, masses = elements(listed, here, ledger)
    atoms = Atoms(kinds, scaled_positions=places, cell=np.array(cell.parameters), pbc=True)
    if masses is not None:
        atoms.set_masses(masses)
    if _column(block, _MOMENTS):
        ledger.unused("the magnetic moments", file)
    return Record(atoms, here, file)


def _column(block: gemmi.cif.Block, *tags: str) -> list[str]:
    """Return the values of the first of these tags that the block has, without quotes; else an empty list."""
    for tag in tags:
        values = [gemmi.cif.as_string(value) for value in block.find_values(tag)]
        if values:
            return values
    return []


def _value(block: gemmi.cif.Block, tags: tuple[str, ...]) -> str:
    """Return the first of these items that has a value; '?' and '.' are none."""
    found = (" ".join(_column(block, tag)[:1]).strip() for tag in tags)
    return next((value for value in found if value), "")


def _refuse_disorder(block: gemmi.cif.Block, here: str) -> None:
    """Refuse what makes the file's list another one than that of the atoms in the cell."""
    occupancies = [gemmi.cif.as_number(value) for value in block.find_values("_atom_site_occupancy")]
    if any(value < _FULL for value in occupancies):
        raise BadInput(f"{here} has occupancies below 1 in block {block.name}; write an ordered structure.")
    if any(value not in ("", "0") for value in _column(block, "_atom_site_disorder_group")):
        raise BadInput(f"{here} has disordered atoms (_atom_site_disorder_group); write an ordered structure.")
    if any(value == "dum" for value in _column(block, "_atom_site_calc_flag")):
        raise BadInput(f"{here} has dummy atoms (_atom_site_calc_flag dum); remove them.")
    if any(value not in ("", "0") for value in _column(block, "_atom_site_attached_hydrogens")):
        raise BadInput(f"{here} has hydrogen atoms without coordinates (_atom_site_attached_hydrogens); add them.")
    if (_value(block, ("_cell_modulation_dimension",)) or "0") != "0":
        raise BadInput(
            f"{here} has a modulated structure (_cell_modulation_dimension), which no single cell holds; write "
            "a supercell that approximates it."
        )
    magnetic = "_space_group_symop_magn_operation"
    if _column(block, f"{magnetic}.xyz", f"{magnetic}_xyz"):
        raise BadInput(f"{here} has magnetic symmetry, which is not read; write all atoms of the cell in P 1.")


def _cell(block: gemmi.cif.Block, here: str) -> gemmi.UnitCell:
    values = [gemmi.cif.as_number(block.find_value(tag) or "?") for tag in _CELL]
    values[3:] = [
        90.0 if block.find_value(tag) is None else value for tag, value in zip(_CELL[3:], values[3:], strict=True)
    ]
    if not np.isfinite(values).all() or min(values) <= 0:
        raise BadInput(f"{here} has no complete cell (_cell_length_a to _cell_angle_gamma); add it.")
    return gemmi.UnitCell(*values)


def _sites(block: gemmi.cif.Block, cell: gemmi.UnitCell, count: int, here: str) -> np.ndarray:
    """Return the fractional coordinates of the atoms that the file lists, (n, 3)."""
    for kind in ("fract", "Cartn"):
        columns = [block.find_values(f"_atom_site_{kind}_{axis}") for axis in "xyz"]
        if not all(len(column) == count for column in columns):
            continue
        found = np.array([[gemmi.cif.as_number(value) for value in column] for column in columns]).T
        broken = np.flatnonzero(~np.isfinite(found).all(axis=1))
        if len(broken):
            raise BadInput(f"{here} has no coordinates of its atom {broken[0]}; add them or remove the atom.")
        if kind == "Cartn":
            return np.array([cell.fractionalize(gemmi.Position(*one)).tolist() for one in found])
        return found
    raise BadInput(f"{here} has no three coordinates for each atom (_atom_site_fract_x, y and z).")


def _formula(block: gemmi.cif.Block) -> dict[str, float]:
    """Return how much of each element the file says that there is; empty where it does not say."""
    text = _value(block, ("_chemical_formula_sum",))
    found: dict[str, float] = {}
    for symbol, amount in re.findall(r"([A-Z][a-z]?)\s*(\d*\.?\d*)", text):
        symbol = "H" if symbol in HEAVY_HYDROGEN else symbol
        found[symbol] = found.get(symbol, 0.0) + float(amount or 1)
    return found if set(found) <= set(atomic_numbers) else {}


def _symbols(block: gemmi.cif.Block, here: str, file: str, ledger: Ledger) -> list[str]:
    """Return the symbol of each listed atom, by its type, or by its label where the file has no types."""
    types = _column(block, "_atom_site_type_symbol")
    if types and all(types):
        known = {one: _of_type(one, here) for one in dict.fromkeys(types)}
        if any(re.search(r"\d[+-]|[+-]\d|[+-]$", one) for one in known):
            ledger.unused("the oxidation states of the elements", file)
        return [known[one] for one in types]
    labels, formula = _column(block, "_atom_site_label"), _formula(block)
    ledger.note(f"{file} has no elements (_atom_site_type_symbol); they are taken from the labels of its atoms.")
    return [_of_label(one, formula, here) for one in labels]


def _of_type(text: str, here: str) -> str:
    """Return the element of a type such as Fe3+, CL, D or Cval."""
    letters = re.match(r"[A-Za-z]*", text.strip())[0]  # type: ignore[index]
    symbol = letters.capitalize()
    if letters in HEAVY_HYDROGEN or symbol in atomic_numbers:
        return symbol
    if len(letters) > 2 and letters[1:].islower() and letters[0] in "CH" and letters[1:] in ("val", "iso", "ani"):
        return letters[0]  # types of the scattering factors of bonded atoms
    raise BadInput(f"{here} has the type {text!r} of an atom, which is no element; correct it.")


def _of_label(label: str, formula: dict[str, float], here: str) -> str:
    """Return the element of a label such as Ca1, HO1 or OW; the file's formula decides where two are possible."""
    letters = re.match(r"[A-Za-z]*", label.strip())[0]  # type: ignore[index]
    if letters in HEAVY_HYDROGEN:
        return letters
    short = letters[:1].upper() if formula or len(letters) == 1 or letters[:2].isupper() else ""
    possible = [one for one in (letters[:2].capitalize(), short) if one in atomic_numbers and one != "X"]
    possible = list(dict.fromkeys(one for one in possible if not formula or one in formula))
    if possible == [short] and len(letters) > 1 and not formula:  # OH and OW lack hydrogen, CA is no calcium
        possible = []
    if len(possible) == 1 or (possible and letters[1:2].islower()):
        return possible[0]
    which = f"may be {' or '.join(possible)}" if possible else "is no element" + (" of its formula" if formula else "")
    raise BadInput(f"{here} has the label {label!r}, which {which}; add the elements as _atom_site_type_symbol.")


def _operations(
    block: gemmi.cif.Block, cell: gemmi.UnitCell, here: str, file: str, ledger: Ledger
) -> list[gemmi.Op] | None:
    """Return the symmetry operations of the block; None where it lists all atoms of the cell."""
    name, number = _value(block, _NAMES), _value(block, _NUMBERS)
    triplets = _column(block, *_OPERATIONS)
    try:
        operations = [gemmi.Op(one.replace(" ", "")) for one in triplets]
        hall = _value(block, _HALL)
        if not operations and hall:
            operations = list(gemmi.symops_from_hall(hall))
    except Exception as error:  # gemmi raises RuntimeError and others
        raise BadInput(f"{here} has symmetry that cannot be read ({str(error).splitlines()[0]}).") from None
    group = _group(name, cell)
    if operations:
        found = gemmi.find_spacegroup_by_ops(gemmi.GroupOps(operations))
        other = found is not None and group is not None and group.number != found.number
        if group is not None and (other or len(set(group.operations())) != len({one.triplet() for one in operations})):
            raise BadInput(
                f"{here} has {len(operations)} symmetry operations that are not those of its space group {name}; "
                "correct one of the two."
            )
    elif group is not None:
        if ":" not in _named(name) and group.ext in ("1", "2"):
            raise BadInput(
                f"{here} has the space group {name}, which has two choices of origin; write its symmetry operations."
            )
        operations = list(group.operations())
    elif not name and number:
        settings = [one for one in gemmi.spacegroup_table() if str(one.number) == number]
        if len(settings) != 1:
            raise BadInput(
                f"{here} has only the number of its space group ({number}), which leaves its axes or its origin open; "
                "write its symmetry operations."
            )
        operations = list(settings[0].operations())
    elif name:
        raise BadInput(f"{here} has the space group {name}, which is not known; write its symmetry operations.")
    else:
        ledger.note(f"{file} states no symmetry; its atoms are read as all those of the cell (P 1).")
    trivial = not operations or [one.triplet() for one in operations] == ["x,y,z"]
    return None if trivial else operations


def _named(name: str) -> str:
    """Return a name of a space group with its setting as gemmi writes it: R -3 m H and R-3m:H are R -3 m:H."""
    name = re.sub(r"\s*:\s*", ":", name.strip().replace("_", ""))
    for ending, setting in (("S", "1"), ("Z", "2"), ("H", "H"), ("R", "R")):
        name = re.sub(rf"(?<=\S)\s+{ending}$", f":{setting}", name)
    return name


def _group(name: str, cell: gemmi.UnitCell) -> gemmi.SpaceGroup | None:
    return gemmi.find_spacegroup_by_name(_named(name), cell.alpha, cell.gamma) if name else None


def _expanded(
    sites: np.ndarray,
    operations: list[gemmi.Op],
    cell: gemmi.UnitCell,
    symbols: list[str],
    here: str,
    file: str,
    ledger: Ledger,
) -> tuple[list[int], np.ndarray]:
    """Return all atoms of the cell: the number of the listed atom of each, and fractional coordinates in [0, 1)."""
    matrix = np.array(cell.orth.mat.tolist())
    numbers: list[int] = []
    places = np.empty((0, 3))
    for number, site in enumerate(sites):
        images = np.array([operation.apply_to_xyz(list(site)) for operation in operations])
        new = []
        for image in _merged(images, matrix):
            near = np.flatnonzero(_distances(places, image, matrix) < _SAME_PLACE)
            if not len(near):
                new.append(image)
                continue
            other = symbols[numbers[near[0]]]
            if other != symbols[number]:
                raise BadInput(f"{here} has two atoms ({other}, {symbols[number]}) at one place; correct it.")
            ledger.note(f"{file} lists atoms that its symmetry makes from others; each is read once.")
        numbers += [number] * len(new)
        places = np.vstack([places, *new])
    return numbers, places


def _merged(images: np.ndarray, matrix: np.ndarray) -> list[np.ndarray]:
    """Return the different images of one atom; those at one place become their mean."""
    left, found = images, []
    while len(left):
        near = _distances(left, left[0], matrix) < _SAME_PLACE
        shifts = left[near] - left[0]
        mean = left[0] + (shifts - np.rint(shifts)).mean(axis=0)
        wrapped = mean - np.floor(mean + 1e-9)
        found.append(wrapped)
        left = left[~near]
    return found


def _distances(places: np.ndarray, place: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Return the distances (Angstrom) to the nearest image, right where they are short."""
    shifts = places - place
    return np.asarray(np.linalg.norm((shifts - np.rint(shifts)) @ matrix.T, axis=1))


def _check_formula(block: gemmi.cif.Block, symbols: list[str], here: str) -> None:
    """Refuse a cell whose composition is another one than the file's formula: atoms are missing, mostly hydrogen."""
    formula = _formula(block)
    counted: dict[str, float] = {}
    for symbol in symbols:
        symbol = "H" if symbol in HEAVY_HYDROGEN else symbol
        counted[symbol] = counted.get(symbol, 0.0) + 1
    if not formula:
        return
    kinds = sorted(set(formula) | set(counted))
    ratios = [counted.get(kind, 0.0) / formula[kind] if formula.get(kind) else np.inf for kind in kinds]
    if max(ratios) > 1.01 * min(ratios):
        atoms = " ".join(f"{kind}{counted[kind]:g}" for kind in sorted(counted))
        stated = _value(block, ("_chemical_formula_sum",))
        raise BadInput(
            f"{here} has the atoms {atoms} in its cell, but its formula is {stated}; add the missing atoms, or correct "
            "_chemical_formula_sum."
        )

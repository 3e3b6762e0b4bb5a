"""The one rule for what a file says: it is used, refused, or listed as unused.

A reader hands over everything that it found (:class:`~bench.data.files.contents.Record`); whatever no function here
takes from it ends up in the list.
"""

from __future__ import annotations

import dataclasses
import re
import shlex
from typing import Any

import numpy as np
from ase import Atoms
from ase.constraints import FixAtoms

from bench.data.files import state
from bench.data.files.contents import Frame, Labels, Ledger, Record
from bench.data.files.elements import own_masses
from bench.errors import BadInput


@dataclasses.dataclass(frozen=True)
class Reading:
    """What the user says about all structures of the files."""

    charge: int | None = None
    """None: as the files say."""
    spin: int | None = None
    """The multiplicity; None: as the files say, or the lowest."""
    energy_key: str | None = None
    """The key of the files' own energies, as labels; None: ASE's."""
    forces_key: str | None = None
    """Likewise for forces."""


_GEOMETRY = {"numbers", "positions"}
_FIXED = re.compile(
    "^fix$|^fix(atoms|indices|ids|mask)|fixed|frozen|freez|constrain|selectivedynamics"
    "|^(is)?(im)?(mobile|movable|free|move)(atoms?)?$"
)
_GHOSTS = {"ghost", "isghost", "dummy", "isdummy"}
_FLAT = 1e-6  # the smallest singular value of cell vectors of length 1
_FARTHEST = 1e6  # Angstrom
_DROPPED = {"occupancy", "spacegroup", "unitcell"}
"""What ASE adds on its own when it reads a crystal."""


def frame_of(record: Record, reading: Reading, ledger: Ledger, states: tuple[int | None, int | None]) -> Frame:
    """Return a record as a frame; `states` has the charge and the spin that a table gives.

    Raises BadInput where something is impossible or contradicts something else.
    """
    here = record.where
    _check_geometry(record.atoms, here)
    numbers = record.atoms.numbers
    periodic = bool(record.atoms.pbc.any())
    said, arrays = dict(record.said), {k: v for k, v in record.atoms.arrays.items() if k not in _GEOMETRY}
    results = dict(record.results)
    labels = _labels(record, said, arrays, results, reading)
    atoms = Atoms(numbers, record.atoms.positions)
    if periodic:
        atoms.set_cell(record.atoms.cell)
        atoms.pbc = record.atoms.pbc
    elif np.any(record.atoms.cell.array):
        ledger.unused("the cell (pbc is F in all directions)", record.file)
    _set_masses(atoms, arrays, here)
    _set_fixed(atoms, record, arrays)

    about = {key: said.pop(key) for key in list(said) if state.is_about(key)}
    about |= {key: results.pop(key) for key in ("magmom",) if key in results}
    columns = {key: arrays.pop(key) for key in list(arrays) if state.is_of_atoms(key)}
    columns |= {key: results.pop(key) for key in ("charges", "magmoms") if key in results}
    charge, spin, leftover = state.stated(about, columns, numbers, here, periodic)
    for source, (table_charge, table_spin) in (
        ("the table", states),
        ("the command line", (reading.charge, reading.spin)),
    ):
        charge = _given(charge, table_charge, here, "charge", source)
        spin = _given(spin, table_spin, here, "spin multiplicity", source)
    _check_known(record, charge, spin, periodic)
    if not periodic or spin is not None:
        state.check(numbers, charge, spin, here)
    for what in leftover:
        ledger.unused(what, record.file)
    _list_rest(record, said, arrays, results, ledger)
    return Frame(atoms, charge, spin, here, record.name, record.file, labels)


def _given(stated: int | None, given: int | None, here: str, word: str, source: str) -> int | None:
    if stated is not None and given is not None and stated != given:
        raise BadInput(f"{here} states {word} {stated}, but {source} gives {given}; correct one of the two.")
    return stated if given is None else given


def _check_known(record: Record, charge: int | None, spin: int | None, periodic: bool) -> None:
    """Refuse a record that may be an ion or a radical, which neither the file nor the user says."""
    unknown = {"charge": charge is None, "spin": spin is None and not periodic}
    missing = [word for word in record.needs if unknown[word]]
    if missing:
        options = ", ".join(f"--{word}" for word in missing)
        raise BadInput(f"{record.unread}; state its {' and '.join(missing)} ({options}), or write extended XYZ.")


def _check_geometry(atoms: Atoms, here: str) -> None:
    if not len(atoms):
        raise BadInput(f"{here} has no atoms.")
    if (atoms.numbers <= 0).any():
        raise BadInput(f"{here} has a dummy or ghost atom (X); remove it.")
    broken = np.flatnonzero(~np.isfinite(atoms.positions).all(axis=1))
    if len(broken):
        raise BadInput(f"{here} has a coordinate of atom {broken[0]} that is not a finite number; remove the frame.")
    if np.ptp(atoms.positions, axis=0).max() > _FARTHEST:
        raise BadInput(f"{here} has atoms more than {_FARTHEST:g} Angstrom apart; correct its coordinates.")
    for key, values in atoms.arrays.items():
        if state.plain(key) in _GHOSTS and np.any(values):
            raise BadInput(f"{here} has a column '{key}' of atoms that are not real; remove them.")
    cell = np.asarray(atoms.cell)
    if not np.isfinite(cell).all():
        raise BadInput(f"{here} has a cell that is not finite; correct it.")
    if atoms.pbc.any() and _is_flat(cell):
        raise BadInput(f"{here} has cell vectors that lie in one plane or on one line; correct its cell.")
    if not cell[atoms.pbc].any(axis=1).all():
        raise BadInput(f"{here} is periodic in a direction in which it has no cell; correct its cell or its pbc.")


def _is_flat(cell: np.ndarray) -> bool:
    """Return whether those cell vectors that there are lie in one plane or on one line."""
    given = cell[cell.any(axis=1)]
    directions = given / np.linalg.norm(given, axis=1, keepdims=True)
    return len(given) > 0 and bool(np.linalg.svd(directions, compute_uv=False).min() < _FLAT)


def _set_masses(atoms: Atoms, arrays: dict[str, Any], here: str) -> None:
    for key in ("masses", "mass"):
        if key in arrays:
            masses = own_masses(atoms.numbers, arrays.pop(key), here)
            if masses is not None:
                atoms.set_masses(masses)


def _set_fixed(atoms: Atoms, record: Record, arrays: dict[str, Any]) -> None:
    """Set one FixAtoms of all constraints and masks; refuse any other constraint by its name."""
    here, fixed = record.where, np.zeros(len(atoms), dtype=bool)
    for constraint in record.atoms.constraints:
        name = type(constraint).__name__
        if isinstance(constraint, FixAtoms):
            fixed[constraint.index] = True
        elif name == "FixCartesian":
            mask = np.asarray(constraint.mask, dtype=bool)
            if mask.all():
                fixed[constraint.index] = True
            elif mask.any():
                raise BadInput(
                    f"{here} has atoms that are fixed in some directions only (FixCartesian); pesbench fixes whole "
                    "atoms: fix or free them in all three."
                )
        else:
            raise BadInput(f"{here} has the constraint {name}, but only fixed atoms (FixAtoms) are obeyed; remove it.")
    if "move_mask" in arrays:
        mask = np.asarray(arrays.pop("move_mask"))
        if mask.ndim == 2:
            if (mask.astype(bool).any(axis=1) != mask.astype(bool).all(axis=1)).any():
                raise BadInput(
                    f"{here} has a move_mask that fixes atoms in some directions only; pesbench fixes whole atoms: "
                    "fix or free them in all three."
                )
            mask = mask[:, 0]
        if mask.dtype.kind not in "bi" or not np.isin(mask, (0, 1)).all():
            raise BadInput(f"{here} has a move_mask that is not T or F for each atom; correct it.")
        fixed |= ~mask.astype(bool)
    for key in arrays:
        if _FIXED.search(state.plain(key)):
            raise BadInput(f"{here} has the column '{key}', which may fix or free atoms; use move_mask (F: fixed).")
    for key, value in record.said.items():
        if _FIXED.search(state.plain(key)) and value is not False:  # but 0 may be an atom
            raise BadInput(f"{here} has the key '{key}', which may fix atoms; use a column move_mask (F: fixed).")
    if fixed.any():
        atoms.set_constraint(FixAtoms(np.flatnonzero(fixed)))


_UNITS = "in eV and Angstrom"
_OUR_UNITS = r"(ev|electron ?volts?|metal|ase)?[ ,/*_]*(a|ang|angs|angstroms?|å)?(\^?-1)?"
_LENGTHS = "distances?|lengths?|coordinates?|coords|positions?|geometry"
_OTHER_LENGTH = re.compile(r"(?i)bohr|\ba\.?u\b|\bnm\b|\bpm\b|frac|nano|pico")
_OF_ENERGY = re.compile(r"(?i)k?cal(/mol)?|k?j/mol|eh|hartrees?|m?ev|ry|rydbergs?")
_NO_TOTAL = re.compile(
    "peratom|formation|hull|atomi[sz]ation|cohesive|binding|interaction|kinetic|gibbs|zeropoint|units?$"
)
"""Energies that are not those of the electrons and nuclei of one structure."""
_OPTIONS = (("energy", "--energy-key"), ("forces", "--forces-key"))


def _labels(
    record: Record, said: dict[str, Any], arrays: dict[str, Any], results: dict[str, Any], reading: Reading
) -> Labels | None:
    """Take energy and forces: those under the keys that the command line names, else ASE's own."""
    here, atoms = record.where, record.atoms
    keys = {"energy": reading.energy_key, "forces": reading.forces_key}
    found: dict[str, Any] = {}
    sources: list[str] = []
    named = [key for key in keys.values() if key]
    for kind, key in keys.items():
        if not named and kind in results:
            found[kind] = results.pop(kind)
            sources.append(kind)
        for place in (said, arrays, results) if key else ():
            if key in place:
                found[kind] = place.pop(key)
                sources.append(str(key))
                break
    _check_units(said, bool(sources), here)
    energy = _numbers(found.get("energy"), ((), (1,)), f"{here} has an energy")
    forces = _numbers(found.get("forces"), ((len(atoms), 3), (3 * len(atoms),)), f"{here} has forces")
    if not sources:
        return None
    source = ", ".join(sources)
    return Labels(
        None if energy is None else float(energy.reshape(())),
        None if forces is None else forces.reshape(-1, 3),
        source if named else f"ASE's {source}",
    )


def _check_units(said: dict[str, Any], labelled: bool, here: str) -> None:
    """Refuse a key that gives other units than eV and Angstrom, where something with a unit is used."""
    for key in list(said):
        name = state.plain(key)
        value = str(said[key]).strip()
        if re.search("stress|virial|time|velocit|dipole|pressure|mass", name):
            continue
        of_lengths = name == "bohr" or (re.fullmatch(_LENGTHS, name) and _OTHER_LENGTH.search(value))
        if not of_lengths and not re.search(r"units?$", name):
            continue
        if re.fullmatch(_OUR_UNITS, value, re.IGNORECASE):
            del said[key]
        elif labelled or not (re.search("energy|force", name) or _OF_ENERGY.fullmatch(value)):
            raise BadInput(
                f"{here} has {key} {value!r}, but coordinates are read in Angstrom, energies and forces in eV and "
                "eV/Angstrom; convert them and remove the key."
            )


def _numbers(value: Any, shapes: tuple[tuple[int, ...], ...], found: str) -> np.ndarray | None:
    if value is None:
        return None
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        array = np.asarray(np.nan)
    if isinstance(value, bool) or array.shape not in shapes or not np.isfinite(array).all():
        raise BadInput(f"{found} that is not {_words(shapes[0])}; correct it.")
    return array


def _words(shape: tuple[int, ...]) -> str:
    return f"{'x'.join(map(str, shape))} finite numbers" if shape else "one finite number"


def _list_rest(
    record: Record, said: dict[str, Any], arrays: dict[str, Any], results: dict[str, Any], ledger: Ledger
) -> None:
    """List whatever is left: the keys, the columns and the results that nothing uses."""
    _check_occupancy(record.where, said, arrays)
    for key in said:
        if state.plain(key) not in _DROPPED:
            ledger.unused(f"the key '{key}'{_hint(key, said[key])}", record.file)
    for key, values in arrays.items():
        if key == "spacegroup_kinds" or (key in ("tags", "momenta") and not np.any(values)):  # ASE's own
            continue
        words = "the velocities (momenta)" if key == "momenta" else f"the column '{key}'{_hint(key, values)}"
        ledger.unused(words, record.file)
    for key, value in results.items():
        if value is not None:
            ledger.unused(f"the result '{key}'", record.file)


def _check_occupancy(here: str, said: dict[str, Any], arrays: dict[str, Any]) -> None:
    """Refuse sites that are occupied in part or by several elements, of which only one atom is here."""
    sites = said.get("occupancy")
    kinds = list(sites.values()) if isinstance(sites, dict) else []
    shared = any(len(one) > 1 or sum(one.values()) < 1 for one in kinds if isinstance(one, dict))
    columns = [values for key, values in arrays.items() if state.plain(key) in ("occ", "occupancy", "occupancies")]
    if shared or any(values.dtype.kind in "fi" and (np.abs(values - 1) > 1e-6).any() for values in columns):
        raise BadInput(f"{here} has sites with an occupancy below 1; give a structure without disorder.")


def _hint(key: str, value: Any) -> str:
    """Say which option would use a key as a label."""
    name = state.plain(key)
    if _NO_TOTAL.search(name):
        return ""
    for kind, option in _OPTIONS:
        if kind.rstrip("s") in name and key != kind:
            return f" ({option} {shlex.quote(key)} would use it, {_UNITS})"
    return ""

"""The charge and the spin multiplicity of a structure, as its file states them.

Users state them in several ways: under one of many keys for the whole structure, or atom by atom as charges and
magnetic moments. All are accepted; they must agree. A key that seems to be about charge or spin but is not known is
refused, because a wrong number of electrons is a wrong molecule.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from ase import Atoms

from bench.errors import BadInput

FROM_WHOLE = 0.1
"""How far a sum over atoms may be from a whole number: charges of a population analysis are rounded."""

_CHARGE: tuple[str, ...] = (
    "charge",
    "netcharge",
    "totalcharge",
    "totcharge",
    "molcharge",
    "molecularcharge",
    "moleculecharge",
)
_CHARGE += ("systemcharge", "formalcharge", "totalformalcharge", "chrg", "pubchemtotalcharge", "mchg")
_SPIN = ("spin", "multiplicity", "mult", "spinmultiplicity", "spinmult", "2s+1", "molecularspin", "spinmul", "mrad")
_UNPAIRED: tuple[str, ...] = (
    "uhf",
    "unpaired",
    "nunpaired",
    "unpairedelectrons",
    "nunpairedelectrons",
    "numunpairedelectrons",
)
_UNPAIRED += ("2s",)
_MOMENT = ("mag", "magmom", "totalmagmom", "magneticmoment", "totalmagneticmoment", "totmagnetization")
_ELECTRONS = ("nelec", "nel", "nelectron", "nelectrons", "electrons", "numelectrons", "numberofelectrons", "nelect")
_UNCLEAR: tuple[str, ...] = ("chg", "charg", "qtot", "totq", "ion", "ionised", "ionized", "radical", "mul")
_UNCLEAR += ("q", "totalspin", "s2", "ssquared", "sz", "ms", "na", "nb", "nalpha", "nbeta")
_ABOUT = re.compile(r"charge|spin|multiplicit|electrons|magmom|magneti[sz]ation|unpaired")
_OF_ATOMS = ("initialcharges", "initialmagmoms")
_CHARGES = re.compile(r"charge|^q$")
_MOMENTS = re.compile(r"magmom|magneticmoment|^mags?$|^magneti[sz]ations?$|^spins?$")
_LARGEST_TOTAL_SPIN = 10
_PARTIAL = re.compile("partial|mulliken|gasteiger|hirshfeld|bader|esp|resp|lowdin|mmff|^charges$")
_SETTING = re.compile("spin(polari[sz]|(un)?restricted)")
_OF_A_PART = re.compile(r"charge(a|b|c|d|[0-9]|monomer.*|fragment.*)$")
"""Charges of the parts of a complex, as sets of interaction energies have them."""


def plain(key: str) -> str:
    """Return a key in small letters without what separates its words."""
    return re.sub(r"[^a-z0-9+]", "", str(key).lower())


def is_about(key: str) -> bool:
    """Return whether a key for the whole structure is about its electrons, and so is used or refused."""
    name = plain(key)
    known = (*_CHARGE, *_SPIN, *_UNPAIRED, *_MOMENT, *_ELECTRONS, *_UNCLEAR)
    return name in known or str(key) == "S" or bool(_ABOUT.search(name))


def is_of_atoms(key: str) -> bool:
    """Return whether a column holds charges or magnetic moments of atoms."""
    name = plain(key)
    return bool(_CHARGES.search(name) or _MOMENTS.search(name))


def stated(
    said: Mapping[str, Any],
    columns: Mapping[str, np.ndarray],
    numbers: np.ndarray,
    here: str,
    periodic: bool = False,
) -> tuple[int | None, int | None, list[str]]:
    """Return charge and multiplicity (None: not stated), and the columns and keys that could not be used for them.

    `said` has the keys of the whole structure, `columns` what each atom has, `here` is its name in messages. Raises
    BadInput where a value is no whole number, a key is unclear, or two statements disagree.
    """
    charges: dict[str, int] = {}
    spins: dict[str, int] = {}
    electrons: dict[str, int] = {}
    unused: list[str] = []
    columns = dict(columns)
    names = {plain(key) for key, value in said.items() if value is not None}
    charged = bool(names & set(_CHARGE))
    complete = charged and bool(names & {*_SPIN, *_UNPAIRED})
    for key, value in said.items():
        name = plain(key)
        if not is_about(key) or value is None:
            continue
        found = f"{here} has {key} {_short(value)}"
        if np.ndim(value) == 1 and np.size(value) == len(numbers) > 1 and is_of_atoms(key) and name.endswith("s"):
            columns[key] = np.asarray(value)
        elif name in _CHARGE:
            charges[key] = whole(value, 0.0, found, f"its {key}")
        elif name in _SPIN:
            spins[key] = whole(value, 0.0, found, f"its {key}")
        elif name in _UNPAIRED:
            spins[key] = 1 + whole(value, 0.0, found, f"its {key}")
        elif name in _MOMENT:
            _moment(key, value, found, periodic, spins, unused)
        elif name in _ELECTRONS:
            electrons[key] = int(numbers.sum()) - whole(value, 0.0, found, f"its {key}")
        elif complete or _is_of_something_else(key, value, charged):
            unused.append(f"the key '{key}'")
        else:
            raise BadInput(f"{found}, and it is unclear what that means; state it as charge or as spin (2S+1) instead.")
    for key, values in columns.items():
        _column(key, values, here, periodic, charges, spins, unused)
    charge = _agreed(charges, here, "charge")
    for key, of_key in electrons.items():
        if charge is None:
            raise BadInput(
                f"{here} has {key} {_short(said[key])}, which may or may not count the electrons of the cores; "
                "state its charge instead."
            )
        if of_key != charge:
            raise BadInput(f"{here} has charge {charge:+d}, but its {key} gives {of_key:+d}; correct one of the two.")
    return charge, _agreed(spins, here, "spin"), unused


def state_of(image: Atoms, here: str) -> tuple[int, int]:
    """Return charge and multiplicity of a molecule with its info and arrays, with the defaults of :func:`check`."""
    columns = {key: values for key, values in image.arrays.items() if is_of_atoms(key)}
    charge, spin, _ = stated(image.info, columns, image.numbers, here)
    return check(image.numbers, charge, spin, here)


def check(numbers: np.ndarray, charge: int | None, spin: int | None, here: str) -> tuple[int, int]:
    """Return charge and multiplicity, with the defaults charge 0 and the lowest multiplicity where None is given.

    Raises BadInput where no molecule with these nuclei can have them.
    """
    charge = 0 if charge is None else charge
    electrons = int(numbers.sum()) - charge
    if electrons < 0:
        raise BadInput(f"{here} has charge {charge:+d}, more than its nuclei have; correct its charge.")
    lowest = 1 + electrons % 2
    spin = lowest if spin is None else spin
    if spin < 1:
        raise BadInput(f"{here} has spin {spin}, but spin is the multiplicity 2S+1, at least 1; correct its spin.")
    if (spin - lowest) % 2 or spin > electrons + 1:
        raise BadInput(
            f"{here} has spin multiplicity {spin}, which {electrons} electrons (charge {charge:+d}) cannot have; "
            "correct its spin or its charge."
        )
    return charge, spin


def whole(value: Any, tolerance: float, found: str, what: str) -> int:
    """Return a number as an int, or raise BadInput: `found` begins the sentence, `what` must be corrected."""
    try:
        if isinstance(value, bool | np.bool_) or np.ndim(value):
            raise TypeError
        number = float(value)
        nearest = round(number)
    except (TypeError, ValueError, OverflowError):
        raise BadInput(f"{found}, which is no whole number; correct {what}.") from None
    if abs(number - nearest) > tolerance:
        raise BadInput(f"{found}, which is no whole number; correct {what}.")
    return nearest


def _moment(key: str, value: Any, found: str, periodic: bool, spins: dict[str, int], unused: list[str]) -> None:
    """Take the total magnetic moment, in Bohr magnetons: the number of unpaired electrons.

    A crystal has no multiplicity, so the moment of its cell is listed as unused.
    """
    if periodic:
        unused.append(f"the key '{key}'")
    else:
        spins[key] = 1 + abs(whole(value, FROM_WHOLE, found, f"its {key}"))


def _column(
    key: str,
    values: np.ndarray,
    here: str,
    periodic: bool,
    charges: dict[str, int],
    spins: dict[str, int],
    unused: list[str],
) -> None:
    """Take the sum of charges or of magnetic moments of atoms."""
    name = plain(key)
    moments = bool(_MOMENTS.search(name))
    try:
        per_atom = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        unused.append(f"the column '{key}'")
        return
    if not per_atom.any() and name in _OF_ATOMS:  # ASE's default, which means not given
        return
    if moments and periodic:
        unused.append("the magnetic moments of its atoms")
        return
    words = {"initialcharges": "initial charges", "initialmagmoms": "initial magnetic moments"}.get(name, key)
    if per_atom.ndim != 1:
        raise BadInput(
            f"{here} has {words} with directions, which no method takes; give its "
            f"{'spin' if moments else 'charge'} instead."
        )
    total = per_atom.sum()
    try:
        found = f"{here} has {words} that add up to {total:.2f}"
        summed = whole(total, FROM_WHOLE, found, "or remove them")
    except BadInput:
        if name in _OF_ATOMS and not periodic:
            raise
        unused.append(f"the column '{key}', whose sum {total:.2f} is no whole number")
        return
    if moments:
        spins[words] = abs(summed) + 1
    else:
        charges[words] = summed


def _agreed(values: dict[str, int], here: str, word: str) -> int | None:
    """Return what all statements give, None where there is none."""
    if not values:
        return None
    (first, value), *others = values.items()
    for key, other in others:
        if other != value:
            by = "" if first == word else f" by its {first}"
            raise BadInput(f"{here} has {word} {value}{by}, but its {key} give {other}; correct one of the two.")
    return value


def _is_of_something_else(key: str, value: Any, charged: bool) -> bool:
    """Return whether a key is about atoms, a part of a molecule whose own charge is stated, an entropy or a setting."""
    name = plain(key)
    if isinstance(value, bool | np.bool_) and (_SETTING.search(name) or (name in _UNCLEAR and not value)):
        return True
    of_part = charged and bool(_OF_A_PART.search(name))
    return of_part or bool(_PARTIAL.search(name)) or (str(key) == "S" and not _may_be_total_spin(value))


def _may_be_total_spin(value: Any) -> bool:
    """Return whether a value is a multiple of one half that a molecule may have; what is no number may be one."""
    try:
        return float(2 * float(value)).is_integer() and 0 <= float(value) <= _LARGEST_TOTAL_SPIN
    except (TypeError, ValueError):
        return True


def _short(value: Any) -> str:
    text = repr(value.item() if isinstance(value, np.generic) else value)
    return text if len(text) <= 60 else text[:57] + "..."

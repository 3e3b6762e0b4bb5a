"""Elements, isotopes and masses as files name them."""

from __future__ import annotations

import numpy as np
from ase.data import atomic_masses, atomic_numbers, chemical_symbols

from bench.data.files.contents import Ledger
from bench.errors import BadInput

HEAVY_HYDROGEN = {"D": 2.01410177812, "T": 3.01604928199}
"""Masses in unified atomic mass units."""
_NAMES = {"D": "deuterium", "T": "tritium"}
_DUMMIES = {"X", "XX", "BQ", "GH", "DU", "LP", "Q", "*", "@", "LA", "R", "R#", "A", "XXX", "EP", "M", "VA", "TV"}
_CARBON_OR = {"CA", "CD", "CE", "CF", "HE", "HF", "HG", "HO", "NE", "ND", "NB", "OS"}
_SAME = 1e-4  # relative; tables of standard masses differ by less, isotopes by more

_HEAVIEST = 10.0
"""Times the usual mass: muonium is a ninth of hydrogen, heavy hydrogen of simulations four times as heavy."""


def element(symbol: str, here: str, ledger: Ledger) -> tuple[int, float | None]:
    """Return atomic number and isotope mass (None: the standard one) of a symbol or an atomic number in text.

    Raises BadInput where it is no element, a dummy or ghost atom, or may be a carbon's name as well as an element.
    """
    text = symbol.strip()
    if text.isascii() and text.isdigit() and 0 < int(text) < len(chemical_symbols):
        return int(text), None
    if text.upper() in HEAVY_HYDROGEN:
        letter = text.upper()
        ledger.note(f"The symbol {letter} is read as hydrogen with the mass of {_NAMES[letter]}.")
        return 1, HEAVY_HYDROGEN[letter]
    if text in _CARBON_OR:
        raise BadInput(
            f"{here} has the symbol {text!r}, which may be {text.capitalize()} or the name of another atom; "
            f"write {text.capitalize()!r} or {text[0]!r}."
        )
    number = atomic_numbers.get(text.capitalize(), 0)
    if number:
        return number, None
    upper = text.upper()
    if not text or upper == "0" or upper in _DUMMIES or upper.split("-")[0] in {"BQ", "GH", "X"} or ":" in text:
        raise BadInput(f"{here} has a dummy or ghost atom ({symbol!r}); remove it.")
    raise BadInput(f"{here} has the symbol {symbol!r}, which is no element; correct it.")


def elements(symbols: list[str], here: str, ledger: Ledger) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the atomic numbers of symbols, and the masses where there is an isotope among them."""
    known = {symbol: element(symbol, here, ledger) for symbol in dict.fromkeys(symbols)}
    numbers = np.array([known[symbol][0] for symbol in symbols], dtype=int)
    if all(mass is None for _, mass in known.values()):
        return numbers, None
    masses = atomic_masses[numbers].copy()
    for index, symbol in enumerate(symbols):
        mass = known[symbol][1]
        if mass is not None:
            masses[index] = mass
    return numbers, masses


def own_masses(numbers: np.ndarray, masses: np.ndarray, here: str) -> np.ndarray | None:
    """Return the masses of a file where they differ from the standard ones, else None; BadInput where impossible."""
    try:
        given = np.asarray(masses, dtype=float)
    except (TypeError, ValueError):
        given = np.full(1, np.nan)
    if given.shape != numbers.shape or not np.isfinite(given).all() or (given <= 0).any():
        raise BadInput(f"{here} has masses that are not one positive number an atom; correct them.")
    ratio = given / atomic_masses[numbers]
    if ratio.max() > _HEAVIEST or ratio.min() < 1 / _HEAVIEST:
        raise BadInput(f"{here} has masses that are far from those of its elements; give them in u, or remove them.")
    return None if np.allclose(given, atomic_masses[numbers], rtol=_SAME, atol=0.0) else given


def number_of(text: str) -> float:
    """Return a number in text, also with Fortran's D or Mathematica's *^ for the exponent; raises ValueError."""
    if "_" in text:
        raise ValueError(text)
    try:
        return float(text)
    except ValueError:
        return float(text.replace("*^", "E").replace("D", "E").replace("d", "e"))

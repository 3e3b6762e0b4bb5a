"""The charge and the spin multiplicity of a molecule, as its file has them.

Users set them in two ways: as ``charge`` and ``spin`` (2S+1) in ``atoms.info``, the keys that molecular potentials
read, or atom by atom as ASE's initial charges and initial magnetic moments. Both are accepted; they must agree.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from ase import Atoms

from bench.errors import BadInput

_FROM_WHOLE = 0.1
"""How far a sum over atoms may be from a whole number: charges of a population analysis are rounded."""


def state_of(image: Atoms, here: str) -> tuple[int, int]:
    """Return the charge and the spin multiplicity of a molecule; `here` is its name in error messages.

    The defaults are charge 0 and the lowest multiplicity for the number of electrons. Raises BadInput where the two
    ways disagree, and where no molecule can have that charge and multiplicity.
    """
    charge = _agreed(image, here, "charge", "initial_charges", "initial charges", lambda total: total)
    charge = 0 if charge is None else charge
    electrons = int(image.numbers.sum()) - charge
    if electrons < 0:
        raise BadInput(f"{here} has charge {charge:+d}, more than its nuclei have; correct its charge.")
    lowest = 1 + electrons % 2
    spin = _agreed(image, here, "spin", "initial_magmoms", "initial magnetic moments", lambda total: abs(total) + 1)
    spin = lowest if spin is None else spin
    if spin < 1:
        raise BadInput(f"{here} has spin {spin}, but spin is the multiplicity 2S+1, at least 1; correct its spin.")
    if (spin - lowest) % 2 or spin > electrons + 1:
        raise BadInput(
            f"{here} has spin multiplicity {spin}, which {electrons} electrons (charge {charge:+d}) cannot have; "
            "correct its spin or its charge."
        )
    return charge, spin


def _agreed(image: Atoms, here: str, key: str, array: str, words: str, of_sum: Callable[[int], int]) -> int | None:
    """Return the charge or the spin that an image states; None where it states none."""
    given = image.info.get(key)
    value = None if given is None else _whole(given, 0.0, f"{here} has {key} {given!r}", f"its {key}")
    per_atom = np.asarray(image.arrays.get(array, 0.0))
    if not per_atom.any():  # ASE's default, which means not given
        return value
    if per_atom.ndim != 1:
        raise BadInput(f"{here} has {words} with directions, which no method takes; give its {key} instead.")
    total = per_atom.sum()
    summed = of_sum(_whole(total, _FROM_WHOLE, f"{here} has {words} that add up to {total:.2f}", "or remove them"))
    if value is not None and value != summed:
        raise BadInput(f"{here} has {key} {value}, but its {words} give {summed}; correct one of the two.")
    return summed


def _whole(value: Any, tolerance: float, found: str, what: str) -> int:
    """Return a number as an int, or raise BadInput: `found` begins the sentence, `what` must be corrected."""
    try:
        number = float(value)
        nearest = round(number)
    except (TypeError, ValueError, OverflowError):
        raise BadInput(f"{found}, which is no whole number; correct {what}.") from None
    if abs(number - nearest) > tolerance:
        raise BadInput(f"{found}, which is no whole number; correct {what}.")
    return nearest

"""The charge and the spin multiplicity of a molecule, as its file has them.

Users set them in two ways: as ``charge`` and ``spin`` (2S+1) of ``atoms.info``, the keys that molecular potentials
read, or atom by atom as ASE's initial charges and initial magnetic moments. Both are taken, and have to agree.
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
    """Return the charge and the spin multiplicity of a molecule; `here` is what an error message calls it.

    Where the file does not say: charge 0, and the lowest multiplicity for the number of electrons. Raises BadInput
    where the two ways to say it disagree, and where no molecule can have that charge and multiplicity.
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
    """Return what an image says of its charge or its spin; None where it says nothing."""
    given = image.info.get(key)
    value = None if given is None else _whole(given, 0.0, f"{here} has {key} {given!r}", f"its {key}")
    per_atom = np.asarray(image.arrays.get(array, 0.0))
    if not per_atom.any():  # ASE's own default, as good as not given
        return value
    if per_atom.ndim != 1:
        raise BadInput(f"{here} has {words} with directions, which no method is told; give its {key} instead.")
    total = per_atom.sum()
    summed = of_sum(_whole(total, _FROM_WHOLE, f"{here} has {words} that add up to {total:.2f}", "or remove them"))
    if value is not None and value != summed:
        raise BadInput(f"{here} has {key} {value}, but its {words} make that {summed}; correct one of the two.")
    return summed


def _whole(value: Any, tolerance: float, found: str, what: str) -> int:
    """Return a number as a whole one, or refuse it: `found` begins the sentence, `what` is to be corrected."""
    try:
        number = float(value)
        nearest = round(number)
    except (TypeError, ValueError, OverflowError):
        raise BadInput(f"{found}, which is no whole number; correct {what}.") from None
    if abs(number - nearest) > tolerance:
        raise BadInput(f"{found}, which is no whole number; correct {what}.")
    return nearest

"""What the comment line of an XYZ file says in words: charge and spin are used, a cell, a unit or an ion is refused."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import numpy as np
from ase.data import chemical_symbols

from bench.data.files import state
from bench.data.files.contents import Ledger
from bench.errors import BadInput

_TWO_WHOLE = re.compile(r"\s*([+-]?\d+)[\s,]+([+-]?\d+)\s*")
_LARGEST_CHARGE, _LARGEST_SPIN = 9, 11  # of what two whole numbers in a comment may be
_CELL_IN_WORDS = re.compile(
    r"(?i)\b(cell|lattice|box|tv|abc)\b\W*([({\[]\w+[)}\]]\W*)?([-+]?\d+\.?\d*[\s,;x]+){2}[-+]?\d"
)
_FIXED_IN_WORDS = re.compile(
    r"(?i)\b(fix(ed)?|frozen|freez(e|ing)|constrain(ed)?)[ _]+(atoms?|indices|ids?|list)\b"
    r"|\batoms?\b.{0,20}\b(fixed|frozen)\b"
)
_UNIT_IN_WORDS = re.compile(
    r"(?i)\bbohrs?\b|\batomic[ _]units?\b|positions\{atomic_unit\}"
    r"|\b(coordinates|positions|geometry)\b.*\ba\.?u\.?(\s|$)"
)
_STARTS_WITH_TWO = re.compile(r"\s*([+-]?\d+)[\s,]+([+-]?\d+)[\s,]+[A-Za-z]")
_WORDS = re.compile(
    r"(?<![A-Za-z])((?:net|total|tot)?[ _]?charge|chrg|q|spin[ _]?multiplicity|multiplicity|mult|spin|uhf)"
    r"(?![A-Za-z])[ \t]*(?:[:=]|is)?[ \t]*([^\s,;]*)",
    re.IGNORECASE,
)
# names of jobs join words by underscores: water_cation_opt
_ION = re.compile(
    r"(?i)(?<![a-z])((di|tri)?(cat|an)ion(ic)?|(de)?protonated)(?![a-z])|\bcharged?\b[^\w+-]{0,3}[+-]?[1-9]"
)
_FORMULA = re.compile(r"(?<!\S)((?:[A-Z][a-z]?\d*|[()])+?)(?:\^?\(?\d?[+-]{1,2}\)?)(?=[\s.,:;]|$)")
_SMILES = re.compile(r"\[\d*(?:[A-Z][a-z]?|[bcnops]|se|as)@{0,2}(?:H\d*)?([+-]+)(\d*)(?::\d+)?\]")
_INCHI = re.compile(r"InChI=\S*?/[pq]([+-]\d+)")
_STATES = ("singlet", "doublet", "triplet", "quartet", "quintet", "sextet", "septet")
_STATE = re.compile(rf"(?i)(?<![a-z])({'|'.join(_STATES)})(?![a-z])")
_BARS = re.compile(r"\s*([A-Za-z_]\w*)\s*=\s*(.*?)\s*")


def stated(comment: str, numbers: np.ndarray, here: str, file: str, ledger: Ledger) -> dict[str, Any]:
    """Return the charge and the spin that a plain comment states; any other text is listed as unused."""
    two = _TWO_WHOLE.fullmatch(comment)
    if two:
        charge, spin = int(two[1]), int(two[2])
        try:
            if abs(charge) > _LARGEST_CHARGE or spin > _LARGEST_SPIN:
                raise BadInput("")
            state.check(numbers, charge, spin, here)
        except BadInput:
            ledger.note(
                f"The comments of {file} are two whole numbers that are not charge and multiplicity of these atoms "
                f"({comment.strip()!r} of {here}); they are not used there."
            )
            ledger.unused("the comment line", file)
            return {}
        ledger.note(f"The two whole numbers in the comments of {file} are read as charge and multiplicity.")
        return {"charge": charge, "spin": spin}
    _refuse_in_words(comment, here)
    said: dict[str, Any] = {}
    for match in _WORDS.finditer(comment):
        word, value = match[1], match[2]
        if word.lower() == "q" and not value.lstrip("+-").isdigit():
            continue
        try:
            said[word] = int(value)
        except ValueError:
            raise BadInput(
                f"{here} has the comment {comment.strip()[:60]!r}, in which {word!r} has no whole number after it; "
                "write it as charge=0 spin=1, or remove the word."
            ) from None
    if said:
        ledger.note(f"Charge and spin are read from words in the comments of {file}.")
    if not said or len(_WORDS.sub("", comment).split()) > 0:
        ledger.unused("the comment line", file)
    return said


def between_bars(comment: str, here: str, file: str, ledger: Ledger) -> dict[str, Any] | None:
    """Return the fields of a comment such as ``CSD_code = X | q = 0 | S = 0``, as tmQM has them; None for another one.

    There q is the charge and S the total spin, whose multiplicity is 2S+1. Raises BadInput where one is no such number.
    """
    parts = [part for part in comment.split("|") if part.strip()]
    fields = {match[1]: match[2] for part in parts if (match := _BARS.fullmatch(part))}
    if len(parts) < 2 or not {"q", "S"} <= fields.keys():
        return None
    for part in parts:  # such as "2020-2024 CSD"
        if not _BARS.fullmatch(part):
            ledger.unused(f"{part.strip()!r} in the comment line", file)
    try:
        charge, spin = int(fields.pop("q")), 1 + 2 * float(fields.pop("S"))
        if not spin.is_integer():
            raise ValueError
    except ValueError:
        raise BadInput(f"{here} has q and S in its comment that are no charge and total spin; correct them.") from None
    ledger.note(f"q and S in the comments of {file} are read as the charge and the total spin (multiplicity 2S+1).")
    name = fields.pop("CSD_code", "")
    return {"name": name, **fields, "charge": charge, "multiplicity": int(spin)}


def _refuse_fixed(comment: str, here: str) -> None:
    """Refuse a comment that may fix atoms."""
    if _FIXED_IN_WORDS.search(comment):
        raise BadInput(
            f"{here} has the comment {comment.strip()[:60]!r}, which may fix atoms; write a column move_mask "
            "(F: fixed) of extended XYZ, or remove it."
        )


def refuse_cell(comment: str, here: str) -> None:
    """Refuse a comment that may state a cell, which would not be used."""
    if _CELL_IN_WORDS.search(comment):
        raise BadInput(f"{here} has a cell in its comment, which is not read; write it as Lattice of extended XYZ.")


def _refuse_in_words(comment: str, here: str) -> None:
    """Refuse a comment that may state a cell, fixed atoms or a unit, which would not be used."""
    refuse_cell(comment, here)
    _refuse_fixed(comment, here)
    if _UNIT_IN_WORDS.search(comment):
        raise BadInput(
            f"{here} has the comment {comment.strip()[:60]!r}, but coordinates are read in Angstrom; convert them, or "
            "remove the comment."
        )


def may_be_in_state(comment: str, numbers: np.ndarray) -> str:
    """Return the word for a state that is not the lowest one of the neutral molecule, such as triplet; else empty."""
    lowest = 1 + int(numbers.sum()) % 2
    words = (match[1].lower() for match in _STATE.finditer(comment))
    return next((word for word in words if _STATES.index(word) + 1 != lowest), "")


def may_be_ion(comment: str, numbers: np.ndarray) -> bool:
    """Return whether a comment may state a charge in other ways than those that are read.

    It may begin with charge and multiplicity as QCElemental writes them, end the formula of the atoms with a sign, have
    the word, or a SMILES or InChI with a charge.
    """
    if _ION.search(comment) or _INCHI.search(comment) or _charge_of_smiles(comment):
        return True
    counts = Counter(chemical_symbols[number] for number in numbers)
    for match in _FORMULA.finditer(comment):
        found: Counter[str] = Counter()
        for symbol, amount in re.findall(r"([A-Z][a-z]?)(\d*)", match[1]):
            found[symbol] += int(amount or 1)
        if found == counts:
            return True
    two = _STARTS_WITH_TWO.match(comment)
    if not two or abs(int(two[1])) > _LARGEST_CHARGE or int(two[2]) > _LARGEST_SPIN:
        return False
    try:
        return state.check(numbers, int(two[1]), int(two[2]), "") != state.check(numbers, None, None, "")
    except BadInput:
        return False


def _charge_of_smiles(comment: str) -> int:
    """Return the sum of the charges in brackets, as SMILES have them; that of a zwitterion is zero."""
    return sum((1 if signs[0] == "+" else -1) * int(number or len(signs)) for signs, number in _SMILES.findall(comment))

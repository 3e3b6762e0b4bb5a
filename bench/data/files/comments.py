"""What the plain comment line of an XYZ file says: charge and spin are used, a cell, a unit or an ion is refused."""

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
_CELL_IN_WORDS = re.compile(r"(?i)\b(cell|lattice|box|tv|abc)\b\W*(\(\w+\)\W*)?([-+]?\d+\.?\d*[\s,;x]+){2}[-+]?\d")
_UNIT_IN_WORDS = re.compile(
    r"(?i)\bbohrs?\b|positions\{atomic_unit\}|\b(coordinates|positions|geometry)\b.*\ba\.?u\.?(\s|$)"
)
_STARTS_WITH_TWO = re.compile(r"\s*([+-]?\d+)[\s,]+([+-]?\d+)[\s,]+[A-Za-z]")
_WORDS = re.compile(
    r"(?<![A-Za-z])((?:net|total|tot)?[ _]?charge|chrg|q|spin[ _]?multiplicity|multiplicity|mult|spin|uhf)"
    r"(?![A-Za-z])[ \t]*(?:[:=]|is)?[ \t]*([^\s,;]*)",
    re.IGNORECASE,
)
_ION = re.compile(r"(?i)\b(di|tri)?(cat|an)ion\b")
_FORMULA = re.compile(r"(?<!\S)((?:[A-Z][a-z]?\d*|[()])+?)(?:\^?\(?\d?[+-]{1,2}\)?)(?!\S)")


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


def _refuse_in_words(comment: str, here: str) -> None:
    """Refuse a comment that may state a cell or a unit, which would not be used."""
    if _CELL_IN_WORDS.search(comment):
        raise BadInput(f"{here} has a cell in its comment, which is not read; write it as Lattice of extended XYZ.")
    if _UNIT_IN_WORDS.search(comment):
        raise BadInput(
            f"{here} has the comment {comment.strip()[:60]!r}, but coordinates are read in Angstrom; convert them, or "
            "remove the comment."
        )


def may_be_ion(comment: str, numbers: np.ndarray) -> bool:
    """Return whether a comment may state a charge in other ways than those that are read.

    It may begin with charge and multiplicity as QCElemental writes them, end the formula of the atoms with a sign, or
    have the word.
    """
    if _ION.search(comment):
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

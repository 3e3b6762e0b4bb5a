"""What somebody may have meant by a word that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def similar(word: str, known: Iterable[str], most: int = 3) -> list[str]:
    """Return the known words that are most like a word, also where only their beginning is: ``maec`` like mace-mp-0."""
    wanted = word.casefold()

    def likeness(one: str) -> float:
        name = one.casefold()
        parts = (name, name[: len(wanted)], *name.replace("-", " ").split())
        return max(difflib.SequenceMatcher(None, wanted, part).ratio() for part in parts)

    found = sorted(((likeness(one), one) for one in dict.fromkeys(known)), key=lambda pair: -pair[0])
    return [one for ratio, one in found[:most] if ratio >= 0.6]

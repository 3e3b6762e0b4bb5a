"""Kinds of methods, light ones first, and what differs between them: how long they take to start, and to answer."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of method."""

    name: str
    start_s: float = 3.0
    """A worker takes about so many seconds before it measures, where nothing is downloaded."""
    share: float = 1.0
    """Of the time of a whole campaign, as a multiple of another kind's."""
    silence_s: float = 900.0
    """A worker that gives no sign of life for so many seconds is ended. It gives one after each step."""
    answers: int = 5
    """Structures whose energy and forces are told for the fingerprint; each costs a force call."""
    conform_structures: int = 2
    """Structures that the conformance kit looks at: some 35 force calls each."""


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("force-field"),
        Kind("semi-empirical"),
        Kind("mlip", start_s=12.0),  # what it imports, loads and compiles
        Kind("dft", share=3.0, silence_s=3600.0, answers=1, conform_structures=1),  # a force call takes a minute
    )
}


def rank(kind: str) -> int:
    """Return the place of a kind in a table, light ones first; unknown ones last."""
    return list(KINDS).index(kind) if kind in KINDS else len(KINDS)

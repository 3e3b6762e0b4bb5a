"""Kinds of methods, light ones first, and how they differ: the time to start, and to answer."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of method."""

    name: str
    start_s: float = 3.0
    """About how many seconds a worker takes before it measures, without downloads."""
    share: float = 1.0
    """Share of a campaign's time, as a multiple of the usual one."""
    silence_s: float = 900.0
    """A worker without a sign of life for this many seconds is ended. It gives one after each step."""
    answers: int = 5
    """Structures whose energy and forces make up the fingerprint; each costs a force call."""
    conform_structures: int = 2
    """Structures for the conformance kit: some 35 force calls each."""


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("force-field"),
        Kind("semi-empirical"),
        Kind("mlip", start_s=12.0),  # to import, load and compile
        Kind("dft", share=3.0, silence_s=3600.0, answers=1, conform_structures=1),  # a force call takes a minute
    )
}


def rank(kind: str) -> int:
    """Return the rank of a kind in a table, light ones first; unknown ones last."""
    return list(KINDS).index(kind) if kind in KINDS else len(KINDS)

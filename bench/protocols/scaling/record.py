"""The record of the scaling protocol: force calls at one size of a series of systems."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from bench.core.failure import Failure
from bench.core.records import DONE, Record

LARGEST = 36_864
"""Atoms of the largest system that is planned, unless the user wants another."""
TIME, MEMORY = "time", "memory"
"""Why a size was not begun, or not measured to its end."""


@dataclasses.dataclass(frozen=True)
class Size(Record):
    """One system of the series, with fresh small displacements in each force call."""

    record: ClassVar[str] = "size"
    size: int
    """Its number in the series, from 0: the smallest."""
    atoms: int
    status: str
    """``done``, ``censored`` (time or memory would not suffice) or ``failed``."""
    setup_ns: int | None
    """Making the calculator ready for the system; not part of a force call."""
    first_ns: int | None
    """The first force call, which may compile or allocate; it does not count."""
    calculator_ns: tuple[int, ...]
    """The force calls that count."""
    peak_memory_bytes: int | None
    """The largest resident set of the process so far."""
    peak_device_memory_bytes: int | None
    wall_ns: int
    edges: int | None = None
    """Pairs of neighbours in the model's graph, each counted twice; None where the method does not tell."""
    ended_by: str | None = None
    """``time`` or ``memory``, where one of them ended the series here."""
    predicted_ns: int | None = None
    """How long this size would have taken, as far as known, where the time did not suffice."""
    failure: Failure | None = None

    def wrong(self) -> str | None:
        """Return what is wrong with its force calls."""
        return "its force calls have no time" if self.status == DONE and sum(self.calculator_ns) <= 0 else None

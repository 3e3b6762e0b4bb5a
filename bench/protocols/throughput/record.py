"""The record of the throughput protocol: many molecules, computed in one way."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

from bench.core.failure import Failure
from bench.core.records import Record

SINGLE, BATCH, PROCESSES = WAYS = ("single", "batch", "processes")
"""One after another, in batches in one process, and in several processes at once."""


@dataclasses.dataclass(frozen=True)
class Throughput(Record):
    """Force calls and relaxations of many molecules in one way: one after another, in batches, in several processes."""

    record: ClassVar[str] = "throughput"
    point: int
    """Its number in the plan."""
    way: str
    """``single``, ``batch`` or ``processes``."""
    size: int
    """Molecules in a batch, or processes."""
    threads: int
    """Of each process."""
    status: str
    """``done``, ``censored`` (it would have taken more than the time left) or ``failed``."""
    wall_ns: int
    force_calls: tuple[int, ...] = ()
    """Molecules computed at fresh geometries; one entry for each process, as in the next fields."""
    force_ns: tuple[int, ...] = ()
    single_calls: int = 0
    """Single calls made in turn with those of a batch."""
    single_ns: int = 0
    relax_calls: tuple[int | None, ...] = ()
    """Force calls in relaxations; None where a native optimiser does not count them."""
    relax_ns: tuple[int, ...] = ()
    """Relaxations: force calls and optimiser."""
    relaxed: tuple[int, ...] = ()
    """Molecules that converged in that time."""
    ended: dict[str, tuple[Any, ...]] = dataclasses.field(default_factory=dict)
    """Columns ``structure force_calls converged``: the relaxations that were not cut off; not for a batch."""
    energy_difference: float | None = None
    """Largest difference between the answers of a batch and of single calls, eV."""
    force_difference: float | None = None
    """The same for the norm of the force on an atom, eV/Angstrom."""
    peak_memory_bytes: int | None = None
    """Largest resident set until then, all processes together."""
    peak_device_memory_bytes: int | None = None
    structure: int = 0
    """The first structure of the system."""
    failure: Failure | None = None
    """Beside ``done``: why there is no figure for relaxations."""

    def wrong(self) -> str | None:
        """Return what is wrong with its columns."""
        if len(self.force_calls) != len(self.force_ns):
            return "force calls and their times differ in number"
        if not len(self.relax_calls) == len(self.relax_ns) == len(self.relaxed):
            return "relaxations and their times differ in number"
        return None

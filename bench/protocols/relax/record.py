"""The record of the relax protocol."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

from bench.core.failure import Failure
from bench.core.records import Record

_NUMBERS = {int, float}
_TIMES = {"optimizer_ns", "harness_ns"}
_COLUMNS = {*_TIMES, "calculator_ns", "force_calls", "energy", "fmax"}


@dataclasses.dataclass(frozen=True)
class Relaxation(Record):
    """One structure relaxed in one round, with every step of it."""

    record: ClassVar[str] = "relaxation"
    structure: int
    """Index into the data set's selection, from 0."""
    optimizer: str
    """``BFGS``, ``CG`` or ``native``."""
    status: str
    steps: int
    force_calls: int | None
    """All force calls, including the one before the first step; None where a native optimiser does not count them."""
    energy: float | None
    """Final energy, eV."""
    fmax: float | None
    """Largest force on an atom at the final geometry, eV/Angstrom, recomputed by a fresh force call; where the cell was
    relaxed, that on atoms and cell."""
    positions: tuple[tuple[float, float, float], ...] | None
    """Final geometry, Angstrom."""
    wall_ns: int
    trace: dict[str, tuple[Any, ...]]
    """Columns ``calculator_ns optimizer_ns harness_ns force_calls energy fmax``, entries 0..steps. Entry 0 is the
    force call before the first step; a native optimiser has only ``optimizer_ns`` and ``harness_ns``."""
    failure: Failure | None = None
    waited_ns: int | None = None
    """How long the worker's threads waited for a core; None where the system does not count it, as in the next one."""
    stolen_ns: int | None = None
    """What the host of a virtual machine withheld from the CPUs meanwhile."""
    visit: int = 1
    """2 and more: measured again, because the threads had waited long in the visit before."""
    bonds_changed: int | None = None
    """Pairs of atoms that were bonded at the start and are apart at the end, or the other way round; None for a
    periodic system, and in older runs."""
    cell: tuple[tuple[float, float, float], ...] | None = None
    """The final cell, (3, 3) in Angstrom; None where it was not relaxed, as in the next one."""
    volume_change: float | None = None
    """By how much the volume of the cell has grown, as a fraction; of a slab it is the area, of a wire the length."""

    def wrong(self) -> str | None:
        """Return what is wrong with its trace."""
        if not _TIMES <= self.trace.keys() <= _COLUMNS:
            return "its trace has other columns"
        if len(set(map(len, self.trace.values()))) != 1:
            return "the columns of its trace differ in length"
        for name, column in self.trace.items():
            allowed = _NUMBERS if name.endswith("_ns") else {*_NUMBERS, type(None)}  # an energy may not be finite
            if not set(map(type, column)) <= allowed:
                return "its trace is no table of numbers"
        return None

"""The record of the optimizers protocol."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from bench.core.failure import Failure
from bench.core.records import Record


@dataclasses.dataclass(frozen=True)
class Optimization(Record):
    """One structure relaxed by one optimiser."""

    record: ClassVar[str] = "optimization"
    attempt: int
    """Its number in the campaign."""
    structure: int
    """Index into the data set's selection, from 0."""
    optimizer: str
    status: str
    """``converged`` (to the tight criterion), ``step-cap``, ``censored`` (the time ended) or ``failed``."""
    tight_fmax: float
    """The relaxation goes on until the largest force on an atom is below this, eV/Angstrom."""
    steps: int = 0
    force_calls: int | None = None
    """With the one before the first step."""
    energy: float | None = None
    """Final energy, eV."""
    fmax: float | None = None
    """Largest force on an atom at the final geometry, eV/Angstrom, recomputed by a fresh force call."""
    positions: tuple[tuple[float, float, float], ...] | None = None
    """Final geometry, Angstrom."""
    calculator_ns: int = 0
    """Of all force calls."""
    optimizer_ns: int = 0
    """Of the optimiser, with what it prepares before its first step."""
    calls_at_fmax: int | None = None
    """Force calls until the largest force was first below the campaign's criterion; None where it never was, as in the
    next three."""
    calculator_ns_at_fmax: int | None = None
    optimizer_ns_at_fmax: int | None = None
    energy_at_fmax: float | None = None
    """eV."""
    wall_ns: int = 0
    bonds_changed: int | None = None
    """Pairs of atoms that were bonded at the start and are apart at the end, or the other way round; None for a
    periodic system."""
    waited_ns: int | None = None
    """How long its threads waited for a core, all together; None where the system does not count it."""
    stolen_ns: int | None = None
    """How long the host of a virtual machine withheld its cores."""
    visits: int = 1
    """How many times it was relaxed: twice where its threads had waited long. The one that waited less counts."""
    cell: tuple[tuple[float, float, float], ...] | None = None
    """The final cell, (3, 3) in Angstrom; None where it was not relaxed, as in the next one."""
    volume_change: float | None = None
    """By how much its volume has grown, as a fraction."""
    failure: Failure | None = None

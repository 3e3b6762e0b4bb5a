"""The record of the replay protocol."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from bench.core.failure import Failure
from bench.core.records import Record


@dataclasses.dataclass(frozen=True)
class Replay(Record):
    """Steps along a fixed path of geometries, the same for every method."""

    record: ClassVar[str] = "replay"
    structure: int
    """Index into the data set's selection; the path leads from it towards the reference molecule."""
    status: str
    """``converged`` where the whole path was measured, else ``censored`` or ``failed``."""
    calculator_ns: tuple[int, ...]
    """One force call per point."""
    energies: tuple[float | None, ...]
    """eV; meaningless where the weights are random."""
    fmax: tuple[float | None, ...]
    """Largest force on an atom at each point, eV/Angstrom."""
    wall_ns: int
    optimizer_ns: tuple[int, ...] = ()
    """The optimiser's update after each force call; empty where only force calls were made, as in older runs."""
    failure: Failure | None = None
    waited_ns: int | None = None
    """As for a relaxation, like the next two."""
    stolen_ns: int | None = None
    visit: int = 1
    edges: int | None = None
    """Pairs of neighbours in the last force call, each counted twice; None where the method does not tell."""
    rebuilds: int | None = None
    """The lists of neighbours that were made on the path; None where the method keeps none, or does not tell."""

"""The throughput protocol: its points, each a way to compute many molecules with a size, and their record."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

from bench.contract.failure import Failure
from bench.contract.records import Record

SINGLE, BATCH, PROCESSES = WAYS = ("single", "batch", "processes")
"""One after another, in batches in one process, and in several processes at once."""
LARGEST = 1024
"""The largest batch."""
_PROCESSES = 100  # the point of k processes has the number 100 + k


@dataclasses.dataclass(frozen=True)
class PointPlan:
    """One point: a way to compute many molecules, with its size."""

    point: int
    """Its number: the same in every campaign for the same way and size, if the machine has the same cores."""
    way: str
    """One of :data:`WAYS`."""
    size: int
    """Molecules in a batch, or processes; 1 for one after another."""
    threads: int
    """Of each process."""


def plan(threads: int, cores: int) -> tuple[PointPlan, ...]:
    """Return all points: one after another, the batches 1, 2, 4, ..., and 1, 2, 4, ... processes up to `cores`.

    A batch runs with the `threads` of the campaign; processes share the cores evenly, each with at least one thread.
    """
    batches = [PointPlan(1 + power, BATCH, 2**power, threads) for power in range(LARGEST.bit_length())]
    sizes = sorted({2**power for power in range(cores.bit_length())} | {cores})
    processes = [PointPlan(_PROCESSES + size, PROCESSES, size, cores // size) for size in sizes]
    return (PointPlan(0, SINGLE, 1, threads), *batches, *processes)


def in_processes(point: int) -> bool:
    """Return whether a point is one of several processes, which one worker alone cannot measure."""
    return point > _PROCESSES


def larger(point: int) -> range:
    """Return the numbers of the larger points of the same series, which need no measuring after this one failed."""
    return range(point + 1, _PROCESSES) if 0 < point < _PROCESSES else range(0)


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
    failure: Failure | None = None
    """Beside ``done``: why there is no figure for relaxations."""

"""The points of the throughput protocol: in how many ways, and how large, a method computes many molecules."""

from __future__ import annotations

import dataclasses

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

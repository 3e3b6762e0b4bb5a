"""The throughput protocol: many molecules, one after another, in batches, and in several processes."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from bench.core.failure import Failure
from bench.core.plain import to_plain
from bench.core.protocol import Books, Key, Part, Protocol, speed
from bench.core.records import FAILED, Record
from bench.core.task import Allowance, Item, Task
from bench.protocols.throughput.record import BATCH, PROCESSES, SINGLE, Throughput

if TYPE_CHECKING:
    from bench.core.settings import Settings

THROUGHPUT = "throughput"
ONE_WORKERS_SHARE = 0.7
"""Of a round: one after another, and batches. The rest is for several processes."""
LARGEST = 1024
"""The largest batch."""
MOST = 10_000
"""Points of a system: point k of the one that begins at structure i has the number 10000 i + k."""
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
    structure: int = 0
    """The first structure of the system."""


def points_of(threads: int, cores: int, start: int = 0) -> tuple[PointPlan, ...]:
    """Return all points: one after another, the batches 1, 2, 4, ..., and 1, 2, 4, ... processes up to `cores`.

    A batch runs with the `threads` of the campaign; processes share the cores evenly, each with at least one thread.
    `start` is the first structure of the system.
    """

    def point(number: int, way: str, size: int, threads: int) -> PointPlan:
        return PointPlan(MOST * start + number, way, size, threads, start)

    batches = [point(1 + power, BATCH, 2**power, threads) for power in range(LARGEST.bit_length())]
    sizes = sorted({2**power for power in range(cores.bit_length())} | {cores})
    processes = [point(_PROCESSES + size, PROCESSES, size, cores // size) for size in sizes]
    return (point(0, SINGLE, 1, threads), *batches, *processes)


def structure_of(point: int) -> int:
    """Return the first structure of the system of a point."""
    return point // MOST


def in_processes(point: int) -> bool:
    """Return whether a point is one of several processes, which one worker alone cannot measure."""
    return point % MOST > _PROCESSES


def larger(point: int) -> range:
    """Return the numbers of the larger points of the same series, which need no measuring after this one failed."""
    number = point % MOST
    return range(point + 1, point - number + _PROCESSES) if 0 < number < _PROCESSES else range(0)


def _items(settings: Settings, indices: Sequence[int], round_number: int, cores: int) -> list[Item]:
    """Return all points, in each round, system by system."""
    measured = indices[: settings.limit]
    starts = [one for one in settings.starts if one in measured]
    return [Item(THROUGHPUT, one.point) for start in starts for one in points_of(settings.threads, cores, start)]


def _plans(settings: Settings, numbers: Collection[int], cores: int) -> list[PointPlan]:
    starts = dict.fromkeys(map(structure_of, sorted(numbers)))
    return [one for start in starts for one in points_of(settings.threads, cores, start) if one.point in numbers]


def _several(item: Item) -> bool:
    return in_processes(item.number)


def _allowance(books: Books, key: Key, round_number: int, items: Sequence[Item]) -> Allowance:
    """Return the time of one worker in a round or, if only they are left, of one point of several processes.

    The points of several processes share what the one worker leaves of the round.
    """
    settings = books.settings
    if settings.budget_s[key[0]] is None:
        return Allowance()
    rounds = settings.rounds - round_number
    mine = [item for item in items if item.part == THROUGHPUT]
    several = [item for item in mine if _several(item)]
    left = books.left(key, THROUGHPUT)
    if len(several) < len(mine):
        return Allowance(end_s=ONE_WORKERS_SHARE * left / rounds)
    later = (rounds - 1) / (1 - ONE_WORKERS_SHARE)  # the later rounds, in units of this one's rest
    return Allowance(end_s=left / (1 + later) / len(several))


def _settles(record: Throughput) -> list[Item]:
    """Return the larger batches after one that failed."""
    return [Item(THROUGHPUT, point) for point in larger(record.point)] if record.status == FAILED else []


def _lost(task: Task, number: int, failure: Failure) -> Record:
    plan = next(one for one in task.plans_of(THROUGHPUT, PointPlan) if one.point == number)
    return Throughput(**task.key, **to_plain(plan), status=FAILED, wall_ns=0, failure=failure)


def _progress(records: Sequence[Throughput]) -> str:
    calls = sum(sum(one.force_calls) for one in records)
    return speed("force call", calls, sum(sum(one.force_ns) for one in records))


def _heading(settings: Settings) -> str:
    each = " for each system" if len(settings.starts) > 1 else ""
    return f"throughput{each}, singly, in batches and in processes · {settings.optimizer} · fmax {settings.fmax:g} eV/Å"


PROTOCOL = Protocol(
    THROUGHPUT,
    order=50,
    parts=(Part(THROUGHPUT, Throughput, _lost, _progress, number="point", structure_of=structure_of, plans=_plans),),
    phase=THROUGHPUT,
    random_weights=True,
    merges=True,
    items=_items,
    allowance=_allowance,
    settles=_settles,
    all_structures=True,
    several=_several,
    heading=_heading,
)

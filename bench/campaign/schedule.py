"""What a round of a method measures, and which records count as done."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bench.campaign.plan import protocols
from bench.campaign.trajectories import in_round, trajectories
from bench.contract.protocol import (
    ACCURACY,
    MD,
    PARTS,
    PHASES,
    PROTOCOLS,
    SCALING,
    SINGLE_POINT,
    SIZE,
    STRUCTURES,
    SYMMETRY,
    THROUGHPUT,
    VIBRATIONS,
    item_of,
)
from bench.contract.records import CENSORED, FAILED, Record
from bench.contract.settings import Settings
from bench.contract.task import Item
from bench.contract.throughput import Throughput, in_processes, larger
from bench.contract.throughput import plan as points
from bench.machine.cores import usable_cores

GOLDEN = (5**0.5 - 1) / 2
EXAMINED = 5
"""How many structures have their forces examined for symmetry."""


def items(
    settings: Settings,
    weights: str,
    indices: Sequence[int],
    round_number: int,
    phases: Sequence[str] = PHASES,
) -> list[Item]:
    """Return the items of some phases of a round for weights of this mode, phase by phase.

    `indices` are all structures of the data set, in measuring order.
    """
    wanted = protocols(settings, weights)
    found: list[Item] = []
    for phase in phases:
        names = [name for name in wanted if PROTOCOLS[name].phase == phase]
        if phase == STRUCTURES:  # structure by structure, so that protocols share the cost of setting one up
            ordered = in_order_of(indices[: settings.limit], round_number + settings.order)
            found += [Item(name, index) for index in ordered for name in names]
        else:
            found += [item for name in names for item in OF_ROUND[name](settings, indices, round_number)]
    return found


def in_order_of(indices: Sequence[int], round_number: int) -> list[int]:
    """Return structures in the order of a round, the same for all methods.

    Rounds begin at places that are spread evenly, by the golden ratio, so that slow methods, which reach only a few
    structures in each round, reach other ones in the next.
    """
    first = int(len(indices) * (round_number * GOLDEN % 1.0))
    return [*indices[first:], *indices[:first]]


def _md(settings: Settings, indices: Sequence[int], round_number: int) -> list[Item]:
    """Return the trajectories of a round, and in the first round the structures whose forces are examined."""
    examined = indices[:EXAMINED] if round_number == 0 else ()
    plans = in_round(trajectories(settings.md), round_number, settings.rounds)
    return [Item(SYMMETRY, index) for index in examined] + [Item(MD, plan.trajectory) for plan in plans]


def _accuracy(settings: Settings, indices: Sequence[int], round_number: int) -> list[Item]:
    """Return the single points and the vibrations, once: a method gives the same answer in every round."""
    if round_number:
        return []
    points = [Item(SINGLE_POINT, index) for index in indices[: settings.limit]]
    return [*points, Item(VIBRATIONS, 0)] if settings.vibrations else points


def _scaling(settings: Settings, indices: Sequence[int], round_number: int) -> list[Item]:
    """Return the systems of the series, from the smallest."""
    return [Item(SIZE, number) for number in range(len(settings.sizes))]


def _throughput(settings: Settings, indices: Sequence[int], round_number: int) -> list[Item]:
    """Return all points, in each round."""
    return [Item(THROUGHPUT, one.point) for one in points(settings.threads, usable_cores())]


OF_ROUND: dict[str, Callable[[Settings, Sequence[int], int], list[Item]]] = {
    MD: _md,
    ACCURACY: _accuracy,
    SCALING: _scaling,
    THROUGHPUT: _throughput,
}
"""For each protocol that does not go structure by structure."""


def is_complete(record: Record) -> bool:
    """Return whether a resumed run skips it; a structure that was cut off is measured again."""
    item = item_of(record)
    return item is None or PARTS[item.part].complete_when_censored or getattr(record, "status", None) != CENSORED


def settled(record: Record) -> list[Item]:
    """Return the items that a complete record settles: its own, and the larger batches after one that failed."""
    item = item_of(record)
    if item is None or not is_complete(record):
        return []
    if isinstance(record, Throughput) and record.status == FAILED:
        return [item, *(Item(THROUGHPUT, point) for point in larger(record.point))]
    return [item]


def apart(planned: Sequence[Item]) -> tuple[list[Item], list[Item]]:
    """Return the items that one worker measures, and the points of several processes, which need more workers."""
    several = [item for item in planned if item.part == THROUGHPUT and in_processes(item.number)]
    return [item for item in planned if item not in several], several

"""What a round of a method measures, and which records count as done."""

from __future__ import annotations

from collections.abc import Sequence

from bench.core.protocol import STRUCTURES
from bench.core.records import CENSORED, Record
from bench.core.settings import Settings
from bench.core.task import Item
from bench.engine.plan import protocols
from bench.machine.cores import usable_cores
from bench.protocols import PARTS, PHASES, PROTOCOL_OF, PROTOCOLS, item_of, protocol_of

GOLDEN = (5**0.5 - 1) / 2


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
            for name in names:
                of_round = PROTOCOLS[name].items
                if of_round is None:
                    found += [Item(name, index) for index in indices[: settings.limit]]
                else:
                    found += of_round(settings, indices, round_number, usable_cores())
    return found


def in_order_of(indices: Sequence[int], round_number: int) -> list[int]:
    """Return structures in the order of a round, the same for all methods.

    Rounds begin at places that are spread evenly, by the golden ratio, so that slow methods, which reach only a few
    structures in each round, reach other ones in the next.
    """
    first = int(len(indices) * (round_number * GOLDEN % 1.0))
    return [*indices[first:], *indices[:first]]


def is_complete(record: Record) -> bool:
    """Return whether a resumed run skips it; a structure that was cut off is measured again."""
    item = item_of(record)
    return item is None or PARTS[item.part].complete_when_censored or getattr(record, "status", None) != CENSORED


def settled(record: Record) -> list[Item]:
    """Return the items that a complete record settles: its own, and others that need no measuring after it."""
    item, protocol = item_of(record), protocol_of(record)
    if item is None or protocol is None or not is_complete(record):
        return []
    return [item, *(protocol.settles(record) if protocol.settles is not None else ())]


def apart(planned: Sequence[Item]) -> tuple[list[Item], list[Item]]:
    """Return the items that one worker measures, and those that need several workers at once."""
    several = [item for item in planned if needs_several(item)]
    return [item for item in planned if item not in several], several


def needs_several(item: Item) -> bool:
    """Return whether one worker alone cannot measure an item."""
    several = PROTOCOLS[PROTOCOL_OF[item.part]].several
    return several is not None and several(item)

"""What a round of a method is to measure, and what of it is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bench.campaign.plan import protocols
from bench.campaign.trajectories import in_round, trajectories
from bench.contract.protocol import MD, PARTS, PHASES, PROTOCOLS, STRUCTURES, SYMMETRY, item_of, phase_of
from bench.contract.records import CENSORED, Record
from bench.contract.settings import Settings
from bench.contract.task import Item

EXAMINED = 5
"""Structures whose forces are examined for their symmetries."""


def items(settings: Settings, weights: str, indices: Sequence[int], round_number: int) -> list[Item]:
    """Return what weights of this mode are to be measured by in a round, phase by phase.

    `indices` are all structures of the data set in the order in which they are measured.
    """
    wanted = protocols(settings, weights)
    found: list[Item] = []
    for phase in PHASES:
        names = [name for name in wanted if PROTOCOLS[name].phase == phase]
        if phase == STRUCTURES:  # structure by structure, so that protocols share what a structure costs to set up
            found += [Item(name, index) for index in indices[: settings.limit] for name in names]
        else:
            found += [item for name in names for item in OF_ROUND[name](settings, indices, round_number)]
    return found


def _md(settings: Settings, indices: Sequence[int], round_number: int) -> list[Item]:
    """Return the trajectories of a round, and in the first one the structures whose forces are examined."""
    examined = indices[:EXAMINED] if round_number == 0 else ()
    plans = in_round(trajectories(settings.md), round_number, settings.rounds)
    return [Item(SYMMETRY, index) for index in examined] + [Item(MD, plan.trajectory) for plan in plans]


OF_ROUND: dict[str, Callable[[Settings, Sequence[int], int], list[Item]]] = {MD: _md}
"""For each protocol that does not go from structure to structure."""


def in_phase(planned: Sequence[Item], phase: str) -> list[Item]:
    """Return the items of one phase."""
    return [item for item in planned if phase_of(item.part) == phase]


def is_complete(record: Record) -> bool:
    """Tell whether a resumed run passes over it; a structure that was cut off is measured again."""
    item = item_of(record)
    return item is None or PARTS[item.part].complete_when_censored or getattr(record, "status", None) != CENSORED

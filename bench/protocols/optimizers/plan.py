"""The optimizers protocol: which structure is relaxed by which optimiser, in which round."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from bench.core.failure import Failure
from bench.core.protocol import OwnOptions, Part, Protocol
from bench.core.records import FAILED, Record
from bench.core.task import Item, Task
from bench.protocols.optimizers.record import Optimization
from bench.protocols.relax.plan import WITH_CELL

if TYPE_CHECKING:
    from bench.core.settings import Settings

OPTIMIZERS = "optimizers"
MOST = 100
"""Optimisers of a campaign: the attempt of number k at structure i has the number 100 i + k."""


@dataclasses.dataclass(frozen=True)
class Options(OwnOptions):
    """What a user can choose."""

    tight: float = dataclasses.field(
        default=0.005, metadata={"help": "relax on to this force, eV/Angstrom, to see whether the minimum is the same"}
    )

    def wrong(self) -> str | None:
        """Return what is wrong with the force."""
        return None if 0 < self.tight < math.inf else f"tight is {self.tight:g}; it must be a number above zero."


@dataclasses.dataclass(frozen=True)
class Attempt:
    """One relaxation."""

    attempt: int
    structure: int
    optimizer: str
    tight_fmax: float
    """eV/Angstrom."""


def structure_of(attempt: int) -> int:
    """Return the structure of an attempt."""
    return attempt // MOST


def _items(settings: Settings, indices: Sequence[int], round_number: int, cores: int) -> list[Item]:
    """Return the attempts of a round: the rounds share the structures, so that several processes measure them.

    All optimisers relax a structure one after the other, another one first at each structure.
    """
    count = len(settings.optimizers)
    mine = indices[: settings.limit][round_number :: settings.rounds]
    return [
        Item(OPTIMIZERS, MOST * index + (place + number) % count)
        for place, index in enumerate(mine)
        for number in range(count)
    ]


def _plans(settings: Settings, numbers: Collection[int], cores: int) -> list[Attempt]:
    tight = min(settings.fmax, settings.options.get(OPTIMIZERS, {}).get("tight", Options.tight))
    return [Attempt(one, structure_of(one), settings.optimizers[one % MOST], tight) for one in sorted(numbers)]


def _lost(task: Task, number: int, failure: Failure) -> Record:
    plan = next(one for one in task.plans_of(OPTIMIZERS, Attempt) if one.attempt == number)
    return Optimization(**task.key, **dataclasses.asdict(plan), status=FAILED, failure=failure)


def _progress(records: Sequence[Optimization]) -> str:
    return f"{len(records)} relaxations" if records else ""


def _heading(settings: Settings) -> str:
    text = f"{len(settings.optimizers)} optimisers · fmax {settings.fmax:g} eV/Å · at most {settings.max_steps} steps"
    return text + WITH_CELL * settings.relax_cell


PROTOCOL = Protocol(
    OPTIMIZERS,
    order=25,
    parts=(
        Part(OPTIMIZERS, Optimization, _lost, _progress, number="attempt", structure_of=structure_of, plans=_plans),
    ),
    phase=OPTIMIZERS,
    least_atoms=2,
    items=_items,
    options=Options,
    heading=_heading,
)

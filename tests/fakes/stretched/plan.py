"""The stretched protocol."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from bench.protocols.stretched.record import Stretched

from bench.core.failure import Failure
from bench.core.protocol import OwnOptions, Part, Protocol, speed
from bench.core.records import FAILED, Record
from bench.core.task import Item, Task

if TYPE_CHECKING:
    from bench.core.settings import Settings

STRETCHED = "stretched"


@dataclasses.dataclass(frozen=True)
class Options(OwnOptions):
    """What a user can choose."""

    factor: float = dataclasses.field(default=1.1, metadata={"help": "of all coordinates"})
    calls: int = dataclasses.field(default=2, metadata={"help": "force calls at each structure"})

    def wrong(self) -> str | None:
        """Return what is wrong with the calls."""
        return None if self.calls > 0 else f"calls is {self.calls}; at least 1 is needed."


@dataclasses.dataclass(frozen=True)
class Pull:
    """What the worker must know of an item."""

    structure: int
    factor: float
    calls: int


def chosen(settings: Settings) -> Options:
    """Return the options of a campaign."""
    return Options(**settings.options.get(STRETCHED, {}))


def _items(settings: Settings, indices: Sequence[int], round_number: int, cores: int) -> list[Item]:
    return [Item(STRETCHED, index) for index in indices[: settings.limit]]


def _plans(settings: Settings, numbers: Collection[int], cores: int) -> list[Pull]:
    options = chosen(settings)
    return [Pull(number, options.factor, options.calls) for number in sorted(numbers)]


def _lost(task: Task, number: int, failure: Failure) -> Record:
    (plan,) = (one for one in task.plans_of(STRETCHED, Pull) if one.structure == number)
    return Stretched(
        **task.key,
        structure=number,
        status=FAILED,
        factor=plan.factor,
        energy=None,
        calculator_ns=(),
        wall_ns=0,
        failure=failure,
    )


def _progress(records: Sequence[Any]) -> str:
    calls = [one for record in records for one in record.calculator_ns]
    return speed("stretched call", len(calls), sum(calls))


PROTOCOL = Protocol(
    STRETCHED,
    order=45,
    parts=(Part(STRETCHED, Stretched, _lost, _progress, plans=_plans),),
    phase=STRETCHED,
    merges=True,
    items=_items,
    options=Options,
    heading=lambda settings: f"stretched by {chosen(settings).factor:g}",
)

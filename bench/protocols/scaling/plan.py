"""The scaling protocol: force calls of systems of growing size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench.core.failure import Failure
from bench.core.protocol import Books, Key, Part, Protocol
from bench.core.records import FAILED, Record
from bench.core.task import Allowance, Item, Task
from bench.protocols.scaling.record import Size

if TYPE_CHECKING:
    from bench.core.settings import Settings

SCALING = "scaling"
SIZE = "size"


def _items(settings: Settings, indices: Sequence[int], round_number: int, cores: int) -> list[Item]:
    """Return the systems of the series, from the smallest."""
    return [Item(SIZE, number) for number in range(len(settings.sizes))]


def _allowance(books: Books, key: Key, round_number: int, items: Sequence[Item]) -> Allowance:
    """Return a round's share of the time that is left; a size begins only if it will end in time."""
    settings = books.settings
    if settings.budget_s[key[0]] is None:
        return Allowance()
    return Allowance(end_s=books.left(key, SCALING) / max(settings.rounds - round_number, 1))


def _again(books: Books, record: Record) -> bool:
    """Return whether a round's part of the time that is left is enough for a size that was too long."""
    if not isinstance(record, Size) or record.predicted_ns is None:
        return False
    left = books.left((record.method, record.device), SCALING)
    return record.predicted_ns / 1e9 < left / books.settings.rounds


def _lost(task: Task, number: int, failure: Failure) -> Record:
    atoms = next(len(one.molecule.numbers) for one in task.sizes if one.index == number)
    return Size(
        **task.key,
        size=number,
        atoms=atoms,
        status=FAILED,
        setup_ns=None,
        first_ns=None,
        calculator_ns=(),
        peak_memory_bytes=None,
        peak_device_memory_bytes=None,
        wall_ns=0,
        failure=failure,
    )


def _progress(records: Sequence[Size]) -> str:
    atoms = max((one.atoms for one in records if one.calculator_ns), default=0)
    return f"up to {atoms:,} atoms" if atoms else ""


def _heading(settings: Settings) -> str:
    sizes = settings.sizes or (0,)
    return f"scaling over {len(sizes)} sizes from {sizes[0]:,} to {sizes[-1]:,} atoms"


PROTOCOL = Protocol(
    SCALING,
    order=90,  # last: it leaves the adapter set up for another system
    parts=(Part(SIZE, Size, _lost, _progress, number="size", complete_when_censored=True, series=True),),
    phase=SCALING,
    random_weights=True,
    merges=True,
    items=_items,
    allowance=_allowance,
    again=_again,
    heading=_heading,
)

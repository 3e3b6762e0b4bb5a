"""What a protocol is: a way to measure a method. Each one is a folder of :mod:`bench.protocols`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any
from typing import Protocol as Interface

from bench.core.failure import Failure
from bench.core.records import Record
from bench.core.task import Allowance, Item, Task

STRUCTURES = "structures"
"""The phase in which a worker goes from structure to structure."""
RELAX, REPLAY = "relax", "replay"
"""The protocols of the table of times."""

Key = tuple[str, str]
"""A method and a device."""
Settings = Any
"""A :class:`bench.core.settings.Settings`, which asks this module which protocols there are."""


class Books(Interface):
    """What a protocol may ask about a campaign's time."""

    settings: Settings

    @property
    def done(self) -> Mapping[tuple[str, str, int], Collection[Item]]:
        """The items of each method, device and round that need not be measured."""

    def takes(self, method: str, item: Item) -> bool:
        """Return whether a method can take the system of an item."""

    def left(self, key: Key, phase: str) -> float:
        """Return the seconds that a method has left for a phase; infinite without a budget."""

    def spent_on(self, key: Key, phase: str) -> float:
        """Return the seconds that a method has spent on a phase."""


@dataclasses.dataclass(frozen=True)
class Part:
    """One sort of item: usually a protocol has only one, with its own name."""

    name: str
    record: type[Record]
    """The record that each of its items becomes."""
    lost: Callable[[Task, int, Failure], Record]
    """Makes the record of an item that only failed."""
    progress: Callable[[Sequence[Any]], str]
    """From the records of a method in a round to a few words for the progress display; may be empty."""
    number: str = "structure"
    """The record's field with the item's number."""
    structure_of: Callable[[int], int] | None = None
    """The structure at which an item is measured, from its number, where items have other numbers than structures."""
    complete_when_censored: bool = False
    """Whether a resumed run skips an item that the budget cut off."""
    series: bool = False
    """Whether its items are a series that ends at the first one that is not done."""
    plans: Callable[[Settings, Collection[int], int], Sequence[Any]] | None = None
    """From the settings, the numbers of items and the number of cores to what a worker must know of each item, frozen
    dataclasses; see :attr:`bench.core.task.Task.plans`."""

    def structure(self, number: int) -> int | None:
        """Return the structure at which an item of this part is measured; None where it has none of its own."""
        if self.structure_of is not None:
            return self.structure_of(number)
        return number if self.number == "structure" else None


@dataclasses.dataclass(frozen=True)
class OwnOptions:
    """Base of a protocol's own options: each field has a default, and its help in the metadata."""

    def wrong(self) -> str | None:
        """Return why a value cannot be, beginning with the field's name; None where nothing is wrong."""
        return None


@dataclasses.dataclass(frozen=True)
class Protocol:
    """A way to measure a method."""

    name: str
    """Its name after ``--protocols``."""
    order: int
    """Its place among the protocols, in everything that lists them and in a worker."""
    parts: tuple[Part, ...]
    phase: str
    """When a worker does it, and which budget it uses: a method has its full budget for each phase."""
    least_atoms: int = 1
    """The smallest molecule with something to measure: a single atom has no internal motion."""
    random_weights: bool = False
    """Whether a model with random weights may enter: its speed is faithful, and everything else is meaningless."""
    merges: bool = False
    """Whether its rounds repeat the same work, so that runs of several machines can be joined."""
    once: bool = False
    """Whether the first round does it all."""
    items: Callable[[Settings, Sequence[int], int, int], list[Item]] | None = None
    """The items of a round, from the settings, the structures in measuring order, the round and the number of cores;
    None: each structure."""
    allowance: Callable[[Books, Key, int, Sequence[Item]], Allowance] | None = None
    """How long a round may take for its items; None: an even share of what is left."""
    settles: Callable[[Any], list[Item]] | None = None
    """The further items that need no measuring after a record, which is complete."""
    again: Callable[[Books, Any], bool] | None = None
    """Whether a record of an earlier session is measured again, because there is more time now."""
    several: Callable[[Item], bool] | None = None
    """Whether an item needs several workers at once."""
    all_structures: bool = False
    """Whether its worker gets every structure, whatever its items are."""
    options: type[OwnOptions] | None = None
    """Its own options: ``--NAME-FIELD`` of ``pesbench run``; see :attr:`bench.core.settings.Settings.options`."""
    heading: Callable[[Settings], str] = lambda settings: ""
    """What the head of a table says about it."""


def speed(what: str, count: int, nanoseconds: float) -> str:
    """Return a speed for the progress display: ``4.31 ms/step``; empty where nothing was counted."""
    return f"{nanoseconds / count / 1e6:.3g} ms/{what}" if count else ""


REGISTERED: dict[str, Protocol] = {}
"""The protocols that there are, in their order; :mod:`bench.protocols` registers them."""

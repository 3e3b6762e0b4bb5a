"""One round of a method on a device: what is left to measure, and how long that may take."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from bench.core.description import ParallelSpeed
from bench.core.protocol import STRUCTURES, Key
from bench.core.records import NotMeasured, Record
from bench.core.settings import Settings
from bench.core.task import Allowance, Item
from bench.data.structures import DataSet
from bench.engine.ledger import Ledger
from bench.engine.metering import Metering
from bench.engine.progress import Progress
from bench.engine.tasks import Prepared
from bench.protocols import PHASES, phase_of

CRASHES_A_ROUND = 2  # after so many, a method gives up the rest of the round


@dataclasses.dataclass
class Shared:
    """What all rounds of a campaign share."""

    directory: Path
    settings: Settings
    dataset: DataSet
    parallel: ParallelSpeed
    ledger: Ledger
    metering: Metering
    progress: Progress
    append: Callable[[Record], None]
    """Writes a record."""
    stop: Callable[[NotMeasured], None]
    """Notes that a method cannot be measured."""
    stopped: Collection[Key]
    """The methods for which this is so."""


@dataclasses.dataclass
class Round:
    """One round of a method on a device, and what is still to be measured."""

    prepared: Prepared
    number: int
    items: list[Item]
    allowance: Allowance
    """For the structures."""
    phase: str = STRUCTURES
    """The phase that its worker has reached."""

    @property
    def key(self) -> Key:
        """Its key in the ledger."""
        return self.prepared.method.name, self.prepared.device

    @property
    def record_key(self) -> dict[str, Any]:
        """The fields that identify its records."""
        return {"method": self.key[0], "device": self.key[1], "round": self.number}

    def open_items(self) -> list[Item]:
        """Return the items of the worker's phase and of later ones; what it missed in an earlier phase stays undone."""
        return [item for item in self.items if PHASES.index(phase_of(item.part)) >= PHASES.index(self.phase)]

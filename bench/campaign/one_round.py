"""One round of a method on a device: what of it is left, and how long that may take."""

from __future__ import annotations

import dataclasses
from typing import Any

from bench.campaign.ledger import Key
from bench.campaign.schedule import in_phase
from bench.campaign.tasks import Prepared
from bench.contract.protocol import PHASES, STRUCTURES, phase_of
from bench.contract.task import Allowance, Item


@dataclasses.dataclass
class Round:
    """One round of a method on a device, and what of it is still to be measured."""

    prepared: Prepared
    number: int
    items: list[Item]
    allowance: Allowance
    """For the structures."""
    phase: str = STRUCTURES
    """That its worker has come to."""
    watched: dict[str, Any] | None = None
    """What the machine did beside the structures, where another phase followed them."""

    @property
    def key(self) -> Key:
        """What the ledger books it under."""
        return self.prepared.method.name, self.prepared.device

    @property
    def record_key(self) -> dict[str, Any]:
        """What its records say."""
        return {"method": self.key[0], "device": self.key[1], "round": self.number}

    def structures_left(self) -> int:
        """Return how many items of structures there are."""
        return len(in_phase(self.items, STRUCTURES))

    def open_items(self) -> list[Item]:
        """Return the items that the worker has not passed: what it did not reach of an earlier phase stays undone."""
        return [item for item in self.items if PHASES.index(phase_of(item.part)) >= PHASES.index(self.phase)]

    def pass_time(self, seconds: float) -> None:
        """Take a worker that died off the time of the next one."""
        begin, end = (
            None if limit is None else max(limit - seconds, 0.0)
            for limit in (self.allowance.begin_s, self.allowance.end_s)
        )
        self.allowance = Allowance(begin, end)

"""One round of a method on a device: what of it is left, and how long that may take."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from bench.campaign import launch
from bench.campaign.ledger import Key, Ledger
from bench.campaign.todo import Item
from bench.campaign.trajectories import trajectories
from bench.contract.protocol import MD, SYMMETRY
from bench.contract.settings import Settings
from bench.data.structures import DataSet
from bench.methods.environments import Environment
from bench.methods.header import Method
from bench.methods.weights import Weights


@dataclasses.dataclass
class Round:
    """One round of a method on a device, and what of it is still to be measured."""

    method: Method
    device: str
    number: int
    environment: Environment
    weights: Weights
    items: list[Item]
    allotted: float | None
    """Seconds in which structures may be begun."""
    left: float | None
    """Seconds after which the structure in flight is cut off."""
    simulates: bool = False
    """Its worker has come to the dynamics."""
    watched: dict[str, Any] | None = None
    """What the machine did beside the structures, where dynamics followed them."""

    @property
    def key(self) -> Key:
        """What the ledger books it under."""
        return self.method.name, self.device

    def pass_time(self, seconds: float) -> None:
        """Take a worker that died off the time of the next one."""
        self.allotted = None if self.allotted is None else max(self.allotted - seconds, 0.0)
        self.left = None if self.left is None else max(self.left - seconds, 0.0)

    def dynamics(self, settings: Settings, dataset: DataSet, ledger: Ledger, directory: Path) -> dict[str, Any] | None:
        """Return what a worker is told about dynamics; None where there is none for it."""
        examined = [item for item in self.items if item[0] == SYMMETRY]
        numbers = {number for name, number in self.items if name == MD}
        if not numbers and not examined:
            return None
        plans = [plan for plan in trajectories(settings.md) if plan.trajectory in numbers]
        return {
            "trajectories": [plan.plain() for plan in plans],
            "symmetry": [one.plain() for one in launch.structures(dataset, examined, 0)],
            "seconds": ledger.for_dynamics(self.key, plans, self.number),
            "folder": str(directory / "trajectories"),
        }

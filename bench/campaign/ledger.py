"""What of a campaign is done, and how much of each method's time is spent."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence

from bench.campaign import todo
from bench.campaign import trajectories as dynamics
from bench.campaign.plan import share
from bench.campaign.todo import Item, Measured
from bench.contract.protocol import MD
from bench.contract.records import CENSORED, Trajectory
from bench.contract.settings import Settings

Key = tuple[str, str]
"""A method and a device."""
CLEARLY = 1.5  # times the time that a trajectory had before


class Ledger:
    """The books of a campaign; a method has its budget twice, for structures and for dynamics."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.done: dict[tuple[str, str, int], set[Item]] = {}
        self.measured: set[tuple[str, str, int]] = set()  # rounds that have structures
        self.structures: dict[Key, float] = {}  # seconds
        self.dynamics: dict[Key, float] = {}  # seconds
        self.rounds_begun: dict[Key, int] = {}
        self.round_seconds: dict[Key, float] = {}  # of a round that reached all structures
        self._has_dynamics = MD in settings.protocols
        self._has_structures = settings.protocols != (MD,)

    def take_up(self, records: Iterable[Measured]) -> None:
        """Enter what an earlier session measured; what is to be measured once more is not."""
        for record in records:
            if isinstance(record, Trajectory) and self._may_become_longer(record):
                continue
            self.book(record)
            if todo.is_done(record):
                key = (record.method, record.device, record.round)
                self.done.setdefault(key, set()).add(todo.item(record))

    def _may_become_longer(self, record: Trajectory) -> bool:
        """Tell whether a trajectory that was cut off has clearly more time now: it begins anew, from its start."""
        plans = dynamics.trajectories(self.settings.md)
        part = plans[record.trajectory].steps / sum(plan.steps for plan in plans)
        allotted = part * self.budget((record.method, record.device))
        return record.status == CENSORED and allotted > CLEARLY * record.wall_ns / 1e9

    def book(self, record: Measured) -> None:
        """Count the time that a record took."""
        is_dynamics = todo.is_dynamics(todo.item(record))
        if not is_dynamics:
            self.measured.add((record.method, record.device, record.round))
        spent = self.dynamics if is_dynamics else self.structures
        key = (record.method, record.device)
        spent[key] = spent.get(key, 0.0) + record.wall_ns / 1e9

    def budget(self, key: Key) -> float:
        """Return a method's budget in seconds, infinite where it has no limit."""
        budget = self.settings.budget_s[key[0]]
        return math.inf if budget is None else budget

    def left(self, key: Key) -> float:
        """Return what is left for structures, in seconds."""
        return max(self.budget(key) - self.structures.get(key, 0.0), 0.0)

    def left_for_dynamics(self, key: Key) -> float:
        """Return what is left for dynamics, in seconds."""
        return max(self.budget(key) - self.dynamics.get(key, 0.0), 0.0)

    def is_spent(self, key: Key) -> bool:
        """Tell whether a method has no time left for anything that it is to be measured by."""
        return not (self._has_structures and self.left(key)) and not (
            self._has_dynamics and self.left_for_dynamics(key)
        )

    def share(self, key: Key, round_number: int) -> float | None:
        """Return the seconds in which a round may begin structures; see :func:`bench.campaign.plan.share`."""
        spent = self.structures.get(key, 0.0)
        return share(self.settings.budget_s[key[0]], spent, round_number, self.settings.rounds)

    def structures_left(
        self, key: Key, round_number: int, weights: str, indices: Iterable[int], again: bool
    ) -> list[Item]:
        """Return what a round is to measure of structures and has not measured yet; `again`: whatever is spent."""
        items = todo.of_structures(self.settings, weights, indices) if again or self.left(key) else []
        return self._open(key, round_number, items)

    def dynamics_left(self, key: Key, round_number: int, weights: str, indices: Sequence[int]) -> list[Item]:
        """Return what a round is to simulate, and at which of `indices` to examine forces, and has not yet."""
        possible = self.left_for_dynamics(key)
        return self._open(
            key, round_number, todo.of_dynamics(self.settings, weights, indices, round_number) if possible else []
        )

    def _open(self, key: Key, round_number: int, items: Iterable[Item]) -> list[Item]:
        done = self.done.get((*key, round_number), set())
        return [item for item in items if item not in done]

    def for_dynamics(self, key: Key, now: Sequence[dynamics.Plan], round_number: int) -> float | None:
        """Return the seconds that the trajectories `now` of a round have; None: no limit."""
        plans = dynamics.trajectories(self.settings.md)
        later = [
            plan
            for plan in plans
            if (number := plan.seed % self.settings.rounds) > round_number
            and (MD, plan.trajectory) not in self.done.get((*key, number), set())
        ]
        return dynamics.seconds(self.settings.budget_s[key[0]], self.dynamics.get(key, 0.0), now, later)

    def seconds_left(self, stopped: Collection[Key]) -> float | None:
        """Return an upper bound on the measuring that is left; None where a budget is without limit."""
        left = 0.0
        for name in self.settings.methods:
            for device in self.settings.devices:
                key = (name, device)
                rounds = self.settings.rounds - self.rounds_begun.get(key, 0)
                if key in stopped or rounds <= 0:
                    continue
                if self._has_structures:
                    left += min(self.left(key), rounds * self.round_seconds.get(key, math.inf))
                if self._has_dynamics:
                    left += self.left_for_dynamics(key)
        return None if left == math.inf else left

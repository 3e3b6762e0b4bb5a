"""Who takes part in the next round of structures, and for how long.

Everything is decided from the ledger and from what the records said so far: nothing here starts a process, reads a
clock or writes a file.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from bench.core.protocol import STRUCTURES, Key
from bench.core.records import Finished, Record, Started
from bench.core.settings import Settings
from bench.core.task import Allowance, Item
from bench.engine import sharing
from bench.engine.ledger import Ledger
from bench.engine.plan import order
from bench.environments.header import Method

MEMORY_SHARE = 0.9
"""Of the free memory, for the workers of a round together: what they share of their libraries counts for each."""
UNKNOWN_MEMORY_MB = 1000
"""Of a worker whose method says nothing and has not run yet."""
Widths = Callable[[], Mapping[Key, float]]
"""How wide the methods' ratios to a reference are so far: the half-width of each log ratio, 0 for the reference."""


class Planner:
    """Plans the rounds of a campaign.

    `widths` tells which ratios are still wide, where the settings leave the number of rounds to the campaign;
    `metered`, whether energy counters are read.
    """

    def __init__(self, settings: Settings, ledger: Ledger, widths: Widths, metered: bool = False) -> None:
        self.settings = settings
        self.ledger = ledger
        self.widths = widths
        self.least_s = sharing.METERED_SECONDS if metered else sharing.LEAST_SECONDS
        """A round measures each method for at least this long."""
        self.stopped: set[Key] = set()
        """Methods that cannot be measured."""
        self.elapsed_s = 0.0
        """What the rounds of structures have taken so far, with their starts."""
        self.short_s = 0.0
        """What the phases that are to be short have taken so far: it is taken from the time for structures."""
        self.start_s: dict[Key, float] = {}
        self.memory: dict[Key, int] = {}
        """The largest peak memory of each method's workers so far, in bytes."""
        self.owed: list[Key] = []
        """Methods whose round is still to come, because they did not fit into memory with the others."""
        self.companions: list[Key] = []
        """Methods that take part in such a round besides, where they fit."""
        self.alone: set[Key] = set()
        """Methods that failed for want of memory while others were alive."""

    def take_up(self, records: Sequence[Record]) -> None:
        """Learn from what an earlier session measured, after the ledger did."""
        for record in records:
            self.learn(record)
        starts = sum(start_seconds(record) for record in records if isinstance(record, Started))
        self.elapsed_s = self.ledger.all_spent(STRUCTURES) + starts
        self.short_s = sum(map(self.ledger.all_spent, self.settings.phase_s))

    def learn(self, record: Record) -> None:
        """Note what later rounds are planned by."""
        key = (record.method, record.device)
        match record:
            case Started():
                self.start_s.setdefault(key, start_seconds(record))
            case Finished() if record.peak_memory_bytes:
                self.memory[key] = max(record.peak_memory_bytes, self.memory.get(key, 0))

    @property
    def total_s(self) -> float | None:
        """The seconds for the structures of all methods; None where each has a budget of its own."""
        return None if self.settings.total_s is None else max(self.settings.total_s - self.short_s, 0.0)

    def in_order(self, keys: Collection[Key], number: int) -> list[Key]:
        """Return methods in the order of a round, device by device."""
        names = order(self.settings.methods, number + self.settings.order, self.settings.seed)
        return [(name, device) for device in self.settings.devices for name in names if (name, device) in keys]

    def one_more(self, every: Sequence[Key], number: int) -> list[Key]:
        """Return the methods of a round after the planned ones; none where the campaign is at its end."""
        self.companions = []
        if self.owed:
            key = next((one for one in self.owed if one in self.alone), None)
            owed = [key] if key else list(self.owed)
            self.owed = [one for one in self.owed if one not in owed]
            self.companions = [] if key else self._companions([one for one in every if one not in owed])
            return [*owed, *self.companions]
        total = self.total_s
        if total is None or number >= sharing.MOST_ROUNDS:
            return []
        costs = {
            key: cost
            for key in every
            if key not in self.stopped and self.ledger.left(key, STRUCTURES) and (cost := self._cost(key)) is not None
        }
        return sharing.chosen(costs, self.widths(), total - self.elapsed_s)

    def _companions(self, others: Sequence[Key]) -> list[Key]:
        """Return two methods that connect a round of a few with the rest: a reference, if there is one, first."""
        widths = self.widths()
        fit = [key for key in others if key not in self.alone and key not in self.stopped]
        return sorted(fit, key=lambda key: widths.get(key) != 0.0)[:2]

    def _cost(self, key: Key) -> float | None:
        """Return what a round of a method takes, with its start; None where it has not been measured."""
        item_s = self.ledger.item_seconds(key)
        if item_s is None or key not in self.start_s:
            return None
        return self.start_s[key] + sharing.best_seconds(self.start_s[key], item_s, self.least_s)

    def share(self, key: Key, number: int, items: Sequence[Item]) -> Allowance:
        """Return how long a method may measure structures in a round."""
        total, left = self.total_s, self.ledger.left(key, STRUCTURES)
        planned = self.ledger.allowance(key, number, STRUCTURES, items)
        if total is None or planned.begin_s is None:
            return planned
        cost = self._cost(key)
        if cost is None:
            seconds = max(sharing.FIRST_SECONDS, self.least_s)
        else:
            start_s = self.start_s[key]
            costs = {one: found for one in self.start_s if (found := self._cost(one)) is not None}
            rounds = sharing.planned_rounds(costs, total)
            seconds = sharing.stretched(cost - start_s, start_s, rounds, total, sum(costs.values()))
        # a method that is too slow for a structure in that time has a few steps in each of the first rounds
        first = left / max(sharing.LEARNING_ROUNDS - number, 1)
        if key in self.ledger.whole:  # one more structure, however long it takes; never one that the last round cut
            seconds = max(seconds, self.ledger.item_seconds(key) or 0.0)
        seconds = min(seconds, first)
        return Allowance(seconds, min(left, sharing.with_grace(seconds)))

    def fitting(self, methods: Mapping[Key, Method], free: float) -> list[Key]:
        """Return those that fit into `free` bytes of memory together, in their order; at least one.

        The others are owed a round, unless they were only to accompany one.
        """
        needs = {key: self._memory_of(key, method) for key, method in methods.items()}
        fit = sharing.fitting(needs, MEMORY_SHARE * free)
        self.owed += [key for key in needs if key not in fit and key not in self.companions]
        if self.settings.total_s is not None:  # whoever gets a later round is owed none besides
            self.owed = [key for key in self.owed if key not in fit]
        return fit

    def _memory_of(self, key: Key, method: Method) -> float:
        """Return the memory that a method's worker will need, in bytes: the last peak, or what its header says."""
        return self.memory.get(key) or 1e6 * (method.memory_mb or UNKNOWN_MEMORY_MB)

    def squeezed(self, key: Key) -> None:
        """Note that a method had too little memory beside the others."""
        self.alone.add(key)
        self.owed.append(key)


def start_seconds(record: Started) -> float:
    """Return what a worker took before it was ready, in seconds."""
    return (record.import_ns + record.load_ns + (record.first_call_ns or 0) + sum(record.warmup_ns)) / 1e9

"""Which parts of a campaign are done, and how much of each method's time is spent."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from bench.core.protocol import STRUCTURES, Key
from bench.core.records import CENSORED, DONE, Record
from bench.core.settings import Settings
from bench.core.task import Allowance, Item
from bench.data.structures import DataSet
from bench.engine.coverage import LeftOut, left_out
from bench.engine.plan import share
from bench.engine.schedule import settled
from bench.engine.sharing import with_grace
from bench.environments.header import Method
from bench.protocols import PARTS, PROTOCOL_OF, PROTOCOLS, item_of, phase_of, phases, protocol_of


class Ledger:
    """The books of a campaign; a method has its full budget for each phase.

    `left_out` has by method what its header rules out of the data set.
    """

    def __init__(self, settings: Settings, left_out: Mapping[str, LeftOut] | None = None) -> None:
        self.settings = settings
        self.left_out = left_out or {}
        self.phases = phases(settings.protocols)
        self.done: dict[tuple[str, str, int], set[Item]] = {}
        self.structures: Counter[Key] = Counter()  # measured so far, each visit counts
        self.whole: set[Key] = set()  # methods with a structure that no budget cut off
        self.spent: dict[tuple[str, str, str], float] = {}  # seconds, by method, device and phase
        self.ends: dict[tuple[str, str, str], int] = {}  # the first item of a series that was not done in a round

    @classmethod
    def of(cls, settings: Settings, methods: Mapping[str, Method], dataset: DataSet) -> Ledger:
        """Return the books of a campaign that has not begun."""
        measured = {name: methods[name] for name in settings.methods}
        return cls(
            settings,
            {name: left_out(one, dataset, settings.sizes, settings.relax_cell) for name, one in measured.items()},
        )

    def take_up(self, records: Iterable[Record]) -> None:
        """Enter what an earlier session measured, except what will be measured again."""
        later = []
        for record in records:
            protocol = protocol_of(record)
            if protocol is None:
                continue
            if protocol.again is not None:
                later.append((record, protocol.again))
            else:
                self._enter(record)
        # what was cut off is judged last, by the time that everything else has left
        for record, again in sorted(later, key=lambda one: getattr(one[0], "status", DONE) == CENSORED):
            if not again(self, record):
                self._enter(record)

    def _enter(self, record: Record) -> None:
        self.book(record)
        self.done.setdefault((record.method, record.device, record.round), set()).update(settled(record))

    def skip(self, key: Key, round_number: int, items: Iterable[Item]) -> None:
        """Enter items that need not be measured."""
        self.done.setdefault((*key, round_number), set()).update(items)

    def reopen(self, records: Iterable[Record]) -> None:
        """Let the items of these records be measured again."""
        for record in records:
            self.done.get((record.method, record.device, record.round), set()).discard(item_of(record))

    def book(self, record: Record) -> None:
        """Count the time that a record took, and note where a series ends."""
        item = item_of(record)
        assert item is not None
        phase = phase_of(item.part)
        self.close_series(record)
        if phase == STRUCTURES:
            self.structures[record.method, record.device] += 1
            if getattr(record, "status", DONE) != CENSORED:
                self.whole.add((record.method, record.device))
        self.spend((record.method, record.device), phase, getattr(record, "wall_ns", 0) / 1e9)

    def close_series(self, record: Record) -> None:
        """Note where a series ends: at the first item that is not done."""
        item = item_of(record)
        if item is not None and PARTS[item.part].series and getattr(record, "status", DONE) != DONE:
            series = (record.method, record.device, item.part)
            self.ends[series] = min(item.number, self.ends.get(series, item.number))

    def takes(self, method: str, item: Item) -> bool:
        """Return whether a method can take the system of an item."""
        out = self.left_out.get(method)
        return out is None or not out.has(item)

    def spend(self, key: Key, phase: str, seconds: float) -> None:
        """Count seconds of a phase."""
        self.spent[*key, phase] = self.spent_on(key, phase) + seconds

    def spent_on(self, key: Key, phase: str) -> float:
        """Return the seconds that a method has spent on a phase."""
        return self.spent.get((*key, phase), 0.0)

    def budget(self, key: Key) -> float:
        """Return a method's budget for each phase in seconds, infinite where it has no limit."""
        budget = self.settings.budget_s[key[0]]
        return math.inf if budget is None else budget

    def all_spent(self, phase: str) -> float:
        """Return the seconds that all methods have spent on a phase."""
        return sum(seconds for (*_, one), seconds in self.spent.items() if one == phase)

    def item_seconds(self, key: Key) -> float | None:
        """Return the mean time of a method's structures; None where none was measured."""
        count = self.structures.get(key, 0)
        return self.spent_on(key, STRUCTURES) / count if count else None

    def left(self, key: Key, phase: str) -> float:
        """Return what is left for a phase, in seconds."""
        most = min(self.budget(key), self.settings.phase_s.get(phase, math.inf))
        return max(most - self.spent_on(key, phase), 0.0)

    def open(self, key: Key, round_number: int, items: Iterable[Item], again: bool) -> list[Item]:
        """Return the items of a round that are not done and for which time is left; `again` ignores what is spent."""
        done = self.done.get((*key, round_number), set())
        return [
            item
            for item in items
            if item not in done
            and item.number < self.ends.get((*key, item.part), math.inf)
            and (again or self.left(key, phase_of(item.part)))
        ]

    def allowance(self, key: Key, round_number: int, phase: str, items: Sequence[Item]) -> Allowance:
        """Return how long a round may take for the items of a phase."""
        protocol = next((PROTOCOLS[PROTOCOL_OF[item.part]] for item in items if phase_of(item.part) == phase), None)
        if protocol is not None and protocol.allowance is not None:
            return protocol.allowance(self, key, round_number, items)
        begin = share(self.settings.budget_s[key[0]], self.spent_on(key, phase), round_number, self.settings.rounds)
        return Allowance(begin, None if begin is None else min(with_grace(begin), self.left(key, phase)))

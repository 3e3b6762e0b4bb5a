"""Which parts of a campaign are done, and how much of each method's time is spent."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from bench.campaign import trajectories
from bench.campaign.plan import share
from bench.campaign.schedule import apart, settled
from bench.campaign.sharing import with_grace
from bench.contract.protocol import ACCURACY, MD, PARTS, SCALING, STRUCTURES, THROUGHPUT, item_of, phase_of, phases
from bench.contract.records import CENSORED, DONE, Record, Trajectory
from bench.contract.settings import Settings
from bench.contract.sizes import Size
from bench.contract.task import Allowance, Item

Key = tuple[str, str]
"""A method and a device."""
ONE_WORKERS_SHARE = 0.7  # of a round of throughput: one after another, and batches; the rest is for several processes
CLEARLY = 1.5  # as a factor of the time that a trajectory had before


class Ledger:
    """The books of a campaign; a method has its full budget for each phase."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.phases = phases(settings.protocols)
        self.done: dict[tuple[str, str, int], set[Item]] = {}
        self.structures: Counter[Key] = Counter()  # measured so far, each visit counts
        self.whole: set[Key] = set()  # methods with a structure that no budget cut off
        self.spent: dict[tuple[str, str, str], float] = {}  # seconds, by method, device and phase
        self.ends: dict[tuple[str, str, str], int] = {}  # the first item of a series that was not done in a round
        self.rounds_begun: dict[Key, int] = {}
        self.round_seconds: dict[Key, float] = {}  # of a round that reached all structures

    def take_up(self, records: Iterable[Record]) -> None:
        """Enter what an earlier session measured, except what will be measured again."""
        too_long = []
        for record in records:
            if item_of(record) is None or (isinstance(record, Trajectory) and self._may_become_longer(record)):
                continue
            if isinstance(record, Size) and record.predicted_ns is not None:
                too_long.append(record)
            else:
                self._enter(record)
        for record in too_long:  # what is left is known only now
            if not self._has_time_now(record):
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

    def _may_become_longer(self, record: Trajectory) -> bool:
        """Return whether a trajectory that was cut off has clearly more time now; it then starts from the beginning."""
        plans = trajectories.trajectories(self.settings.md)
        part = plans[record.trajectory].steps / sum(plan.steps for plan in plans)
        allotted = part * self.budget((record.method, record.device))
        return record.status == CENSORED and allotted > CLEARLY * record.wall_ns / 1e9

    def _has_time_now(self, record: Size) -> bool:
        """Return whether a round's part of the time that is left is enough for a size that was too long."""
        assert record.predicted_ns is not None
        left = self.left((record.method, record.device), SCALING)
        return record.predicted_ns / 1e9 < left / self.settings.rounds

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
        return max(self.budget(key) - self.spent_on(key, phase), 0.0)

    def is_spent(self, key: Key) -> bool:
        """Return whether a method has no time left in any of its phases."""
        return not any(self.left(key, phase) for phase in self.phases)

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
        if phase == MD:
            return Allowance(end_s=self._md_seconds(key, round_number, items))
        if phase == ACCURACY:  # the first round does it all
            seconds = None if self.settings.budget_s[key[0]] is None else self.left(key, phase)
            return Allowance(seconds, seconds)
        budget, spent = self.settings.budget_s[key[0]], self.spent_on(key, phase)
        if phase == THROUGHPUT and budget is not None:
            return Allowance(end_s=self._throughput_seconds(key, round_number, items))
        begin = share(budget, spent, round_number, self.settings.rounds)
        if phase == SCALING:  # a size begins only if it will end in time
            return Allowance(end_s=begin)
        return Allowance(begin, None if begin is None else min(with_grace(begin), self.left(key, phase)))

    def _md_seconds(self, key: Key, round_number: int, items: Sequence[Item]) -> float | None:
        """Return the seconds for a round's trajectories; None: no limit."""
        plans = trajectories.trajectories(self.settings.md)
        now = [plan for plan in plans if Item(MD, plan.trajectory) in items]
        later = [
            plan
            for plan in plans
            if (number := plan.seed % self.settings.rounds) > round_number
            and Item(MD, plan.trajectory) not in self.done.get((*key, number), set())
        ]
        return trajectories.seconds(self.settings.budget_s[key[0]], self.spent_on(key, MD), now, later)

    def _throughput_seconds(self, key: Key, round_number: int, items: Sequence[Item]) -> float:
        """Return the seconds of one worker in a round or, if only they are left, of one point of several processes.

        The points of several processes share what the one worker leaves of the round.
        """
        rounds = self.settings.rounds - round_number
        alone, several = apart([item for item in items if item.part == THROUGHPUT])
        left = self.left(key, THROUGHPUT)
        if alone:
            return ONE_WORKERS_SHARE * left / rounds
        later = (rounds - 1) / (1 - ONE_WORKERS_SHARE)  # the later rounds, in units of this one's rest
        return left / (1 + later) / len(several)

    def seconds_left(self, stopped: Collection[Key]) -> float | None:
        """Return an upper bound on the measuring time that is left; None where a budget has no limit."""
        left = 0.0
        for name in self.settings.methods:
            for device in self.settings.devices:
                key = (name, device)
                rounds = self.settings.rounds - self.rounds_begun.get(key, 0)
                if key in stopped or rounds <= 0:
                    continue
                for phase in self.phases:
                    if phase == ACCURACY and self.rounds_begun.get(key, 0):
                        continue  # it is done in the first round
                    most = rounds * self.round_seconds.get(key, math.inf) if phase == STRUCTURES else math.inf
                    left += min(self.left(key, phase), most)
        return None if left == math.inf else left

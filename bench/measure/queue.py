"""The order in which a worker measures the items of a phase, and which of them it measures again."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Iterator, Sequence
from time import perf_counter_ns

from bench.core.records import FAILED, Record
from bench.core.task import Item
from bench.measure.session import Session
from bench.protocols.relax.record import Relaxation
from bench.protocols.replay.record import Replay

MOST_VISITS = 3
"""Of one structure."""
IN_VAIN = 2
"""Repeats that were disturbed like the first visit, after which nothing is measured again: they do not help here."""
REVISITS_SHARE = 0.2
"""Of the structures measured: where the machine is never quiet, measuring again does not help."""


class Queue:
    """Yields the items of a phase, number by number; after the deadline `begin_ns`, no new number.

    A paced worker asks for its turn before each item. A structure in which its threads waited long for a core is
    measured again, first thing in a later turn. Attribute `is_revisit`: whether the last item yielded is such a one.
    """

    def __init__(self, session: Session, items: Sequence[Item], begin_ns: int | None) -> None:
        self.pace = session.pace
        self.revisits = session.task.revisits
        self.begin_ns = begin_ns
        self.items = collections.deque(items)
        self.again: collections.deque[Item] = collections.deque()
        self.visits: collections.Counter[Item] = collections.Counter()
        self.is_revisit = False
        self._slept_ns = 0
        self._in_vain = 0

    def __iter__(self) -> Iterator[Item]:
        before: int | None = None
        turn: object = None
        while self.items or self.again:
            if self.pace is not None and not self.pace.may_begin():
                return
            new_turn = self.pace is not None and self.pace.turn is not turn
            self.is_revisit = bool(self.again) and (new_turn or not self.items)
            item = self.again.popleft() if self.is_revisit else self.items.popleft()
            turn = self.pace.turn if self.pace is not None else None
            late = self.begin_ns is not None and perf_counter_ns() > self.begin_ns
            if before is not None and item.number != before and late:
                return
            before = item.number
            self.visits[item] += 1
            if self.pace is not None:
                self._slept_ns = self.pace.slept_ns
                self.pace.waiting.begin()
            yield item

    def judged(self, item: Item, record: Record) -> Record:
        """Return the record of the item with its waiting, and without the time in which others had their turns."""
        if self.pace is None or not isinstance(record, Relaxation | Replay):
            return record
        waiting = self.pace.waiting
        waiting.stop()
        visit = self.visits[item]
        if visit > 1:
            self._in_vain = self._in_vain + 1 if waiting.was_long() else 0
            if self._in_vain >= IN_VAIN:
                self.again.clear()
        revisits = sum(self.visits.values()) - len(self.visits) + len(self.again)
        if (
            waiting.was_long()
            and self.revisits
            and record.status != FAILED
            and visit < MOST_VISITS
            and self._in_vain < IN_VAIN
            and revisits < 1 + REVISITS_SHARE * len(self.visits)
        ):
            self.again.append(item)
        return dataclasses.replace(
            record,
            wall_ns=max(record.wall_ns - (self.pace.slept_ns - self._slept_ns), 0),
            waited_ns=waiting.waited_ns,
            stolen_ns=waiting.stolen_ns,
            visit=visit,
        )

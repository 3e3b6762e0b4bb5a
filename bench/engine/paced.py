"""A worker that waits for its turns, and the order in which several take them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from bench.core.failure import Failure
from bench.core.message import Message, Result, Waits
from bench.core.records import Record, Started
from bench.core.turn import Turn
from bench.engine.local import LocalWorker
from bench.errors import BadInput
from bench.results import store

W = TypeVar("W")


class CannotBeMeasured(BadInput):
    """A paced worker failed; `failure` says why, and what it printed is in the file `log`."""

    def __init__(self, name: str, failure: Failure, log: Path) -> None:
        super().__init__(f"{name} cannot be measured: {failure.message}{store.log_told(log, failure)}")
        self.failure = failure


class PacedWorker:
    """Measures when it has its turn and blocks otherwise; `take` is called with each message but those about turns.

    Attributes: `within`, whether it is in the middle of an item; `seconds`, what it measured in its turns so far;
    `ended`, whether it does nothing more.
    """

    def __init__(self, process: LocalWorker, take: Callable[[Message], None]) -> None:
        self.process = process
        self.take = take
        self.within = False
        self.seconds = 0.0
        self.ended = False
        self._messages = process.messages()

    def take_turn(self, turn: Turn) -> None:
        """Let it measure for a turn, and listen until it waits for the next one or has ended."""
        if not self.ended:
            self.process.go(turn)
            self.listen()

    def finish(self) -> None:
        """Let it end, and take its remaining messages."""
        self.process.finish()
        while not self.ended:
            self.listen()

    def listen(self) -> None:
        """Take its messages until it waits for a turn or has ended."""
        for said in self._messages:
            if isinstance(said, Waits):
                self.within = said.within
                self.seconds += said.seconds
                return
            self.take(said)
        self.ended = True

    def failure(self) -> Failure | None:
        """Return why it ended, where that was a failure; None also while it goes on."""
        return self.process.failure() if self.ended else None


class ComparedWorker(PacedWorker):
    """A paced worker of a comparison, which ends with the first failure: it raises CannotBeMeasured.

    `keep` is called with each record. Attributes: `call_seconds`, about what a force call takes; `settings`, what its
    adapter says that really runs.
    """

    def __init__(self, name: str, process: LocalWorker, keep: Callable[[Record], None]) -> None:
        super().__init__(process, self._take)
        self.name = name
        self.keep = keep
        self.call_seconds = 1.0  # a guess, in case no call is made before the first structure
        self.settings: dict[str, Any] = {}

    def _take(self, said: Message) -> None:
        if not isinstance(said, Result):
            return
        record = said.record
        self.keep(record)
        failure = getattr(record, "failure", None)
        if failure is not None:
            raise CannotBeMeasured(self.name, failure, self.process.log)
        if isinstance(record, Started):
            self.settings = record.settings
            calls = [*((record.first_call_ns,) if record.first_call_ns else ()), *record.warmup_ns]
            self.call_seconds = calls[-1] / 1e9 if calls else self.call_seconds

    def listen(self) -> None:
        """Take its records until it waits for its turn or has ended; raises CannotBeMeasured where it failed."""
        super().listen()
        failure = self.failure()
        if failure is not None:
            raise CannotBeMeasured(self.name, failure, self.process.log)


def calls_in(seconds: float, workers: Collection[ComparedWorker]) -> int:
    """Return how many force calls a turn has that takes so many seconds on average over the workers; at least one."""
    return math.ceil(len(workers) * seconds / sum(one.call_seconds for one in workers))


def passes(workers: Sequence[W]) -> Iterator[list[W]]:
    """Yield the order of the turns, pass by pass: A B, B A, B A, A B of two, and so on for more.

    Each second pass goes backwards, so that a drift of the machine favours none of them, and each second pair of passes
    begins with another one, so that none always follows the same.
    """
    for number in itertools.count():
        first = (number // 2) % len(workers) if workers else 0
        order = [*workers[first:], *workers[:first]]
        yield order[::-1] if number % 2 else order

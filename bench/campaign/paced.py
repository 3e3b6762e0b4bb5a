"""A worker that waits for its turn before each force call, or before every few."""

from __future__ import annotations

from collections.abc import Callable

from bench.campaign.local import LocalWorker
from bench.contract.failure import Failure
from bench.contract.message import Result, Waits
from bench.contract.records import Record, Started
from bench.errors import BadInput


class CannotBeMeasured(BadInput):
    """A paced worker failed; `failure` says why."""

    def __init__(self, name: str, failure: Failure) -> None:
        super().__init__(f"{name} cannot be measured: {failure.message}")
        self.failure = failure


class PacedWorker:
    """Measures when it has its turn and waits otherwise; `take` is called with each record."""

    def __init__(self, name: str, process: LocalWorker, take: Callable[[Record], None]) -> None:
        self.name = name
        self.process = process
        self.take = take
        self.messages = process.messages()
        self.call_seconds = 1.0  # a guess, in case no call is made before the first structure

    def take_turn(self, calls: int) -> None:
        """Let it make this many force calls."""
        if not self.process.done:
            self.process.go(calls)
            self.listen()

    def finish(self) -> None:
        """Let it end, and take its remaining messages."""
        self.process.finish()
        while not self.process.done:
            self.listen()

    def listen(self) -> None:
        """Take its records until it waits for its turn or has ended; raises CannotBeMeasured where it failed."""
        for said in self.messages:
            if isinstance(said, Waits):
                return
            if not isinstance(said, Result):
                continue
            record = said.record
            self.take(record)
            failure = getattr(record, "failure", None)
            if failure is not None:
                raise CannotBeMeasured(self.name, failure)
            if isinstance(record, Started):
                calls = [*((record.first_call_ns,) if record.first_call_ns else ()), *record.warmup_ns]
                self.call_seconds = calls[-1] / 1e9 if calls else self.call_seconds
        failure = self.process.failure()
        if failure is not None:
            raise CannotBeMeasured(self.name, failure)

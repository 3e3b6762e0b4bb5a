"""A worker that waits for its turn before each force call, or before each few of them."""

from __future__ import annotations

from collections.abc import Callable

from bench.campaign.local import LocalWorker
from bench.contract.records import Finished, Record, Started, from_json
from bench.errors import BadInput


class PacedWorker:
    """Measures while it has its turn, and waits otherwise; `take` is called with each record."""

    def __init__(self, name: str, process: LocalWorker, take: Callable[[Record], None]) -> None:
        self.name = name
        self.process = process
        self.take = take
        self.messages = process.messages()
        self.call_seconds = 1.0  # where no call is made before the first structure
        self.ended = False
        """All structures are measured."""

    def take_turn(self, calls: int) -> None:
        """Let it make so many force calls."""
        if not self.ended:
            self.process.go(calls)
            self.listen()

    def finish(self) -> None:
        """Let it end, and take what it still has to say."""
        self.process.finish()
        while not self.ended:
            self.listen()

    def listen(self) -> None:
        """Write its records until it waits for its turn or has ended; raises BadInput where it failed."""
        for line in self.messages:
            if line.startswith(b'{"waits"'):
                return
            if line.startswith(b'{"beat"'):
                continue
            record = from_json(line)
            self.take(record)
            failure = getattr(record, "failure", None)
            if failure is not None:
                raise BadInput(f"{self.name} cannot be measured: {failure.message}")
            if isinstance(record, Started):
                calls = [*((record.first_call_ns,) if record.first_call_ns else ()), *record.warmup_ns]
                self.call_seconds = calls[-1] / 1e9 if calls else self.call_seconds
            self.ended = self.ended or isinstance(record, Finished)
        failure = self.process.failure()
        if failure is not None or not self.ended:
            raise BadInput(f"{self.name} cannot be measured: {failure.message if failure else 'it ended too early'}")

"""The phases of a round that come after its structures: one worker of one method after another."""

from __future__ import annotations

import time

from bench.core.failure import Failure
from bench.core.message import Beat, Begins, CannotWrite, Phase, Result
from bench.core.records import NotMeasured, Started
from bench.core.task import Item, Task
from bench.engine import schedule, tasks
from bench.engine.one_round import CRASHES_A_ROUND, Round, Shared
from bench.engine.plan import timeout
from bench.engine.side_by_side import SideBySide
from bench.engine.start import start
from bench.protocols import item_of, lost, phase_of
from bench.results import store


class OneByOne:
    """Measures the later phases of a method in a round."""

    def __init__(self, shared: Shared) -> None:
        self.shared = shared

    def round(self, this: Round, several: list[Item]) -> None:
        """Measure what is left of a round, then the points of several processes."""
        if this.items:
            self._workers(this)
        if this.key not in self.shared.stopped:
            self._several(this, several)

    def _several(self, this: Round, items: list[Item]) -> None:
        """Measure the points of several processes."""
        several = SideBySide(self.shared.settings, self.shared.parallel, self.shared.directory)
        for record in several.records(this, items, self.shared.ledger, self._task):
            self.shared.append(record)
            self.shared.ledger.book(record)
            self.shared.progress.measured(record)

    def _workers(self, this: Round) -> None:
        """Run a worker over a round, and another one if an item killed it."""
        for crashes in range(1, CRASHES_A_ROUND + 1):
            task = self._task(this)
            failure = self._one_worker(this, task)
            if failure is None or not this.items:
                break
            if crashes == CRASHES_A_ROUND:
                message = f"{failure.message} (given up after {crashes} crashes)"
                self._give_up(this, task, Failure(failure.kind, message))
            this.items[:] = this.open_items()  # the time for earlier phases is over

    def _task(self, this: Round) -> Task:
        """Return the task of the next worker of a round."""
        phases = {phase_of(item.part) for item in this.items}
        return tasks.measure(
            this.prepared,
            self.shared.settings,
            self.shared.dataset,
            this.items,
            this.number,
            allowances={
                phase: self.shared.ledger.allowance(this.key, this.number, phase, this.items) for phase in phases
            },
            folder=self.shared.directory / "trajectories",
            revisits=self.shared.settings.repeats,
        )

    def _give_up(self, this: Round, task: Task, failure: Failure) -> None:
        """Give up on a phase of this round whose workers keep dying."""
        while items := this.open_items():
            self._lose(this, task, items[0], failure)

    def _lose(self, this: Round, task: Task, item: Item, failure: Failure) -> None:
        """Record what could not be measured; a series ends with it."""
        record = lost(task, item, failure)
        self.shared.ledger.close_series(record)
        left = [one for one in this.items if one not in schedule.settled(record)]
        this.items[:] = self.shared.ledger.open(this.key, this.number, left, again=True)
        self.shared.append(record)
        self.shared.progress.measured(record)

    def _one_worker(self, this: Round, task: Task) -> Failure | None:
        """Run one worker over a round and remove what it measured from the items; returns how it died, if it did."""
        method, device = this.prepared.method, this.prepared.device
        ready = False
        begun: Item | None = None
        since = time.monotonic()
        started = start(
            task,
            this.prepared.environment,
            parallel=self.shared.parallel,
            timeout_s=timeout(self.shared.settings, method.kind),
            memory_limit=self.shared.settings.memory_limit_bytes,
            log=store.log_of(self.shared.directory, method.name, device, this.number),
        )
        with started as worker, self.shared.metering.worker(this.record_key) as metered:
            for said in worker.messages():
                match said:
                    case Beat(number, steps):
                        self.shared.progress.alive(this.key, number, steps)
                    case CannotWrite(why):
                        raise store.cannot_write(self.shared.directory, why)
                    case Begins(part, number):
                        begun = Item(part, number)
                    case Phase(name):
                        metered.begins()
                        this.phase = name
                        since = time.monotonic()
                    case Result(record):
                        metered.reported(record)
                        self.shared.append(record)
                        item = item_of(record)
                        if isinstance(record, Started):
                            ready = True
                        elif isinstance(record, NotMeasured):
                            self.shared.stop(record)
                            this.items.clear()
                        elif item is not None:
                            this.items.remove(item)
                            self.shared.ledger.book(record)
                            self.shared.progress.measured(record)
                            since = time.monotonic()
        failure = worker.failure()
        in_flight = this.open_items()
        if failure is not None and in_flight:
            if ready:  # the item in flight is the cause of its death
                self._lose(this, task, begun if begun in in_flight else in_flight[0], failure)
                self.shared.ledger.spend(this.key, this.phase, time.monotonic() - since)
            else:
                record = NotMeasured(**this.record_key, failure=failure)
                self.shared.append(record)
                self.shared.stop(record)
                this.items.clear()
        return failure

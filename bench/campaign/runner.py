"""Runs a campaign: rounds of fresh workers, interleaved over methods, each result written before the next."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.campaign import schedule, tasks
from bench.campaign.describing import describe
from bench.campaign.ledger import Ledger
from bench.campaign.metering import Metering
from bench.campaign.one_round import Round
from bench.campaign.plan import REPEATS_SHARE, answers_of, order, timeout
from bench.campaign.progress import Progress
from bench.campaign.ready import Ready
from bench.campaign.side_by_side import SideBySide
from bench.campaign.start import start
from bench.contract.description import ParallelSpeed
from bench.contract.device import Device
from bench.contract.failure import Failure
from bench.contract.message import Beat, Begins, CannotWrite, Phase, Result
from bench.contract.protocol import STRUCTURES, item_of, lost
from bench.contract.records import NotMeasured, Record, Started, Watched
from bench.contract.settings import Settings
from bench.contract.task import Item, Task
from bench.data.selection import measuring_order
from bench.data.structures import DataSet
from bench.errors import BadInput
from bench.machine import accelerators
from bench.machine.energy import Meter
from bench.machine.watch import Watch, parallel_speed
from bench.methods.catalogue import Catalogue
from bench.methods.header import Method
from bench.runs import store

CRASHES_A_ROUND = 2  # after so many, the worker gives up the rest of the round


class Campaign:
    """One campaign in one run directory; :meth:`run` measures what is still missing."""

    def __init__(
        self,
        directory: Path,
        settings: Settings,
        catalogue: Catalogue,
        dataset: DataSet,
        progress: Progress,
        parallel: ParallelSpeed,
        meter: Meter | None = None,
    ) -> None:
        self.directory = directory
        self.settings = settings
        self.catalogue = catalogue
        self.dataset = dataset
        self.progress = progress
        self.parallel = parallel
        self.writer: store.RunWriter
        self.ledger = Ledger(settings)
        self.ready = Ready(settings, catalogue, dataset, parallel, progress.say)
        self.stopped: set[tuple[str, str]] = set()
        self.metering = Metering(meter or Meter(settings.devices), self._append)
        self.watch = Watch()
        self.watched: dict[tuple[str, str, int], Watched] = {}
        self.parallel_now: float | None = None
        self.indices = measuring_order(len(dataset.atoms))

    def begin(self) -> None:
        """Make the run directory."""
        count, scratch = len(self.indices[: self.settings.limit]), self.ready.copy()
        energy = self.metering.measure_idle(self.progress.say)
        facts = (self.settings, self.catalogue, self.dataset, self.parallel, count, energy, scratch)
        self.writer = store.create(self.directory, describe(self.directory, *facts), self.dataset)

    def resume(self) -> None:
        """Continue an existing run directory; raises BadInput where it cannot be written."""
        contents = store.read(self.directory)
        self.ready.resume({record.method: record.weights for record in contents.started})
        self.watched = {(record.method, record.device, record.round): record for record in contents.watched}
        self.ledger.take_up(contents.records)
        self.metering.take_up(contents.records)
        try:
            self.writer = store.RunWriter(self.directory)
        except OSError as error:
            raise BadInput(f"cannot write to {self.directory}: {error.strerror}.") from None
        self.metering.measure_idle(self.progress.say)

    def run(self) -> None:
        """Measure all rounds; when the user stops it, everything is written and KeyboardInterrupt is raised."""
        try:
            for round_number in range(self.settings.rounds):
                self.parallel_now = parallel_speed(self.settings.threads)
                for device in self.settings.devices:
                    for name in order(self.settings.methods, round_number + self.settings.order, self.settings.seed):
                        self.one_round(self.catalogue.methods[name], device, round_number)
            self.parallel_now = parallel_speed(self.settings.threads)
            if self.settings.repeats:
                self._measure_again()
        finally:
            self.writer.close()

    def _measure_again(self) -> None:
        """Measure disturbed rounds again, each as a new round, for at most a fifth of the whole budget."""
        budgets = self.settings.budget_s
        shares = [budget for budget in budgets.values() if budget is not None]
        left = REPEATS_SHARE * sum(shares) * len(self.settings.devices) if len(shares) == len(budgets) else math.inf
        repeated = {(record.method, record.device, record.again) for record in self.watched.values()}
        for (name, device, number), record in list(self.watched.items()):
            again = record.disturbed and record.again is None and (name, device, number) not in repeated
            # md alone needs no repeat: a disturbance does not change what a molecule does
            if not again or left <= 0 or (name, device, number) not in self.ledger.measured:
                continue
            next_number = 1 + max(
                self.settings.rounds - 1, *(r for n, d, r in self.watched if (n, d) == (name, device))
            )
            before = self.ledger.spent_on((name, device), STRUCTURES)
            self.progress.say(
                f"{name} on {device}: round {number + 1} is measured again: {'; '.join(record.disturbed)}"
            )
            self.one_round(self.catalogue.methods[name], device, next_number, again=number)
            left -= self.ledger.spent_on((name, device), STRUCTURES) - before

    def one_round(self, method: Method, device: str, round_number: int, again: int | None = None) -> None:
        """Measure one method in one round; `again` is the disturbed round that it repeats."""
        key = (method.name, device)
        self.ledger.rounds_begun[key] = round_number + 1
        if key in self.stopped or (again is None and self.ledger.is_spent(key)):
            return
        prepared = self.ready.of(method, device)
        if isinstance(prepared, Failure):
            self._not_measured(method, device, round_number, prepared)
            return
        planned = schedule.items(self.settings, prepared.weights.mode, self.indices, round_number)
        if again is not None:
            planned = schedule.in_phase(planned, STRUCTURES)
        items = self.ledger.open(key, round_number, planned, again is not None)
        if not items:
            return
        if again is not None:
            allowance = self.ledger.average(key)
        else:
            allowance = self.ledger.allowance(key, round_number, STRUCTURES, items)
        self.progress.begin(method.name, device, round_number, len(items))
        items, several = schedule.apart(items)
        strangers, before = accelerators.processes(Device.parse(device)), self.watch.look()
        spent, count = self.ledger.spent_on(key, STRUCTURES), len(items)
        this = Round(prepared, round_number, items, allowance)
        watch = functools.partial(self.watch.since, before, strangers)
        if items:
            self._workers(this, watch)
        if key not in self.stopped:
            self._several(this, several)
        if not items:
            self.ledger.round_seconds[key] = self.ledger.spent_on(key, STRUCTURES) - spent
        if len(items) < count or several:
            self._note_watched(this, this.watched or watch(), again)
        self.progress.end(self.ledger.seconds_left(self.stopped))

    def _several(self, this: Round, items: list[Item]) -> None:
        """Measure the points of several processes."""
        several = SideBySide(self.settings, self.parallel, self.directory)
        for record in several.records(this, items, self.ledger, self._task):
            self._append(record)
            self.ledger.book(record)
            self.progress.measured(record)

    def _note_watched(self, this: Round, facts: dict[str, Any], again: int | None) -> None:
        """Record what the machine did; in a resumed round, earlier disturbances still count."""
        earlier = self.watched.get((*this.key, this.number))
        if earlier is not None:
            facts["disturbed"] = tuple(dict.fromkeys([*earlier.disturbed, *facts["disturbed"]]))
        record = Watched(**this.record_key, parallel_speed=self.parallel_now, again=again, **facts)
        self._append(record)
        self.watched[*this.key, this.number] = record

    def _workers(self, this: Round, watch: Callable[[], dict[str, Any]]) -> None:
        """Run a worker over a round, and another one if an item killed it; `watch` knows what the machine did since."""
        for crashes in range(1, CRASHES_A_ROUND + 1):
            began = time.monotonic()
            this.phase = STRUCTURES
            task = self._task(this)
            failure = self._one_worker(this, task, watch)
            if failure is None or not this.items:
                break
            if crashes == CRASHES_A_ROUND:
                message = f"{failure.message} (given up after {crashes} crashes)"
                self._give_up(this, task, Failure(failure.kind, message))
            if this.phase == STRUCTURES:
                this.pass_time(time.monotonic() - began)
            else:  # the time for structures is over
                this.items[:] = this.open_items()

    def _task(self, this: Round) -> Task:
        """Return the task of the next worker of a round."""
        later = {schedule.phase_of(item.part) for item in this.items} - {STRUCTURES}
        allowances = {phase: self.ledger.allowance(this.key, this.number, phase, this.items) for phase in later}
        allowances[STRUCTURES] = this.allowance  # less what an earlier worker of the round took
        return tasks.measure(
            this.prepared,
            self.settings,
            self.dataset,
            this.items,
            this.number,
            allowances=allowances,
            answers=answers_of(this.prepared.method.kind, self.indices[: self.settings.limit], this.number),
            folder=self.directory / "trajectories",
        )

    def _give_up(self, this: Round, task: Task, failure: Failure) -> None:
        """Give up on a method whose workers keep dying, or only on a later phase of this round if that kills them."""
        if this.phase == STRUCTURES:
            self._not_measured(this.prepared.method, this.prepared.device, this.number, failure)
            return
        while items := this.open_items():
            self._lose(this, task, items[0], failure)

    def _lose(self, this: Round, task: Task, item: Item, failure: Failure) -> None:
        """Record what could not be measured; a series ends with it."""
        record = lost(task, item, failure)
        self.ledger.close_series(record)
        left = [one for one in this.items if one not in schedule.settled(record)]
        this.items[:] = self.ledger.open(this.key, this.number, left, again=True)
        self._append(record)
        self.progress.measured(record)

    def _one_worker(self, this: Round, task: Task, watch: Callable[[], dict[str, Any]]) -> Failure | None:
        """Run one worker over a round and remove what it measured from the items; returns how it died, if it did."""
        method, device = this.prepared.method, this.prepared.device
        structures = this.structures_left()
        ready = False
        begun: Item | None = None
        since = time.monotonic()
        started = start(
            task,
            this.prepared.environment,
            parallel=self.parallel,
            timeout_s=timeout(self.settings, method.kind),
            memory_limit=self.settings.memory_limit_bytes,
            log=store.log_of(self.directory, method.name, device, this.number),
        )
        with started as worker, self.metering.worker(this.record_key) as metered:
            for said in worker.messages():
                match said:
                    case Beat(number, steps):
                        self.progress.alive(number, steps)
                    case CannotWrite(why):
                        raise store.cannot_write(self.directory, why)
                    case Begins(part, number):
                        begun = Item(part, number)
                    case Phase(name):
                        metered.begins()
                        this.phase = name
                        since = time.monotonic()
                        if name != STRUCTURES and this.structures_left() < structures and this.watched is None:
                            this.watched = watch()
                    case Result(record):
                        metered.reported(record)
                        self._append(record)
                        item = item_of(record)
                        if isinstance(record, Started):
                            ready = True
                        elif isinstance(record, NotMeasured):
                            self._stop(method, device, record.failure)
                            this.items.clear()
                        elif item is not None:
                            this.items.remove(item)
                            self.ledger.book(record)
                            self.progress.measured(record)
                            since = time.monotonic()
        failure = worker.failure()
        in_flight = this.open_items()
        if failure is not None and in_flight:
            if ready:  # the item in flight is the cause of its death
                self._lose(this, task, begun if begun in in_flight else in_flight[0], failure)
                if this.phase != STRUCTURES:
                    self.ledger.spend(this.key, this.phase, time.monotonic() - since)
            else:
                self._not_measured(method, device, this.number, failure)
                this.items.clear()
        return failure

    def _not_measured(self, method: Method, device: str, round_number: int, failure: Failure) -> None:
        self._append(NotMeasured(method.name, device, round_number, failure))
        self._stop(method, device, failure)

    def _stop(self, method: Method, device: str, failure: Failure) -> None:
        """Do not try a method again in this session: the same problem would stop it."""
        self.stopped.add((method.name, device))
        self.progress.say(f"{method.name} on {device}: not measured ({failure.kind}): {failure.message}")

    def _append(self, record: Record) -> None:
        try:
            self.writer.append(record)
        except OSError as error:
            raise store.cannot_write(self.directory, error.strerror) from None

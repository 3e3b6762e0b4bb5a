"""Runs a campaign: rounds of fresh workers, interleaved over methods, each result written before the next."""

from __future__ import annotations

import functools
import json
import math
import time
from collections.abc import Callable
from itertools import filterfalse
from pathlib import Path
from typing import Any

from bench.campaign import launch, todo
from bench.campaign.description import describe
from bench.campaign.ledger import Ledger
from bench.campaign.local import LocalWorker
from bench.campaign.one_round import Round
from bench.campaign.plan import REPEATS_SHARE, fingerprint_of, order, share, timeout
from bench.campaign.progress import Progress
from bench.campaign.ready import Ready
from bench.campaign.todo import Item, Measured
from bench.contract.failure import Failure
from bench.contract.records import NotMeasured, Record, Started, Watched, from_json
from bench.contract.settings import Settings
from bench.data.structures import DataSet, measuring_order
from bench.errors import BadInput
from bench.machine.watch import Watch, gpu_processes, parallel_speed
from bench.methods.catalogue import Catalogue
from bench.methods.header import Method
from bench.runs import store

DEATHS_A_ROUND = 2  # so many structures may kill a worker before its round is given up


class Campaign:
    """One campaign in one run directory; :meth:`run` measures what is not measured yet."""

    def __init__(
        self,
        directory: Path,
        settings: Settings,
        catalogue: Catalogue,
        dataset: DataSet,
        progress: Progress,
        parallel: dict[str, Any],
    ) -> None:
        self.directory = directory
        self.settings = settings
        self.catalogue = catalogue
        self.dataset = dataset
        self.progress = progress
        self.parallel = parallel
        self.writer: store.RunWriter
        self.ledger = Ledger(settings)
        symbols = set(dataset.reference.get_chemical_symbols())
        self.ready = Ready(settings, catalogue, symbols, progress.say)
        self.stopped: set[tuple[str, str]] = set()
        self.watch = Watch()
        self.watched: dict[tuple[str, str, int], Watched] = {}
        self.parallel_now: float | None = None
        self.all_indices = measuring_order(len(dataset.atoms))
        self.indices = self.all_indices[: settings.limit]

    def begin(self) -> None:
        """Make the run directory."""
        campaign = describe(
            self.directory, self.settings, self.catalogue, self.dataset, self.parallel, len(self.indices)
        )
        self.writer = store.create(self.directory, campaign, self.dataset)

    def resume(self) -> None:
        """Take up an existing run directory; raises BadInput where it cannot be written."""
        contents = store.read(self.directory)
        self.ready.begun_with = {record.method: record.weights for record in contents.started}
        self.watched = {(record.method, record.device, record.round): record for record in contents.watched}
        for records in (contents.relaxations, contents.replays, contents.symmetries, contents.trajectories):
            self.ledger.take_up(records)
        try:
            self.writer = store.RunWriter(self.directory)
        except OSError as error:
            raise BadInput(f"cannot write to {self.directory}: {error.strerror}.") from None

    def run(self) -> None:
        """Measure all rounds; raises KeyboardInterrupt when the user stops it, with everything written."""
        try:
            for round_number in range(self.settings.rounds):
                self.parallel_now = parallel_speed(self.settings.threads)
                for device in self.settings.devices:
                    for name in order(self.settings.methods, round_number, self.settings.seed):
                        self._one_round(self.catalogue.methods[name], device, round_number)
            self.parallel_now = parallel_speed(self.settings.threads)
            if self.settings.repeats:
                self._measure_again()
        finally:
            self.writer.close()

    def _measure_again(self) -> None:
        """Measure disturbed rounds once more, each as a round of its own, for a fifth of the whole budget at most."""
        budgets = self.settings.budget_s
        shares = [budget for budget in budgets.values() if budget is not None]
        left = REPEATS_SHARE * sum(shares) * len(self.settings.devices) if len(shares) == len(budgets) else math.inf
        repeated = {(record.method, record.device, record.again) for record in self.watched.values()}
        for (name, device, number), record in list(self.watched.items()):
            again = record.disturbed and record.again is None and (name, device, number) not in repeated
            # of dynamics alone there is nothing to repeat: what a molecule does, nothing disturbs
            if not again or left <= 0 or (name, device, number) not in self.ledger.measured:
                continue
            next_number = 1 + max(
                self.settings.rounds - 1, *(r for n, d, r in self.watched if (n, d) == (name, device))
            )
            before = self.ledger.structures.get((name, device), 0.0)
            self.progress.say(
                f"{name} on {device}: round {number + 1} is measured again: {'; '.join(record.disturbed)}"
            )
            self._one_round(self.catalogue.methods[name], device, next_number, again=number)
            left -= self.ledger.structures.get((name, device), 0.0) - before

    def _one_round(self, method: Method, device: str, round_number: int, again: int | None = None) -> None:
        key = (method.name, device)
        self.ledger.rounds_begun[key] = round_number + 1
        if key in self.stopped or (again is None and self.ledger.is_spent(key)):
            return
        prepared = self.ready.of(method, device)
        if isinstance(prepared, Failure):
            self._not_measured(method, device, round_number, prepared)
            return
        weights_mode = prepared[1].mode
        items = self.ledger.structures_left(key, round_number, weights_mode, self.indices, again is not None)
        if again is None:
            items += self.ledger.dynamics_left(key, round_number, weights_mode, self.all_indices)
        if not items:
            return
        if again is None:
            allotted = self.ledger.share(key, round_number)
            left = None if allotted is None else self.ledger.left(key)
        else:  # as long as a round has on the average
            allotted = left = share(self.settings.budget_s[method.name], 0.0, 0, self.settings.rounds)
        self.progress.begin(method.name, device, round_number, len(items))
        strangers, before = gpu_processes(device), self.watch.look()
        spent, planned = self.ledger.structures.get(key, 0.0), len(items)
        this = Round(method, device, round_number, *prepared, items, allotted, left)
        watch = functools.partial(self.watch.since, before, strangers)
        self._workers(this, watch)
        if not items:
            self.ledger.round_seconds[key] = self.ledger.structures.get(key, 0.0) - spent
        if len(items) < planned:
            facts = this.watched or watch()
            earlier = self.watched.get((*key, round_number))  # a resumed round was watched before
            if earlier is not None:
                facts["disturbed"] = tuple(dict.fromkeys([*earlier.disturbed, *facts["disturbed"]]))
            record = Watched(*key, round_number, parallel_speed=self.parallel_now, again=again, **facts)
            self._append(record)
            self.watched[*key, round_number] = record
        self.progress.end(self.ledger.seconds_left(self.stopped))

    def _workers(self, this: Round, watch: Callable[[], dict[str, Any]]) -> None:
        """Run a worker over a round, and another one where the first was killed by what it measured.

        `watch` tells what the machine did since the round began.
        """
        for deaths in range(1, DEATHS_A_ROUND + 1):
            began = time.monotonic()
            this.simulates = False
            failure = self._one_worker(this, watch)
            if failure is None or not this.items:
                break
            if deaths == DEATHS_A_ROUND:
                message = f"{failure.message} ({deaths} workers died of it, the rest was given up)"
                self._give_up(this, Failure(failure.kind, message))
            if this.simulates:  # structures have had their time
                this.items[:] = filter(todo.is_dynamics, this.items)
            else:
                this.pass_time(time.monotonic() - began)

    def _give_up(self, this: Round, failure: Failure) -> None:
        """End a method of which worker after worker dies; where dynamics kills them, only that of this round."""
        if not this.simulates:
            self._not_measured(this.method, this.device, this.number, failure)
            return
        for item in list(filter(todo.is_dynamics, this.items)):
            self._lose(this, item, failure)

    def _lose(self, this: Round, item: Item, failure: Failure) -> None:
        """Record what could not be measured."""
        this.items.remove(item)
        lost = todo.lost(self.settings, this.method, this.device, this.number, item, failure)
        self._append(lost)
        self.progress.measured(lost)

    def _one_worker(self, this: Round, watch: Callable[[], dict[str, Any]]) -> Failure | None:
        """Run one worker over a round and take what it measured out of its items; returns how it died, if it did."""
        method, items = this.method, this.items
        planned = len(items)
        worker = LocalWorker(
            launch.command(this.environment),
            launch.variables(self.settings, this.device, self.parallel),
            launch.task(
                method,
                self.catalogue.header(method),
                this.device,
                this.number,
                self.settings,
                this.environment,
                this.weights,
                launch.structures(self.dataset, filterfalse(todo.is_dynamics, items), self.settings.replay_points),
                self.dataset.reference,
                this.allotted,
                this.left,
                fingerprint=fingerprint_of(method.kind, self.indices, this.number),
                md=this.dynamics(self.settings, self.dataset, self.ledger, self.directory),
            ),
            self.directory / "logs" / f"{method.name}-{this.device.replace(':', '')}-round{this.number}.log",
            timeout(self.settings, method.kind),
            self.settings.memory_limit_bytes,
        )
        ready = False
        since = time.monotonic()
        try:
            for line in worker.messages():
                if line.startswith(b'{"begins"'):
                    this.simulates = True
                    since = time.monotonic()
                    if len(list(filter(todo.is_dynamics, items))) < planned:
                        this.watched = watch()
                    continue
                if line.startswith(b'{"beat"'):
                    self.progress.alive(**json.loads(line)["beat"])
                    continue
                record = from_json(line)
                self._append(record)
                if isinstance(record, Started):
                    ready = True
                elif isinstance(record, Measured):
                    items.remove(todo.item(record))
                    self.ledger.book(record)
                    self.progress.measured(record)
                    since = time.monotonic()
                elif isinstance(record, NotMeasured):
                    self._stop(method, this.device, record.failure)
                    items.clear()
        finally:
            worker.stop()
        failure = worker.failure()
        # structures that were not reached are still there when dynamics has begun
        open_items = list(filter(todo.is_dynamics, items)) if this.simulates else items
        if failure is not None and open_items:
            if ready:  # what was in flight is what it died of
                self._lose(this, open_items[0], failure)
                if this.simulates:
                    self.ledger.dynamics[this.key] = self.ledger.dynamics.get(this.key, 0.0) + time.monotonic() - since
            else:
                self._not_measured(method, this.device, this.number, failure)
                items.clear()
        return failure

    def _not_measured(self, method: Method, device: str, round_number: int, failure: Failure) -> None:
        self._append(NotMeasured(method.name, device, round_number, failure))
        self._stop(method, device, failure)

    def _stop(self, method: Method, device: str, failure: Failure) -> None:
        """Do not try a method again in this session: what stood in its way will still be there."""
        self.stopped.add((method.name, device))
        self.progress.say(f"{method.name} on {device}: not measured ({failure.kind}): {failure.message}")

    def _append(self, record: Record) -> None:
        try:
            self.writer.append(record)
        except OSError as error:
            raise BadInput(
                f"cannot write to {self.directory}: {error.strerror}; what was measured before is kept, "
                f"continue with --resume {self.directory.name}."
            ) from None

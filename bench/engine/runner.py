"""Runs a campaign: rounds of fresh workers, each result written before the next.

The structures of a round are measured in turns (:mod:`bench.engine.in_turns`); then each method has its other
phases, one method after another.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from bench.core.description import ParallelSpeed
from bench.core.device import Device
from bench.core.failure import Failure
from bench.core.protocol import STRUCTURES, Key
from bench.core.records import Finished, NotMeasured, Record, Started, Watched
from bench.core.settings import Settings
from bench.core.task import Allowance, Item
from bench.data.structures import DataSet
from bench.engine import forecast, schedule, sharing
from bench.engine.describing import describe
from bench.engine.in_turns import InTurns, Seat
from bench.engine.ledger import Ledger
from bench.engine.metering import Metering
from bench.engine.one_by_one import OneByOne
from bench.engine.one_round import Round, Shared
from bench.engine.plan import order
from bench.engine.progress import Progress
from bench.engine.ready import Ready
from bench.engine.sharing import UNKNOWN_MEMORY_MB
from bench.engine.spinning import settled
from bench.environments.catalogue import Catalogue
from bench.environments.header import Method
from bench.errors import BadInput
from bench.machine import accelerators
from bench.machine.energy import Meter
from bench.machine.watch import Watch, parallel_speed
from bench.protocols import PHASES, phase_of
from bench.results import store

MEMORY_SHARE = 0.9
"""Of the free memory, for the workers of a round together: what they share of their libraries counts for each."""
LATER = tuple(phase for phase in PHASES if phase != STRUCTURES)
Widths = Callable[[], Mapping[Key, float]]
"""How wide the methods' ratios to a reference are so far: the half-width of each log ratio, 0 for the reference."""


class Campaign:
    """One campaign in one run directory; :meth:`run` measures what is still missing.

    `widths` tells which ratios are still wide, where the settings leave the number of rounds to the campaign.
    """

    def __init__(
        self,
        directory: Path,
        settings: Settings,
        catalogue: Catalogue,
        dataset: DataSet,
        progress: Progress,
        parallel: ParallelSpeed,
        meter: Meter | None = None,
        widths: Widths = dict,
    ) -> None:
        self.directory = directory
        self.settings = settings
        self.catalogue = catalogue
        self.dataset = dataset
        self.progress = progress
        self.parallel = parallel
        self.widths = widths
        self.writer: store.RunWriter
        self.ledger = Ledger.of(settings, catalogue.methods, dataset)
        self.forecast = forecast.of(settings, catalogue.methods)
        self.ready = Ready(settings, catalogue, dataset, parallel, progress.say)
        self.stopped: set[Key] = set()
        self.metering = Metering(meter or Meter(settings.devices), self._append)
        self.watch = Watch()
        self.watched: dict[tuple[str, str, int], Watched] = {}
        self.parallel_now: float | None = None
        self.indices = list(dataset.order)
        shared = Shared(
            directory,
            settings,
            dataset,
            parallel,
            self.ledger,
            self.metering,
            progress,
            self._append,
            self._stop,
            self.stopped,
        )
        self.in_turns = InTurns(shared)
        self.one_by_one = OneByOne(shared)
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

    def begin(self) -> None:
        """Make the run directory."""
        count, scratch = len(self.indices[: self.settings.limit]), self.ready.copy()
        self._settle(settled(self.ready, self.progress.say))
        energy = self.metering.measure_idle(self.progress.say)
        facts = (self.settings, self.catalogue, self.dataset, self.parallel, count, energy, scratch)
        self.writer = store.create(self.directory, describe(self.directory, *facts), self.dataset)

    def _settle(self, parallel: ParallelSpeed | None) -> None:
        """Let all workers wait for their turns in a core in the way that was found to be better."""
        if parallel is None:
            return
        self.parallel = self.ready.parallel = parallel
        shared = dataclasses.replace(self.in_turns.shared, parallel=parallel)
        self.in_turns, self.one_by_one = InTurns(shared), OneByOne(shared)

    def resume(self) -> None:
        """Continue an existing run directory; raises BadInput where it cannot be written."""
        contents = store.read(self.directory)
        self.ready.resume({record.method: record.weights for record in contents.started})
        self.watched = {(record.method, record.device, record.round): record for record in contents.watched}
        self.ledger.take_up(contents.records)
        self.metering.take_up(contents.records)
        for record in contents.records:
            self._learn(record)
        self.elapsed_s = self.ledger.all_spent(STRUCTURES) + sum(map(_start_seconds, contents.started))
        self.short_s = sum(map(self.ledger.all_spent, self.settings.phase_s))
        try:
            self.writer = store.RunWriter(self.directory)
        except OSError as error:
            raise BadInput(f"cannot write to {self.directory}: {error.strerror}.") from None
        self.metering.measure_idle(self.progress.say)

    def run(self) -> None:
        """Measure all rounds; when the user stops it, everything is written and KeyboardInterrupt is raised."""
        every = [(name, device) for device in self.settings.devices for name in self.settings.methods]
        begun = 1 + max((number for *_, number in self.watched), default=-1)
        try:
            for number in itertools.count():
                keys = every
                if number >= self.settings.rounds:
                    # where a run goes on, its further rounds are not looked at again
                    keys = self._one_more(every, number) if number >= begun else []
                    if number >= begun and not keys:
                        break
                self.parallel_now = parallel_speed(self.settings.threads)
                if STRUCTURES in self.ledger.phases and keys:
                    self.structures(keys, number)
                if number < self.settings.rounds:
                    for key in self._in_order(every, number):
                        self.later_phases(self.catalogue.methods[key[0]], key[1], number)
        finally:
            self.writer.close()

    def _in_order(self, keys: Sequence[Key], number: int) -> list[Key]:
        """Return methods in the order of a round, device by device."""
        names = order(self.settings.methods, number + self.settings.order, self.settings.seed)
        return [(name, device) for device in self.settings.devices for name in names if (name, device) in keys]

    def _one_more(self, every: Sequence[Key], number: int) -> list[Key]:
        """Return the methods of a round after the planned ones; none where the campaign is at its end."""
        self.companions = []
        if self.owed:
            key = next((one for one in self.owed if one in self.alone), None)
            owed = [key] if key else list(self.owed)
            self.owed = [one for one in self.owed if one not in owed]
            self.companions = [] if key else self._companions([one for one in every if one not in owed])
            return [*owed, *self.companions]
        total = self._total_s()
        if total is None or number >= sharing.MOST_ROUNDS:
            return []
        costs = {
            key: cost
            for key in every
            if key not in self.stopped and self.ledger.left(key, STRUCTURES) and (cost := self._cost(key)) is not None
        }
        return sharing.chosen(costs, self.widths(), total - self.elapsed_s)

    def _total_s(self) -> float | None:
        """Return the seconds for the structures of all methods; None where each has a budget of its own."""
        return None if self.settings.total_s is None else max(self.settings.total_s - self.short_s, 0.0)

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
        return self.start_s[key] + sharing.best_seconds(self.start_s[key], item_s)

    def _share(self, key: Key, number: int, items: Sequence[Item]) -> Allowance:
        """Return how long a method may measure structures in a round."""
        total, left = self._total_s(), self.ledger.left(key, STRUCTURES)
        planned = self.ledger.allowance(key, number, STRUCTURES, items)
        if total is None or planned.begin_s is None:
            return planned
        cost = self._cost(key)
        if cost is None:
            seconds = sharing.FIRST_SECONDS
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

    def structures(self, keys: Sequence[Key], number: int) -> None:
        """Measure the structures of a round in turns, with as many methods as fit into memory."""
        seats = [seat for key in self._in_order(keys, number) if (seat := self._seat(key, number)) is not None]
        # in the order of the keys: whoever had to wait is first
        needs = {seat.key: self._memory_of(seat) for seat in sorted(seats, key=lambda seat: keys.index(seat.key))}
        fit = sharing.fitting(needs, MEMORY_SHARE * available_memory())
        if len(fit) < len(seats):
            late = [key for key in needs if key not in fit and key not in self.companions]
            self.owed += late
            if late:
                self.progress.say(
                    f"round {number + 1}: {', '.join(name for name, _ in late)} would not fit into memory with the "
                    "others; measured in a later round"
                )
            seats = [seat for seat in seats if seat.key in fit]
        if self.settings.total_s is not None:  # whoever gets a later round is owed none besides
            self.owed = [key for key in self.owed if key not in {seat.key for seat in seats}]
        if not seats:
            return
        for key in {*keys} - {seat.key for seat in seats}:
            self.forecast.skip((key, STRUCTURES))
        strangers = {seat.key[1]: accelerators.processes(Device.parse(seat.key[1])) for seat in seats}
        before = self.watch.look()
        began = time.monotonic()

        def warm() -> None:
            nonlocal before
            before = self.watch.look()

        self.progress.begin([seat.key for seat in seats], number, sum(len(seat.this.items) for seat in seats))
        try:
            self.in_turns.round(seats, warm)
        finally:
            took = time.monotonic() - began
            self.elapsed_s += took
            parts = {seat.key: (seat.started_s or 0.0) + seat.used_s for seat in seats}
            scale = took / (sum(parts.values()) or 1.0)  # what nobody used is shared
            for seat in seats:
                self.forecast.add((seat.key, STRUCTURES), scale * parts[seat.key], scale * (seat.started_s or 0.0))
            facts = {device: self.watch.since(before, others) for device, others in strangers.items()}
            for seat in seats:
                if seat.counted:
                    self._note_watched(seat.this, dict(facts[seat.key[1]]))
        for seat in seats:
            if seat.started_s is not None:
                self.start_s[seat.key] = seat.started_s
            if seat.squeezed:
                self.alone.add(seat.key)
                self.owed.append(seat.key)
                self.progress.say(f"{seat.key[0]} on {seat.key[1]}: too little memory beside the others; again, alone")
        self._ended()

    def _ended(self) -> None:
        """Report that a round ended, and what is left."""
        known = self.settings.total_s is None  # otherwise there are as many rounds as the time allows
        self.progress.end(self._seconds_left(), self.forecast.done, self.forecast.jobs if known else None)

    def _seat(self, key: Key, number: int) -> Seat | None:
        """Return a method's seat in a round; None where it has nothing to measure, or cannot."""
        if key in self.stopped or not self.ledger.left(key, STRUCTURES):
            return None
        if self.settings.total_s is not None and (*key, number) in self.watched:
            return None  # a run that goes on makes new rounds
        method, device = self.catalogue.methods[key[0]], key[1]
        prepared = self.ready.of(method, device)
        if isinstance(prepared, Failure):
            self._not_measured(method, device, number, prepared)
            return None
        planned = [
            item
            for item in schedule.items(self.settings, prepared.weights.mode, self.indices, number, (STRUCTURES,))
            if not prepared.left_out.has(item)
        ]
        items = self.ledger.open(key, number, planned, again=False)
        return Seat(Round(prepared, number, items, self._share(key, number, items))) if items else None

    def _memory_of(self, seat: Seat) -> float:
        """Return the memory that a method's worker will need, in bytes: the last peak, or what its header says."""
        return self.memory.get(seat.key) or 1e6 * (seat.this.prepared.method.memory_mb or UNKNOWN_MEMORY_MB)

    def _seconds_left(self) -> float | None:
        total = self._total_s()
        left = self.forecast.left() if total is None else max(total - self.elapsed_s, 0.0)
        return None if left == math.inf else left

    def later_phases(self, method: Method, device: str, round_number: int) -> None:
        """Measure the phases of one method in one round that come after the structures."""
        key = (method.name, device)
        if key in self.stopped or not any(self.ledger.left(key, phase) for phase in self.ledger.phases):
            return
        if not set(self.ledger.phases) & set(LATER):
            return
        prepared = self.ready.of(method, device)
        if isinstance(prepared, Failure):
            self._not_measured(method, device, round_number, prepared)
            return
        planned = [
            item
            for item in schedule.items(self.settings, prepared.weights.mode, self.indices, round_number, LATER)
            if not prepared.left_out.has(item)
        ]
        items = self.ledger.open(key, round_number, planned, again=False)
        if not items:
            self.forecast.skip((key, forecast.LATER))
            return
        self.progress.begin([key], round_number, len(items))
        items, several = schedule.apart(items)
        strangers, before = accelerators.processes(Device.parse(device)), self.watch.look()
        this = Round(prepared, round_number, items, Allowance(), phase=phase_of((items or several)[0].part))
        began = time.monotonic()
        self.one_by_one.round(this, several)
        took = time.monotonic() - began
        self.forecast.add((key, forecast.LATER), took)
        if this.phase in self.settings.phase_s:
            self.short_s += took
        if (*key, round_number) not in self.watched:
            self._note_watched(this, self.watch.since(before, strangers))
        self._ended()

    def _note_watched(self, this: Round, facts: dict[str, Any]) -> None:
        """Record what the machine did; in a resumed round, earlier disturbances still count."""
        earlier = self.watched.get((*this.key, this.number))
        if earlier is not None:
            facts["disturbed"] = tuple(dict.fromkeys([*earlier.disturbed, *facts["disturbed"]]))
        record = Watched(**this.record_key, parallel_speed=self.parallel_now, **facts)
        self._append(record)
        self.watched[*this.key, this.number] = record

    def _not_measured(self, method: Method, device: str, round_number: int, failure: Failure) -> None:
        record = NotMeasured(method.name, device, round_number, failure)
        self._append(record)
        self._stop(record)

    def _stop(self, record: NotMeasured) -> None:
        """Do not try a method again in this session: the same problem would stop it."""
        self.stopped.add((record.method, record.device))
        self.forecast.drop((record.method, record.device))
        failure = record.failure
        where = store.log_told(store.log_of(self.directory, record.method, record.device, record.round), failure)
        self.progress.say(
            f"{record.method} on {record.device}: not measured ({failure.kind}): {failure.message}{where}"
        )

    def _append(self, record: Record) -> None:
        try:
            self.writer.append(record)
        except OSError as error:
            raise store.cannot_write(self.directory, error.strerror) from None
        self._learn(record)

    def _learn(self, record: Record) -> None:
        """Note what later rounds are planned by."""
        key = (record.method, record.device)
        match record:
            case Started():
                self.start_s.setdefault(key, _start_seconds(record))
            case Finished() if record.peak_memory_bytes:
                self.memory[key] = max(record.peak_memory_bytes, self.memory.get(key, 0))


def available_memory() -> int:
    """Return the bytes that can still be used without swapping."""
    return int(psutil.virtual_memory().available)


def _start_seconds(record: Started) -> float:
    """Return what a worker took before it was ready, in seconds."""
    return (record.import_ns + record.load_ns + (record.first_call_ns or 0) + sum(record.warmup_ns)) / 1e9

"""Runs a campaign: rounds of fresh workers, each result written before the next.

The structures of a round are measured in turns (:mod:`bench.engine.in_turns`); then each method has its other
phases, one method after another.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from bench.core.description import ParallelSpeed
from bench.core.device import Device
from bench.core.failure import Failure
from bench.core.protocol import STRUCTURES, Key
from bench.core.records import NotMeasured, Record, Watched
from bench.core.settings import Settings
from bench.core.task import Allowance
from bench.data.structures import DataSet
from bench.engine import forecast, schedule
from bench.engine.describing import describe
from bench.engine.in_turns import InTurns, Seat
from bench.engine.ledger import Ledger
from bench.engine.metering import Metering
from bench.engine.one_by_one import OneByOne
from bench.engine.one_round import Round, Shared
from bench.engine.planner import Planner, Widths
from bench.engine.progress import Progress
from bench.engine.ready import Ready
from bench.engine.spinning import settled
from bench.environments.catalogue import Catalogue
from bench.environments.header import Method
from bench.errors import BadInput
from bench.machine import accelerators
from bench.machine.energy import Meter
from bench.machine.watch import Watch, parallel_speed
from bench.protocols import PHASES, phase_of
from bench.results import store

LATER = tuple(phase for phase in PHASES if phase != STRUCTURES)


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
        self.writer: store.RunWriter
        self.ledger = Ledger.of(settings, catalogue.methods, dataset)
        self.forecast = forecast.of(settings, catalogue.methods)
        self.ready = Ready(settings, catalogue, dataset, parallel, progress.say)
        self.metering = Metering(meter or Meter(settings.devices), self._append)
        self.planner = Planner(settings, self.ledger, widths, metered=self.metering.possible)
        self.watch = Watch()
        self.watched: dict[tuple[str, str, int], Watched] = {}
        self.parallel_now: float | None = None
        self.indices = list(dataset.order)
        self.shared = Shared(
            directory,
            settings,
            dataset,
            parallel,
            self.ledger,
            self.metering,
            progress,
            self._append,
            self._stop,
            self.planner.stopped,
        )
        self.in_turns = InTurns(self.shared)
        self.one_by_one = OneByOne(self.shared)

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
        self.parallel = self.ready.parallel = self.shared.parallel = parallel

    def resume(self) -> None:
        """Continue an existing run directory; raises BadInput where it cannot be written."""
        contents = store.read(self.directory)
        self.ready.resume({record.method: record.weights for record in contents.started})
        self.watched = {(record.method, record.device, record.round): record for record in contents.watched}
        self.ledger.take_up(contents.records)
        self.metering.take_up(contents.records)
        self.planner.take_up(contents.records)
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
                    keys = self.planner.one_more(every, number) if number >= begun else []
                    if number >= begun and not keys:
                        break
                self.parallel_now = parallel_speed(self.settings.threads)
                if STRUCTURES in self.ledger.phases and keys:
                    self.structures(keys, number)
                if number < self.settings.rounds:
                    for key in self.planner.in_order(every, number):
                        self.later_phases(self.catalogue.methods[key[0]], key[1], number)
        finally:
            self.writer.close()

    def structures(self, keys: Sequence[Key], number: int) -> None:
        """Measure the structures of a round in turns, with as many methods as fit into memory."""
        seats = [seat for key in self.planner.in_order(keys, number) if (seat := self._seat(key, number)) is not None]
        seats = self._fitting(seats, keys, number)
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
            self._took(seats, time.monotonic() - began)
            facts = {device: self.watch.since(before, others) for device, others in strangers.items()}
            for seat in seats:
                if seat.counted:
                    self._note_watched(seat.this, dict(facts[seat.key[1]]))
        self._ended()

    def _took(self, seats: Sequence[Seat], seconds: float) -> None:
        """Note what a round of structures took, in wall-clock seconds, and what that says of the next one."""
        self.planner.elapsed_s += seconds
        parts = {seat.key: (seat.started_s or 0.0) + seat.used_s for seat in seats}
        scale = seconds / (sum(parts.values()) or 1.0)  # what nobody used is shared
        for seat in seats:
            self.forecast.add((seat.key, STRUCTURES), scale * parts[seat.key], scale * (seat.started_s or 0.0))
            if seat.started_s is not None:
                self.planner.start_s[seat.key] = seat.started_s
            if seat.squeezed:
                self.planner.squeezed(seat.key)
                self.progress.say(f"{seat.key[0]} on {seat.key[1]}: too little memory beside the others; again, alone")

    def _fitting(self, seats: Sequence[Seat], keys: Sequence[Key], number: int) -> list[Seat]:
        """Return the seats that fit into memory together; the others are owed a round."""
        # in the order of the keys: whoever had to wait is first
        ordered = sorted(seats, key=lambda seat: keys.index(seat.key))
        methods = {seat.key: seat.this.prepared.method for seat in ordered}
        fit = self.planner.fitting(methods, available_memory())
        late = [key[0] for key in methods if key not in fit and key in self.planner.owed]
        if late:
            self.progress.say(
                f"round {number + 1}: {', '.join(late)} would not fit into memory with the others; measured in a later "
                "round"
            )
        return [seat for seat in seats if seat.key in fit]

    def _ended(self) -> None:
        """Report that a round ended, and what is left."""
        known = self.settings.total_s is None  # otherwise there are as many rounds as the time allows
        self.progress.end(self._seconds_left(), self.forecast.done, self.forecast.jobs if known else None)

    def _seat(self, key: Key, number: int) -> Seat | None:
        """Return a method's seat in a round; None where it has nothing to measure, or cannot."""
        if key in self.planner.stopped or not self.ledger.left(key, STRUCTURES):
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
        return Seat(Round(prepared, number, items, self.planner.share(key, number, items))) if items else None

    def _seconds_left(self) -> float | None:
        total = self.planner.total_s
        left = self.forecast.left() if total is None else max(total - self.planner.elapsed_s, 0.0)
        return None if left == math.inf else left

    def later_phases(self, method: Method, device: str, round_number: int) -> None:
        """Measure the phases of one method in one round that come after the structures."""
        key = (method.name, device)
        if key in self.planner.stopped or not any(self.ledger.left(key, phase) for phase in self.ledger.phases):
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
            self.planner.short_s += took
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
        self.planner.stopped.add((record.method, record.device))
        self.forecast.drop((record.method, record.device))
        failure = record.failure
        where = store.log_told(store.log_of(self.directory, record.method, record.device, record.round), failure)
        self.progress.say(
            f"{record.method} on {record.device}: not measured ({failure.kind}): {failure.message.rstrip('.')}{where}"
        )

    def _append(self, record: Record) -> None:
        try:
            self.writer.append(record)
        except OSError as error:
            raise store.cannot_write(self.directory, error.strerror) from None
        self.planner.learn(record)


def available_memory() -> int:
    """Return the bytes that can still be used without swapping."""
    return int(psutil.virtual_memory().available)

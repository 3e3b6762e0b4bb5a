"""Measures two versions of a method in turn, A B B A, on one machine, until they are told apart or the time is over.

A round is a fresh process of each. Both are loaded and warm before the first structure, and then one makes a force call
while the other waits, and the other way round, along the same paths. What the machine does meanwhile it does to both,
so that their ratio is steady where their times are not.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import store
from bench.adapter import Method
from bench.campaign import launch, weights
from bench.campaign.description import describe
from bench.campaign.local import LocalWorker
from bench.campaign.plan import Settings, fingerprint_of, timeout
from bench.campaign.watch import Watch, gpu_processes
from bench.catalogue import Catalogue
from bench.errors import BadInput
from bench.records import Finished, Started, Watched, from_json
from bench.structures import DataSet, measuring_order, replay_path

ROUND_SECONDS = 8.0
"""A round measures for as long as its processes took to start, and at least so long, both versions together; for less
where three rounds would not fit into the budget, but not for less than"""
LEAST_SECONDS = 3.0
POINTS = 4
"""Geometries on the path of a structure: few, so that a round has several structures."""
TURN_SECONDS = 0.05
"""A turn is one force call, or as many as take this long: what is far shorter meets cold caches after each turn."""
LEAST_ROUNDS = 3


class Pair:
    """An old and a new version of one method; :meth:`run` measures them in turn into a run directory."""

    def __init__(
        self,
        old: Method,
        new: Method,
        catalogue: Catalogue,
        settings: Settings,
        dataset: DataSet,
        say: Callable[[str], None],
    ) -> None:
        self.methods = {"old": old, "new": new}
        self.catalogue = catalogue
        self.settings = settings
        self.device = settings.devices[0]
        self.dataset = dataset
        self.say = say
        self.watch = Watch()
        self.ready = {}
        for side, method in self.methods.items():
            header = catalogue.header(method)
            self.ready[side] = weights.ready(method, header, settings, self.device, say)
        modes = {side: chosen.mode for side, (_, chosen) in self.ready.items()}
        if modes["old"] != modes["new"]:
            raise BadInput(
                f"{old.name} has {modes['old']} weights and {new.name} {modes['new']}; "
                "fetch both checkpoints, or compare with --weights random."
            )
        self.indices = measuring_order(len(dataset.atoms))[: settings.limit]
        self.planned: int | None = None
        """Structures of a round, the same in all: known when the first calls were made."""

    def run(self, writer: store.RunWriter, logs: Path, budget_s: float, decided: Callable[[], bool]) -> int:
        """Measure rounds until `decided` or until the next one would end after `budget_s`; returns their number.

        Three are measured in any case. Raises BadInput where a version cannot be measured.
        """
        began = time.monotonic()
        longest = 0.0
        number = 0
        while number < LEAST_ROUNDS or (not decided() and time.monotonic() - began + longest < budget_s):
            start = time.monotonic()
            self._round(number, writer, logs, budget_s / LEAST_ROUNDS)
            longest = max(longest, time.monotonic() - start)
            number += 1
        return number

    def _round(self, number: int, writer: store.RunWriter, logs: Path, allotted_s: float) -> None:
        """Measure one round; the first one plans as many structures as fit into `allotted_s` with its start."""
        began = time.monotonic()
        sides = ["old", "new"]
        random.Random(f"{self.settings.seed}-{number}").shuffle(sides)
        workers: dict[str, _Worker] = {}
        strangers, before = gpu_processes(self.device), self.watch.look()
        try:
            for side in sides:  # one after the other, so that their starts do not disturb each other
                workers[side] = _Worker(self.methods[side].name, self._start(side, number, logs), writer)
                workers[side].listen()
            pair_seconds = sum(one.call_seconds for one in workers.values())
            calls = math.ceil(2 * TURN_SECONDS / pair_seconds)
            if self.planned is None:
                self.planned = self._plan(time.monotonic() - began, allotted_s, pair_seconds)
            for _ in range(math.ceil(self.planned * self.settings.replay_points / calls)):
                for side in sides:
                    workers[side].take_turn(calls)
                sides.reverse()  # A B, B A: a drift favours neither
            for one in workers.values():
                one.finish()
        finally:
            for one in workers.values():
                one.process.stop()
        facts = self.watch.since(before, strangers)
        for method in self.methods.values():
            writer.append(Watched(method.name, self.device, number, **facts))
        if facts["disturbed"]:
            self.say(f"round {number + 1} was disturbed: {'; '.join(facts['disturbed'])}")

    def _plan(self, started_s: float, allotted_s: float, pair_seconds: float) -> int:
        """Return the number of structures that each round measures."""
        seconds = min(max(ROUND_SECONDS, started_s), max(allotted_s - started_s, LEAST_SECONDS))
        wanted = round(seconds / pair_seconds / self.settings.replay_points)
        return max(1, min(wanted, len(self.indices)))

    def _start(self, side: str, number: int, logs: Path) -> LocalWorker:
        method = self.methods[side]
        environment, chosen = self.ready[side]
        task = launch.task(
            method,
            self.catalogue.header(method),
            self.device,
            number,
            self.settings,
            environment,
            chosen,
            self._structures(),
            self.dataset.reference,
            fingerprint=fingerprint_of(method.kind, self.indices, number),
            paced=True,
        )
        log = logs / f"{method.name}-{self.device.replace(':', '')}-round{number}.log"
        return LocalWorker(
            launch.command(environment),
            launch.variables(self.settings, self.device),
            task,
            log,
            timeout(self.settings, method.kind),
            self.settings.memory_limit_bytes,
        )

    def _structures(self) -> list[launch.Structure]:
        reference, points = self.dataset.reference, self.settings.replay_points
        return [
            launch.Structure(index, atoms, ("replay",), replay_path(atoms, reference, points))
            for index in self.indices
            for atoms in [self.dataset.atoms[index]]
        ]


class _Worker:
    """One of the two processes of a round: measures while it has its turn, and waits otherwise."""

    def __init__(self, name: str, process: LocalWorker, writer: store.RunWriter) -> None:
        self.name = name
        self.process = process
        self.writer = writer
        self.messages = process.messages()
        self.call_seconds = 1.0
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
            failure = getattr(record, "failure", None)
            if failure is not None:
                raise BadInput(f"{self.name} cannot be measured: {failure.message}")
            self.writer.append(record)
            if isinstance(record, Started):
                self.call_seconds = (record.warmup_ns or (record.first_call_ns or 0,))[-1] / 1e9
            self.ended = self.ended or isinstance(record, Finished)
        failure = self.process.failure()
        if failure is not None or not self.ended:
            raise BadInput(f"{self.name} cannot be measured: {failure.message if failure else 'it ended too early'}")


def begin(
    directory: Path, settings: Settings, catalogue: Catalogue, dataset: DataSet, parallel: dict[str, Any]
) -> store.RunWriter:
    """Make the run directory of a comparison."""
    campaign = describe(directory, settings, catalogue, dataset, parallel, settings.limit or len(dataset.atoms))
    return store.create(directory, campaign, dataset)

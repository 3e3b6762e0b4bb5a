"""Measures two versions of a method in turn, A B B A, on one machine, until they are told apart or the time is over.

A round is a fresh process of each. Both are loaded and warm before the first structure, and then one measures while the
other waits: each structure is replayed by one and, half a second later, by the other. What the machine does meanwhile
it does to both, so that their ratio is steady where their times are not.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
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
from bench.records import FAILED, Failure, Finished, NotMeasured, Record, Replay, Started, Watched, from_json
from bench.structures import DataSet, measuring_order, replay_path

ROUND_SECONDS = 8.0
"""Of measuring in a round, both versions together."""
LEAST_STRUCTURES = 5
"""In each round all the same: an interval over structures takes as many."""
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

    def run(self, writer: store.RunWriter, logs: Path, budget_s: float, decided: Callable[[], bool]) -> int:
        """Measure rounds until `decided` or until the next one would end after `budget_s`; returns their number.

        Three are measured in any case. Raises BadInput where a version cannot be measured.
        """
        began = time.monotonic()
        longest = 0.0
        number = 0
        while number < LEAST_ROUNDS or (not decided() and time.monotonic() - began + longest < budget_s):
            start = time.monotonic()
            self._round(number, writer, logs)
            longest = max(longest, time.monotonic() - start)
            number += 1
        return number

    def _round(self, number: int, writer: store.RunWriter, logs: Path) -> None:
        sides = ["old", "new"]
        random.Random(f"{self.settings.seed}-{number}").shuffle(sides)
        workers: dict[str, LocalWorker] = {}
        strangers, before = gpu_processes(self.device), self.watch.look()
        try:
            heard = {}
            for side in sides:  # one after the other, so that their starts do not disturb each other
                workers[side] = self._start(side, number, logs)
                heard[side] = self._records(workers[side])
                writer.append(self._next(side, heard[side], workers[side], Started))
            measuring = time.monotonic()
            for position in range(len(self.indices)):
                for side in sides:
                    workers[side].go()
                    writer.append(self._measured(side, heard[side], workers[side], writer))
                sides.reverse()  # A B, B A: a drift favours neither
                if position + 1 >= LEAST_STRUCTURES and time.monotonic() - measuring > ROUND_SECONDS:
                    break
            for side in sides:
                workers[side].finish()
                for record in heard[side]:
                    writer.append(record)
        finally:
            for worker in workers.values():
                worker.stop()
        facts = self.watch.since(before, strangers)
        for method in self.methods.values():
            writer.append(Watched(method.name, self.device, number, **facts))
        if facts["disturbed"]:
            self.say(f"round {number + 1} was disturbed: {'; '.join(facts['disturbed'])}")

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

    def _records(self, worker: LocalWorker) -> Iterator[Record]:
        return (from_json(line) for line in worker.messages() if not line.startswith(b'{"beat"'))

    def _measured(self, side: str, heard: Iterator[Record], worker: LocalWorker, writer: store.RunWriter) -> Record:
        """Return the next replayed path; what a worker answers for its fingerprint is written on the way."""
        while True:
            record = next(heard, None)
            if isinstance(record, Replay) and record.status != FAILED:
                return record
            if record is None or isinstance(record, Replay | NotMeasured | Finished):
                raise self._cannot(side, record, worker)
            writer.append(record)

    def _next(self, side: str, heard: Iterator[Record], worker: LocalWorker, kind: type[Record]) -> Record:
        record = next(heard, None)
        if not isinstance(record, kind):
            raise self._cannot(side, record, worker)
        return record

    def _cannot(self, side: str, record: Record | None, worker: LocalWorker) -> BadInput:
        failure: Failure | None = getattr(record, "failure", None) or worker.failure()
        said = failure.message if failure else "it ended too early"
        return BadInput(f"{self.methods[side].name} cannot be measured: {said}")


def begin(
    directory: Path, settings: Settings, catalogue: Catalogue, dataset: DataSet, parallel: dict[str, Any]
) -> store.RunWriter:
    """Make the run directory of a comparison."""
    campaign = describe(directory, settings, catalogue, dataset, parallel, settings.limit or len(dataset.atoms))
    return store.create(directory, campaign, dataset)

"""Measures some settings of a method in turn with its default: one session is a fresh process of each.

All are loaded and warm before the first structure. Then they take turns along the same paths, as the two versions of
:mod:`bench.campaign.regress` do, so that each is compared with the default under the same conditions.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import time
from collections.abc import Callable, Iterator, Sequence

from bench.campaign import tasks
from bench.campaign.candidates import version
from bench.campaign.paced import CannotBeMeasured, PacedWorker
from bench.campaign.plan import answers_of, timeout
from bench.campaign.ready import Ready
from bench.campaign.start import start
from bench.contract.candidate import Candidate
from bench.contract.description import ParallelSpeed
from bench.contract.device import Device
from bench.contract.kind import KINDS
from bench.contract.protocol import REPLAY
from bench.contract.records import NotMeasured, Watched
from bench.contract.settings import Settings
from bench.contract.task import Item
from bench.data.selection import measuring_order
from bench.data.structures import DataSet
from bench.machine import accelerators
from bench.machine.watch import Watch
from bench.methods.catalogue import Catalogue
from bench.methods.header import Method
from bench.runs import store

POINTS = 4
"""Geometries per path: few, so that a session has several structures."""
TURN_SECONDS = 0.05
"""A turn is one force call, or as many as take this long on average."""
LEAST_SECONDS, MOST_SECONDS = 3.0, 10.0
"""Each setting is measured for as long as the default took to start, within these limits, in each session."""


class Sessions:
    """Measures settings of a method, of which the first is the default, session by session.

    `share_s` is how many seconds each setting may take in the first session, including its start.
    """

    def __init__(
        self,
        method: Method,
        candidates: Sequence[Candidate],
        catalogue: Catalogue,
        settings: Settings,
        dataset: DataSet,
        parallel: ParallelSpeed,
        share_s: float,
        say: Callable[[str], None],
    ) -> None:
        self.method = method
        self.default = candidates[0]
        self.settings = settings
        self.device = settings.devices[0]
        self.dataset = dataset
        self.parallel = parallel
        self.share_s = share_s
        self.say = say
        self.watch = Watch()
        ready = Ready(settings, catalogue, dataset, parallel, say).or_refuse(method, self.device)
        # all have the same environment and the same weights
        self.prepared = {one.method: dataclasses.replace(ready, method=version(method, one)) for one in candidates}
        self.indices = measuring_order(len(dataset.atoms))[: settings.limit]
        self.planned: int | None = None
        """Structures per session, the same in all; known once the default's first calls are made."""
        self.count = 0
        self.seconds: dict[str, float] = {}
        """What each setting cost in its last session, including its start."""
        self.rounds: dict[str, int] = {}
        self.failed: dict[str, str] = {}
        """Why a setting could not be measured."""

    def measure(self, writer: store.RunWriter, group: Sequence[Candidate], patience_s: float = math.inf) -> None:
        """Measure the default and a group of settings in turn; one that fails is left out, and `failed` says why.

        A worker of the group that is silent for `patience_s` has failed. The first session plans the number of
        structures.
        """
        number, self.count = self.count, self.count + 1
        order = [self.default, *group] if (self.settings.seed + number) % 2 else [*reversed(group), self.default]
        by_name = {one.method: one for one in order}
        workers: dict[str, PacedWorker] = {}
        strangers, before = accelerators.processes(Device.parse(self.device)), self.watch.look()
        with contextlib.ExitStack() as running:
            for one in order:  # one after the other, because starts disturb each other
                self.seconds[one.method] = 0.0
                with self._failing(one, number, writer, workers):
                    limit = timeout(self.settings, self.method.kind)
                    limit = limit if one is self.default else min(limit, patience_s)
                    workers[one.method] = self._start(running, one, number, writer, limit)
                    workers[one.method].listen()
            if self.planned is None:
                self.planned = self._plan(workers[self.default.method].call_seconds)
            turn = math.ceil(len(workers) * TURN_SECONDS / sum(one.call_seconds for one in workers.values()))
            for _ in range(math.ceil(self.planned * POINTS / turn)):
                for one in order:
                    if one.method in workers:
                        with self._failing(one, number, writer, workers):
                            workers[one.method].take_turn(turn)
                order.reverse()  # A B C, C B A: a drift favours none
            for name, worker in list(workers.items()):
                with self._failing(by_name[name], number, writer, workers):
                    worker.finish()
        facts = self.watch.since(before, strangers)
        for name in workers:
            writer.append(Watched(name, self.device, number, **facts))
            self.rounds[name] = self.rounds.get(name, 0) + 1
        if facts["disturbed"]:
            self.say(f"session {number + 1} was disturbed: {'; '.join(facts['disturbed'])}")

    @contextlib.contextmanager
    def _failing(
        self, one: Candidate, number: int, writer: store.RunWriter, workers: dict[str, PacedWorker]
    ) -> Iterator[None]:
        """Count the seconds of a setting. If it fails, record that, end its worker and go on.

        The default's failure ends the search.
        """
        began = time.monotonic()
        try:
            yield
            self.seconds[one.method] += time.monotonic() - began
        except CannotBeMeasured as error:
            if one is self.default:
                raise
            writer.append(NotMeasured(one.method, self.device, number, error.failure))
            self.failed[one.method] = error.failure.message
            self.say(f"{one.label}: {error.failure.message}")
            workers.pop(one.method).process.stop()

    def _plan(self, call_s: float) -> int:
        """Return the number of structures per session, such that each setting takes its share.

        At least all structures of the fingerprint, or a change of the answers could be missed.
        """
        start_s = self.seconds[self.default.method]
        wanted = min(max(start_s, LEAST_SECONDS), MOST_SECONDS)
        seconds = min(wanted, max(self.share_s - start_s, 1.0))
        structures = max(round(seconds / call_s / POINTS), KINDS[self.method.kind].answers)
        return min(structures, len(self.indices))

    def _start(
        self, running: contextlib.ExitStack, one: Candidate, number: int, writer: store.RunWriter, limit_s: float
    ) -> PacedWorker:
        """Start a worker, which ends with `running`."""
        prepared = self.prepared[one.method]
        task = tasks.measure(
            prepared,
            dataclasses.replace(self.settings, threads=one.threads),
            self.dataset,
            [Item(REPLAY, index) for index in self.indices],
            number,
            answers=answers_of(self.method.kind, self.indices, 0) if one.method not in self.rounds else (),
            paced=True,
        )
        process = running.enter_context(
            start(
                task,
                prepared.environment,
                parallel=self.parallel,
                timeout_s=limit_s,
                memory_limit=self.settings.memory_limit_bytes,
                log=store.log_of(writer.directory, one.method, self.device, number),
            )
        )
        return PacedWorker(one.method, process, writer.append)

"""Measures two versions of a method in turn, A B B A, on one machine, until the result is clear or time is up.

A round is a fresh process of each. Both are loaded and warm before the first structure. Then they take turns along the
same paths: one makes a force call while the other waits. Changes of the machine affect both, so their ratio is steady
even where their times are not. Old and new start first in turn, because it matters a little which one does.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable
from pathlib import Path

from bench.campaign import tasks
from bench.campaign.describing import describe
from bench.campaign.paced import PacedWorker
from bench.campaign.plan import answers_of, timeout
from bench.campaign.ready import Ready
from bench.campaign.rounds import FEWEST_ROUNDS, plan
from bench.campaign.start import start
from bench.contract.description import ParallelSpeed
from bench.contract.device import Device
from bench.contract.protocol import REPLAY
from bench.contract.records import Watched
from bench.contract.settings import Settings
from bench.contract.task import Item
from bench.data.selection import measuring_order
from bench.data.structures import DataSet
from bench.errors import BadInput
from bench.machine import accelerators
from bench.machine.watch import Watch
from bench.methods.catalogue import Catalogue
from bench.methods.header import Method
from bench.runs import store

POINTS = 4
"""Geometries per path: few, so that a round has several structures."""
TURN_SECONDS = 0.05
"""A turn is one force call, or as many as take this long: shorter turns would meet cold caches each time."""


class TwoVersions:
    """An old and a new version of one method; :meth:`run` measures them in turn into a run directory."""

    def __init__(
        self,
        old: Method,
        new: Method,
        catalogue: Catalogue,
        settings: Settings,
        dataset: DataSet,
        parallel: ParallelSpeed,
        say: Callable[[str], None],
    ) -> None:
        self.methods = {"old": old, "new": new}
        self.settings = settings
        self.device = settings.devices[0]
        self.dataset = dataset
        self.parallel = parallel
        self.say = say
        self.watch = Watch()
        ready = Ready(settings, catalogue, dataset, parallel, say)
        self.prepared = {side: ready.or_refuse(method, self.device) for side, method in self.methods.items()}
        modes = {side: one.weights.mode for side, one in self.prepared.items()}
        if modes["old"] != modes["new"]:
            raise BadInput(
                f"{old.name} has {modes['old']} weights and {new.name} {modes['new']}; "
                "fetch both checkpoints, or compare with --weights random."
            )
        self.indices = measuring_order(len(dataset.atoms))[: settings.limit]
        self.planned: int | None = None
        """Structures per round, the same in all; known once the first calls are made."""

    def run(self, writer: store.RunWriter, budget_s: float, decided: Callable[[], bool]) -> int:
        """Measure rounds until `decided`, or until the next one would exceed `budget_s`; returns their number.

        It measures at least four, two with each version as the one that starts first. Raises BadInput where a version
        cannot be measured.
        """
        began = time.monotonic()
        longest = 0.0
        number = 0
        while number < FEWEST_ROUNDS or (not decided() and time.monotonic() - began + longest < budget_s):
            round_began = time.monotonic()
            self._round(number, writer, budget_s)
            longest = max(longest, time.monotonic() - round_began)
            number += 1
        return number

    def _round(self, number: int, writer: store.RunWriter, budget_s: float) -> None:
        """Measure one round; the first plans, from the time it took to start, how many structures all rounds have."""
        began = time.monotonic()
        # the one that starts first waits for the other, so they take turns at it
        sides = ["old", "new"] if (self.settings.seed + number) % 2 else ["new", "old"]
        workers: dict[str, PacedWorker] = {}
        strangers, before = accelerators.processes(Device.parse(self.device)), self.watch.look()
        with contextlib.ExitStack() as running:
            for side in sides:  # one after the other, because starts disturb each other
                workers[side] = self._start(running, side, number, writer)
                workers[side].listen()
            pair_seconds = sum(one.call_seconds for one in workers.values())
            calls = math.ceil(2 * TURN_SECONDS / pair_seconds)
            if self.planned is None:
                self.planned = self._plan(time.monotonic() - began, pair_seconds, budget_s)
            for _ in range(math.ceil(self.planned * self.settings.replay_points / calls)):
                for side in sides:
                    workers[side].take_turn(calls)
                sides.reverse()  # A B, B A: a drift favours neither
            for one in workers.values():
                one.finish()
        facts = self.watch.since(before, strangers)
        for method in self.methods.values():
            writer.append(Watched(method.name, self.device, number, **facts))
        if facts["disturbed"]:
            self.say(f"round {number + 1} was disturbed: {'; '.join(facts['disturbed'])}")

    def _plan(self, start_s: float, pair_s: float, budget_s: float) -> int:
        """Return the number of structures per round."""
        points = self.settings.replay_points
        pairs = plan(start_s, pair_s, budget_s, len(self.indices) * points).pairs
        return max(1, min(round(pairs / points), len(self.indices)))

    def _start(self, running: contextlib.ExitStack, side: str, number: int, writer: store.RunWriter) -> PacedWorker:
        """Start a worker, which ends with `running`."""
        method = self.methods[side]
        task = tasks.measure(
            self.prepared[side],
            self.settings,
            self.dataset,
            [Item(REPLAY, index) for index in self.indices],
            number,
            answers=answers_of(method.kind, self.indices, number),
            paced=True,
        )
        process = running.enter_context(
            start(
                task,
                self.prepared[side].environment,
                parallel=self.parallel,
                timeout_s=timeout(self.settings, method.kind),
                memory_limit=self.settings.memory_limit_bytes,
                log=store.log_of(writer.directory, method.name, self.device, number),
            )
        )
        return PacedWorker(method.name, process, writer.append)


def begin(
    directory: Path, settings: Settings, catalogue: Catalogue, dataset: DataSet, parallel: ParallelSpeed
) -> store.RunWriter:
    """Make the run directory of a comparison."""
    campaign = describe(directory, settings, catalogue, dataset, parallel, settings.limit or len(dataset.atoms))
    return store.create(directory, campaign, dataset)

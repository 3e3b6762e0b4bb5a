"""Measures two versions of a method in turn, A B B A, on one machine, until they are told apart or the time is over.

A round is a fresh process of each. Both are loaded and warm before the first structure, and then one makes a force call
while the other waits, and the other way round, along the same paths. What the machine does meanwhile it does to both,
so that their ratio is steady where their times are not.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.campaign import launch
from bench.campaign.description import describe
from bench.campaign.local import LocalWorker
from bench.campaign.paced import PacedWorker
from bench.campaign.plan import fingerprint_of, timeout
from bench.contract.records import Watched
from bench.contract.settings import Settings
from bench.data.structures import DataSet, measuring_order
from bench.errors import BadInput
from bench.machine.watch import Watch, gpu_processes
from bench.methods import weights
from bench.methods.catalogue import Catalogue
from bench.methods.header import Method
from bench.runs import store

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
        # who starts first waits for the other one; as often the one as the other
        sides = ["old", "new"] if (self.settings.seed + number) % 2 else ["new", "old"]
        workers: dict[str, PacedWorker] = {}
        strangers, before = gpu_processes(self.device), self.watch.look()
        try:
            for side in sides:  # one after the other, so that their starts do not disturb each other
                workers[side] = PacedWorker(self.methods[side].name, self._start(side, number, logs), writer.append)
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
            launch.structures(self.dataset, [("replay", index) for index in self.indices], self.settings.replay_points),
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


def begin(
    directory: Path, settings: Settings, catalogue: Catalogue, dataset: DataSet, parallel: dict[str, Any]
) -> store.RunWriter:
    """Make the run directory of a comparison."""
    campaign = describe(directory, settings, catalogue, dataset, parallel, settings.limit or len(dataset.atoms))
    return store.create(directory, campaign, dataset)

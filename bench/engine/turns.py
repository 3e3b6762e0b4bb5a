"""Measures versions or settings of a method in turn, call by call: one round is a fresh process of each.

All are loaded and warm before the first structure. Then they take turns along the same paths: one makes force calls
while the others wait. Changes of the machine affect all of them, so their ratios are steady even where their times are
not. ``regress`` and ``tune`` measure by it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import math
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from bench.core.description import ParallelSpeed
from bench.core.device import Device
from bench.core.protocol import REPLAY
from bench.core.records import NotMeasured, Watched
from bench.core.settings import Settings
from bench.core.task import Item, Task
from bench.core.turn import Turn
from bench.data.structures import DataSet
from bench.engine import tasks
from bench.engine.local import LocalWorker
from bench.engine.paced import CannotBeMeasured, ComparedWorker, calls_in, passes
from bench.engine.plan import timeout
from bench.engine.start import start
from bench.engine.tasks import Prepared
from bench.machine import accelerators
from bench.machine.watch import Watch
from bench.results import store

POINTS = 4
"""Geometries per path: few, so that a round has several structures."""
TURN_SECONDS = 0.05
"""A turn is one force call, or as many as take this long on average: shorter turns would meet cold caches each time."""


@dataclasses.dataclass(frozen=True)
class Contender:
    """A version or a setting of a method, ready to be measured."""

    name: str
    """In the records."""
    prepared: Prepared
    threads: int
    answers: tuple[int, ...] = ()
    """The structures whose answers it reports in this round."""
    patience_s: float = math.inf
    """A worker that is silent for this long has failed."""
    drives: tuple[int, ...] = ()
    """The structures at which steps of dynamics are timed in this round."""


class Turns:
    """Measures rounds of a comparison into a run directory.

    Attributes: `indices`, the structures of a round, in order; `drifting`, those of them that move as a whole from
    point to point, and `drift`, how far, in Angstrom; `seconds`, what each contender took in its last round, including
    its start.
    """

    def __init__(
        self, settings: Settings, dataset: DataSet, parallel: ParallelSpeed, say: Callable[[str], None]
    ) -> None:
        self.settings = settings
        self.device = settings.devices[0]
        self.dataset = dataset
        self.parallel = parallel
        self.say = say
        self.watch = Watch()
        self.indices = dataset.order[: settings.limit]
        self.drifting: Collection[int] = ()
        self.drift = 0.0
        self.seconds: dict[str, float] = {}

    def round(
        self,
        number: int,
        contenders: Sequence[Contender],
        writer: store.RunWriter,
        plan: Callable[[dict[str, ComparedWorker]], int],
        failed: Callable[[Contender, CannotBeMeasured], None],
    ) -> list[str]:
        """Measure one round; returns the names of those that were measured.

        They start in the given order. When all are warm, `plan` says how many structures the round has. `failed` is
        called with one that cannot be measured; where it does not raise, the others go on.
        """
        workers: dict[str, ComparedWorker] = {}
        strangers, before = accelerators.processes(Device.parse(self.device)), self.watch.look()

        @contextlib.contextmanager
        def counted(one: Contender) -> Iterator[None]:
            began = time.monotonic()
            try:
                yield
            except CannotBeMeasured as error:
                failed(one, error)
                writer.append(NotMeasured(one.name, self.device, number, error.failure))
                workers.pop(one.name).process.stop()
            else:
                self.seconds[one.name] += time.monotonic() - began

        with contextlib.ExitStack() as running:
            for one in contenders:  # one after the other, because starts disturb each other
                self.seconds[one.name] = 0.0
                with counted(one):
                    workers[one.name] = self._start(running, one, number, writer)
                    workers[one.name].listen()
            structures = plan(workers)
            calls = calls_in(TURN_SECONDS, workers.values())
            needed = math.ceil(structures * self.settings.replay_points / calls)
            for order in itertools.islice(passes(contenders), needed):
                for one in order:
                    if one.name in workers:
                        with counted(one):
                            workers[one.name].take_turn(Turn(calls=calls))
            for one in contenders:
                if one.name in workers:
                    with counted(one):
                        workers[one.name].finish()
        facts = self.watch.since(before, strangers)
        for name in workers:
            writer.append(Watched(name, self.device, number, **facts))
        if facts["disturbed"]:
            self.say(f"round {number + 1} was disturbed: {'; '.join(facts['disturbed'])}")
        return list(workers)

    def _start(
        self, running: contextlib.ExitStack, one: Contender, number: int, writer: store.RunWriter
    ) -> ComparedWorker:
        """Start a worker, which ends with `running`."""
        settings = dataclasses.replace(self.settings, threads=one.threads)
        task = tasks.measure(
            one.prepared,
            settings,
            self.dataset,
            [Item(REPLAY, index) for index in one.prepared.left_out.kept(self.indices)],
            number,
            answers=one.answers,
            drives=one.drives,
            paced=True,
        )
        task = tasks.drifting(task, self.drifting, self.drift) if self.drifting else task
        silence = min(timeout(settings, one.prepared.method.kind), one.patience_s)
        process = start_paced(running, task, one.prepared, settings, self.parallel, silence, writer.directory)
        return ComparedWorker(one.name, process, writer.append)


def start_paced(
    running: contextlib.ExitStack,
    task: Task,
    prepared: Prepared,
    settings: Settings,
    parallel: ParallelSpeed,
    timeout_s: float,
    directory: Path,
) -> LocalWorker:
    """Start the process of a paced worker, which ends with `running`; its log is in the run directory."""
    return running.enter_context(
        start(
            task,
            prepared.environment,
            parallel=parallel,
            timeout_s=timeout_s,
            memory_limit=settings.memory_limit_bytes,
            log=store.log_of(directory, task.subject.method, task.subject.device, task.round),
        )
    )

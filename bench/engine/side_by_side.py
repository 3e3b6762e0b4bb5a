"""Measures a method in several processes at once, each with cores of its own: they are all warm before they begin.

Every worker waits for its turn before each block of work (see :class:`bench.measure.channel.Pace`), and all get it at
the same time.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil

from bench.core.description import ParallelSpeed
from bench.core.failure import Failure
from bench.core.message import Message, Result
from bench.core.plain import to_plain
from bench.core.records import DONE, FAILED, NotMeasured
from bench.core.settings import Settings
from bench.core.task import Allowance, Item, Task
from bench.core.turn import Turn
from bench.engine.ledger import Ledger
from bench.engine.local import LocalWorker
from bench.engine.one_round import Round
from bench.engine.paced import PacedWorker
from bench.engine.plan import timeout
from bench.engine.start import start
from bench.engine.tasks import Prepared
from bench.machine.cores import physical_cpus
from bench.protocols.throughput.plan import THROUGHPUT, PointPlan, structure_of
from bench.protocols.throughput.record import Throughput
from bench.results import store

MEMORY_SHARE = 0.9
"""Of the free memory, for all processes together."""


class SideBySide:
    """Measures the points of several processes of a campaign, whose run directory is `directory`."""

    def __init__(self, settings: Settings, parallel: ParallelSpeed, directory: Path) -> None:
        self.settings = settings
        self.parallel = parallel
        self.directory = directory

    def records(
        self, this: Round, items: list[Item], ledger: Ledger, task_of: Callable[[Round], Task]
    ) -> Iterator[Throughput]:
        """Yield the record of each point of a round; after a failure, more processes are not tried at that system.

        `task_of` makes the task of one worker. The caller books each record before it takes the next.
        """
        over: set[int] = set()
        for number, item in enumerate(items):
            if not ledger.left(this.key, THROUGHPUT):
                return
            if structure_of(item.number) in over:
                continue
            task = task_of(dataclasses.replace(this, items=[item]))
            seconds = ledger.allowance(this.key, this.number, THROUGHPUT, items[number:]).end_s
            record = self.measure(task.plans_of(THROUGHPUT, PointPlan)[0], task, this.prepared, seconds)
            yield record
            if record.status == FAILED:
                over.add(record.structure)

    def measure(self, plan: PointPlan, task: Task, prepared: Prepared, seconds: float | None) -> Throughput:
        """Return the record of a point: what all processes did together in `seconds` (None: the usual time)."""
        began = time.monotonic()
        found = self._refused(plan, prepared) or self._together(plan, task, prepared, seconds)
        if isinstance(found, Failure):
            return self._record(plan, task, began, (), found)
        return self._record(plan, task, began, found, next((one.failure for one in found if one.failure), None))

    def _refused(self, plan: PointPlan, prepared: Prepared) -> Failure | None:
        """Return why so many processes are not started: their memory would not suffice."""
        needed = plan.size * prepared.method.memory_mb * 1e6
        free = MEMORY_SHARE * psutil.virtual_memory().available
        free = min(free, self.settings.memory_limit_bytes or free)
        if plan.size == 1 or needed <= free:
            return None
        return Failure(
            "out-of-memory",
            f"{plan.size} processes would need about {needed / 1e9:.1f} GB; {free / 1e9:.1f} GB can be used",
        )

    def _together(
        self, plan: PointPlan, task: Task, prepared: Prepared, seconds: float | None
    ) -> list[Throughput] | Failure:
        limit = self.settings.memory_limit_bytes or int(0.9 * psutil.virtual_memory().total)
        log = store.log_of(self.directory, task.subject.method, task.subject.device, task.round)
        with ThreadPoolExecutor(plan.size) as pool, contextlib.ExitStack() as running:
            workers = [
                _Worker(
                    running.enter_context(
                        start(
                            one,
                            prepared.environment,
                            parallel=self.parallel,
                            timeout_s=timeout(self.settings, prepared.method.kind),
                            memory_limit=limit // plan.size,
                            log=log.with_stem(f"{log.stem}-{number + 1}of{plan.size}"),
                        )
                    )
                )
                for number, one in enumerate(_tasks(plan, task, seconds))
            ]
            while True:
                list(pool.map(_Worker.listen, workers))
                failure = next(filter(None, (one.failure() for one in workers)), None)
                if failure is not None:
                    return failure
                if all(one.ended for one in workers):
                    return [one.record for one in workers if one.record is not None]
                for one in workers:
                    one.process.go(Turn(calls=1))

    def _record(
        self, plan: PointPlan, task: Task, began: float, records: Sequence[Throughput], failure: Failure | None
    ) -> Throughput:
        """Return one record with an entry for each process."""
        done = len(records) == plan.size and all(one.status == DONE for one in records)
        relaxed = done and all(one.relax_ns for one in records)
        columns: tuple[str, ...] = ("force_calls", "force_ns") if done else ()
        columns += ("relax_calls", "relax_ns", "relaxed") if relaxed else ()
        fields: dict[str, Any] = {
            name: tuple(value for one in records for value in getattr(one, name)) for name in columns
        }
        if relaxed:
            names = list(records[0].ended)
            fields["ended"] = {name: tuple(value for one in records for value in one.ended[name]) for name in names}
        memory = [one.peak_memory_bytes for one in records if one.peak_memory_bytes is not None]
        on_device = [one.peak_device_memory_bytes for one in records if one.peak_device_memory_bytes is not None]
        return Throughput(
            **task.key,
            **to_plain(plan),
            **fields,
            status=DONE if done else FAILED,
            wall_ns=_measured_ns(fields) if done else int((time.monotonic() - began) * 1e9),
            peak_memory_bytes=sum(memory) if memory else None,
            peak_device_memory_bytes=sum(on_device) if on_device else None,
            failure=failure,
        )


def _measured_ns(fields: dict[str, Any]) -> int:
    """Return the time of the blocks, in which all processes measured: their starts are not part of the budget."""
    return max(fields["force_ns"]) + max(fields.get("relax_ns", (0,)))


class _Worker(PacedWorker):
    """One of the processes: it keeps its record, and why it was not measured."""

    def __init__(self, process: LocalWorker) -> None:
        super().__init__(process, self._keep)
        self.record: Throughput | None = None
        self.refused: Failure | None = None

    def _keep(self, said: Message) -> None:
        match said:
            case Result(NotMeasured(failure=failure)):
                self.refused = failure
            case Result(Throughput() as record):
                self.record = record

    def failure(self) -> Failure | None:
        """Return why it was not measured, or why it ended; None while it goes on."""
        return self.refused or super().failure()


def _tasks(plan: PointPlan, task: Task, seconds: float | None) -> Iterator[Task]:
    """Yield the task of each process: every k-th structure of the system, on cores that the others do not use."""
    system = next((one.system for one in task.structures if one.index == plan.structure), 0)
    structures = tuple(one for one in task.structures if one.system == system)
    cpus = physical_cpus(plan.size * plan.threads)
    for number in range(plan.size):
        mine = tuple(cpus[number * plan.threads : (number + 1) * plan.threads])
        yield dataclasses.replace(
            task,
            subject=dataclasses.replace(task.subject, threads=plan.threads, cpus=mine),
            structures=structures[number :: plan.size] or structures,
            items=((THROUGHPUT, plan.point),),
            plans={THROUGHPUT: (to_plain(plan),)},
            allowances={THROUGHPUT: Allowance(end_s=seconds)},
            answers=(),
            paced=True,
        )

"""Decides whether waiting threads spin or sleep, where the machine's parallel speed alone cannot tell.

A wrong choice costs a factor of two or more, and a probe of less than a second is uncertain near its limit. There, one
method is measured both ways, in turn, for some seconds, and all methods of the campaign keep the better way.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import os
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from bench.core.description import SLEEP, SPIN, ParallelSpeed
from bench.core.device import CPU
from bench.core.protocol import REPLAY
from bench.core.records import Record
from bench.core.task import Item
from bench.core.turn import Turn
from bench.engine import tasks
from bench.engine.paced import CannotBeMeasured, ComparedWorker, calls_in, passes
from bench.engine.plan import timeout
from bench.engine.ready import Ready
from bench.engine.start import start
from bench.engine.tasks import Prepared
from bench.machine.cores import WAIT_POLICY, is_uncertain
from bench.protocols.replay.record import Replay

TURN_SECONDS, TURNS = 0.25, 12
"""Of each way: three seconds."""
GAIN = 1.05
"""Threads sleep where spinning takes more than this times as long; otherwise the libraries do what they do."""


def settled(ready: Ready, say: Callable[[str], None]) -> ParallelSpeed | None:
    """Return the parallel speed of the machine with the better way in it, tried now where it is uncertain.

    To be called once in a new campaign, before its first round, with the campaign's :class:`Ready`. The result replaces
    `ready.parallel` and belongs into the run's description, so that a resumed run keeps it.
    """
    parallel = ready.parallel
    if parallel is None or WAIT_POLICY in os.environ or not is_uncertain(parallel, ready.settings.threads):
        return parallel
    for prepared in _light_ones(ready):
        try:
            times = {way: _mean(taken) for way, taken in _in_turn(ready, parallel, prepared).items()}
        except CannotBeMeasured:  # its row will say why
            continue
        better = SLEEP if times[SPIN] > GAIN * times[SLEEP] else SPIN
        say(
            f"{parallel.threads} processes did {parallel.speed:g} times the work of one, which does not tell what "
            f"waiting threads should do: a force call of {prepared.method.name} took {times[SPIN]:.3g} ms where they "
            f"spin and {times[SLEEP]:.3g} ms where they sleep, so they {better}"
        )
        return dataclasses.replace(parallel, waiting=better)
    return parallel


def _light_ones(ready: Ready) -> Iterator[Prepared]:
    """Yield the methods of the campaign that have threads of their own and need no minutes for a call, light first."""
    methods = [ready.catalogue.methods[name] for name in ready.settings.methods]
    for method in sorted(methods, key=lambda one: (one.memory_mb, one.name)):
        header = ready.catalogue.header(method)
        threaded = header.thread_control == "environment" and not method.native
        if threaded and header.warm_up and CPU in method.devices and CPU in ready.settings.devices:
            prepared = ready.of(method, CPU)
            if isinstance(prepared, Prepared):
                yield prepared


def _in_turn(ready: Ready, parallel: ParallelSpeed, prepared: Prepared) -> dict[str, list[Replay]]:
    """Return the paths that a method replayed either way; raises CannotBeMeasured."""
    assert ready.dataset is not None
    indices = ready.dataset.order[: ready.settings.limit]
    task = tasks.measure(
        prepared,
        ready.settings,
        ready.dataset,
        [Item(REPLAY, index) for index in prepared.left_out.kept(indices)],
        0,
        paced=True,
    )
    found: dict[str, list[Replay]] = {SPIN: [], SLEEP: []}

    def keep(way: str) -> Callable[[Record], None]:
        return lambda record: found[way].append(record) if isinstance(record, Replay) else None

    with contextlib.ExitStack() as running:
        workers = []
        for way in found:
            process = start(
                task,
                prepared.environment,
                parallel=dataclasses.replace(parallel, waiting=way),
                timeout_s=timeout(ready.settings, prepared.method.kind),
                memory_limit=ready.settings.memory_limit_bytes,
            )
            workers.append(ComparedWorker(prepared.method.name, running.enter_context(process), keep(way)))
            workers[-1].listen()
        calls = calls_in(TURN_SECONDS, workers)
        for order in itertools.islice(passes(workers), TURNS):
            for worker in order:
                worker.take_turn(Turn(calls=calls))
        for worker in workers:
            worker.finish()
    return found


def _mean(replays: Sequence[Replay]) -> float:
    """Return the geometric mean of all force calls after each path's first, in milliseconds."""
    return float(np.exp(np.mean(np.log([call for one in replays for call in one.calculator_ns[1:]])))) * 1e-6

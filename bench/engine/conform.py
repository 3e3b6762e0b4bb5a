"""Runs the conformance kit on one method: its header here, the rest in a worker in its own environment."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable

from bench.core.description import ParallelSpeed
from bench.core.kind import KINDS
from bench.core.message import Check, Result
from bench.core.records import NotMeasured
from bench.core.settings import Settings
from bench.data.structures import DataSet
from bench.engine import tasks
from bench.engine.local import LocalWorker
from bench.engine.plan import timeout
from bench.engine.ready import Ready
from bench.engine.start import start
from bench.environments.catalogue import Catalogue
from bench.environments.checks import checks as header_checks
from bench.environments.header import Method
from bench.errors import BadInput


def conform(
    catalogue: Catalogue,
    method: Method,
    dataset: DataSet,
    settings: Settings,
    device: str,
    parallel: ParallelSpeed,
    say: Callable[[str], None],
    limit_s: float | None = None,
) -> list[Check]:
    """Check a method's adapter.

    Of a campaign's `settings`, it uses threads, weights, checkpoint, timeout and the user's interpreter. A method that
    cannot run here, does not load or dies is a failed check like any other, and so is one that is not done after
    `limit_s` seconds.
    """
    deadline = time.monotonic() + (math.inf if limit_s is None else limit_s)
    header = catalogue.header(method)
    # of a version with the user's own checkpoint, the header promises only what it says of the method
    declared = header.methods[method.known_as] if method.own_checkpoint else method
    found = header_checks(dataclasses.replace(header, methods={method.name: declared}))
    try:
        prepared = Ready(settings, catalogue, dataset, parallel, say).or_refuse(method, device)
    except BadInput as error:
        return [*found, _failed("it can run here", str(error), "until then nothing else can be checked")]
    indices = dataset.order[: KINDS[method.kind].conform_structures]
    task = tasks.conform(prepared, settings, dataset, indices)
    mode = prepared.weights.mode
    say(f"checking {method.name} ({mode} weights)" if mode != "none" else f"checking {method.name}")
    limit = max(min(timeout(settings, method.kind), deadline - time.monotonic()), 1.0)
    with start(task, prepared.environment, parallel=parallel, timeout_s=limit) as worker:
        return found + _heard(worker, deadline)


def _heard(worker: LocalWorker, deadline: float) -> list[Check]:
    """Return the checks that a worker reports until the deadline, and a failed one if it did not end normally."""
    checks: list[Check] = []
    for said in worker.messages():
        if isinstance(said, Check):
            checks.append(said)
        elif isinstance(said, Result) and isinstance(said.record, NotMeasured):
            checks.append(_failed("it loads", said.record.failure.message, "correct load() of the adapter"))
        if time.monotonic() > deadline:
            return [*checks, _failed("it ends in time", "the time was over", "give it more time")]
    failure = worker.failure()
    if failure is not None:
        after = f"after the check '{checks[-1].name}'" if checks else "before the first check"
        checks.append(_failed("it stays alive", f"{failure.message}; {after}", "find out what ended its process"))
    return checks


def _failed(name: str, figure: str, advice: str) -> Check:
    return Check(name, False, figure, "", advice)

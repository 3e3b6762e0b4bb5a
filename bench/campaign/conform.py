"""Runs the conformance kit on one method: its header here, the rest in a worker in its own environment."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.campaign import launch
from bench.campaign.local import LocalWorker
from bench.campaign.plan import timeout
from bench.contract.records import NotMeasured, from_json
from bench.contract.settings import Settings
from bench.data.structures import DataSet, measuring_order
from bench.errors import BadInput
from bench.methods import checks as header_checks
from bench.methods import weights
from bench.methods.catalogue import Catalogue
from bench.methods.header import Method

STRUCTURES = {"dft": 1}  # a DFT method takes a minute for each of some 35 force calls
STRUCTURES_OTHERWISE = 2


def conform(
    catalogue: Catalogue,
    method: Method,
    dataset: DataSet,
    settings: Settings,
    device: str = "cpu",
    parallel: dict[str, Any] | None = None,
    say: Callable[[str], None] = print,
) -> list[dict[str, Any]]:
    """Check a method's adapter; returns the checks as :func:`bench.measure.conform.conform` describes them.

    `settings` are those of a campaign: threads, weights, checkpoint, timeout and the user's interpreter count. That a
    method cannot run here, does not load or dies is a failed check like any other.
    """
    header = catalogue.header(method)
    checks = header_checks.checks(dataclasses.replace(header, methods={method.name: method}))
    try:
        environment, chosen = weights.ready(method, header, settings, device, say)
    except BadInput as error:
        return [*checks, _failed("it can run here", str(error), "until then nothing else can be checked")]
    indices = measuring_order(len(dataset.atoms))[: STRUCTURES.get(method.kind, STRUCTURES_OTHERWISE)]
    structures = [launch.Structure(index, dataset.atoms[index]) for index in indices]
    task = launch.task(
        method,
        header,
        device,
        0,
        settings,
        environment,
        chosen,
        structures,
        dataset.reference,
        protocol={"name": "conform"},
    )
    task["warm_up"] = False  # nothing is timed, and a method that fails in its first call is to be told why
    task["facts"] = facts(method, task)
    say(f"checking {method.name} ({chosen.mode} weights)" if chosen.mode != "none" else f"checking {method.name}")
    with tempfile.TemporaryDirectory() as folder:
        worker = LocalWorker(
            launch.command(environment),
            launch.variables(settings, device, parallel),
            task,
            Path(folder) / "log",
            timeout(settings, method.kind),
        )
        try:
            return checks + _heard(worker)
        finally:
            worker.stop()


def facts(method: Method, task: dict[str, Any]) -> dict[str, Any]:
    """Return what the checks in the worker have to know about the method and the task."""
    return {
        **{name: task[name] for name in ("method", "device", "dtype", "threads", "native", "weights")},
        "conservative": method.conservative,
        "parameters": method.parameters,
        "force_tolerance": method.force_tolerance,
        "rotation_tolerance": method.rotation_tolerance,
    }


def _heard(worker: LocalWorker) -> list[dict[str, Any]]:
    """Return the checks that a worker tells, and how it ended if that was not by itself."""
    checks: list[dict[str, Any]] = []
    for line in worker.messages():
        message = json.loads(line)
        if "check" in message:
            checks.append(message["check"])
        elif "beat" not in message:
            record = from_json(line)
            if isinstance(record, NotMeasured):
                checks.append(_failed("it loads", record.failure.message, "correct what load() of the adapter does"))
    failure = worker.failure()
    if failure is not None:
        after = f"after the check '{checks[-1]['name']}'" if checks else "before the first check"
        checks.append(_failed("it stays alive", f"{failure.message}; {after}", "find out what ended its process"))
    return checks


def _failed(name: str, figure: str, advice: str) -> dict[str, Any]:
    return {"name": name, "passed": False, "figure": figure, "tolerance": "", "advice": advice}

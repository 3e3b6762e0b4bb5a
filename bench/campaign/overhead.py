"""Measures what the harness adds to a step: the same relaxations bare and through the harness, interleaved."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.campaign import launch
from bench.campaign.local import LocalWorker
from bench.campaign.plan import timeout
from bench.contract.settings import Settings
from bench.data.structures import DataSet, measuring_order
from bench.errors import BadInput
from bench.methods import weights
from bench.methods.catalogue import Catalogue
from bench.methods.header import Method

REPEATS = 3  # of each structure; the pair's order alternates, so that a drift favours neither


def measure(
    catalogue: Catalogue,
    methods: Sequence[Method],
    dataset: DataSet,
    limit: int,
    threads: int,
    parallel: dict[str, Any],
) -> dict[str, list[dict[str, int]]]:
    """Return the pairs of each method; raises BadInput where one cannot run."""
    settings = Settings(methods=tuple(method.name for method in methods), threads=threads, limit=limit)
    indices = measuring_order(len(dataset.atoms))[:limit]
    return {method.name: _pairs(catalogue, method, dataset, indices, settings, parallel) for method in methods}


def _pairs(
    catalogue: Catalogue,
    method: Method,
    dataset: DataSet,
    indices: Sequence[int],
    settings: Settings,
    parallel: dict[str, Any],
) -> list[dict[str, int]]:
    if method.native:
        raise BadInput(f"{method.name} is relaxed by its own optimiser; there is nothing of the harness in its steps.")
    header = catalogue.header(method)
    environment, chosen = weights.ready(method, header, settings, "cpu", print)
    structures = [launch.Structure(index, dataset.atoms[index]) for index in indices]
    task = launch.task(
        method,
        header,
        "cpu",
        0,
        settings,
        environment,
        chosen,
        structures,
        dataset.reference,
        protocol={"name": "overhead", "repeats": REPEATS},
    )
    with tempfile.TemporaryDirectory() as folder:
        worker = LocalWorker(
            launch.command(environment),
            launch.variables(settings, "cpu", parallel),
            task,
            Path(folder) / "log",
            timeout(settings, method.kind),
        )
        lines = [json.loads(line) for line in worker.messages()]
        failure = worker.failure()
    if failure is not None:
        raise BadInput(f"{method.name} cannot run here: {failure.message}")
    pairs = [line["pair"] for line in lines if "pair" in line]
    if not any(pair["bare_steps"] and pair["harness_steps"] for pair in pairs):
        raise BadInput(f"{method.name} made no step; there is nothing to compare.")
    return pairs

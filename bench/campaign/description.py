"""What `campaign.json` says: all that a reader of a run needs beside the records."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import __version__, paths
from bench.contract.settings import Settings
from bench.data.structures import DataSet
from bench.errors import BadInput
from bench.machine import provenance
from bench.methods.catalogue import Catalogue
from bench.methods.header import Method


def describe(
    directory: Path,
    settings: Settings,
    catalogue: Catalogue,
    dataset: DataSet,
    parallel: dict[str, Any],
    count: int,
) -> dict[str, Any]:
    """Return the contents of a new campaign's ``campaign.json``; `count` structures of the data set are measured."""
    return {
        "run_id": directory.name,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "pesbench": __version__,
        **provenance.commit(),
        "settings": dataclasses.asdict(settings),
        "machine": {**provenance.machine(), "parallel_speed": parallel},
        "dataset": {
            "name": dataset.name,
            "description": dataset.description,
            "fallback": dataset.fallback,
            "digest": dataset.digest,
            "formula": dataset.formula,
            "count": count,
            "total": len(dataset.atoms),
        },
        "methods": {name: _facts(catalogue.methods[name]) for name in settings.methods},
        "extra_adapters": [str(path) for path in catalogue.extra],
    }


def new_directory(output: Path | None) -> Path:
    """Return a run directory that does not exist yet, named by the time in UTC."""
    results = output or paths.results_dir()
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    names = [stamp, *(f"{stamp}-{number}" for number in range(2, 100))]
    return next(results / name for name in names if not (results / name).exists())


def _facts(method: Method) -> dict[str, Any]:
    """Return what a report says about a method, so that a run can be read without the adapters."""
    checkpoint = method.checkpoint
    return {
        "label": method.label,
        "family": method.family,
        "kind": method.kind,
        "paper": method.paper,
        "native": method.native,
        "conservative": method.conservative,
        "parameters": method.parameters,
        "dtype": method.dtypes[0],
        "weights": "pretrained" if checkpoint else "none",
        "checkpoint": dataclasses.asdict(checkpoint) if checkpoint else None,
        "tuned": list(method.tuned),
        "note": method.note,
    }


def methods_of(catalogue: Catalogue, names: Sequence[str]) -> list[Method]:
    """Return the methods of a stored run; raises BadInput where an adapter is gone."""
    for name in names:
        if name not in catalogue.methods:
            raise BadInput(f"the run measured {name!r}, whose adapter is not here; name it with --adapter FILE.")
    return [catalogue.methods[name] for name in names]

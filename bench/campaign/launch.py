"""Builds the command, the environment variables and the task of one worker, wherever it then runs."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import paths
from bench.contract.settings import Settings
from bench.data.structures import DataSet, replay_path
from bench.machine import provenance
from bench.methods.environments import Environment
from bench.methods.header import Header, Method

if TYPE_CHECKING:
    from bench.methods.weights import Weights

WORKER = paths.PROJECT / "bench" / "measure" / "worker.py"

# recorded with every worker
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OMP_WAIT_POLICY",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "CUDA_VISIBLE_DEVICES",
)


@dataclasses.dataclass(frozen=True)
class Structure:
    """A structure, and the protocols that it is still to be measured by."""

    index: int
    atoms: Any
    protocols: tuple[str, ...] = ("relax",)
    path: Any = None
    """Displacements of the replay protocol, (points, n, 3) in Angstrom."""

    def plain(self) -> dict[str, Any]:
        """Return it as JSON."""
        path = {} if self.path is None else {"path": self.path.tolist()}
        return {"index": self.index, **_plain(self.atoms), "protocols": list(self.protocols), **path}


def structures(dataset: DataSet, todo: Iterable[tuple[str, int]], points: int) -> list[Structure]:
    """Return the structures of `todo`, pairs of a protocol and an index, in their order, each with its protocols.

    A replayed one gets its path, of `points` geometries.
    """
    by_index: dict[int, list[str]] = {}
    for name, index in todo:
        by_index.setdefault(index, []).append(name)
    found = []
    for index, names in by_index.items():
        atoms = dataset.atoms[index]
        path = replay_path(atoms, dataset.reference, points) if "replay" in names else None
        found.append(Structure(index, atoms, tuple(names), path))
    return found


def command(environment: Environment) -> list[str]:
    """Return the command of a worker: isolated from the user's site-packages and from PYTHONPATH."""
    return [str(environment.python), "-I", str(WORKER)]


def variables(settings: Settings, device: str, parallel: dict[str, Any] | None = None) -> dict[str, str]:
    """Return the environment variables of a worker: threads are set before anything is imported.

    The optimiser's BLAS gets one thread (a 54 x 54 diagonalisation loses by threads). Where the machine does
    not give the cores it shows, waiting threads sleep instead of spinning (OMP_WAIT_POLICY).
    """
    threads = str(settings.threads)
    environ = dict(os.environ)
    environ.update(
        OMP_NUM_THREADS=threads,
        MKL_NUM_THREADS=threads,
        NUMEXPR_NUM_THREADS=threads,
        OPENBLAS_NUM_THREADS="1",
        HF_HUB_OFFLINE="1",  # what a method needs was prepared before; a worker never fetches
    )
    environ.pop("VIRTUAL_ENV", None)
    if parallel and settings.threads > 1 and parallel["speed"] < 0.85 * min(settings.threads, parallel["threads"]):
        environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if device == "cpu":
        environ["CUDA_VISIBLE_DEVICES"] = ""  # a CPU row must not find a GPU
        environ["JAX_PLATFORMS"] = "cpu"
    return environ


def task(
    method: Method,
    header: Header,
    device: str,
    round_number: int,
    settings: Settings,
    environment: Environment,
    weights: Weights,
    structures: Sequence[Structure],
    reference: Any,
    share_s: float | None = None,
    budget_s: float | None = None,
    protocol: dict[str, Any] | None = None,
    fingerprint: Sequence[int] = (),
    paced: bool = False,
    md: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the task that a worker reads: plain JSON, so that it can travel to another machine."""
    return {
        "adapter": str(method.adapter),
        "method": method.name,
        "known_as": method.known_as or method.name,
        "device": "cuda:0" if device == "cuda" else device,
        "recorded_device": device,
        "round": round_number,
        "dtype": method.dtypes[0],
        "threads": settings.threads,
        "cpus": provenance.physical_cpus(settings.threads) if header.thread_control == "affinity" else [],
        "checkpoint": str(weights.path) if weights.path else None,
        "checkpoint_facts": weights.facts,
        "weights": weights.mode,
        "published_parameters": method.parameters,
        "protocol": {
            "name": "measure",
            "optimizer": settings.optimizer,
            "fmax": settings.fmax,
            "max_steps": settings.max_steps,
            **(protocol or {}),
        },
        "protocols": sorted({name for structure in structures for name in structure.protocols}),
        "native": method.native,
        "warm_up": header.warm_up,
        "fingerprint": list(fingerprint),
        "paced": paced,
        "md": md,
        "share_s": share_s,
        "budget_s": budget_s,
        "seed": settings.seed,
        "reference": _plain(reference),
        "structures": [structure.plain() for structure in structures],
        "variables": list(THREAD_VARIABLES),
        "environment_facts": environment.facts(),
        "launched_ns": time.monotonic_ns(),
    }


def random_task(method: Method, path: Path, seed: int) -> dict[str, Any]:
    """Return the task that builds a checkpoint with random weights."""
    return {
        "adapter": str(method.adapter),
        "method": method.name,
        "known_as": method.known_as or method.name,
        "recorded_device": "cpu",
        "round": 0,
        "cpus": [],
        "make_random": str(path),
        "seed": seed,
    }


def _plain(atoms: Any) -> dict[str, Any]:
    info = {key: atoms.info[key] for key in ("charge", "spin") if key in atoms.info}
    return {"numbers": atoms.numbers.tolist(), "positions": atoms.positions.tolist(), "info": info}

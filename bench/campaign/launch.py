"""Builds the command, the environment variables and the task of one worker, wherever it then runs."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import paths, provenance
from bench.adapter import Header, Method
from bench.campaign.environments import Environment
from bench.campaign.plan import Settings

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


def command(environment: Environment) -> list[str]:
    """Return the command of a worker: isolated from the user's site-packages and from PYTHONPATH."""
    return [str(environment.python), "-I", str(WORKER)]


def variables(settings: Settings, device: str, parallel: dict[str, Any]) -> dict[str, str]:
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
    if settings.threads > 1 and parallel["speed"] < 0.85 * min(settings.threads, parallel["threads"]):
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
    checkpoint: Path | None,
    structures: Sequence[tuple[int, Any]],
    reference: Any,
    share_s: float | None = None,
    budget_s: float | None = None,
    protocol: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the task that a worker reads: plain JSON, so that it can travel to another machine."""
    return {
        "adapter": str(method.adapter),
        "method": method.name,
        "device": "cuda:0" if device == "cuda" else device,
        "recorded_device": device,
        "round": round_number,
        "dtype": method.dtypes[0],
        "threads": settings.threads,
        "cpus": provenance.physical_cpus(settings.threads) if header.thread_control == "affinity" else [],
        "checkpoint": str(checkpoint) if checkpoint else None,
        "weights": "pretrained" if method.checkpoint else "none",
        "protocol": {
            "name": "relax",
            "optimizer": settings.optimizer,
            "fmax": settings.fmax,
            "max_steps": settings.max_steps,
            **(protocol or {}),
        },
        "native": method.native,
        "warm_up": header.warm_up,
        "share_s": share_s,
        "budget_s": budget_s,
        "seed": settings.seed,
        "reference": _plain(reference),
        "structures": [{"index": index, **_plain(atoms)} for index, atoms in structures],
        "variables": list(THREAD_VARIABLES),
        "launched_ns": time.monotonic_ns(),
    }


def _plain(atoms: Any) -> dict[str, Any]:
    info = {key: atoms.info[key] for key in ("charge", "spin") if key in atoms.info}
    return {"numbers": atoms.numbers.tolist(), "positions": atoms.positions.tolist(), "info": info}

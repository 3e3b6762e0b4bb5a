"""Why a method cannot run here, told before an hour is spent; no model is imported and nothing is fetched."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from typing import Any

import psutil

from bench import paths, provenance
from bench.adapter import Header, Method
from bench.campaign import checkpoints, environments
from bench.catalogue import Catalogue
from bench.records import Failure

INSTALLED_PER_DOWNLOADED = 3.5  # an installed environment takes about so many times what was fetched for it


def obstacle(method: Method, header: Header, device: str, symbols: Iterable[str] = ()) -> Failure | None:
    """Return what keeps `method` from running on `device` over atoms of these elements; None if nothing is seen.

    Environment and checkpoint are not looked at here: the campaign prepares those.
    """
    kind = device.partition(":")[0]
    if kind not in method.devices:
        return Failure("no-device", f"{method.name} runs on {' and '.join(method.devices)} only")
    if kind == "cuda" and not provenance.gpus():
        return Failure("no-device", "nvidia-smi shows no GPU on this machine")
    for program in header.programs:
        if shutil.which(program) is None:
            return Failure("no-program", f"{program} is not on PATH; install it with '{header.programs_hint}'")
    unknown = sorted(set(symbols) - set(method.elements)) if method.elements else []
    if unknown:
        return Failure("elements", f"{method.name} does not know {', '.join(unknown)}")
    return None


def examine(catalogue: Catalogue, device: str = "cpu") -> list[dict[str, Any]]:
    """Return for each method whether it can run here: ``ready``, ``preparable`` or ``blocked``, and why."""
    return [_examine(method, catalogue.header(method), device) for method in catalogue.methods.values()]


def _examine(method: Method, header: Header, device: str) -> dict[str, Any]:
    state, reason = "ready", ""
    failure = obstacle(method, header, device)
    if failure is not None:
        state, reason = "blocked", failure.message
    else:
        missing = []
        try:
            checkpoints.find(method)
        except checkpoints.CheckpointMissing as error:
            checkpoint = method.checkpoint
            if checkpoint is None or checkpoint.url is None or checkpoint.sha256 is None:
                state, reason = "blocked", str(error)
            else:
                missing.append(f"the checkpoint {checkpoint.file} ({(checkpoint.bytes or 0) / 1e6:.0f} MB)")
        if state == "ready" and environments.ready(header, device) is None:
            missing.append(f"its environment (about {header.download_mb} MB to fetch)")
            state, reason = _room(header)
        if state == "ready" and missing:
            state, reason = "preparable", "not here yet: " + " and ".join(missing)
    return {"method": method.name, "label": method.label, "device": device, "state": state, "reason": reason}


def _room(header: Header) -> tuple[str, str]:
    """Tell whether the disk holds an environment that is still to be made."""
    needed = header.download_mb * INSTALLED_PER_DOWNLOADED * 1e6
    free = shutil.disk_usage(paths.PROJECT).free
    if free < needed:
        return "blocked", f"its environment needs {needed / 1e9:.1f} GB of disk, {free / 1e9:.1f} GB are free"
    return "ready", ""


def surroundings() -> dict[str, Any]:
    """Return what the machine offers: cores, measured parallel speed, memory, disk, GPUs, interpreter."""
    parallel = provenance.measure_parallel_speed()
    return {
        **provenance.machine(),
        "parallel_speed": parallel,
        "default_threads": provenance.default_threads(parallel),
        "free_memory_bytes": psutil.virtual_memory().available,
        "free_disk_bytes": shutil.disk_usage(paths.PROJECT).free,
        "cache": str(paths.cache_dir()),
    }

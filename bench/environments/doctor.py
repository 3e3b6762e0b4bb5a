"""Finds out early why a method cannot run here; imports no model and fetches nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from typing import Any

import psutil

from bench import paths
from bench.core.device import CPU, DEVICES, Device
from bench.core.failure import Failure
from bench.core.plain import to_plain
from bench.core.spin import is_lowest
from bench.environments import checkpoints, environments, uv
from bench.environments.catalogue import Catalogue
from bench.environments.header import Header, Method
from bench.machine import accelerators, cores, provenance
from bench.machine.energy import Meter

INSTALLED_PER_DOWNLOADED = 3.5  # size of an installed environment over that of its download, about


def obstacle(
    method: Method,
    header: Header,
    device: Device,
    symbols: Iterable[str] = (),
    charge: int = 0,
    spin: int = 1,
    periodic: bool = False,
) -> Failure | None:
    """Return what keeps `method` from running on `device` with such structures; None if nothing is found.

    Environment and checkpoint are not checked here: the campaign prepares those.

    Parameters
    ----------
    symbols : iterable of str
        The elements of the structures.
    charge : int
        Their charge, in elementary charges.
    spin : int
        Their multiplicity; every method can do the lowest one.
    periodic : bool
        Whether they are supercells of a crystal.
    """
    if device.kind.name not in method.devices:
        return Failure("no-device", f"{method.name} runs on {' and '.join(method.devices)} only")
    absent = accelerators.missing(device)
    if absent is not None:
        return Failure("no-device", absent)
    for program in header.programs:
        if shutil.which(program) is None:
            return Failure("no-program", f"{program} is not on PATH; install it with '{header.programs_hint}'")
    return cannot_take(method, symbols, charge, spin, periodic)


def cannot_take(
    method: Method,
    symbols: Iterable[str] = (),
    charge: int = 0,
    spin: int = 1,
    periodic: bool = False,
    relax_cell: bool = False,
) -> Failure | None:
    """Return why a method's header rules such structures out; None where it does not. See :func:`obstacle`.

    `relax_cell`: whether the cells of periodic ones are relaxed.
    """
    unknown = sorted(set(symbols) - set(method.elements)) if method.elements else []
    if unknown:
        return Failure("elements", f"{method.name} does not know {', '.join(unknown)}")
    if charge and not method.charge:
        return Failure("charge", f"{method.label} takes no charge; the structures have charge {charge:+d}")
    if not is_lowest(spin) and not method.spin:
        return Failure("spin", f"{method.label} takes no spin; the structures have spin multiplicity {spin}")
    if periodic and not method.periodic:
        return Failure("periodic", f"{method.label} takes no periodic systems")
    if periodic and relax_cell and method.native:
        return Failure("stress", f"{method.label} has an optimiser of its own, which keeps the cell")
    if periodic and relax_cell and not (method.stress and method.chosen.get("stress") != "off"):
        return Failure("stress", f"{method.label} gives no stress, which --relax-cell needs")
    return None


def examine(catalogue: Catalogue, device: str = CPU) -> list[dict[str, Any]]:
    """Return for each method whether it can run here and, if not, why.

    ``state`` is ``ready``, ``preparable`` (something is still to be fetched or built) or ``blocked``; ``weights`` are
    those it would use. No model is imported; the package index is asked once, and only where an environment
    is missing.
    """
    missing = any(environments.ready(header, device) is None for header in catalogue.headers)
    index = uv.index_trouble() if missing else None
    return [_examine(method, catalogue.header(method), device, index) for method in catalogue.methods.values()]


def _examine(method: Method, header: Header, device: str, index: str | None) -> dict[str, Any]:
    missing: list[str] = []
    mode, weights_trouble = _weights(method, missing)
    failure = obstacle(method, header, Device.parse(device))
    trouble = failure.message if failure else weights_trouble or _memory(method, device)
    if trouble is None and environments.ready(header, device) is None:
        trouble = environments.interpreter_trouble(header) or index or _room(header)
        missing.append(f"its environment (about {header.download_mb} MB to fetch)")
    state = "blocked" if trouble else "preparable" if missing else "ready"
    reason = trouble or ("not here yet: " + " and ".join(missing) if missing else "")
    return {
        "method": method.name,
        "label": method.label,
        "device": device,
        "state": state,
        "weights": mode,
        "reason": reason,
    }


def _weights(method: Method, missing: list[str]) -> tuple[str, str | None]:
    """Return the weights a method would use, and why it can have none; adds the download to `missing`."""
    checkpoint = method.checkpoint
    if checkpoint is None:
        return "none", None
    try:
        checkpoints.find(method)
    except checkpoints.CheckpointMissing as error:
        if checkpoint.url and checkpoint.sha256 and not checkpoint.gated:
            missing.append(f"the checkpoint {checkpoint.file} ({(checkpoint.bytes or 0) / 1e6:.0f} MB)")
        elif method.random_weights:
            missing.append(f"its weights, so random ones would be timed ({error})")
            return "random", None
        else:
            return "pretrained", str(error)
    return "pretrained", None


def _memory(method: Method, device: str) -> str | None:
    """Return a sentence where the free memory is not enough."""
    free = psutil.virtual_memory().available
    if device == CPU and method.memory_mb * 1e6 > free:
        return f"it needs {method.memory_mb / 1e3:.1f} GB of memory, {free / 1e9:.1f} GB are free"
    return None


def _room(header: Header) -> str | None:
    """Return a sentence where the disk has no room for an environment that is still to be made."""
    needed = header.download_mb * INSTALLED_PER_DOWNLOADED * 1e6
    free = _free_disk()
    if free < needed:
        return f"its environment needs {needed / 1e9:.1f} GB of disk, {free / 1e9:.1f} GB are free"
    return None


def _free_disk() -> int:
    """Return the free bytes on the disk of the environments."""
    folder = paths.envs_dir()
    return shutil.disk_usage(next(one for one in (folder, *folder.parents) if one.exists())).free


def surroundings() -> dict[str, Any]:
    """Return the machine's cores, measured parallel speed, memory, disk, GPUs, energy counters and interpreter."""
    parallel = cores.measure_parallel_speed()
    return {
        **to_plain(provenance.machine(parallel, Meter(filter(accelerators.found, DEVICES)).facts)),
        "default_threads": cores.default_threads(parallel),
        "free_memory_bytes": psutil.virtual_memory().available,
        "free_disk_bytes": _free_disk(),
        "cache": str(paths.cache_dir()),
    }

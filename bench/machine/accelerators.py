"""The accelerators of this machine: which there are, and how many processes use each.

:data:`ACCELERATORS` has one entry for each kind in :data:`bench.core.device.DEVICES` except the CPU.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

from bench.core.device import Device


@dataclasses.dataclass(frozen=True)
class Accelerator:
    """How to examine one kind of accelerator."""

    names: Callable[[], list[str]]
    """Returns the names of those in this machine, in the order of their numbers."""
    processes: Callable[[int], int]
    """Returns how many processes use one; may raise any exception where this is unknown."""
    absent: str
    """The message where there is none."""
    energy: Callable[[int], AbstractContextManager[Callable[[], float]]]
    """Opens the energy counter of one, which returns joules and never wraps; raises any exception without one."""


def found(kind: str) -> list[str]:
    """Return the names of this machine's devices of a kind; an empty list where there is none or no driver."""
    return ACCELERATORS[kind].names() if kind in ACCELERATORS else []


def all_found() -> list[str]:
    """Return the names of all accelerators of this machine."""
    return [name for kind in ACCELERATORS for name in found(kind)]


def missing(device: Device) -> str | None:
    """Return a sentence if a device is missing; None if it is here."""
    if not device.kind.accelerator:
        return None
    names = found(device.kind.name)
    hidden = [f"{name} is {os.environ[name]!r}" for name in device.kind.hidden_by if name in os.environ]
    shown = f" ({', '.join(hidden)})" if hidden else ""
    if not names:
        return f"{ACCELERATORS[device.kind.name].absent}{shown}"
    if device.number < len(names):
        return None
    plural = "s" if len(names) > 1 else ""
    return f"there is no {device.exact}: this machine shows {len(names)} {device.kind.label}{plural}{shown}"


def processes(device: Device) -> int | None:
    """Return how many processes use a device now; None where this is unknown, or for the CPU."""
    if device.kind.accelerator:
        with contextlib.suppress(Exception):  # no driver, an old one, or one that does not report it
            return ACCELERATORS[device.kind.name].processes(device.number)
    return None


def _nvidia_names() -> list[str]:
    """Return the names of the GPUs that CUDA would show, in its order: CUDA_VISIBLE_DEVICES hides and orders them."""
    names = _asked_of_nvidia("name")
    shown = os.environ.get("CUDA_VISIBLE_DEVICES")
    if not names or shown is None:
        return names
    entries = [entry.strip() for entry in shown.split(",")]
    by_entry = {str(number): name for number, name in enumerate(names)}
    if not all(entry.lstrip("-").isdecimal() or not entry for entry in entries):
        by_entry |= dict(zip(_asked_of_nvidia("uuid"), names, strict=False))
    chosen = []
    for entry in entries:  # CUDA stops at the first that it does not know
        if entry.startswith("MIG-"):
            chosen.append("a part of a GPU")
            continue
        whole = [name for known, name in by_entry.items() if known == entry]
        begun = [name for known, name in by_entry.items() if entry.startswith("GPU-") and known.startswith(entry)]
        if len(whole or begun) != 1:
            break
        chosen += whole or begun
    return chosen


def _asked_of_nvidia(field: str) -> list[str]:
    """Return a field of each GPU, as nvidia-smi tells it; an empty list where there is none or no driver."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    try:
        done = subprocess.run(
            [program, f"--query-gpu={field}", "--format=csv,noheader"], capture_output=True, text=True, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):  # a driver that hangs counts as none
        return []
    return [line.strip() for line in done.stdout.splitlines() if line.strip()] if done.returncode == 0 else []


def _nvidia_handle(number: int) -> Any:
    """Return NVML's handle of the GPU that a worker calls ``cuda:number``; raises any exception if that is unclear.

    NVML numbers all GPUs by their slots. CUDA numbers those that the user shows it, in the user's order, and GPUs of
    different makes by their speed.
    """
    import pynvml

    shown = [name.strip() for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]
    if shown and not shown[number].isdecimal():
        return pynvml.nvmlDeviceGetHandleByUUID(shown[number])
    every = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
    if os.environ.get("CUDA_DEVICE_ORDER") != "PCI_BUS_ID" and len(set(map(pynvml.nvmlDeviceGetName, every))) > 1:
        raise LookupError("the GPUs are of different makes; set CUDA_DEVICE_ORDER=PCI_BUS_ID")
    index = int(shown[number]) if shown else number
    if index >= len(every):
        raise LookupError("there is no such GPU")
    return every[index]


def _nvidia_processes(number: int) -> int:
    import pynvml

    pynvml.nvmlInit()
    try:
        return len(pynvml.nvmlDeviceGetComputeRunningProcesses(_nvidia_handle(number)))
    finally:
        pynvml.nvmlShutdown()


@contextlib.contextmanager
def _nvidia_energy(number: int) -> Iterator[Callable[[], float]]:
    """Open the counter of a GPU: Volta and later have one, in millijoules since the driver was loaded."""
    import pynvml

    # open only while it is needed: as long as NVML is, the driver stays loaded, and a worker starts sooner
    pynvml.nvmlInit()
    try:
        handle = _nvidia_handle(number)
        yield lambda: pynvml.nvmlDeviceGetTotalEnergyConsumption(handle) / 1e3
    finally:
        pynvml.nvmlShutdown()


ACCELERATORS: dict[str, Accelerator] = {
    "cuda": Accelerator(
        _nvidia_names, _nvidia_processes, "nvidia-smi shows no GPU on this machine", energy=_nvidia_energy
    ),
}

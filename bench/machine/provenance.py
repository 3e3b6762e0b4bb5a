"""The facts about this machine, and the version of pesbench that runs on it."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from bench import paths
from bench.core.description import EnergyCounter, Machine, ParallelSpeed
from bench.machine import alone
from bench.machine.accelerators import all_found
from bench.machine.cores import usable_cores

NODE = "PESBENCH_NODE"
"""The variable in which the script of a cluster's job names its node."""


def machine(parallel: ParallelSpeed | None = None, energy: Mapping[str, EnergyCounter] | None = None) -> Machine:
    """Return what a reader of a timing must know about this machine; `parallel` and `energy` are kept with it."""
    return Machine(
        cpu=_cpu_name(),
        cores=psutil.cpu_count(logical=False),
        logical_cores=psutil.cpu_count(),
        usable_cores=usable_cores(),
        memory_bytes=psutil.virtual_memory().total,
        gpus=tuple(all_found()),
        os=platform.platform(),
        python=platform.python_version(),
        load_average=os.getloadavg(),
        governor=_read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        parallel_speed=parallel,
        energy=dict(energy or {}),
        node=os.environ.get(NODE, ""),
        beside=alone.beside(),
    )


def commit() -> dict[str, Any]:
    """Return the commit of this checkout and whether files have changed since; None outside a checkout or git."""
    head = _git("rev-parse", "HEAD")
    status = None if head is None else _git("status", "--porcelain", "--untracked-files=no")
    return {"commit": head, "dirty": None if status is None else bool(status)}


def _git(*arguments: str) -> str | None:
    checkout = paths.checkout()
    if checkout is None or not (checkout / ".git").exists():  # a repository around it is not pesbench's
        return None
    # status would lock the index to refresh it; a kill at that moment would leave the lock to the user
    command = ["git", "--no-optional-locks", "-C", str(checkout), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _cpu_name() -> str:
    for line in (_read("/proc/cpuinfo") or "").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _read(path: str) -> str | None:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return None

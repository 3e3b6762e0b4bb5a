"""What machine this is, what versions run, and what parallel speed the machine really gives at the moment."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from bench import paths

PAPER_THREADS = 4  # the paper's CPU column was measured on four cores

_LOOP = """
import sys, time
start, seconds = float(sys.argv[1]), float(sys.argv[2])
while time.monotonic() < start:
    pass
rounds, total = 0, 0
while time.monotonic() < start + seconds:
    for number in range(10000):
        total += number * number
    rounds += 1
print(rounds)
"""


def parallel_speed(processes: int, seconds: float = 0.4) -> float:
    """Measure how many times the work of one process `processes` of them really do at the same time.

    The same plain loop runs alone, then `processes` times side by side, `seconds` each. On a quiet machine
    with free cores the result is near `processes`; where the host is busy or the cores are shared it is less,
    and threads that wait for one another then run far worse than one thread.
    """

    def rate(count: int) -> int:
        start = time.monotonic() + 0.15  # interpreters need this long to start
        command = [sys.executable, "-I", "-S", "-c", _LOOP, repr(start), repr(seconds)]
        workers = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(count)]
        return sum(int(worker.communicate()[0]) for worker in workers)

    # alone before and after, so that a drift of the clock does not look like parallel speed
    before, together, after = rate(1), rate(processes), rate(1)
    return 2 * together / max(before + after, 1)


def usable_cores() -> int:
    """Return the number of physical cores that this process may use."""
    logical = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(psutil.cpu_count(logical=False) or logical, logical))


def measure_parallel_speed() -> dict[str, Any]:
    """Measure what parallel speed there is for the cores that a run may want, at most the paper's four.

    Returns ``threads`` (how many processes were tried at once) and ``speed`` (the work they did, in units of
    what one does alone).
    """
    cores = min(usable_cores(), PAPER_THREADS)
    return {"threads": cores, "speed": round(parallel_speed(cores), 2) if cores > 1 else 1.0}


def default_threads(parallel: dict[str, Any]) -> int:
    """Return the whole number of cores that were really there, at least one."""
    cores, speed = parallel["threads"], parallel["speed"]
    # 0.85 of a core counts as one: two processes never give quite 2.0
    return cores if speed >= 0.85 * cores else max(1, int(speed + 0.15))


def physical_cpus(count: int) -> list[int]:
    """Return `count` logical CPU numbers, on different physical cores as far as there are as many.

    An empty list where the system has no CPU affinity (macOS).
    """
    if not hasattr(os, "sched_getaffinity"):
        return []
    allowed = sorted(os.sched_getaffinity(0))
    first_of_core: dict[str, int] = {}
    for cpu in allowed:
        siblings = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
        core = siblings.read_text().strip() if siblings.exists() else str(cpu)
        first_of_core.setdefault(core, cpu)
    spread = list(first_of_core.values())
    return (spread + [cpu for cpu in allowed if cpu not in spread])[:count]


def gpus() -> list[str]:
    """Return the names of the NVIDIA GPUs; an empty list where there is none or no driver."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    done = subprocess.run(
        [program, "--query-gpu=name", "--format=csv,noheader"], capture_output=True, text=True, timeout=30
    )
    return [line.strip() for line in done.stdout.splitlines() if line.strip()] if done.returncode == 0 else []


def machine() -> dict[str, Any]:
    """Return what a reader of a timing has to know about this machine."""
    return {
        "cpu": _cpu_name(),
        "cores": psutil.cpu_count(logical=False),
        "logical_cores": psutil.cpu_count(),
        "usable_cores": usable_cores(),
        "memory_bytes": psutil.virtual_memory().total,
        "gpus": gpus(),
        "os": platform.platform(),
        "python": platform.python_version(),
        "load_average": list(os.getloadavg()),
        "governor": _read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
    }


def commit() -> dict[str, Any]:
    """Return the commit of this checkout and whether files were changed since; nulls outside git."""
    head = _git("rev-parse", "HEAD")
    status = _git("status", "--porcelain", "--untracked-files=no")
    return {"commit": head, "dirty": None if status is None else bool(status)}


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", str(paths.PROJECT), *arguments], capture_output=True, text=True, timeout=10)
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

"""The cores of this machine, and their real parallel speed at the moment."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil

from bench.core.description import SLEEP, ParallelSpeed
from bench.machine import quota

WAIT_POLICY = "OMP_WAIT_POLICY"
"""The variable that says whether waiting threads sleep (PASSIVE); without it, libraries spin for a while."""
FULL, MARGIN = 0.85, 0.1
"""The share of the work of separate cores below which waiting threads sleep, and how near to it the short measurement
of that share decides nothing."""
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


def usable_cores() -> int:
    """Return the number of physical cores that this process may use: by its affinity and its container's quota."""
    logical = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    allowed = quota.cores()
    return max(1, min(psutil.cpu_count(logical=False) or logical, logical, int(allowed) if allowed else logical))


def physical_cpus(count: int) -> list[int]:
    """Return `count` logical CPU numbers, on different physical cores if there are enough.

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


def parallel_speed(processes: int, seconds: float = 0.4) -> float:
    """Measure how many times the work of one process is done by `processes` of them at the same time.

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


def measure_parallel_speed(threads: int | None = None) -> ParallelSpeed:
    """Measure the parallel speed of the cores that a run may use, at most the paper's four.

    It takes a second or two. Where all workers have one thread (`threads`), there is nothing to measure.
    """
    if threads == 1:
        return ParallelSpeed(1, 1.0)
    cores = min(usable_cores(), PAPER_THREADS)
    return ParallelSpeed(cores, round(parallel_speed(cores), 2) if cores > 1 else 1.0)


def default_threads(parallel: ParallelSpeed) -> int:
    """Return the whole number of cores that were really available, at least one."""
    # this share of a core counts as one: two processes never reach quite 2.0
    return parallel.threads if parallel.speed >= FULL * parallel.threads else max(1, int(parallel.speed + 0.15))


def threads_sleep(parallel: ParallelSpeed, threads: int) -> bool:
    """Return whether waiting threads of a method sleep, so that they keep no core from others.

    They do where the machine has fewer free cores than it shows. Where both ways were tried, that decides.
    """
    if threads < 2:
        return False
    return parallel.waiting == SLEEP if parallel.waiting else _share(parallel, threads) < FULL


def is_uncertain(parallel: ParallelSpeed, threads: int) -> bool:
    """Return whether the measured speed is so near to the limit that both ways should be tried."""
    return threads > 1 and parallel.waiting is None and abs(_share(parallel, threads) - FULL) < MARGIN


def _share(parallel: ParallelSpeed, threads: int) -> float:
    return parallel.speed / min(threads, parallel.threads)

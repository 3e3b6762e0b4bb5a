"""The watch: what else the machine did while a worker measured.

It reads the kernel's counters before and after each worker, never while one runs, so it costs the measurement
nothing. The CPU time of other processes is the busy time of the CPUs minus that of the campaign and its workers.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import statistics
import time
from pathlib import Path
from typing import Any

import psutil

from bench.machine import cores, quota

# Beyond these limits a worker counts as disturbed.
FOREIGN_SHARE = 0.10
"""Share of the CPUs that this process may use."""
STOLEN_SHARE = 0.05
"""Share of one CPU's time that the host withheld."""
LEAST_SECONDS = 0.2
"""CPU time, for both: the system counts in hundredths of a second, and a tenth of a short round is chance."""
SLOWER = 0.75
"""A plain loop's speed over the campaign's median."""
CLOCK_DROP = 0.90
"""Clock frequency after the worker over the one before it."""
FREE_MEMORY_SHARE = 0.03

_LOOP = 100_000
_LOOPS = 7


@dataclasses.dataclass(frozen=True)
class Moment:
    """The machine's counters at one moment."""

    at: float
    busy_s: float
    """Busy time of the CPUs that this process may use, since the system started."""
    stolen_s: float
    own_s: float
    """CPU time of this process and of its children, both ended and running."""
    clock_mhz: float | None
    throttled: int | None
    swapped_bytes: int
    loops_per_ms: float
    quota_s: float | None = None
    """Seconds for which the container's quota has held it back."""


class Watch:
    """Examines the machine before and after each worker of a campaign."""

    def __init__(self) -> None:
        self.cpus = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
        self.speeds: list[float] = []

    @property
    def count(self) -> int:
        """The number of CPUs that are watched."""
        return len(self.cpus) if self.cpus is not None else psutil.cpu_count() or 1

    def look(self) -> Moment:
        """Return the counters now; takes some 50 ms, in which a plain loop measures the speed of a core."""
        speed = _loop_speed()
        self.speeds.append(speed)
        times = psutil.cpu_times(percpu=True)
        ours = [one for number, one in enumerate(times) if self.cpus is None or number in self.cpus]
        return Moment(
            at=time.monotonic(),
            busy_s=sum(one.user + one.system + getattr(one, "nice", 0.0) + _interrupts(one) for one in ours),
            stolen_s=sum(getattr(one, "steal", 0.0) for one in ours),
            own_s=_own(),
            clock_mhz=_clock(),
            throttled=_throttled(),
            swapped_bytes=_swapped_in(),
            loops_per_ms=speed,
            quota_s=quota.throttled_s(),
        )

    def since(self, before: Moment, foreign_gpu: int | None = None) -> dict[str, Any]:
        """Return the fields of a :class:`bench.core.records.Watched` for the time from `before` until now.

        `foreign_gpu` is what :func:`bench.machine.accelerators.processes` saw before the worker started.
        """
        after = self.look()
        seconds = max(after.at - before.at, 1e-9)
        facts = {
            "seconds": round(seconds, 3),
            "cpus": self.count,
            "foreign_cores": round(max(_rise(before, after, "busy_s") - _rise(before, after, "own_s"), 0) / seconds, 3),
            "stolen_cores": round(_rise(before, after, "stolen_s") / seconds, 3),
            "clock_mhz": None if before.clock_mhz is None else (before.clock_mhz, after.clock_mhz),
            "throttled": None if before.throttled is None else int(_rise(before, after, "throttled")),
            "swapped_bytes": int(_rise(before, after, "swapped_bytes")),
            "free_memory_share": round(_free_memory(), 3),
            "loop_speed": (round(before.loops_per_ms, 1), round(after.loops_per_ms, 1)),
            "foreign_gpu_processes": foreign_gpu,
            "quota_s": None if before.quota_s is None else round(_rise(before, after, "quota_s"), 3),
        }
        return {**facts, "disturbed": disturbances(facts, statistics.median(self.speeds))}


def disturbances(facts: dict[str, Any], usual_speed: float) -> tuple[str, ...]:
    """Return what disturbed a worker, in words; empty where nothing did.

    Parameters
    ----------
    facts : dict
        See :class:`bench.core.records.Watched`.
    usual_speed : float
        The median speed of a plain loop in this campaign, in the unit of ``loop_speed``.
    """
    found = []
    held = facts.get("quota_s") or 0.0
    if held > LEAST_SECONDS:
        found.append(f"throttled by the container's quota for {held:.1f} s")
    foreign, stolen = (facts[name] * facts["seconds"] for name in ("foreign_cores", "stolen_cores"))
    if facts["foreign_cores"] > FOREIGN_SHARE * facts["cpus"] and foreign > LEAST_SECONDS:
        found.append(f"other processes used {facts['foreign_cores']:.1f} of {facts['cpus']} CPUs")
    if facts["stolen_cores"] > STOLEN_SHARE and stolen > LEAST_SECONDS:
        found.append(f"the host withheld {100 * facts['stolen_cores']:.0f} % of a CPU")
    slowest = min(facts["loop_speed"])
    if slowest < SLOWER * usual_speed and held <= LEAST_SECONDS:
        found.append(f"a plain loop ran at {100 * slowest / usual_speed:.0f} % of its usual speed")
    if facts["clock_mhz"] and facts["clock_mhz"][1] < CLOCK_DROP * facts["clock_mhz"][0]:
        found.append(f"the clock fell from {facts['clock_mhz'][0]:.0f} to {facts['clock_mhz'][1]:.0f} MHz")
    if facts["throttled"]:
        found.append("the CPU was throttled for heat")
    if facts["swapped_bytes"]:
        found.append(f"memory was read back from swap ({facts['swapped_bytes'] / 1e6:.0f} MB)")
    if facts["free_memory_share"] < FREE_MEMORY_SHARE:
        found.append(f"{100 * facts['free_memory_share']:.0f} % of the memory was free")
    if facts["foreign_gpu_processes"]:
        found.append(f"{facts['foreign_gpu_processes']} other process(es) on the GPU")
    return tuple(found)


def parallel_speed(threads: int) -> float | None:
    """Return how many times the work of one process `threads` of them do at once now; None for one thread."""
    return round(cores.parallel_speed(threads, 0.2), 2) if threads > 1 else None


def _rise(before: Moment, after: Moment, name: str) -> float:
    return (getattr(after, name) or 0) - (getattr(before, name) or 0)


def _own() -> float:
    found = sum(os.times()[:4])
    for child in psutil.Process().children(recursive=True):  # a worker that continues with md is still running
        with contextlib.suppress(psutil.Error):
            found += sum(child.cpu_times()[:4])
    return found


def _interrupts(times: Any) -> float:
    return getattr(times, "irq", 0.0) + getattr(times, "softirq", 0.0)


def _loop_speed() -> float:
    """Return the thousands of rounds of a plain loop in a second: the median of some short tries."""
    tries = []
    for _ in range(_LOOPS):
        start = time.perf_counter()
        total = 0
        for number in range(_LOOP):
            total += number
        tries.append(_LOOP / (time.perf_counter() - start) / 1e3)
    return statistics.median(tries)


def _clock() -> float | None:
    with contextlib.suppress(Exception):  # not available on every machine; psutil then raises anything
        frequency = psutil.cpu_freq()
        return float(frequency.current) if frequency else None
    return None


def _throttled() -> int | None:
    files = Path("/sys/devices/system/cpu").glob("cpu*/thermal_throttle/core_throttle_count")
    with contextlib.suppress(OSError, ValueError):
        counts = [int(file.read_text()) for file in files]
        return sum(counts) if counts else None
    return None


def _swapped_in() -> int:
    with contextlib.suppress(Exception):
        return int(psutil.swap_memory().sin)
    return 0


def _free_memory() -> float:
    memory = psutil.virtual_memory()
    return memory.available / memory.total

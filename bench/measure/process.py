"""Facts about a worker's own process: memory, versions, thread pools."""

from __future__ import annotations

import contextlib
import signal
import sys
from pathlib import Path
from typing import Any


def die_with_parent() -> None:
    """Ask the kernel to end this process when the harness is killed (Linux only)."""
    if sys.platform == "linux":
        import ctypes

        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)
        with contextlib.suppress(OSError):  # if memory runs out, the harness survives
            Path("/proc/self/oom_score_adj").write_text("800")


def peak_memory() -> int:
    """Return the largest resident set of this process or of one of its children, in bytes.

    On Linux the kernel's account of this process's memory itself is read (VmHWM): `ru_maxrss` begins with what the
    process had in memory before it became Python, which is all of the harness. What a child begins with is ours, and
    counted already. Children that still run, such as a program that waits for the next structure, are found on Linux
    only.
    """
    import resource

    kilobyte = 1 if sys.platform == "darwin" else 1024
    ours, childrens = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    own = _kilobytes("/proc/self/status", "VmHWM:")
    living = [_kilobytes(f"/proc/{child}/status", "VmHWM:") or 0 for child in _children("self")]
    return max(1024 * own if own is not None else kilobyte * ours, kilobyte * childrens, 1024 * max(living, default=0))


def _children(process: int | str) -> list[int]:
    """Return the running descendants of a process; empty where the system does not tell."""
    found: list[int] = []
    for file in Path(f"/proc/{process}/task").glob("*/children"):
        with contextlib.suppress(OSError):  # it has just ended
            found += map(int, file.read_text().split())
    return [*found, *(one for child in found for one in _children(child))]


def free_memory() -> int | None:
    """Return the memory that can still be used without swapping, in bytes; None where the system does not say."""
    free = _kilobytes("/proc/meminfo", "MemAvailable:")
    return None if free is None else 1024 * free


def _kilobytes(file: str, name: str) -> int | None:
    """Return one of the kernel's figures; None where the system does not say."""
    with contextlib.suppress(OSError):
        for line in Path(file).read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1])
    return None


def versions() -> dict[str, str]:
    """Return every installed distribution and its version; of two in the search path, the first, as an import does."""
    from importlib.metadata import distributions

    found: dict[str, str] = {}
    for one in distributions():
        if one.metadata["Name"]:
            found.setdefault(one.metadata["Name"], one.version)
    return dict(sorted(found.items()))


def thread_pools() -> tuple[dict[str, Any], ...]:
    """Return what threadpoolctl reports on the loaded BLAS and OpenMP libraries; nothing where it is missing."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:  # an interpreter of the user
        return ()
    return tuple(
        {name: pool.get(name) for name in ("user_api", "internal_api", "num_threads", "version")}
        for pool in threadpool_info()
    )

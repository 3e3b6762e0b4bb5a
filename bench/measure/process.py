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
    """Return the largest resident set of this process or of a child that has ended, in bytes."""
    import resource

    kilobyte = 1 if sys.platform == "darwin" else 1024
    return kilobyte * max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def free_memory() -> int | None:
    """Return the memory that can still be used without swapping, in bytes; None where the system does not say."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return 1024 * int(line.split()[1])
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

"""How long the threads of this process waited for a core, by the kernel's own account.

Linux counts for each thread the time that it was ready to run and another one had the core (the second number of
``/proc/self/task/*/schedstat``), and for each CPU the time that the host of a virtual machine withheld (the eighth of
its line in ``/proc/stat``). Both are read at the edges of a structure, never inside a step. The rule that follows
from them, :meth:`Waiting.was_long`, never looks at how fast the method was.
"""

from __future__ import annotations

import os
import statistics
from pathlib import Path
from time import perf_counter_ns

SHARE = 0.05
"""Of the time of a structure: more waiting than this disturbs it."""
USUAL = 3.0
"""A method whose own threads compete waits everywhere: only this many times its usual share disturbs it."""
LEAST_NS = 1_000_000
"""Less is chance."""
LEAST_STOLEN_TICKS = 2
"""The host's account comes in hundredths of a second; a single one is rounding."""

_TASKS = Path("/proc/self/task")
_STAT = Path("/proc/stat")


class Waiting:
    """Adds up the waiting of this process while it is measuring; between :meth:`stop` and :meth:`start` nothing counts.

    Attributes: `waited_ns`, over all threads, and `stolen_ns`, over the CPUs that this process may use; each is None
    where the system does not count it.
    """

    def __init__(self) -> None:
        self._tick_ns = int(1e9 / os.sysconf("SC_CLK_TCK"))
        self._shares: list[float] = []
        self.begin()

    def begin(self) -> None:
        """Count from zero, for the next structure."""
        self.waited_ns: int | None = 0
        self.stolen_ns: int | None = 0
        self.measured_ns = 0
        self.start()

    def start(self) -> None:
        """Count from now on."""
        self._threads, self._stolen = _threads(), _stolen()
        self._since = perf_counter_ns()

    def stop(self) -> None:
        """Add what was waited since the start."""
        self.measured_ns += perf_counter_ns() - self._since
        threads, stolen = _threads(), _stolen()
        if threads is None or self._threads is None or self.waited_ns is None:
            self.waited_ns = None
        else:
            # a thread that began meanwhile waited only since then
            self.waited_ns += sum(now - self._threads.get(name, 0) for name, now in threads.items())
        if stolen is None or self._stolen is None or self.stolen_ns is None:
            self.stolen_ns = None
        else:
            ticks = stolen - self._stolen
            self.stolen_ns += ticks * self._tick_ns if ticks >= LEAST_STOLEN_TICKS else 0

    def was_long(self) -> bool:
        """Return whether the threads waited for more than a small share of the time, and remember that share."""
        lost = (self.waited_ns or 0) + (self.stolen_ns or 0)
        share = lost / max(self.measured_ns, 1)
        usual = statistics.median(self._shares) if self._shares else 0.0
        self._shares.append(share)
        return lost > LEAST_NS and share > max(SHARE, USUAL * usual)


def _threads() -> dict[str, int] | None:
    """Return the nanoseconds that each thread of this process has waited for a core."""
    found = {}
    try:
        for name in (path.name for path in _TASKS.iterdir()):
            try:
                found[name] = int((_TASKS / name / "schedstat").read_bytes().split()[1])
            except FileNotFoundError:  # the thread has just ended
                continue
    except (OSError, ValueError, IndexError):
        return None
    return found or None


def _stolen() -> int | None:
    """Return the ticks that the host withheld from the CPUs of this process."""
    try:
        allowed = {f"cpu{number}" for number in os.sched_getaffinity(0)}
        lines = (line.split() for line in _STAT.read_text().splitlines())
        return sum(int(line[8]) for line in lines if line and line[0] in allowed)
    except (OSError, ValueError, IndexError, AttributeError):
        return None

"""The CPU quota of a container: how many cores' time its control groups allow, and how long they held it back.

A process is throttled when any group above it has used its quota, so the smallest one up the tree counts. Version 1
keeps a quota in ``cpu.cfs_quota_us``, version 2 in ``cpu.max``; both may be mounted at once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path("/")


def cores(root: Path = ROOT) -> float | None:
    """Return how many cores' time the smallest quota allows, such as 1.5; None where there is none."""
    found = [one for group in _groups(root) if (one := _quota(group)) is not None]
    return min(found, default=None)


def throttled_s(root: Path = ROOT) -> float | None:
    """Return the seconds for which quotas have held this container back until now; None where this is unknown.

    Of nested groups it is the one that was held back longest.
    """
    found = [one for group in _groups(root) if (one := _throttled(group)) is not None]
    return max(found, default=None)


def _groups(root: Path) -> Iterator[Path]:
    """Yield the folders of this process's groups that may have a quota, up to the top of what is mounted."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        inside = {}
        for line in (root / "proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if not controllers or "cpu" in controllers.split(","):
                inside[bool(controllers)] = path
        for line in (root / "proc/self/mountinfo").read_text().splitlines():
            before, _, after = line.partition(" - ")
            kind, _, options = after.split()[:3]
            first = kind == "cgroup" and "cpu" in options.split(",")
            if not (first or kind == "cgroup2") or first not in inside:
                continue
            top, mounted = before.split()[3:5]
            folder = root / mounted.lstrip("/")
            path = inside[first]
            # in a container the mount may begin at its own group, and the path may be outside of what is seen here
            parts = Path(path).relative_to(top).parts if Path(path).is_relative_to(top) else ()
            yield folder
            for part in parts:
                folder = folder / part
                if part == ".." or not folder.is_dir():
                    break
                yield folder


def _quota(group: Path) -> float | None:
    with contextlib.suppress(OSError, ValueError):
        quota, period = (group / "cpu.max").read_text().split()
        return None if quota == "max" else int(quota) / int(period)
    with contextlib.suppress(OSError, ValueError, ZeroDivisionError):
        limit = int((group / "cpu.cfs_quota_us").read_text())
        return limit / int((group / "cpu.cfs_period_us").read_text()) if limit > 0 else None
    return None


def _throttled(group: Path) -> float | None:
    with contextlib.suppress(OSError, ValueError):
        facts = dict(line.split() for line in (group / "cpu.stat").read_text().splitlines())
        if "throttled_usec" in facts:
            return int(facts["throttled_usec"]) / 1e6
        if "throttled_time" in facts:
            return int(facts["throttled_time"]) / 1e9
    return None

"""A powercap tree on disk as the kernel shows it, and a machine that uses energy at a known power."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

RANGE_UJ = 262_143_328_850
"""As on most servers."""


def zone(root: Path, folder: str, name: str, energy_uj: int = 0, range_uj: int = RANGE_UJ) -> Path:
    """Make one zone, and return the file of its counter."""
    path = root / "sys" / "class" / "powercap" / folder
    path.mkdir(parents=True)
    (path / "name").write_text(f"{name}\n")
    (path / "max_energy_range_uj").write_text(f"{range_uj}\n")
    write(path / "energy_uj", energy_uj)
    return path / "energy_uj"


def write(path: Path, energy_uj: int) -> None:
    """Write a counter so that a reader sees the old value or the new one, as with the kernel's file."""
    new = path.with_name("new")
    new.write_text(f"{energy_uj}\n")
    new.replace(path)


def server(root: Path) -> list[Path]:
    """Make the tree of a machine with two packages and everything that must not be counted; return both counters."""
    cpuinfo(root, "fpu vme sse2")
    zone(root, "intel-rapl:0:0", "core", 500)
    zone(root, "intel-rapl:0:1", "dram", 600)
    zone(root, "intel-rapl:2", "psys", 700)
    zone(root, "intel-rapl-mmio:0", "package-0", 800)
    return [zone(root, f"intel-rapl:{number}", f"package-{number}", 1000) for number in range(2)]


def cpuinfo(root: Path, flags: str) -> None:
    """Write the processor's flags."""
    (root / "proc").mkdir(parents=True, exist_ok=True)
    (root / "proc" / "cpuinfo").write_text(f"processor\t: 0\nmodel name\t: Some CPU\nflags\t\t: {flags}\n")


class Powered:
    """A thread that advances counters (file: watts now) as a context manager; they wrap as the kernel's do."""

    def __init__(self, watts: Mapping[Path, Callable[[], float]], range_uj: int = RANGE_UJ) -> None:
        self.watts = watts
        self.range_uj = range_uj
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._advance, daemon=True)

    def _advance(self) -> None:
        joules = {path: int(path.read_text()) / 1e6 for path in self.watts}
        then = time.monotonic()
        while not self._stop.wait(0.005):
            now = time.monotonic()
            for path, watts in self.watts.items():
                joules[path] += watts() * (now - then)
                write(path, int(joules[path] * 1e6) % self.range_uj)
            then = now

    def __enter__(self) -> Powered:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

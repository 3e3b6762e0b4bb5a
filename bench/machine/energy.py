"""The energy counters of this machine: which there are, what they say, and why one is missing.

The packages of the CPU have counters in Linux' powercap tree (RAPL, for Intel and AMD); those of an accelerator are in
:data:`bench.machine.accelerators.ACCELERATORS`. A package's counter starts again from zero after 65 to 262 kilojoules,
which a busy one uses in minutes. While a meter is open, a thread reads it often enough to miss no such wrap.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from bench.core.description import EnergyCounter
from bench.core.device import CPU, Device
from bench.machine.accelerators import ACCELERATORS

IDLE_SECONDS = 5.0
SAMPLE_SECONDS = 10.0
"""Between two readings of the thread: 65 kilojoules in less would be 6.5 kilowatts."""


class NoCounter(Exception):
    """There is no counter that can be read; the text says why."""


class Counter:
    """One counter, as a sum that does not wrap."""

    def __init__(self, name: str, read: Callable[[], float], wraps_at: float | None = None) -> None:
        self.name = name
        self._read = read
        self._wraps_at = wraps_at
        self._last = read()
        self._total = 0.0

    def total(self) -> float:
        """Return the joules since it was opened; raises any exception where it can no longer be read."""
        now = self._read()
        rise = now - self._last
        if rise < 0:
            if self._wraps_at is None:
                raise NoCounter(f"the counter {self.name} was reset")
            rise += self._wraps_at
        self._last = now
        self._total += rise
        return self._total


@dataclasses.dataclass(frozen=True)
class Reading:
    """All open counters at one moment."""

    at: float
    """Monotonic clock, seconds."""
    joules: dict[str, tuple[float, ...]]
    """By device, of each of its counters since they were opened; a device that can no longer be read is missing."""

    def since(self, before: Reading) -> tuple[float, dict[str, float]]:
        """Return the seconds since another reading, and the joules of each device that both have."""
        found = {
            device: sum(now) - sum(before.joules[device])
            for device, now in self.joules.items()
            if device in before.joules
        }
        return self.at - before.at, found


Read = Callable[[], Reading]


class Meter:
    """The counters of the CPU and of some accelerators.

    `root` is the folder in which ``sys`` and ``proc`` lie, and `sample_s` the time between two readings of the thread
    while the counters are open. :attr:`facts` says what was found, by device.
    """

    def __init__(self, devices: Iterable[str], root: Path = Path("/"), sample_s: float = SAMPLE_SECONDS) -> None:
        self.root = root
        self.sample_s = sample_s
        self.facts = {device: self._found(device) for device in dict.fromkeys([CPU, *devices])}

    def there(self, device: str) -> bool:
        """Return whether a device has a counter."""
        return not self.facts[device].missing

    def measure_idle(self, seconds: float = IDLE_SECONDS) -> None:
        """Measure the power now, for some seconds, and give up on counters that stand still in that time."""
        if not any(map(self.there, self.facts)):
            return
        with self.open(device for device in self.facts if self.there(device)) as read:
            before = read()
            time.sleep(seconds)
            after = read()
        elapsed, joules = after.since(before)
        for device, facts in self.facts.items():
            if facts.missing:
                continue
            if device not in joules:
                self.facts[device] = EnergyCounter(missing=f"the counter {facts.names[0]} cannot be read any more")
                continue
            totals = zip(facts.names, before.joules[device], after.joules[device], strict=True)
            still = [name for name, one, other in totals if one == other]
            if still:
                self.facts[device] = EnergyCounter(missing=f"the counter {still[0]} stands still")
            else:
                idle = round(joules[device] / elapsed, 3)
                self.facts[device] = dataclasses.replace(facts, idle_watts=idle)

    @contextlib.contextmanager
    def open(self, devices: Iterable[str]) -> Iterator[Read]:
        """Open the counters of devices that have some, and return the function that reads them.

        A counter that can no longer be read is left out from then on.
        """
        lock, stop = threading.Lock(), threading.Event()
        with contextlib.ExitStack() as stack:
            counters: dict[str, list[Counter]] = {}
            for device in devices:
                with contextlib.suppress(Exception):  # it was there before: it is left out
                    counters[device] = stack.enter_context(self._counters(device))

            def read() -> Reading:
                with lock:
                    at, joules = time.monotonic(), {}
                    for device, mine in list(counters.items()):
                        try:
                            joules[device] = tuple(counter.total() for counter in mine)
                        except Exception:  # a driver was reloaded, a permission withdrawn, a file damaged
                            del counters[device]
                    return Reading(at, joules)

            def sample() -> None:
                while not stop.wait(self.sample_s):
                    read()

            sampler = threading.Thread(target=sample, daemon=True)
            sampler.start()
            try:
                yield read
            finally:
                stop.set()
                sampler.join()

    def _found(self, device: str) -> EnergyCounter:
        try:
            with self._counters(device) as counters:
                return EnergyCounter(names=tuple(counter.name for counter in counters))
        except NoCounter as error:
            return EnergyCounter(missing=str(error))

    @contextlib.contextmanager
    def _counters(self, device: str) -> Iterator[list[Counter]]:
        """Open the counters of one device; raises NoCounter where it has none."""
        parsed = Device.parse(device)
        if not parsed.kind.accelerator:
            yield packages(self.root)
            return
        with contextlib.ExitStack() as stack:
            try:
                read = stack.enter_context(ACCELERATORS[parsed.kind.name].energy(parsed.number))
                counters = [Counter(parsed.label, read)]
            except Exception as error:  # no driver, an old one, a device that does not count
                raise NoCounter(f"the driver counts no energy of it ({error})") from None
            yield counters


def packages(root: Path = Path("/")) -> list[Counter]:
    """Return the counters of the CPU's packages; raises NoCounter where there are none, or not all can be read.

    A package has zones within it (core, uncore), a laptop one around it (psys), and some have a second path to the
    same counter (intel-rapl-mmio): none of these is counted.
    """
    folder = root / "sys" / "class" / "powercap"
    zones = [zone for zone in sorted(folder.glob("intel-rapl:*")) if zone.name.count(":") == 1]
    found = []
    for zone in zones:
        name, path = _text(zone / "name") or "", zone / "energy_uj"
        if not name.startswith("package"):
            continue
        try:
            found.append(Counter(name, functools.partial(_joules, path), _joules(zone / "max_energy_range_uj")))
        except PermissionError:
            raise NoCounter(
                f"no permission to read {path}; 'sudo chmod a+r {folder}/*/energy_uj' gives it until the next boot"
            ) from None
        except (OSError, ValueError):
            raise NoCounter(f"{path} cannot be read") from None
    if not found:
        raise NoCounter(f"{'powercap has no CPU package' if zones else 'no powercap'} here: {_why(root)}")
    return found


def _why(root: Path) -> str:
    """Return why the kernel shows no counter of a package."""
    if not (root / "proc").is_dir():
        return "only Linux has it"
    processor = _text(root / "proc" / "cpuinfo") or ""
    if "hypervisor" in processor.split() or (root / "sys" / "hypervisor" / "type").exists():
        return "a virtual machine"
    if any((root / name).exists() for name in (".dockerenv", "run/.containerenv")):
        return "a container, which hides it"
    return "the kernel module intel_rapl_msr is not loaded, or does not know this CPU"


def _joules(path: Path) -> float:
    return float(path.read_text()) / 1e6


def _text(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError:
        return None

"""How much energy each round of a method takes, by the machine's counters.

They are read when a phase begins and whenever the worker reports an item: often enough to leave out what is not
measured, such as untimed answers, and never inside a force call.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from bench.core.description import EnergyCounter
from bench.core.device import CPU, is_accelerator
from bench.core.joules import Joules
from bench.core.records import Record
from bench.core.task import Item
from bench.machine.energy import IDLE_SECONDS, Meter, Read, Reading
from bench.protocols import item_of


class Metering:
    """The energy of a campaign; `append` writes a record."""

    def __init__(self, meter: Meter, append: Callable[[Record], None]) -> None:
        self.meter = meter
        self.append = append
        self.blocks: dict[tuple[str, str, int, str], Joules] = {}

    @property
    def possible(self) -> bool:
        """Whether any device has a counter."""
        return any(map(self.meter.there, self.meter.facts))

    def measure_idle(self, say: Callable[[str], None]) -> Mapping[str, EnergyCounter]:
        """Measure the power with no worker running, if there is a counter; returns the facts about each device's."""
        if self.possible:
            say(f"measuring the idle power for {IDLE_SECONDS:g} s")
            self.meter.measure_idle()
        return self.meter.facts

    def take_up(self, records: Iterable[Record]) -> None:
        """Enter what an earlier session counted, so that it is added to the rest of the same round."""
        self.blocks |= {_key(record): record for record in records if isinstance(record, Joules)}

    @contextlib.contextmanager
    def worker(self, key: dict[str, Any]) -> Iterator[MeteredWorker]:
        """Count the energy of one worker, and write the records when it has ended; `key` is that of its records."""
        worker = MeteredWorker(self, key)
        try:
            yield worker
        finally:
            worker.close()


class MeteredWorker:
    """The energy of one worker; its counters are open from its first phase on."""

    def __init__(self, metering: Metering, key: dict[str, Any]) -> None:
        self.metering = metering
        self.key = key
        self.devices = [name for name in (CPU, key["device"]) if metering.meter.there(name)]
        self._stack = contextlib.ExitStack()
        self._read: Read | None = None
        self._before: Reading
        self._changed: set[tuple[str, str, int, str]] = set()

    def begins(self) -> None:
        """Count from now on, because a phase begins."""
        if not self.devices:
            return
        if self._read is None:
            self._read = self._stack.enter_context(self.metering.meter.open(set(self.devices)))
        self._write()
        self._before = self._read()

    def resumes(self) -> None:
        """Count from now on, because its turn begins: what others used meanwhile is not its own."""
        if self._read is not None:
            self._before = self._read()

    def pauses(self, item: Item) -> None:
        """Count what was used for an item that goes on in a later turn."""
        if self._read is not None:
            now = self._read()
            self._add(item.part, now, 0.0)
            self._before = now

    def reported(self, record: Record) -> None:
        """Count what was used since the last record for the item of this one; records of no item are left out."""
        if self._read is None:
            return
        now = self._read()
        item = item_of(record)
        if item is not None:
            self._add(item.part, now, getattr(record, "wall_ns", 0) / 1e9)
        self._before = now

    def close(self) -> None:
        """Close the counters and write what they counted."""
        self._stack.close()
        self._write()

    def _add(self, part: str, now: Reading, work_s: float) -> None:
        seconds, joules = now.since(self._before)
        device = self.key["device"]
        facts, on_device = self.metering.meter.facts, is_accelerator(device)
        if not joules:
            return
        block = Joules(
            **self.key,
            part=part,
            seconds=seconds,
            work_s=work_s,
            cpu_joules=joules.get(CPU),
            cpu_idle_watts=facts[CPU].idle_watts if CPU in joules else None,
            device_joules=joules.get(device) if on_device else None,
            device_idle_watts=facts[device].idle_watts if on_device and device in joules else None,
        )
        earlier = self.metering.blocks.get(_key(block))
        self.metering.blocks[_key(block)] = block if earlier is None else together(earlier, block)
        self._changed.add(_key(block))

    def _write(self) -> None:
        for key in sorted(self._changed):
            self.metering.append(self.metering.blocks[key])
        self._changed.clear()


def together(earlier: Joules, later: Joules) -> Joules:
    """Return the sum of two records; only the later one where they are not of the same counters."""
    if _counted(earlier) != _counted(later):
        return later
    seconds = earlier.seconds + later.seconds

    def total(one: float | None, other: float | None) -> float | None:
        return None if one is None or other is None else one + other

    def mean(one: float | None, other: float | None) -> float | None:
        if one is None or other is None:
            return None
        return (one * earlier.seconds + other * later.seconds) / seconds if seconds else other

    return dataclasses.replace(
        later,
        seconds=seconds,
        work_s=earlier.work_s + later.work_s,
        cpu_joules=total(earlier.cpu_joules, later.cpu_joules),
        cpu_idle_watts=mean(earlier.cpu_idle_watts, later.cpu_idle_watts),
        device_joules=total(earlier.device_joules, later.device_joules),
        device_idle_watts=mean(earlier.device_idle_watts, later.device_idle_watts),
    )


def _counted(record: Joules) -> tuple[bool, bool]:
    return record.cpu_joules is not None, record.device_joules is not None


def _key(record: Joules) -> tuple[str, str, int, str]:
    return record.method, record.device, record.round, record.part

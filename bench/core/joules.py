"""The record of the energy that a round of a method took."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from bench.core.records import Record


@dataclasses.dataclass(frozen=True)
class Joules(Record):
    """What the energy counters counted while a round's workers measured items of one part.

    The counters are read whenever a worker reports an item, so start, loading and untimed answers do not count.
    """

    record: ClassVar[str] = "joules"
    part: str
    """A key of :data:`bench.protocols.PARTS`."""
    seconds: float
    """From item to item."""
    work_s: float
    """The part of `seconds` within the items' own clocks."""
    cpu_joules: float | None
    """Of all packages of the CPU; None without a counter, as in the other fields."""
    cpu_idle_watts: float | None
    """Measured before the campaign, with no worker running."""
    device_joules: float | None
    """Of the accelerator itself; None on the CPU."""
    device_idle_watts: float | None

"""The throughput of the methods of a run as frozen values; :mod:`bench.protocols.throughput.analyse` makes them."""

from __future__ import annotations

import dataclasses

from bench.analysis.disturbed import Disturbance
from bench.analysis.statistics import Estimate
from bench.core.description import Description

TIME, MEMORY, REFUSED, CRASH, FAILURE, LARGEST = "time", "memory", "refused", "crash", "failure", "largest planned"
"""What ended a series."""


@dataclasses.dataclass(frozen=True)
class Point:
    """One way with its size."""

    way: str
    size: int
    threads: int
    """Of each process."""
    rounds: int = 0
    """In which it was measured."""
    force_calls_per_s: Estimate | None = None
    relaxed_per_s: Estimate | None = None
    gain: Estimate | None = None
    """Its force calls a second over those of single calls."""
    peak_memory_bytes: int | None = None
    """Largest resident set until then, all processes together."""
    peak_device_memory_bytes: int | None = None
    energy_difference: float | None = None
    """Largest difference between a batch and single calls, eV."""
    force_difference: float | None = None
    """eV/Angstrom."""
    failure: str | None = None
    """Why it could not be measured."""

    @property
    def rate(self) -> float:
        """Force calls a second; 0 where it was not measured."""
        return self.force_calls_per_s.estimate if self.force_calls_per_s else 0.0


@dataclasses.dataclass(frozen=True)
class Series:
    """All points of one way."""

    points: tuple[Point, ...]
    best: Point | None
    """The one with the most force calls a second, of those that most rounds reached; None if a batch was wrong."""
    ended_by: str | None
    """What kept a larger one from being measured."""
    why: str | None = None
    """The failure in words."""


@dataclasses.dataclass(frozen=True)
class ThroughputRow:
    """The throughput of one method on one device."""

    method: str
    label: str
    kind: str
    device: str
    weights: str | None = None
    system: str = ""
    """The system, where the run has several; else empty."""
    refused: str | None = None
    """Why it has no figures."""
    single: Point | None = None
    batch: Series | None = None
    """None where the adapter computes no batches, or none was tried."""
    processes: Series | None = None
    half_gain_batch: float | None = None
    calls_per_molecule: float | None = None
    """Force calls per relaxed molecule, with those of relaxations that did not converge."""
    molecules: int = 0
    """Different structures over which that mean is taken."""
    no_relaxations: str | None = None
    """Why there are no relaxed molecules, though there should be."""

    @property
    def measured(self) -> bool:
        """Whether it has any figure."""
        return any(point.force_calls_per_s for point in self.points)

    @property
    def points(self) -> tuple[Point, ...]:
        """All points, also those that failed."""
        series = (self.batch, self.processes)
        return (*((self.single,) if self.single else ()), *(point for one in series if one for point in one.points))

    @property
    def ways(self) -> list[Point]:
        """The best point of each way."""
        found = [self.single, *(one.best for one in (self.batch, self.processes) if one)]
        return [one for one in found if one]

    @property
    def best(self) -> Point | None:
        """The best of all ways."""
        return max(self.ways, key=lambda one: one.rate, default=None)


@dataclasses.dataclass(frozen=True)
class WholeSet:
    """One method on one device over the systems that it takes, as if the set had equally many molecules of each."""

    method: str
    label: str
    kind: str
    device: str
    weights: str | None
    systems: int
    """At how many systems molecules were relaxed."""
    singly_per_hour: Estimate | None
    """Relaxed molecules an hour, one after another."""
    best_per_hour: Estimate | None
    """The same with the best way at each system."""


@dataclasses.dataclass(frozen=True)
class ThroughputTable:
    """The throughput of all methods of a run, ready to be rendered."""

    description: Description
    rows: tuple[ThroughputRow, ...]
    """One for each method, or for each system and each method that takes it where the run has several systems."""
    whole: tuple[WholeSet, ...] = ()
    """Of several systems, a row for each method that relaxed at one."""
    disturbances: tuple[Disturbance, ...] = ()
    damaged: tuple[int, ...] = ()
    """Lines of the run's records that could not be read."""

    @property
    def several(self) -> bool:
        """Whether the run has several systems."""
        return len(self.description.dataset.systems) > 1

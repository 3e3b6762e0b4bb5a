"""Sums up the stretched protocol."""

from __future__ import annotations

import dataclasses
import statistics

from bench.protocols.stretched.record import Stretched

from bench.analysis.measurements import Measurements, Summary
from bench.core.description import Description


@dataclasses.dataclass(frozen=True)
class Pulled:
    """What a method answers at stretched molecules."""

    method: str
    label: str
    device: str
    kind: str
    weights: str | None
    energy: float | None
    """eV, the mean."""
    done: int
    cut: int
    failures: tuple[str, ...]

    @property
    def measured(self) -> bool:
        """Whether there is an energy."""
        return self.energy is not None


@dataclasses.dataclass(frozen=True)
class PulledTable:
    """All methods."""

    description: Description
    rows: tuple[Pulled, ...]


def pulled(measurements: Measurements) -> dict[tuple[str, str], Pulled]:
    """Return the answers of each method."""
    found = {}
    for method in measurements.methods:
        mine = [
            one for one in measurements.records if isinstance(one, Stretched) and (one.method, one.device) == method.key
        ]
        energies = [one.energy for one in mine if one.energy is not None]
        found[method.key] = Pulled(
            method.method,
            method.label,
            method.device,
            method.kind,
            method.weights,
            statistics.mean(energies) if energies else None,
            sum(one.status == "done" for one in mine),
            sum(one.status == "censored" for one in mine),
            tuple(one.failure.kind for one in mine if one.failure),
        )
    return found


def _table(measurements: Measurements) -> PulledTable:
    return PulledTable(measurements.description, tuple(pulled(measurements).values()))


SUMMARY = Summary(own=pulled, table=_table)

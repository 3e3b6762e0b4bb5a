"""The times of each method at each system by itself: the table of times, system by system."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable

from bench.analysis.at_system import at_system
from bench.analysis.disturbed import Disturbance, disturbances
from bench.analysis.measurements import Measurements
from bench.analysis.summary import all_times, summarised_rows
from bench.analysis.table import Row, chosen
from bench.core.description import DataSetFacts, Description, SystemFacts


@dataclasses.dataclass(frozen=True)
class SystemRow:
    """One method on one device at one system."""

    system: SystemFacts
    row: Row
    """As in the table of times, for the structures of this system alone."""
    refused: str = ""
    """Why the method cannot take the system; empty where it can."""

    @property
    def measured(self) -> bool:
        """Whether there is a time."""
        return self.row.measured


@dataclasses.dataclass(frozen=True)
class SystemsTable:
    """All methods at all systems of a run: system by system, and in each the rows of the table of times."""

    description: Description
    rows: tuple[SystemRow, ...]
    disturbances: tuple[Disturbance, ...] = ()
    damaged: tuple[int, ...] = ()
    """Lines of the run's records that could not be read."""

    def only(self, systems: Collection[str]) -> SystemsTable:
        """Return the rows of some systems."""
        return dataclasses.replace(self, rows=tuple(one for one in self.rows if one.system.name in systems))


def only_one(dataset: DataSetFacts, frames: Iterable[int] = ()) -> SystemFacts:
    """Return the system of a run that is older than systems."""
    name = dataset.formula or dataset.name
    return SystemFacts(name, name, 0, dataset.charge, dataset.spin, frames=tuple(sorted(frames)))


def by_system(measurements: Measurements, relative_to: str | None = None) -> SystemsTable:
    """Return the table; `relative_to` is the method by which times are divided, by default the fastest MLIP."""
    described = measurements.description
    rows: list[SystemRow] = []
    for system in described.dataset.systems or (_only_one(measurements),):
        here = at_system(measurements, system)
        its = summarised_rows(here, all_times(here), relative_to=relative_to)
        shown = {(row.key, row.protocol) for row in chosen(its)}
        timed = {row.key for row in its if (row.key, row.protocol) in shown}
        seen: set[tuple[str, str]] = set()
        for row in its:
            if (row.key, row.protocol) in shown or (row.key not in timed and row.key not in seen):
                refused = described.methods[row.method].left_out.get(system.name, "")
                rows.append(SystemRow(system, row, refused))
                seen.add(row.key)
    watched = measurements.watched
    return SystemsTable(
        described, tuple(rows), disturbances(watched) if watched is not None else (), measurements.damaged
    )


def _only_one(measurements: Measurements) -> SystemFacts:
    frames = {int(one) for rows in (measurements.structures, measurements.replays) for one in rows["structure"]}
    return only_one(measurements.description.dataset, frames)

"""The times of each method at each system by itself: the table of times, system by system."""

from __future__ import annotations

import dataclasses

import pandas as pd

from bench.analysis import pool
from bench.analysis.disturbed import Disturbance, disturbances
from bench.analysis.measurements import Measurements
from bench.analysis.summary import summarise
from bench.analysis.table import Row
from bench.analysis.times import SYSTEM
from bench.core.description import Description, SystemFacts


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


def by_system(measurements: Measurements, relative_to: str | None = None) -> SystemsTable:
    """Return the table; `relative_to` is the method by which times are divided, by default the fastest MLIP."""
    described = measurements.description
    rows: list[SystemRow] = []
    for system in described.dataset.systems or (_only_one(measurements),):
        table = summarise(_of(measurements, system), relative_to=relative_to)
        shown = {(row.key, row.protocol) for row in pool.chosen(table.rows)}
        timed = {row.key for row in table.rows if (row.key, row.protocol) in shown}
        seen: set[tuple[str, str]] = set()
        for row in table.rows:
            if (row.key, row.protocol) in shown or (row.key not in timed and row.key not in seen):
                refused = described.methods[row.method].left_out.get(system.name, "")
                rows.append(SystemRow(system, row, refused))
                seen.add(row.key)
    watched = measurements.watched
    return SystemsTable(
        described, tuple(rows), disturbances(watched) if watched is not None else (), measurements.damaged
    )


def _only_one(measurements: Measurements) -> SystemFacts:
    """Return the system of a run that is older than systems."""
    dataset = measurements.description.dataset
    frames = {int(one) for rows in (measurements.structures, measurements.replays) for one in rows["structure"]}
    name = dataset.formula or dataset.name
    return SystemFacts(name, name, 0, dataset.charge, dataset.spin, frames=tuple(sorted(frames)))


def _of(measurements: Measurements, system: SystemFacts) -> Measurements:
    """Return the measurements at the structures of one system, as a run of that system alone would have them."""
    frames = set(system.frames)

    def only(rows: pd.DataFrame) -> pd.DataFrame:
        kept = rows[rows["structure"].isin(frames)]
        return kept.drop(columns=[SYSTEM], errors="ignore")

    count = measurements.description.settings.limit
    measured = set(measurements.structures["structure"]) | set(measurements.replays["structure"])
    dataset = dataclasses.replace(
        measurements.description.dataset,
        formula=system.formula,
        count=len(frames) if count is None else len(frames & measured),
        charge=system.charge,
        spin=system.spin,
        systems=(system,),
    )
    return dataclasses.replace(
        measurements,
        description=dataclasses.replace(measurements.description, dataset=dataset),
        structures=only(measurements.structures),
        replays=only(measurements.replays),
        answers=only(measurements.answers),
        steps=None if measurements.steps is None else only(measurements.steps),
        found={},
    )

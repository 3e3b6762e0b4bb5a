"""The measurements at one system of a run, as a run of that system alone would have them."""

from __future__ import annotations

import dataclasses

import pandas as pd

from bench.analysis.measurements import Measurements
from bench.analysis.times import SYSTEM
from bench.core.description import SystemFacts


def at_system(measurements: Measurements, system: SystemFacts) -> Measurements:
    """Return the measurements of times at the structures of one system.

    `records` are still all of them; what was read for other protocols is left out.
    """
    frames = set(system.frames)

    def only(rows: pd.DataFrame) -> pd.DataFrame:
        kept = rows[rows["structure"].isin(frames)]
        return kept.drop(columns=[SYSTEM], errors="ignore")

    several = SYSTEM in measurements.structures or SYSTEM in measurements.replays
    numbers = {one.name: number for number, one in enumerate(measurements.description.dataset.systems) if several}
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
        read={},
        part_of=(measurements, numbers[system.name]) if system.name in numbers else None,
    )

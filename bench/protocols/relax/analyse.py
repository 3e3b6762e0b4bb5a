"""Sums up relaxations: rows of the table of times."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pandas as pd

from bench.analysis import joules, per_molecule, relaxation
from bench.analysis.like_steps import StepTimes, step_times
from bench.analysis.measurements import Measurements, Summary
from bench.analysis.rows import compared, with_failures
from bench.analysis.statistics import Estimate
from bench.analysis.table import Row
from bench.analysis.times import SYSTEM, Times, at_systems, by_key, fitted, kept_per_round, mean_time
from bench.core.description import SystemFacts
from bench.core.records import CONVERGED


def _step_times(measurements: Measurements) -> Times:
    times = kept_per_round(measurements, "structures", "step_ns", "steps")
    return step_times(measurements.structures, measurements.steps, times)


def _relaxed(measurements: Measurements, bare: Sequence[Row], times: Times) -> list[Row]:
    """Return the rows with a time per step."""
    records = by_key(measurements.structures)
    calls = kept_per_round(measurements, "structures", "step_calculator_ns", "step_force_calls")
    cut = times.cut if isinstance(times, StepTimes) else {}
    reactions = measurements.description.settings.reactions
    taken = {key: per_molecule.steps(mine, reactions) for key, mine in records.items()}
    rows = []
    for row in bare:
        if row.key in records:
            mine, its = records[row.key], taken[row.key]
            row = dataclasses.replace(
                with_failures(row, mine),
                calculator_share=relaxation.calculator_share(mine),
                relaxation=relaxation.figures(mine, its),
                energy=joules.relaxed(mine, measurements.joules, its.beyond if its else None),
                at_minimum=_at_minimum(mine, measurements.description.dataset.systems),
                **relaxation.counts(mine, reactions),
            )
            if not reactions:
                row = _with_reacted(row, mine)
        if row.key in times:
            found, fit = taken.get(row.key), fitted(times[row.key])
            whole = _whole(times[row.key], found)
            row = dataclasses.replace(
                row,
                ms_per_step=fit.estimate(),
                taken=found,
                ms_per_molecule=whole,
                ms_per_molecule_at_least=None if whole else per_molecule.at_least(records[row.key], reactions),
                calculator_ms_per_call=mean_time(calls[row.key]) if row.key in calls else None,
                relaxation=dataclasses.replace(
                    row.relaxation, first_steps=cut.get(row.key), cut=found.cut if found else 0
                ),
                **compared(row.key, times, measurements, fit),
            )
        rows.append(row)
    return rows


def _at_minimum(records: pd.DataFrame, systems: Sequence[SystemFacts]) -> tuple[str, ...]:
    """Return the names of the systems of which every relaxation converged before its first step."""
    if SYSTEM not in records:
        return ()
    still = ((records["status"] == CONVERGED) & (records["steps"] == 0)).groupby(records[SYSTEM]).all()
    return tuple(systems[int(number)].name for number in still.index[still])


def _whole(times: pd.DataFrame, taken: per_molecule.Steps | None) -> Estimate | None:
    """Return the milliseconds of a relaxed molecule, over the systems whose steps are known."""
    if taken is None or taken.found is None:
        return None
    return per_molecule.time(mean_time(at_systems(times, taken.relaxed)), taken)


def _with_reacted(row: Row, records: pd.DataFrame) -> Row:
    """Count the structures that converged to a molecule with other bonds as failures."""
    reacted = records[per_molecule.changed(records) & (records["status"] == CONVERGED)]
    number = int(reacted["structure"].nunique())
    if not number:
        return row
    most = int(reacted["bonds_changed"].max())
    message = f"{most} pair{'s' if most != 1 else ''} of atoms bonded or parted; --reactions allows it"
    return dataclasses.replace(
        row,
        failures={**row.failures, per_molecule.BONDS_CHANGED: number},
        message=row.message or message,
    )


SUMMARY = Summary(times=_step_times, rows=_relaxed)

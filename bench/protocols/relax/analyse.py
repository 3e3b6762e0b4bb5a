"""Sums up relaxations: rows of the table of times."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from bench.analysis import joules, relaxation
from bench.analysis.like_steps import StepTimes, step_times
from bench.analysis.measurements import Measurements, Summary
from bench.analysis.rows import by_key, compared, with_failures
from bench.analysis.table import Row
from bench.analysis.times import Times, mean_time, per_round


def _step_times(measurements: Measurements) -> Times:
    return step_times(measurements.structures, measurements.steps)


def _relaxed(measurements: Measurements, bare: Sequence[Row], times: Times) -> list[Row]:
    """Return the rows with a time per step."""
    records = by_key(measurements.structures)
    calls = per_round(measurements.structures, "step_calculator_ns", "step_force_calls")
    cut = times.cut if isinstance(times, StepTimes) else {}
    rows = []
    for row in bare:
        if row.key in records:
            mine = records[row.key]
            fields = relaxation.counts(mine) | relaxation.figures(mine) | joules.relaxed(mine)
            row = dataclasses.replace(with_failures(row, mine), **fields)
        if row.key in times:
            row = dataclasses.replace(
                row,
                ms_per_step=mean_time(times[row.key]),
                first_steps=cut.get(row.key),
                calculator_ms_per_call=mean_time(calls[row.key]) if row.key in calls else None,
                **compared(row.key, times, measurements),
            )
        rows.append(row)
    return rows


SUMMARY = Summary(times=_step_times, rows=_relaxed)

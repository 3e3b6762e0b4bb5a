"""Sums up replayed paths: rows of the table of times."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from bench.analysis import joules, replays
from bench.analysis.measurements import Measurements, Summary
from bench.analysis.rows import by_key, compared, with_failures
from bench.analysis.table import Row
from bench.analysis.times import Times, mean_time
from bench.core.records import CONVERGED, NATIVE


def _replay_times(measurements: Measurements) -> Times:
    return replays.times(measurements.replays)


def _replayed(measurements: Measurements, bare: Sequence[Row], times: Times) -> list[Row]:
    """Return the rows with a time per step along the fixed paths, or per force call where no optimiser worked."""
    records = by_key(measurements.replays)
    calls = replays.calls(measurements.replays)
    stepped = replays.with_steps(measurements.replays)
    rows = []
    for row in bare:
        # a published step is one force call with BFGS, and an unknown number with another optimiser
        paper = None if row.optimizer == NATIVE else row.paper_ms_per_step
        optimizer = row.optimizer if row.key in stepped else None
        row = dataclasses.replace(row, optimizer=optimizer, paper_ms_per_step=paper)
        if row.key in records:
            mine = records[row.key]
            done = int(mine.loc[mine["status"] == CONVERGED, "structure"].nunique())
            row = dataclasses.replace(with_failures(row, mine), done=done, converged=done, energy=joules.replayed(mine))
        if row.key in times:
            row = dataclasses.replace(
                row,
                ms_per_step=mean_time(times[row.key]) if row.key in stepped else None,
                calculator_ms_per_call=mean_time(calls[row.key]),
                calculator_share=replays.calculator_share(records[row.key]) if row.key in stepped else None,
                **compared(row.key, times, measurements),
            )
        rows.append(row)
    return rows


SUMMARY = Summary(times=_replay_times, rows=_replayed)

"""Sums up replayed paths: rows of the table of times."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pandas as pd

from bench.analysis import joules
from bench.analysis.measurements import Measurements, Summary
from bench.analysis.rows import compared, with_failures
from bench.analysis.table import Row
from bench.analysis.times import Times, by_key, fitted, kept_per_round, mean_time, with_steps
from bench.core.records import CONVERGED, FAILED, NATIVE


def _replayed(measurements: Measurements, bare: Sequence[Row], times: Times) -> list[Row]:
    """Return the rows with a time per step along the fixed paths, or per force call where no optimiser worked."""
    records = by_key(measurements.replays)
    calls = _calls(measurements)
    stepped = with_steps(measurements.replays)
    rows = []
    for row in bare:
        # a published step is one force call with BFGS, and an unknown number with another optimiser
        paper = None if row.optimizer == NATIVE else row.paper_ms_per_step
        optimizer = row.optimizer if row.key in stepped else None
        row = dataclasses.replace(row, optimizer=optimizer, paper_ms_per_step=paper)
        if row.key in records:
            mine = records[row.key]
            done = int(mine.loc[mine["status"] == CONVERGED, "structure"].nunique())
            row = dataclasses.replace(
                with_failures(row, mine), done=done, converged=done, energy=joules.replayed(mine, measurements.joules)
            )
        if row.key in times:
            fit = fitted(times[row.key])
            row = dataclasses.replace(
                row,
                ms_per_step=fit.estimate() if row.key in stepped else None,
                calculator_ms_per_call=mean_time(calls[row.key]) if row.key in stepped else fit.estimate(),
                calculator_share=_calculator_share(records[row.key]) if row.key in stepped else None,
                **compared(row.key, times, measurements, fit),
            )
        rows.append(row)
    return rows


def _calculator_share(paths: pd.DataFrame) -> float:
    """Return the calculator's share of the steps along the paths of one method on one device, 0 to 1."""
    timed = paths[paths["status"] != FAILED]
    return float(timed["calculator_ns"].sum() / timed["step_ns"].sum())


def _calls(measurements: Measurements) -> Times:
    return kept_per_round(measurements, "replays", "calculator_ns", "force_calls")


def _times(measurements: Measurements) -> Times:
    """Return the milliseconds per step of the methods of :func:`with_steps`, and per force call of the others."""
    stepped = with_steps(measurements.replays)
    steps = kept_per_round(measurements, "replays", "step_ns", "force_calls")
    return {**_calls(measurements), **{key: found for key, found in steps.items() if key in stepped}}


SUMMARY = Summary(times=_times, rows=_replayed)

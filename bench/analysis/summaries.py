"""How the records of each protocol are summed up: one entry per protocol."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from bench.analysis import joules, relaxation, replays
from bench.analysis.accuracy import accuracies, accuracy_table
from bench.analysis.like_steps import StepTimes, pair, step_times
from bench.analysis.measurements import Measurements
from bench.analysis.nodes import node_share, node_spread
from bench.analysis.scaling import scaling_table
from bench.analysis.stability import stabilities, stability_table
from bench.analysis.statistics import flag_outliers
from bench.analysis.table import Row
from bench.analysis.throughput import throughput_table
from bench.analysis.times import Key, Times, by_structure, mean_time, paired_ratio, per_round, round_spread
from bench.contract.device import CPU, is_accelerator
from bench.contract.protocol import ACCURACY, MD, RELAX, REPLAY, SCALING, THROUGHPUT
from bench.contract.records import CONVERGED, FAILED, NATIVE


@dataclasses.dataclass(frozen=True)
class Summary:
    """What the records of one protocol give: rows of the table of times, fields of rows, or a separate table."""

    times: Callable[[Measurements], Times] | None = None
    """The times in its rows, by which two runs are compared; None where it has no rows."""
    rows: Callable[[Measurements, Sequence[Row], Times], list[Row]] | None = None
    """Makes its rows from rows that hold only the method and device."""
    fields: Callable[[Measurements], Mapping[Key, Mapping[str, Any]]] | None = None
    """The fields that it adds to every row of a method and device."""
    table: Callable[[Measurements], Any] | None = None
    """Its own table, where its records give no rows of the table of times."""


def _step_times(measurements: Measurements) -> Times:
    return step_times(measurements.structures, measurements.steps)


def _replay_times(measurements: Measurements) -> Times:
    return replays.times(measurements.replays)


def _relaxed(measurements: Measurements, bare: Sequence[Row], times: Times) -> list[Row]:
    """Return the rows with a time per step."""
    records = _by_key(measurements.structures)
    calls = per_round(measurements.structures, "step_calculator_ns", "step_force_calls")
    cut = times.cut if isinstance(times, StepTimes) else {}
    rows = []
    for row in bare:
        if row.key in records:
            mine = records[row.key]
            fields = relaxation.counts(mine) | relaxation.figures(mine) | joules.relaxed(mine)
            row = dataclasses.replace(_with_failures(row, mine), **fields)
        if row.key in times:
            row = dataclasses.replace(
                row,
                ms_per_step=mean_time(times[row.key]),
                first_steps=cut.get(row.key),
                calculator_ms_per_call=mean_time(calls[row.key]) if row.key in calls else None,
                **_compared(row.key, times, measurements),
            )
        rows.append(row)
    return rows


def _replayed(measurements: Measurements, bare: Sequence[Row], times: Times) -> list[Row]:
    """Return the rows with a time per step along the fixed paths, or per force call where no optimiser worked."""
    records = _by_key(measurements.replays)
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
            row = dataclasses.replace(_with_failures(row, mine), done=done, converged=done, **joules.replayed(mine))
        if row.key in times:
            row = dataclasses.replace(
                row,
                ms_per_step=mean_time(times[row.key]) if row.key in stepped else None,
                calculator_ms_per_call=mean_time(calls[row.key]),
                calculator_share=replays.calculator_share(records[row.key]) if row.key in stepped else None,
                **_compared(row.key, times, measurements),
            )
        rows.append(row)
    return rows


def _simulated(measurements: Measurements) -> dict[Key, dict[str, Any]]:
    return {key: {"stability": found} for key, found in stabilities(measurements).items()}


def _accurate(measurements: Measurements) -> dict[Key, dict[str, Any]]:
    return {key: {"accuracy": found} for key, found in accuracies(measurements).items()}


SUMMARIES: dict[str, Summary] = {
    RELAX: Summary(times=_step_times, rows=_relaxed),
    REPLAY: Summary(times=_replay_times, rows=_replayed),
    MD: Summary(fields=_simulated, table=stability_table),
    ACCURACY: Summary(fields=_accurate, table=accuracy_table),
    SCALING: Summary(table=scaling_table),
    THROUGHPUT: Summary(table=throughput_table),
}


def shown_first(protocols: Iterable[str]) -> str:
    """Return the protocol by which a run is shown by default: one with times, if there is one."""
    planned = list(protocols) or [RELAX]
    return next((name for name in planned if SUMMARIES[name].table is None), planned[0])


def all_times(measurements: Measurements) -> dict[str, Times]:
    """Return the times of each protocol that has times."""
    return {name: summary.times(measurements) for name, summary in SUMMARIES.items() if summary.times is not None}


def _by_key(records: pd.DataFrame) -> dict[Key, pd.DataFrame]:
    return {(str(method), str(device)): mine for (method, device), mine in records.groupby(["method", "device"])}


def _compared(key: Key, measured: Times, measurements: Measurements) -> dict[str, Any]:
    """Return the fields of a row that compare structures, rounds, nodes, and the device with the CPU."""
    times, node_of = measured[key], measurements.description.node_of
    method, device = key
    # a ratio to the CPU is paired over the CPU's structures
    cpu = (method, CPU) if is_accelerator(device) and (method, CPU) in measured else None
    return {
        "speedup_over_cpu": paired_ratio(*pair(measured, cpu, key)) if cpu is not None else None,
        "outliers": int(flag_outliers(by_structure(times).to_numpy()).sum()),
        "rounds": times.shape[1],
        "round_spread": round_spread(times),
        "node_spread": node_spread(times, node_of) if node_of else None,
        "node_share": node_share(times, node_of) if node_of else None,
    }


def _with_failures(row: Row, records: pd.DataFrame) -> Row:
    """Count the failed records, each structure in each round, and a failure of the whole method."""
    failed = records[records["status"] == FAILED]
    if failed.empty:
        return row
    classes = failed.drop_duplicates(["structure", "round"], keep="last")["failure"]
    return dataclasses.replace(
        row,
        failures=dict(Counter(row.failures) + Counter(str(name) for name in classes)),
        message=row.message or str(failed["message"].iloc[0]),
    )

"""What protocols have in common whose records are rows of the table of times."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any

import pandas as pd

from bench.analysis.like_steps import pair
from bench.analysis.measurements import Measurements
from bench.analysis.nodes import node_share, node_spread
from bench.analysis.statistics import flag_outliers
from bench.analysis.table import Row
from bench.analysis.times import Key, Times, by_structure, paired_ratio, round_spread
from bench.core.device import CPU, is_accelerator
from bench.core.records import FAILED


def by_key(records: pd.DataFrame) -> dict[Key, pd.DataFrame]:
    """Return the records of each method on each device."""
    return {(str(method), str(device)): mine for (method, device), mine in records.groupby(["method", "device"])}


def compared(key: Key, measured: Times, measurements: Measurements) -> dict[str, Any]:
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


def with_failures(row: Row, records: pd.DataFrame) -> Row:
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

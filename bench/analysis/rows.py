"""What protocols have in common whose records are rows of the table of times."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from bench.analysis.like_steps import pair
from bench.analysis.measurements import Measurements
from bench.analysis.model import Fit
from bench.analysis.nodes import node_share, node_spread
from bench.analysis.statistics import flag_outliers
from bench.analysis.table import Coverage, Row
from bench.analysis.times import Key, Times, paired_ratio, round_spread, systems_of
from bench.core.device import CPU, is_accelerator
from bench.core.failure import LOGGED, log_name
from bench.core.records import FAILED


def compared(key: Key, measured: Times, measurements: Measurements, fit: Fit) -> dict[str, Any]:
    """Return the fields of a row that compare structures, rounds, nodes, and the device with the CPU.

    `fit` is the model of the method's times.
    """
    times, node_of = measured[key], measurements.description.node_of
    method, device = key
    # a ratio to the CPU is paired over the CPU's structures
    cpu = (method, CPU) if is_accelerator(device) and (method, CPU) in measured else None
    values, systems = np.exp(fit.values), systems_of(times.index)
    if systems is None:
        systems = np.zeros(len(values))
    reached = np.unique(systems)
    return {
        "coverage": Coverage(len(reached), max(len(measurements.description.dataset.systems), 1)),
        "speedup_over_cpu": paired_ratio(*pair(measured, cpu, key)) if cpu is not None else None,
        # in each system by itself: a larger molecule is no outlier
        "outliers": sum(int(flag_outliers(values[systems == one]).sum()) for one in reached),
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
        log=row.log if row.message else _log(row, failed.iloc[0]),
    )


def _log(row: Row, first: pd.Series) -> str | None:
    """Return where the worker of the first failure printed what it did."""
    return log_name(row.method, row.device, int(first["round"])) if first["failure"] in LOGGED else None

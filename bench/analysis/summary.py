"""From the data frames of a run directory to the table: one row a method and device."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from bench.analysis import fidelity, speedup
from bench.analysis.claims import claims
from bench.analysis.notes import notes
from bench.analysis.statistics import FEWEST, Estimate, flag_outliers, geometric_mean
from bench.analysis.table import Published, Row, Table, in_order, is_gpu
from bench.records import CONVERGED, FAILED, STEP_CAP

Key = speedup.Key


def summarise(
    campaign: Mapping[str, Any],
    methods: pd.DataFrame,
    structures: pd.DataFrame,
    steps: pd.DataFrame | None = None,
    *,
    paper: Mapping[str, Published] | None = None,
) -> Table:
    """Return the table of a campaign.

    Parameters
    ----------
    campaign : mapping
        What ``campaign.json`` says.
    methods : DataFrame
        One row a method and device.
    structures : DataFrame
        One row a relaxation; times in nanoseconds, ``fmax`` in eV/Angstrom, ``positions`` in Angstrom.
    steps : DataFrame, optional
        One row a step. Needed only for an interval over steps, where a method has fewer structures than an
        interval over structures takes.
    paper : mapping of str to Published, optional
        The published figures by method, as ``bench.report.paper.read()`` gives them.

    Returns
    -------
    Table
        Rows light kinds first and fast ones first within a kind. Milliseconds, seconds, bytes, Angstrom.
    """
    total = campaign.get("dataset", {}).get("count")
    series = speedup.per_structure(structures)
    calls = speedup.per_structure(structures, "calculator_ns", "force_calls")
    rounds = speedup.round_spread(structures)
    relaxations: dict[Key, pd.DataFrame] = {
        (str(method), str(device)): group for (method, device), group in structures.groupby(["method", "device"])
    }
    few = [key for key, values in series.items() if len(values) < FEWEST]
    step_times = _step_times(steps, structures, few) if steps is not None and few else {}
    rows = []
    for record in methods.to_dict("records"):
        row = _method_row(record, total, paper or {})
        key = (row.method, row.device)
        if key in relaxations:
            row = dataclasses.replace(row, **_relaxed(relaxations[key]))
            row = _with_failures(row, relaxations[key])
        if key in series:
            times = series[key]
            # the CPU's structures are the ones that a ratio to the CPU is paired over
            cpu = series.get((row.method, "cpu")) if is_gpu(row.device) else None
            row = dataclasses.replace(
                row,
                ms_per_step=_ms_per_step(times, step_times.get(key)),
                calculator_ms_per_call=geometric_mean(calls[key].to_numpy()) if key in calls else None,
                speedup_over_cpu=speedup.paired_ratio(cpu, times) if cpu is not None else None,
                outliers=int(flag_outliers(times.to_numpy()).sum()),
                rounds=rounds[key][0],
                round_spread=rounds[key][1],
            )
        rows.append(row)
    rows = in_order(rows)
    table = Table(
        head={"source": "campaign", **campaign},
        rows=tuple(rows),
        geometric_means=speedup.means(rows, series),
    )
    table = dataclasses.replace(table, claims=tuple(claims(table)))
    return dataclasses.replace(table, notes=notes(table, paper or {}))


def _method_row(record: dict[Hashable, Any], total: int | None, paper: Mapping[str, Published]) -> Row:
    """Return what is known of a method before any of its relaxations."""

    def known(name: str, kind: Any) -> Any:
        # in a data frame None may have become NaN, and an integer beside it a float
        value = record.get(name)
        return None if value is None or pd.isna(value) else kind(value)

    device = str(record["device"])
    failure = known("failure", str)
    published = paper.get(known("paper", str) or "")
    return Row(
        method=str(record["method"]),
        label=known("label", str) or str(record["method"]),
        kind=str(record["kind"]),
        family=known("family", str),
        weights=known("weights", str),
        device=device,
        dtype=known("dtype", str),
        threads=known("threads", int),
        optimizer=known("optimizer", str),
        parameters=known("parameters", int),
        paper=known("paper", str),
        note=known("note", str) or "",
        done=0,
        total=total,
        converged=0,
        failures={failure: 1} if failure else {},
        message=known("message", str),
        paper_ms_per_step=published.on(device) if published else None,
        cold_start_s=known("cold_start_s", float),
        peak_memory_bytes=known("peak_memory_bytes", int),
        peak_device_memory_bytes=known("peak_device_memory_bytes", int),
    )


def _relaxed(relaxations: pd.DataFrame) -> dict[str, Any]:
    """Return the fields of a row that are counted from the relaxations of one method on one device."""
    status = relaxations["status"]
    converged = relaxations[status == CONVERGED]
    counted = relaxations[status != FAILED]
    timed = counted.dropna(subset=["step_ns", "step_calculator_ns"])
    called = counted.dropna(subset=["steps", "step_force_calls"])
    fields: dict[str, Any] = {
        "done": int(relaxations.loc[status.isin([CONVERGED, STEP_CAP]), "structure"].nunique()),
        "converged": int(converged["structure"].nunique()),
        "steps_measured": int(counted["steps"].sum()),
        "steps_per_structure": _number(converged.groupby("structure")["steps"].mean().mean()),
        "force_calls_per_step": _ratio(called["step_force_calls"].sum(), called["steps"].sum()),
        "calculator_share": _ratio(timed["step_calculator_ns"].sum(), timed["step_ns"].sum()),
        "fmax_max": _number(pd.to_numeric(converged["fmax"]).max()),
    }
    geometries = [xyz for xyz in converged.drop_duplicates("structure")["positions"] if xyz is not None]
    if len(geometries) > 1:
        spread = fidelity.spread(np.stack(geometries))
        fields |= {"rmsd_median": spread.median, "rmsd_max": spread.max, "rmsd_outliers": spread.outliers}
    return fields


def _with_failures(row: Row, relaxations: pd.DataFrame) -> Row:
    """Count the failed relaxations, each structure in each round, besides a failure of the whole method."""
    failed = relaxations[relaxations["status"] == FAILED]
    if failed.empty:
        return row
    classes = failed.drop_duplicates(["structure", "round"], keep="last")["failure"]
    return dataclasses.replace(
        row,
        failures=dict(Counter(row.failures) + Counter(str(name) for name in classes)),
        message=row.message or str(failed["message"].iloc[0]),
    )


def _number(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)


def _ratio(numerator: Any, denominator: Any) -> float | None:
    return float(numerator) / float(denominator) if denominator else None


def _ms_per_step(times: pd.Series, step_times: np.ndarray | None) -> Estimate:
    """Return the time per step, with an interval over steps where there are too few structures for one."""
    estimate = geometric_mean(times.to_numpy())
    if estimate.low is not None or step_times is None or len(step_times) < FEWEST:
        return estimate
    # The steps lend their relative interval; the estimate stays the one over structures, which ratios are made of.
    over_steps = geometric_mean(step_times, over="steps")
    over_steps = over_steps.scaled(estimate.estimate / over_steps.estimate)
    return dataclasses.replace(over_steps, estimate=estimate.estimate, n=estimate.n)


def _step_times(steps: pd.DataFrame, structures: pd.DataFrame, keys: list[Key]) -> dict[Key, np.ndarray]:
    """Return the milliseconds of every step of the relaxations that count, for the methods in `keys`."""
    wanted = steps[steps["method"].isin([method for method, _ in keys]) & (steps["step"] > 0)]
    failed = structures.loc[structures["status"] == FAILED, ["method", "device", "round", "structure"]]
    if len(failed):
        wanted = wanted.merge(failed, how="left", indicator=True).query("_merge == 'left_only'")
    # a native optimiser tells only the whole step
    nanoseconds = wanted["calculator_ns"].fillna(0) + wanted["optimizer_ns"].fillna(0)
    wanted = wanted.assign(ms=nanoseconds.to_numpy(dtype=float) * 1e-6)
    wanted = wanted[wanted["ms"] > 0]
    return {
        (str(method), str(device)): group["ms"].to_numpy()
        for (method, device), group in wanted.groupby(["method", "device"], observed=True)
    }

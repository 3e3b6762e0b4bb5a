"""From the data frames of a run directory to the table: one row a method, protocol and device."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pandas as pd

from bench.analysis import relaxation, speedup
from bench.analysis.disturbed import disturbances, in_place
from bench.analysis.simulated import Stability
from bench.analysis.statistics import FEWEST, flag_outliers
from bench.analysis.table import RELAX, REPLAY, Published, Row, Table, in_order, is_gpu
from bench.contract.records import CONVERGED, FAILED
from bench.paper.claims import claims, rank_correlation
from bench.report.notes import notes

Key = speedup.Key


@dataclasses.dataclass(frozen=True)
class _Measured:
    """What was measured under one protocol, by method and device."""

    records: dict[Key, pd.DataFrame]
    """With the failed ones."""
    series: dict[Key, pd.DataFrame]
    """Milliseconds per step, or per force call, by structure and round."""


def summarise(
    campaign: Mapping[str, Any],
    methods: pd.DataFrame,
    structures: pd.DataFrame,
    steps: pd.DataFrame | None = None,
    *,
    replays: pd.DataFrame | None = None,
    watched: pd.DataFrame | None = None,
    answers: Mapping[Key, Sequence[str]] | None = None,
    dynamics: Mapping[Key, Stability] | None = None,
    paper: Mapping[str, Published] | None = None,
) -> Table:
    """Return the table of a campaign.

    Parameters
    ----------
    campaign : mapping
        What ``campaign.json`` says. A method has a row for each protocol of its settings; one with random weights
        has a row for ``replay`` alone, whatever they are.
    methods : DataFrame
        One row a method and device.
    structures : DataFrame
        One row a relaxation; times in nanoseconds, ``fmax`` in eV/Angstrom, ``positions`` in Angstrom.
    steps : DataFrame, optional
        One row a step. Needed only for an interval over steps, where a method has fewer structures than an
        interval over structures takes.
    replays : DataFrame, optional
        One row a replayed path: its ``force_calls`` and the nanoseconds of all of them, ``calculator_ns``.
    watched : DataFrame, optional
        One row a round of a method, with what disturbed it.
    answers : mapping of (method, device) to sequence of str, optional
        Where the answers of a method differ from its baseline; empty where they do not.
    dynamics : mapping of (method, device) to Stability, optional
        What the methods' simulations say.
    paper : mapping of str to Published, optional
        The published figures by method, as ``bench.paper.table1.read()`` gives them.

    Returns
    -------
    Table
        Rows light kinds first and fast ones first within a kind. Milliseconds, seconds, bytes, Angstrom.
    """
    if watched is not None:
        rounds = int(campaign["settings"]["rounds"])
        steps = in_place(steps, watched, rounds, structures) if steps is not None else None
        structures = in_place(structures, watched, rounds)
        replays = in_place(replays, watched, rounds) if replays is not None else None
    planned = campaign.get("settings", {}).get("protocols") or [RELAX]
    total = campaign.get("dataset", {}).get("count")
    relaxed = _measured(structures, "step_ns", "steps")
    calls = speedup.per_round(structures, "calculator_ns", "force_calls")
    few = [key for key, values in relaxed.series.items() if len(values) < FEWEST]
    step_times = relaxation.step_times(steps, structures, few) if steps is not None and few else {}
    replayed = _measured(replays, "calculator_ns", "force_calls")
    records = methods.to_dict("records")
    # where a method could not start, nothing tells its weights but the other device
    random = {str(record["method"]) for record in records if record["weights"] == "random"}
    rows = []
    for record in records:
        bare = _method_row(record, total, paper or {})
        key = (bare.method, bare.device)
        if answers is not None and key in answers:
            bare = dataclasses.replace(bare, answers=tuple(answers[key]))
        if dynamics is not None and key in dynamics:
            bare = dataclasses.replace(bare, stability=dynamics[key])
        is_random = bare.weights == "random" or (bare.weights is None and bare.method in random)
        protocols = [REPLAY] if is_random else planned
        if RELAX in protocols:
            row = _with_failures(bare, relaxed.records.get(key))
            if key in relaxed.records:
                row = dataclasses.replace(row, **relaxation.counts(relaxed.records[key]))
            if key in relaxed.series:
                row = dataclasses.replace(
                    row,
                    ms_per_step=relaxation.ms_per_step(relaxed.series[key], step_times.get(key)),
                    calculator_ms_per_call=speedup.mean_time(calls[key]) if key in calls else None,
                    **_compared(key, relaxed),
                )
            rows.append(row)
        if REPLAY in protocols:
            rows.append(_replay_row(bare, key, replayed))
    rows = in_order(rows)
    table = Table(
        head={"source": "campaign", **campaign},
        rows=tuple(rows),
        geometric_means=(
            *speedup.means(rows, relaxed.series, RELAX),
            *speedup.means(rows, replayed.series, REPLAY),
        ),
        disturbances=disturbances(watched) if watched is not None else (),
    )
    table = dataclasses.replace(table, claims=tuple(claims(table)), rank_correlation=rank_correlation(table))
    return dataclasses.replace(table, notes=notes(table, paper or {}))


def _measured(frame: pd.DataFrame | None, time: str, count: str) -> _Measured:
    if frame is None or frame.empty:
        return _Measured({}, {})
    return _Measured(
        {(str(method), str(device)): group for (method, device), group in frame.groupby(["method", "device"])},
        speedup.per_round(frame, time, count),
    )


def _replay_row(bare: Row, key: Key, replayed: _Measured) -> Row:
    """Return the row of a method's force calls along the fixed paths."""
    native = bare.optimizer == "native"
    row = dataclasses.replace(
        _with_failures(bare, replayed.records.get(key)),
        protocol=REPLAY,
        optimizer=None,
        # a published step is one force call where BFGS made it, and an unknown number where another optimiser did
        paper_ms_per_step=None if native else bare.paper_ms_per_step,
    )
    if key in replayed.records:
        records = replayed.records[key]
        done = int(records.loc[records["status"] == CONVERGED, "structure"].nunique())
        row = dataclasses.replace(row, done=done, converged=done)
    if key in replayed.series:
        time = speedup.mean_time(replayed.series[key])
        row = dataclasses.replace(row, calculator_ms_per_call=time, **_compared(key, replayed))
    return row


def _compared(key: Key, measured: _Measured) -> dict[str, Any]:
    """Return the fields of a row that compare its structures, its rounds, and it with the CPU."""
    times = measured.series[key]
    method, device = key
    # the CPU's structures are the ones that a ratio to the CPU is paired over
    cpu = measured.series.get((method, "cpu")) if is_gpu(device) else None
    return {
        "speedup_over_cpu": speedup.paired_ratio(cpu, times) if cpu is not None else None,
        "outliers": int(flag_outliers(speedup.over_rounds(times).to_numpy()).sum()),
        "rounds": times.shape[1],
        "round_spread": speedup.round_spread(times),
    }


def _method_row(record: dict[Hashable, Any], total: int | None, paper: Mapping[str, Published]) -> Row:
    """Return what is known of a method before anything was measured with it."""

    def known(name: str, kind: Any) -> Any:
        # in a data frame None may have become NaN, and an integer beside it a float
        value = record.get(name)
        return None if value is None or pd.isna(value) else kind(value)

    device = str(record["device"])
    environment, checkpoint, settings = (record.get(name) for name in ("environment", "checkpoint", "settings"))
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
        checkpoint=checkpoint if isinstance(checkpoint, Mapping) else None,
        brought=environment.get("brought") if isinstance(environment, Mapping) else None,
        settings=settings if isinstance(settings, Mapping) else {},
        tuned=tuple(record.get("tuned") or ()),
        threads_found=known("threads_found", int),
        cold_start_s=known("cold_start_s", float),
        warm_up_calls=known("warm_up_calls", int),
        settled=known("settled", bool),
        peak_memory_bytes=known("peak_memory_bytes", int),
        peak_device_memory_bytes=known("peak_device_memory_bytes", int),
    )


def _with_failures(row: Row, records: pd.DataFrame | None) -> Row:
    """Count the failed records, each structure in each round, besides a failure of the whole method."""
    failed = records[records["status"] == FAILED] if records is not None else None
    if failed is None or failed.empty:
        return row
    classes = failed.drop_duplicates(["structure", "round"], keep="last")["failure"]
    return dataclasses.replace(
        row,
        failures=dict(Counter(row.failures) + Counter(str(name) for name in classes)),
        message=row.message or str(failed["message"].iloc[0]),
    )

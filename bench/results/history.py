"""The history of one machine: one JSON line per method and run, kept in the repository, newest last."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench import paths
from bench.analysis.changes import LEAST_RUN, changes, machine, without_machine
from bench.analysis.table import Row, Table
from bench.core.description import Machine
from bench.core.protocol import REPLAY
from bench.core.settings import Settings
from bench.errors import BadInput
from bench.results.dataframes import Run

SERIES = ["method", "device", "protocol", "dataset", "settings", "threads", "weights", "dtype"]
"""The keys that are equal in all lines of a series."""
_RUN = ["created", "run"]


def folder() -> Path:
    """Return the folder of the histories."""
    return paths.results_dir() / "history"


def machine_name(machine: Machine) -> str:
    """Return the name of a machine's file: its CPU, its cores, its GPUs."""
    parts = [machine.cpu or "cpu", f"{machine.usable_cores or 0} cores", *machine.gpus]
    return re.sub(r"[^a-z0-9]+", "-", " ".join(parts).lower()).strip("-")


def entries(run: Run, table: Table) -> list[dict[str, Any]]:
    """Return a line for each row of a run's table that has a time."""
    versions = {record.method: record.versions for record in run.contents.started}
    campaign = run.description
    return [
        {
            "run": run.directory.name,
            "created": campaign.created,
            "commit": campaign.commit,
            "machine": machine_name(campaign.machine),
            "method": row.method,
            "label": row.label,
            "device": row.device,
            "protocol": row.protocol,
            "dataset": f"{campaign.dataset.name} {campaign.dataset.digest[-12:]}",
            "settings": _settings(row, campaign.settings),
            "threads": row.threads,
            "weights": row.weights,
            "dtype": row.dtype,
            **_time(row),
            "versions": versions.get(row.method, {}),
        }
        for row in table.rows
        if row.time is not None
    ]


def _settings(row: Row, settings: Settings) -> str:
    """Return the settings of a campaign that affect a time, in words."""
    structures = f"{settings.limit} structures" if settings.limit else "all structures"
    chosen = "".join(f", {name}={value}" for name, value in settings.knobs.items())
    # a mean over the systems that a short budget reached is another figure than one over all
    if row.coverage is not None and row.coverage.systems < row.coverage.of:
        chosen += f", {row.coverage.systems} of {row.coverage.of} systems"
    if row.protocol == REPLAY:
        optimizer = f"{row.optimizer}, " if row.optimizer else ""
        return f"{optimizer}{settings.replay_points} points, {structures}{chosen}"
    return f"{row.optimizer}, fmax {settings.fmax:g}, {settings.max_steps} steps, {structures}{chosen}"


def _time(row: Row) -> dict[str, Any]:
    assert row.time is not None
    return {
        "unit": "ms/call" if row.of_calls else "ms/step",
        "ms": row.time.estimate,
        "low": row.time.low,
        "high": row.time.high,
        "rounds": row.time.rounds,
    }


def add(lines: Iterable[dict[str, Any]]) -> Path | None:
    """Append the lines of one run to its machine's file, each at most once; returns the file, None without lines."""
    new = list(lines)
    if not new:
        return None
    path = folder() / f"{new[0]['machine']}.jsonl"
    known = {_identity(line) for line in read(path)} if path.exists() else set()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            for line in new:
                if _identity(line) not in known:
                    file.write(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n")
    except OSError as error:
        raise BadInput(f"cannot write {path}: {error.strerror}.") from None
    return path


def read(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a history; raises BadInput where one is damaged."""
    lines = []
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            line = json.loads(text)
            _identity(line)
        except (ValueError, KeyError, TypeError):
            raise BadInput(f"line {number} of {path} is damaged; remove it to read the rest.") from None
        lines.append(line)
    return lines


def find(machine: str | None) -> Path:
    """Return the history of a machine, by any part of its name; None means the only one."""
    known = sorted(folder().glob("*.jsonl"))
    if not known:
        raise BadInput("there is no history yet; 'pesbench history add' begins one with the newest run.")
    chosen = [path for path in known if machine is None or machine in path.stem]
    chosen = [path for path in chosen if path.stem == machine] or chosen  # one name may begin with another
    if len(chosen) != 1:
        names = ", ".join(path.stem for path in known)
        which = "there are several" if machine is None else f"{machine!r} matches {len(chosen) or 'none'} of them"
        raise BadInput(f"histories are kept for {names}; {which}, choose one with --machine.")
    return chosen[0]


def series(lines: list[dict[str, Any]]) -> list[pd.DataFrame]:
    """Return one data frame per series, in order of time.

    It has two columns besides: ``step``, the change of level, else NaN; and ``beside``, whether that is a change
    against the other series of the same runs, so that the machine's own speed is not in it. Where too few of them are
    known, it is one of the times themselves.
    """
    found = _ordered(lines)
    logs = _logs(found)
    return [_with_steps(one, logs, number) for number, one in enumerate(found)]


def together(lines: list[dict[str, Any]]) -> list[tuple[str, float]]:
    """Return when all methods together became faster or slower, and the new level over the one before it.

    That is due to the machine, or to a package that they share.
    """
    logs = _logs(_ordered(lines))
    common = machine(logs.to_numpy(dtype=float))
    known = ~np.isnan(common)
    created = [str(one) for one in logs.index[known].get_level_values("created")]
    return [(created[step.at], step.ratio) for step in changes(np.exp(common[known]).tolist())]


def _ordered(lines: list[dict[str, Any]]) -> list[pd.DataFrame]:
    groups = pd.DataFrame(lines).groupby(SERIES, dropna=False, sort=False)
    return [group.sort_values("created", kind="stable").reset_index(drop=True) for _, group in groups]


def _logs(found: list[pd.DataFrame]) -> pd.DataFrame:
    """Return the logarithms of the times, a line for each run and a column for each series."""
    each = [one.drop_duplicates(_RUN).set_index(_RUN)["ms"].astype(float) for one in found]
    return pd.DataFrame(np.log(pd.concat(each, axis=1, keys=range(len(each))).sort_index()))


def _with_steps(one: pd.DataFrame, logs: pd.DataFrame, number: int) -> pd.DataFrame:
    alone = pd.Series(without_machine(logs.to_numpy(dtype=float), number), index=logs.index)
    alone = alone.reindex(pd.MultiIndex.from_frame(one[_RUN]))
    known = np.flatnonzero(alone.notna())
    beside = len(known) >= 2 * LEAST_RUN
    places, times = (known, np.exp(alone.to_numpy()[known])) if beside else (np.arange(len(one)), one["ms"])
    ratios = {int(places[step.at]): step.ratio for step in changes(list(times))}
    return one.assign(step=[ratios.get(place, float("nan")) for place in range(len(one))], beside=beside)


def export(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the newest line of each series as github-action-benchmark's ``customSmallerIsBetter`` reads it."""
    found = []
    for one in series(lines):
        last = one.iloc[-1]
        entry = {
            # github-action-benchmark draws one line per name
            "name": ", ".join(str(last[column]) for column in SERIES),
            "unit": last["unit"],
            "value": last["ms"],
            "extra": f"run {last['run']}" + (f", commit {last['commit']}" if last["commit"] else ""),
        }
        if pd.notna(last["low"]) and pd.notna(last["high"]):
            entry["range"] = f"{last['low']:.4g} to {last['high']:.4g}"
        found.append(entry)
    return found


def _identity(line: Mapping[str, Any]) -> tuple[Any, ...]:
    return (line["run"], line["method"], line["device"], line["protocol"])

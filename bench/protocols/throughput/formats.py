"""The throughput table in each of the formats that people and programs read."""

from __future__ import annotations

from typing import Any

from bench.protocols.throughput.page import ended, notes, page
from bench.protocols.throughput.table import Point, Series, ThroughputRow, ThroughputTable, WholeSet
from bench.render.blocks import Formats, estimate_object

FORMAT = 1


def row_object(row: ThroughputRow) -> dict[str, Any]:
    """Return a method's figures as the JSON object that scripts rely on."""
    return {
        "method": row.method,
        "label": row.label,
        "kind": row.kind,
        "device": row.device,
        "weights": row.weights,
        "system": row.system or None,
        "refused": row.refused,
        "single": _point(row.single) if row.single else None,
        "batch": _series(row.batch),
        "processes": _series(row.processes),
        "half_gain_batch": row.half_gain_batch,
        "force_calls_per_molecule": row.calls_per_molecule,
        "molecules": row.molecules,
        "no_relaxations": row.no_relaxations,
        "points": [_point(one) for one in row.points],
    }


def _series(series: Series | None) -> dict[str, Any] | None:
    if series is None:
        return None
    return {
        "best": _point(series.best) if series.best else None,
        "ended_by": ended(series),
        "why": series.why,
    }


def _point(point: Point) -> dict[str, Any]:
    return {
        "way": point.way,
        "size": point.size,
        "threads": point.threads,
        "rounds": point.rounds,
        "force_calls_per_s": estimate_object(point.force_calls_per_s),
        "relaxed_per_s": estimate_object(point.relaxed_per_s),
        "gain": estimate_object(point.gain),
        "peak_memory_bytes": point.peak_memory_bytes,
        "peak_device_memory_bytes": point.peak_device_memory_bytes,
        "energy_difference_ev": point.energy_difference,
        "force_difference_ev_per_angstrom": point.force_difference,
        "failure": point.failure,
    }


def _document(table: ThroughputTable) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "head": table.description.plain(),
        "rows": [row_object(row) for row in table.rows],
        "whole_set": [_whole(one) for one in table.whole],
        "notes": notes(table),
    }


def _whole(one: WholeSet) -> dict[str, Any]:
    rates = {name: estimate_object(getattr(one, name)) for name in ("singly_per_hour", "best_per_hour")}
    return {**vars(one), **rates}


def _rows(table: ThroughputTable) -> list[dict[str, Any]]:
    """Return one line for each point of each method, and one for a method without any."""
    lines = []
    for row in table.rows:
        best = {id(one.best) for one in (row.batch, row.processes) if one} | {id(row.single)}
        for point in row.points or (None,):
            fields: dict[str, Any] = {
                name: getattr(row, name)
                for name in ("method", "device", "system", "weights", "refused", "half_gain_batch")
            }
            for name, value in _point(point or Point("", 0, 0)).items():
                fields[name] = value if point or isinstance(value, dict) else None
            fields["best"] = point is not None and id(point) in best
            lines.append(fields)
    return lines


FORMATS = Formats(page, _rows, _document)

"""The throughput table with a line for each method at each system, in each of the formats."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any

from bench.protocols.throughput import page as whole
from bench.protocols.throughput.formats import row_object
from bench.protocols.throughput.table import Point, Series, ThroughputRow, ThroughputTable
from bench.render import numbers
from bench.render.blocks import Block, Formats, Page
from bench.render.by_system import blocks_of, facts, fields_of
from bench.render.cells import Cell
from bench.render.heading import heading

FORMAT = 1


def only(table: ThroughputTable, systems: Collection[str]) -> ThroughputTable:
    """Return a table with the rows of some systems; a run of a single system has no others."""
    rows = tuple(row for row in table.rows if row.system in systems or not row.system)
    return dataclasses.replace(table, rows=rows)


def page(table: ThroughputTable) -> Page:
    """Return the whole report: a block a system."""
    return Page(heading(table), blocks(table), whole.reasons(table), whole.notes(table), whole.urgent(table))


def blocks(table: ThroughputTable) -> list[Block]:
    """Return a block for each system, with a line for each method that has a rate there."""
    return blocks_of(
        table.description,
        [row for row in table.rows if row.measured],
        lambda row: whole.name(dataclasses.replace(row, system=""), table),
        ("calls", "1/s, singly", lambda row: _rate(row.single, "force_calls_per_s")),
        ("calls", "in batches", lambda row: _rate(_best(row.batch), "force_calls_per_s")),
        ("calls", "in processes", lambda row: _rate(_best(row.processes), "force_calls_per_s")),
        ("relaxed", "1/s, singly", lambda row: _rate(row.single, "relaxed_per_s")),
        ("relaxed", "in batches", lambda row: _rate(_best(row.batch), "relaxed_per_s")),
        ("relaxed", "in processes", lambda row: _rate(_best(row.processes), "relaxed_per_s")),
    )


def _best(series: Series | None) -> Point | None:
    return series.best if series else None


def _rate(point: Point | None, figure: str) -> Cell:
    return numbers.with_interval(getattr(point, figure) if point else None, 3)


def _rows(table: ThroughputTable) -> list[dict[str, Any]]:
    known = facts(table.description)
    return [_object(row, fields_of(known[row.system])) for row in table.rows]


def _object(row: ThroughputRow, system: dict[str, Any]) -> dict[str, Any]:
    found = row_object(row)
    del found["points"]  # the table that is not by system has them
    return found | system


def _document(table: ThroughputTable) -> Mapping[str, Any]:
    return {"format": FORMAT, "head": table.description.plain(), "rows": _rows(table), "notes": whole.notes(table)}


FORMATS = Formats(page, _rows, _document)
"""How throughput by system is shown."""

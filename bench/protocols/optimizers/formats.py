"""The table of optimisers in each of the formats that people and programs read."""

from __future__ import annotations

from typing import Any

from bench.protocols.optimizers.page import notes, page
from bench.protocols.optimizers.table import OptimizerRow, OptimizersTable, Overall
from bench.render.blocks import Formats, estimate_object

FORMAT = 1


def row_object(row: OptimizerRow) -> dict[str, Any]:
    """Return the figures of an optimiser with a method as the JSON object that scripts rely on."""
    return {
        "method": row.method,
        "label": row.label,
        "kind": row.kind,
        "device": row.device,
        "weights": row.weights,
        "optimizer": row.optimizer,
        "attempts": row.attempts,
        "solved": row.solved,
        "cut": row.cut,
        "failures": dict(row.failures),
        "higher": row.higher,
        "higher_mev": row.higher_mev,
        "ms_per_molecule": estimate_object(row.ms_per_molecule),
        "force_calls": row.force_calls,
        "above_mev": row.above_mev,
        "own_share": row.own_share,
        "time_ratio": estimate_object(row.time_ratio),
        "calls_ratio": estimate_object(row.calls_ratio),
        "tight_ms_per_molecule": estimate_object(row.tight_ms_per_molecule),
        "tight_time_ratio": estimate_object(row.tight_time_ratio),
        "message": row.message,
    }


def _overall(one: Overall) -> dict[str, Any]:
    return {
        "optimizer": one.optimizer,
        "attempts": one.attempts,
        "solved": one.solved,
        "time_ratio": estimate_object(one.time_ratio),
        "calls_ratio": estimate_object(one.calls_ratio),
        "tight_time_ratio": estimate_object(one.tight_time_ratio),
        "best": one.best,
        "within_twice": one.within_twice,
    }


def _rows(table: OptimizersTable) -> list[dict[str, Any]]:
    return [row_object(row) for row in table.rows]


def _document(table: OptimizersTable) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "head": table.description.plain(),
        "rows": _rows(table),
        "optimizers": [_overall(one) for one in table.overall],
        "problems": table.problems,
        "notes": notes(table),
    }


FORMATS = Formats(page, _rows, _document)
"""How optimisers are shown."""

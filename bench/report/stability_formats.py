"""The stability table in each of the formats that people and programs read."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Callable
from typing import Any

from bench.analysis.events import INTACT
from bench.analysis.simulated import Stability, StabilityTable
from bench.errors import BadInput
from bench.report import blocks
from bench.report.stability import notes, page


def render(table: StabilityTable, form: str, width: int | None = None, color: bool = False) -> str:
    """Return the table as text; raises BadInput where the format is not known."""
    if form not in RENDERERS:
        raise BadInput(f"there is no format {form!r}; use {', '.join(RENDERERS)}.")
    return blocks.terminal(page(table), width, color) if form == "terminal" else RENDERERS[form](table)


def row_object(row: Stability) -> dict[str, Any]:
    """Return a method's figures as the JSON object that scripts rely on."""
    found = dataclasses.asdict(row)
    found["drift"], found["drift_error"] = row.drift or (None, None)
    found["light_ratio"], found["light_ratio_error"] = row.light_ratio or (None, None)
    return found


def _json(table: StabilityTable) -> str:
    document = {
        "format": 1,
        "head": table.description.plain(),
        "reference": table.reference,
        "reference_planarity": table.reference_planarity,
        "rows": [row_object(row) for row in table.rows],
        "notes": notes(table),
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _csv(table: StabilityTable) -> str:
    """Return one line per method; for each ensemble the stable time and the fate of its trajectories."""
    file = io.StringIO()
    writer: csv.DictWriter[str] | None = None
    for row in table.rows:
        fields = {
            name: "; ".join(value) if isinstance(value, tuple) else value
            for name, value in row_object(row).items()
            if name not in ("ensembles", "distribution", "ms_per_step", "temperatures")
        }
        time = row.ms_per_step
        fields |= {f"ms_per_step_{part}": getattr(time, part, None) for part in ("estimate", "low", "high")}
        for name in ("nve", "nvt"):
            one = next((one for one in row.ensembles if one.name == name), None)
            times = one.survival if one else None
            fields |= {
                f"{name}_stable_ps": times.median_ps if times else None,
                f"{name}_longest_ps": times.longest_ps if times else None,
                f"{name}_ended": times.ended if times else None,
                f"{name}_trajectories": times.count if times else None,
                f"{name}_not_intact": sum(n for kind, n in one.kinds.items() if kind != INTACT) if one else None,
            }
        if writer is None:
            writer = csv.DictWriter(file, list(fields), lineterminator="\n")
            writer.writeheader()
        writer.writerow(fields)
    return file.getvalue()


RENDERERS: dict[str, Callable[[StabilityTable], str]] = {
    "terminal": lambda table: blocks.terminal(page(table)),
    "markdown": lambda table: blocks.markdown(page(table)),
    "latex": lambda table: blocks.latex(page(table)),
    "csv": _csv,
    "json": _json,
}
FORMATS = tuple(RENDERERS)

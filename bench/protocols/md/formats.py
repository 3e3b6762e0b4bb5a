"""The stability table in each of the formats that people and programs read."""

from __future__ import annotations

import dataclasses
from typing import Any

from bench.analysis.events import INTACT
from bench.protocols.md.page import notes, page
from bench.protocols.md.table import Stability, StabilityTable
from bench.render.blocks import Formats


def row_object(row: Stability) -> dict[str, Any]:
    """Return a method's figures as the JSON object that scripts rely on."""
    found = dataclasses.asdict(row)
    for name in ("drift", "noise_exponent", "light_ratio"):
        of_seeds = getattr(row, name)
        found[name], found[f"{name}_error"] = (of_seeds.value, of_seeds.error) if of_seeds else (None, None)
        found[f"{name}_freedom"] = of_seeds.freedom if of_seeds else None
    if row.distribution is not None:
        found["distribution"]["lower_bound"] = row.distribution.lower_bound
    return found


def _document(table: StabilityTable) -> dict[str, Any]:
    return {
        "format": 1,
        "head": table.description.plain(),
        "reference": table.reference,
        "reference_planarity": table.reference_planarity,
        "rows": [row_object(row) for row in table.rows],
        "notes": notes(table),
    }


def _rows(table: StabilityTable) -> list[dict[str, Any]]:
    """Return one line per method; for each ensemble the stable time and the fate of its trajectories."""
    lines = []
    for row in table.rows:
        fields = {
            name: value
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
        lines.append(fields)
    return lines


FORMATS = Formats(page, _rows, _document)

"""The stability table in each of the formats that people and programs read."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Callable, Sequence
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from bench.analysis.events import INTACT
from bench.analysis.simulated import Stability, StabilityTable
from bench.errors import BadInput
from bench.report.heading import heading
from bench.report.latex import escape, tabular
from bench.report.stability import STYLES, blocks, notes, reasons


def render(table: StabilityTable, form: str, width: int | None = None, color: bool = False) -> str:
    """Return the table as text; raises BadInput where the format is not known."""
    if form not in RENDERERS:
        raise BadInput(f"there is no format {form!r}; use {', '.join(RENDERERS)}.")
    return _terminal(table, width, color) if form == "terminal" else RENDERERS[form](table)


def _terminal(table: StabilityTable, width: int | None = None, color: bool = False) -> str:
    width = width or Console().width
    file = io.StringIO()
    system: Any = "standard" if color else None
    console = Console(file=file, width=width, force_terminal=color, color_system=system, highlight=False)
    parts: list[RenderableType] = [_pairs_grid(heading(table), width)]
    for block in blocks(table):
        grid = RichTable(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
        least = [12, *(max(len(cell) for cell in column) for column in list(zip(*block.lines, strict=True))[1:])]
        for i, (title, unit) in enumerate(block.headings):
            side: Any = "left" if i == 0 else "right"
            grid.add_column(Text(f"{title}\n{unit}", justify=side), justify=side, overflow="fold", min_width=least[i])
        for line in block.lines:
            grid.add_row(*(Text(cell, style=STYLES.get(cell, "")) for cell in line))
        parts += [Text(), Text(block.title, style="bold"), grid]
    if found := reasons(table):
        parts += [Text(), _pairs_grid(found, width)]
    text = RichTable.grid(padding=(0, 1))
    for note in notes(table):
        text.add_row("·", Text(note, overflow="fold"))
    console.print(Group(*parts, Text(), text))
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"


def _pairs_grid(pairs: Sequence[tuple[str, str]], width: int) -> RichTable:
    grid = RichTable.grid(padding=(0, 2))
    grid.add_column(max_width=width // 3)
    for label, text in pairs:
        grid.add_row(Text(label, style="bold"), Text(text, overflow="fold"))
    return grid


def _markdown(table: StabilityTable) -> str:
    parts = [f"**{label}:** {text}  " for label, text in heading(table)]
    for block in blocks(table):
        titles = [" ".join(filter(None, pair)) for pair in block.headings]
        parts += ["", f"**{block.title}**", "", "| " + " | ".join(titles) + " |"]
        parts += ["|" + "|".join([":---", *["---:"] * (len(titles) - 1)]) + "|"]
        parts += ["| " + " | ".join(line) + " |" for line in block.lines]
    if found := reasons(table):
        parts += ["", *(f"- {label}: {text}" for label, text in found)]
    return "\n".join([*parts, "", *(f"- {note}" for note in notes(table)), ""])


def _latex(table: StabilityTable) -> str:
    """Return ``tabular`` environments that need ``booktabs``."""
    parts = []
    for block in blocks(table):
        parts += [r"\begin{table*}", r"\centering", r"\caption{" + escape(block.title) + "}", r"\footnotesize"]
        parts += [
            tabular(block.headings, [[escape(cell) for cell in line] for line in block.lines]),
            r"\end{table*}",
            "",
        ]
    texts = [*(f"{label}: {text}" for label, text in reasons(table)), *notes(table)]
    return "\n".join([*parts, *(escape(text) + r"\par" for text in texts), ""])


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
    "terminal": _terminal,
    "markdown": _markdown,
    "latex": _latex,
    "csv": _csv,
    "json": _json,
}
FORMATS = tuple(RENDERERS)

"""A table in each of the formats that people and programs read."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from bench.analysis.ordering import Ranks, Relative
from bench.analysis.table import Mean, Row, Table
from bench.core.plain import to_plain
from bench.errors import BadInput
from bench.render.blocks import as_csv, as_json, estimate_object
from bench.render.columns import columns, failures, fitting, means
from bench.render.heading import head_object, heading
from bench.render.latex import escape, tabular
from bench.render.lines import has_steps, lines
from bench.render.notes import REPLAY_MARK, notes
from bench.render.shown import SHOWN
from bench.render.terminal import render_terminal

FORMAT = 1
"""Version of the JSON object: a new key does not change it, a new meaning of a key does."""


def render(
    table: Table,
    format: str,
    width: int | None = None,
    color: bool = False,
    wide: bool = False,
    digits: int | None = None,
) -> str:
    """Return the table as text.

    Parameters
    ----------
    table : Table
        What to show.
    format : str
        One of :data:`FORMATS`.
    width, color, wide : optional
        See :func:`bench.render.terminal.render_terminal`; the other formats ignore them.
    digits : int, optional
        Of fractions in CSV and JSON; by default all.

    Raises
    ------
    BadInput
        Where the format is not known.
    """
    if format == "terminal":
        return render_terminal(table, width, color, wide)
    if format == "csv":
        return as_csv(_rows(table), digits)
    if format == "json":
        return as_json(_document(table), digits)
    if format not in RENDERERS:
        raise BadInput(f"there is no format {format!r}; use {', '.join(FORMATS)}.")
    return RENDERERS[format](table)


def _markdown(table: Table) -> str:
    def cell(text: str) -> str:
        return text.replace("|", "\\|").replace("\n", " ")

    shown = columns(table)
    parts = [f"**{label}:** {cell(text)}  " for label, text in heading(table)]
    parts += ["", "| " + " | ".join(cell(column.heading) for column in shown) + " |"]
    parts += ["|" + "|".join("---:" if column.right else ":---" for column in shown) + "|"]
    for line in lines(table):
        parts.append("| " + " | ".join(cell(column.text(line)) for column in shown) + " |")
    for title, pairs in (("Failures", failures(table)), ("How many times faster", means(table))):
        if pairs:
            parts += ["", f"**{title}**", "", *(f"- {label}: {cell(text)}" for label, text in pairs)]
    if said := notes(table):
        parts += ["", "**Notes**", "", *(f"- {note}" for note in said)]
    return "\n".join(parts) + "\n"


_LATEX_WIDTH = 105  # characters in footnotesize over the two columns of a page


def _latex(table: Table) -> str:
    """Return a ``table`` environment that needs ``\\usepackage{booktabs}`` and nothing else."""
    shown = fitting(table, _LATEX_WIDTH)
    subject = "an optimisation step" if has_steps(table) else "a force call"
    caption = f"Time of {subject}. " + " ".join(f"{label}: {text.rstrip('.')}." for label, text in heading(table))
    footnotes = [f"{label}: {text}" for label, text in (*failures(table), *means(table))] + list(notes(table))
    return "\n".join(
        [
            r"\begin{table*}",
            r"\centering",
            r"\caption{" + escape(caption) + "}",
            r"\footnotesize\setlength{\tabcolsep}{4pt}",
            tabular(
                [(column.title, column.unit) for column in shown],
                [[_latex_cell(column.text(line)) for column in shown] for line in lines(table)],
                "".join("r" if column.right else "l" for column in shown),
            ),
            "",
            r"\smallskip",
            r"\begin{minipage}{\linewidth}",
            r"\scriptsize",
            *(escape(note) + r"\par" for note in footnotes),
            r"\end{minipage}",
            r"\end{table*}",
            "",
        ]
    )


def _latex_cell(text: str) -> str:
    # the mark takes no width, so that the figures stay aligned
    mark = escape(REPLAY_MARK)
    return escape(text).replace(mark, rf"\rlap{{{mark}}}")


def _rows(table: Table) -> list[dict[str, Any]]:
    """Return each row with all its fields; the last ones name the data set, the machine and the run."""
    measured = table.description
    context = {
        "run_id": measured.run_id,
        "commit": measured.commit,
        "dataset": measured.dataset.name,
        "machine": measured.machine.cpu,
        "gpus": "; ".join(measured.machine.gpus),
    }
    return [row_object(row) | context for row in table.rows]


def _document(table: Table) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "head": head_object(table),
        "rows": [row_object(row) for row in table.rows],
        "geometric_means": [_mean_object(mean) for mean in table.geometric_means],
        "claims": [dataclasses.asdict(claim) for claim in table.claims],
        "rank_correlation": table.rank_correlation,
        "notes": list(notes(table)),
    }


_NOT_IN_JSON = {"left_out", "settings", "taken", "threads_found", "checkpoint", "environment", "versions", "failure"}
"""Fields of a row that only the notes use; a run's records have them in full."""
_PARTS = {"relaxation", "energy", "own"}
"""Fields whose own fields are those of the object."""


def row_object(row: Row) -> dict[str, Any]:
    """Return a row as the JSON object that scripts rely on: its fields, and what is computed from them."""
    found = _fields(row)
    for part in (row.relaxation, row.energy):
        found |= _fields(part)
    for name, view in SHOWN.items():
        if view.key:
            found[view.key] = dict(view.row_object(row.own.get(name)))
    found["structures"] = {"done": found.pop("done"), "total": found.pop("total")}
    return found | {
        "interval_over": row.interval_over,
        "interval_rounds": row.time.rounds if row.time else None,
        "ratio_to_paper": estimate_object(row.ratio_to_paper),
    }


def _fields(value: Any) -> dict[str, Any]:
    """Return the fields of a row, or of a part of one, as plain data."""
    found = {}
    for field in dataclasses.fields(value):
        if field.name not in _NOT_IN_JSON | _PARTS:
            inner = getattr(value, field.name)
            found[field.name] = _OBJECTS[field.type](inner) if field.type in _OBJECTS else to_plain(inner)
    return found


def _ranks_object(found: Ranks | None) -> dict[str, int | None]:
    return {"low": found.low if found else None, "high": found.high if found else None}


def _relative_object(found: Relative | None) -> dict[str, Any]:
    if found is None:
        return {"to": None} | estimate_object(None)
    return dataclasses.asdict(found)


_OBJECTS: dict[Any, Callable[[Any], dict[str, Any]]] = {
    "Estimate | None": estimate_object,
    "Ranks | None": _ranks_object,
    "Relative | None": _relative_object,
}
"""How a field is shown, by its annotation: a value of several figures has the same keys when it is missing."""


def _mean_object(mean: Mean) -> dict[str, Any]:
    return {
        "name": mean.name,
        "methods": list(mean.methods),
        "reference": list(mean.reference),
        "estimate": mean.estimate,
        "low": mean.low,
        "high": mean.high,
        "common_structures": mean.n,
        "protocol": mean.protocol,
        "of_calls": mean.of_calls,
        "per_molecule": estimate_object(mean.per_molecule),
    }


RENDERERS: dict[str, Callable[[Table], str]] = {
    "markdown": _markdown,
    "latex": _latex,
}
"""The formats for people, besides the terminal's."""
FORMATS = ("terminal", *RENDERERS, "csv", "json")

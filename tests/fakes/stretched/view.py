"""How the stretched protocol is shown."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from bench.protocols.stretched.analyse import Pulled, PulledTable

from bench.render import numbers
from bench.render.blocks import Formats, Page, by_method
from bench.render.heading import heading
from bench.render.numbers import DASH
from bench.render.view import OwnColumn, Picture, Question, View

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def _page(table: PulledTable) -> Page:
    block = by_method(
        "How much does stretching cost?",
        table.rows,
        lambda row: row.label,
        ("energy", "eV", lambda row: numbers.plain(row.energy)),
        ("done", "", lambda row: str(row.done)),
        ("cut", "", lambda row: str(row.cut) if row.cut else DASH),
        ("failures", "", lambda row: ", ".join(row.failures) or DASH),
    )
    reasons = [(row.label, row.failures[0]) for row in table.rows if row.failures]
    return Page(heading(table), [block], reasons, ["Stretched in all directions."])


def _draw(table: PulledTable) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure()
    figure.subplots().bar([row.label for row in table.rows], [row.energy or 0.0 for row in table.rows])
    return figure


def _row(found: Pulled | None) -> dict[str, float | None]:
    return {"energy": found.energy if found else None}


VIEW = View(
    Formats(
        _page,
        lambda table: [dataclasses.asdict(row) for row in table.rows],
        lambda table: {"rows": [dataclasses.asdict(row) for row in table.rows]},
    ).render,
    Formats.names,
    _draw,
    "stretched",
    columns=(OwnColumn("pull", lambda found: numbers.plain(found.energy), unit="eV"),),
    words={"pull": "The mean energy of the stretched molecules."},
    key="stretched",
    row_object=_row,
    question=Question(
        "stretched", "What does stretching cost?", _page, Picture(_draw, "Energies", "One bar for each method.")
    ),
)

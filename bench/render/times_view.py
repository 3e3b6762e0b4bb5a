"""How the table of times is shown, which the protocols share whose records are its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.analysis.table import Table
from bench.render.blocks import Formats
from bench.render.view import View

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def _render(table: Table, form: str, **terminal: Any) -> str:
    from bench.render import tables  # it shows the columns of all views

    return tables.render(table, form, **terminal)


def _draw(table: Table) -> Figure:
    from bench.render import figure

    return figure.draw(table)


TIMES = View(_render, Formats.names, _draw, "ms-per-step")

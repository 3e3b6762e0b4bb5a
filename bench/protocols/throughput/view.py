"""How throughput is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.protocols.throughput import by_system, formats, page
from bench.protocols.throughput.table import ThroughputTable
from bench.render.blocks import Formats
from bench.render.view import BySystem, Picture, Question, View

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def _draw(table: ThroughputTable) -> Figure:
    from bench.protocols.throughput import figure

    return figure.draw(table)


VIEW = View(
    formats.FORMATS.render,
    Formats.names,
    _draw,
    "throughput",
    question=Question(
        "throughput",
        "How many molecules a second?",
        page.page,
        Picture(
            _draw,
            "Gain over single calls",
            page.pictured,
        ),
        place=40,
    ),
    by_system=BySystem(by_system.FORMATS, by_system.only),
)

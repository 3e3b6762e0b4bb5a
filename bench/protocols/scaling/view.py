"""How growth with size is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.protocols.scaling import page
from bench.protocols.scaling.analyse import ScalingTable
from bench.render.blocks import Formats
from bench.render.view import Picture, Question, View

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def _draw(table: ScalingTable) -> Figure:
    from bench.protocols.scaling import figure

    return figure.draw(table)


VIEW = View(
    page.FORMATS.render,
    Formats.names,
    _draw,
    "growth",
    question=Question(
        "growth",
        "How does the cost grow with size?",
        page.page,
        Picture(
            _draw,
            "Time of a force call by number of atoms",
            "One line for each method on logarithmic axes, with the law that was fitted to it. The last table has the "
            "numbers.",
        ),
        place=30,
    ),
)

"""How optimisers are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.protocols.optimizers import formats, page
from bench.protocols.optimizers.table import OptimizersTable
from bench.render.blocks import Formats
from bench.render.view import Picture, Question, View

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def _draw(table: OptimizersTable) -> Figure:
    from bench.protocols.optimizers import figure

    return figure.draw(table)


VIEW = View(
    formats.FORMATS.render,
    Formats.names,
    _draw,
    "optimizers",
    question=Question(
        "optimizers",
        "Which optimiser?",
        page.page,
        Picture(
            _draw,
            "Share of the problems that each optimiser solves within a multiple of the least cost",
            "Left in time, right in force calls: one line for each optimiser. The tables below have the numbers.",
        ),
        place=25,
    ),
    words={
        "time /": "The time of a relaxation over that with the optimiser named after the stroke, the first one of the "
        "run, at structures that both relaxed in the same process; with its 95 % interval.",
        "calls /": "The force calls of a relaxation over those with the optimiser named after the stroke.",
        "above": "How far above the minimum a system is when its largest force falls below fmax, median, meV.",
        "tight": "The ratio of times until the force is below the tight criterion, usually 0.005 eV/Å.",
        "own": "The optimiser's own share of the time of a relaxation.",
        "relaxed": "Relaxations that ended at the best minimum that any optimiser found, with the bonds of the start.",
        "higher": "Relaxations that converged to a higher energy than the best: how many, and the median distance.",
        "fastest": "Share of the problems that the optimiser solved in the least time.",
        "within 2x": "Share of the problems that the optimiser solved in at most twice the least time.",
    },
)

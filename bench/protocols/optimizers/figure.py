"""The figure of optimisers: performance profiles in time and in force calls."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from bench.errors import BadInput
from bench.protocols.optimizers.table import OptimizersTable
from bench.render.figure import STYLE, WIDTH
from bench.render.marks import COLORS, color, marker, say

_LINE = 0.125  # inches of the caption
FARTHEST = 8.0
"""Multiples of the least cost that are drawn."""


@mpl.rc_context(STYLE)
def draw(table: OptimizersTable) -> Figure:
    """Return the figure; raises BadInput where no problem was solved."""
    if not table.problems:
        raise BadInput(f"{table.description.run_id} has no relaxation by which optimisers could be compared.")
    caption = textwrap.fill(_caption(table), 125)
    below = _LINE * (caption.count("\n") + 1)
    # one that never began has no share, which is not a share of zero
    profiles = [one for one, whole in zip(table.profiles, table.overall, strict=True) if whole.best is not None]
    legend_lines = -(-len(profiles) // 4)
    height = 3.0 + 0.17 * legend_lines + below
    figure = Figure(figsize=(WIDTH, height))
    FigureCanvasAgg(figure)
    bottom = 0.55 + 0.17 * legend_lines + below
    size = (0.93 * height - bottom) / height
    left = figure.add_axes((0.09, bottom / height, 0.42, size))
    right = figure.add_axes((0.55, bottom / height, 0.42, size))
    left.set_ylabel("share of problems solved", labelpad=2)
    names = [one.optimizer for one in profiles]
    _profiles(left, names, [one.time for one in profiles], table.problems, "time relative to the fastest")
    _profiles(right, names, [one.calls for one in profiles], table.problems, "force calls relative to the fewest")
    right.tick_params(labelleft=False)  # the same axis as on the left
    handles = [
        Line2D([], [], marker=marker(i), color=color(i), ls=_dashes(i), lw=1.2, ms=4, label=name)
        for i, name in enumerate(names)
    ]
    place = (0.5, (0.10 + below) / height)
    figure.legend(handles=handles, loc="lower center", bbox_to_anchor=place, ncols=4, frameon=False, fontsize=7.5)
    figure.text(0.1 / WIDTH, 0.05 / height, caption, fontsize=7, color="0.35", va="bottom", linespacing=1.15)
    return figure


def _profiles(axes: Axes, names: Sequence[str], multiples: Sequence[Sequence[float]], problems: int, what: str) -> None:
    axes.set_xscale("log", base=2)
    for i, (name, solved) in enumerate(zip(names, multiples, strict=True)):
        under = (len(names) - 1 - i) / max(len(names) - 1, 1)  # a line below others is wider, so that it can be seen
        within = np.array([one for one in solved if one <= FARTHEST])
        x = np.concatenate([[1.0], within, [FARTHEST]])
        y = np.concatenate([[(within <= 1.0).sum()], np.arange(1, len(within) + 1), [len(within)]]) / problems
        axes.step(x, y, where="post", color=color(i), ls=_dashes(i), lw=1.1 + 1.3 * under)
        at = [1.0, 2.0, 4.0, FARTHEST]
        for multiple in at:
            share = sum(one <= multiple for one in solved) / problems
            (mark,) = axes.plot(multiple, share, marker(i), color=color(i), ms=3.5 + 2.0 * under, clip_on=False)
            say(mark, name, f"{100 * share:.0f} % of the problems within {multiple:g} times the least")
    axes.set_xlim(1.0, FARTHEST)
    axes.set_ylim(0.0, 1.02)
    axes.xaxis.set_major_locator(FixedLocator([1, 2, 4, 8]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}×"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f} %"))
    axes.set_xlabel(what, labelpad=2)
    axes.grid(color="0.9", lw=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _dashes(i: int) -> str:
    """Return a style of line: colours are used twice."""
    return "-" if i < len(COLORS) else "--"


def _caption(table: OptimizersTable) -> str:
    described = table.description
    methods = len({row.method for row in table.rows})
    return (
        f"Run {described.run_id}, {described.dataset.name}: {table.problems} problems, each a structure with one of "
        f"{methods} method{'s' if methods != 1 else ''}. A line far left and high is better; its right end is the "
        "share that the optimiser solves within eight times the least cost."
    )

"""The figure of growth: milliseconds per force call by number of atoms, with each method's law."""

from __future__ import annotations

import textwrap

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from bench.protocols.scaling.analyse import Growth, ScalingTable
from bench.protocols.scaling.page import name
from bench.render import numbers
from bench.render.figure import STYLE, WIDTH, power
from bench.render.marks import looks, say, value

_HEIGHT = 3.6
_APART = 1.03  # from the mark of one method to that of the next, times the number of atoms
_MOST_LABELS = 9


@mpl.rc_context(STYLE)
def draw(table: ScalingTable) -> Figure:
    """Return the figure; it leaves out methods that were not measured."""
    rows = [row for row in table.rows if row.points]
    several = len({row.device for row in rows}) > 1
    caption = textwrap.fill(_caption(table), 125)
    lines = caption.count("\n") + 1
    bottom = 0.42 + 0.125 * lines
    height = _HEIGHT + 0.125 * lines
    figure = Figure(figsize=(WIDTH, height))
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.085, bottom / height, 0.60, (height - bottom - 0.1) / height))
    axes.set_xscale("log")
    axes.set_yscale("log")
    look = looks([(row.kind, f"{row.method} {row.device}") for row in rows])
    for i, row in enumerate(rows):
        # side by side, so that no mark hides another
        _row(axes, look[i], row, name(row, several), _APART ** (i - (len(rows) - 1) / 2))
    _limits(axes, [point.ms_per_call.estimate for row in rows for point in row.points])
    axes.set_xlabel("number of atoms", labelpad=2)
    axes.set_ylabel("ms per force call", labelpad=2)
    axes.grid(color="0.9", lw=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    sizes = sorted({point.atoms for row in rows for point in row.points})
    ticks = sizes if len(sizes) <= _MOST_LABELS else sizes[::2]
    axes.set_xticks(ticks, [f"{n:,}" for n in ticks])
    axes.set_xticks([], minor=True)
    handles = [
        Line2D([], [], marker=mark, color=color, lw=1.2 if row.law else 0, ms=4, label=name(row, several))
        for (color, mark), row in zip(look, rows, strict=True)
    ]
    figure.legend(handles=handles, loc="upper left", bbox_to_anchor=(0.69, 0.99), frameon=False, fontsize=7.5)
    figure.text(0.1 / WIDTH, 0.05 / height, caption, fontsize=7, color="0.35", va="bottom", linespacing=1.15)
    return figure


def _limits(axes: Axes, times: list[float]) -> None:
    """Set the limits and the ticks of the times."""
    if times:
        # an interval over orders of magnitude is cut off at the edge, or it would hide all others
        low, high = axes.get_ylim()
        axes.set_ylim(max(low, min(times) / 10), min(high, 10 * max(times)))
    axes.yaxis.set_major_locator(LogLocator(base=10, numticks=12))
    axes.yaxis.set_major_formatter(FuncFormatter(power))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _row(axes: Axes, look: tuple[str, str], row: Growth, title: str, aside: float) -> None:
    """Draw a method in its colour and mark; its marks are `aside` times the size to the right."""
    color, marker = look
    held = row.held_out
    for point in row.points:
        time = point.ms_per_call
        if time.low is not None and time.high is not None:
            axes.plot([aside * point.atoms] * 2, [time.low, time.high], "-", color=color, lw=0.9)
        inside = "white" if held is not None and point.atoms == held.atoms else color
        (mark,) = axes.plot(aside * point.atoms, time.estimate, marker, color=color, ms=4.5, mfc=inside)
        say(mark, title, f"{point.atoms:,} atoms", value(time, "ms per force call"), f"{point.rounds} rounds")
    if row.law is not None:
        fitted = np.geomspace(row.law.smallest, row.law.largest, 60)
        axes.plot(fitted, row.law.time(fitted), "-", color=color, lw=1.1, zorder=1)
        if held is not None:
            beyond = np.geomspace(row.law.largest, held.atoms, 20)
            axes.plot(beyond, row.law.time(beyond), ":", color=color, lw=1.1, zorder=1)


def _caption(table: ScalingTable) -> str:
    settings = table.description.settings
    said = [
        f"{table.description.machine.cpu}, {numbers.of(settings.threads, 'thread')}. Run {table.description.run_id}."
    ]
    if any(row.law is not None for row in table.rows):
        held = "; the open mark is the size that was held out, dots lead to its prediction"
        said.append(f"Lines: t = a + b N^p{held if any(row.held_out is not None for row in table.rows) else ''}.")
    if any(point.ms_per_call.low is not None for row in table.rows for point in row.points):
        said.append("Bars: 95 % intervals.")
    return " ".join(said)

"""The figure of throughput: the gain of batches and of processes over single calls, against their size."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from bench.errors import BadInput
from bench.protocols.throughput.page import name, reasons, series
from bench.protocols.throughput.table import Point, ThroughputRow, ThroughputTable
from bench.render import numbers
from bench.render.figure import STYLE, WIDTH
from bench.render.marks import looks, say, value

_LINE = 0.125  # inches of the caption
_APART = 1.02  # from the mark of one method to that of the next, times the size


@mpl.rc_context(STYLE)
def draw(table: ThroughputTable) -> Figure:
    """Return the figure; raises BadInput where no method has a gain to draw."""
    if table.several:
        raise BadInput(
            f"{table.description.run_id} has several systems, and the figure of throughput is of one; measure one with "
            "--systems, or see 'pesbench table --protocols throughput'."
        )
    rows = [row for row in table.rows if any(point.gain for point in row.points)]
    if not rows:
        why = " ".join(f"{label}: {text}." for label, text in reasons(table)[:1])
        raise BadInput(f"{table.description.run_id} has nothing to draw. {why}".strip())
    caption = textwrap.fill(_caption(table), 125)
    below = _LINE * (caption.count("\n") + 1)
    legend_lines = -(-len(rows) // 3)
    height = 3.0 + 0.17 * legend_lines + below
    figure = Figure(figsize=(WIDTH, height))
    FigureCanvasAgg(figure)
    bottom = 0.55 + 0.17 * legend_lines + below
    size = (0.93 * height - bottom) / height
    panels = series(table)
    for number, (what, points) in enumerate(panels.items()):
        width = 0.41 if len(panels) != 1 else 0.91
        _gains(figure.add_axes((0.075 + 0.5 * number, bottom / height, width, size)), table, rows, points, what)
    handles = [
        Line2D([], [], marker=mark, color=color, lw=1.2, ms=4, label=name(row, table))
        for (color, mark), row in zip(_looks(rows), rows, strict=True)
    ]
    place = (0.5, (0.10 + below) / height)
    figure.legend(handles=handles, loc="lower center", bbox_to_anchor=place, ncols=3, frameon=False, fontsize=7.5)
    figure.text(0.1 / WIDTH, 0.05 / height, caption, fontsize=7, color="0.35", va="bottom", linespacing=1.15)
    return figure


def _gains(
    axes: Axes,
    table: ThroughputTable,
    rows: Sequence[ThroughputRow],
    lines: Sequence[Sequence[Point]],
    what: str,
) -> None:
    axes.set_xscale("log", base=2)
    axes.set_yscale("log", base=2)
    sizes: set[int] = set()
    most = least = 1.0
    for i, (color, marker) in enumerate(_looks(rows)):
        # side by side, so that no mark hides another
        aside = _APART ** (i - (len(rows) - 1) / 2)
        if all(one.size == 1 for one in lines[i]) and any(one.size > 1 for points in lines for one in points):
            continue  # a mark alone is no series
        points = [(aside * one.size, one.gain) for one in lines[i] if one.gain is not None]
        for x, gain in points:
            if gain.low is not None and gain.high is not None:
                axes.plot([x, x], [gain.low, gain.high], "-", color=color, lw=1.0)
        y = [gain.estimate for _, gain in points]
        axes.plot([x for x, _ in points], y, "-", color=color, lw=1.2)
        shown = [one.size for one in lines[i] if one.gain is not None]
        for size, (x, gain) in zip(shown, points, strict=True):
            (mark,) = axes.plot(x, gain.estimate, marker, color=color, ms=4)
            say(mark, name(rows[i], table), f"{size} {what}", value(gain, "times the force calls of one alone"))
        sizes |= set(shown)
        most, least = max([most, *y]), min([least, *y])
    axes.axhline(1.0, color="0.6", lw=0.7, ls=":", zorder=0)
    # in proportion to the size: what an ideal series would reach
    ideal = [x for x in sorted(sizes | {1}) if x <= 1.3 * most]
    axes.plot(ideal, ideal, "--", color="0.7", lw=0.8, zorder=0)
    # an interval over orders of magnitude is cut off at the edge, or it would hide all others
    low, high = axes.get_ylim()
    axes.set_ylim(max(low, least / 4), min(high, 4 * most))
    axes.xaxis.set_major_locator(FixedLocator(sorted(sizes | {1})))
    axes.xaxis.set_minor_locator(NullLocator())
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel(what, labelpad=2)
    axes.set_ylabel("speed-up over single calls", labelpad=2)
    axes.grid(color="0.9", lw=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _looks(rows: Sequence[ThroughputRow]) -> list[tuple[str, str]]:
    return looks([(row.kind, f"{row.method} {row.device}") for row in rows])


def _caption(table: ThroughputTable) -> str:
    described = table.description
    return (
        f"{described.machine.cpu}, {numbers.of(described.settings.threads, 'thread')}. Run {described.run_id}, "
        f"{described.dataset.formula}: force calls a second over those of single calls. Bars: 95 % intervals. "
        "Dashed: in proportion to the size."
    )

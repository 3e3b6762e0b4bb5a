"""The figure of times by system: a small panel for each system, with the same methods on the same axis."""

from __future__ import annotations

import math
import textwrap

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from bench.analysis.by_system import SystemRow, SystemsTable
from bench.analysis.table import Row
from bench.errors import BadInput
from bench.render import by_system, numbers
from bench.render.figure import STYLE, WIDTH, inches
from bench.render.marks import looks, say, value

MOST = 24
"""Panels; of more systems, the first ones are drawn."""
_ACROSS = 4
_MOST_TICKS = 4
_LINE, _TITLE, _BELOW = 0.135, 0.22, 0.25  # inches


@mpl.rc_context(STYLE)
def draw(table: SystemsTable) -> Figure:
    """Return the figure; raises BadInput where no method has a time."""
    timed = [one for one in table.rows if one.row.time is not None]
    names = list(dict.fromkeys(one.system.name for one in timed))
    if not names:
        raise BadInput(f"{table.description.run_id} has no times to draw.")
    what = "force call" if by_system.unit(one.row for one in timed) == "ms/call" else "step"
    drawn = names[:MOST]
    several = len({one.row.device for one in timed}) > 1
    methods = {(one.row.method, one.row.device): _label(one.row, several) for one in timed}
    keys, labels = list(methods), list(methods.values())
    kinds = {(one.row.method, one.row.device): one.row.kind for one in timed}
    look = looks([(kinds[key], " ".join(key)) for key in keys])
    left = 0.15 + max(inches(label, 7) for label in labels)
    across = min(_ACROSS, len(drawn))
    down = math.ceil(len(drawn) / across)
    caption = textwrap.fill(_caption(table, len(names), what), 125)
    below = 0.3 + 0.125 * (caption.count("\n") + 1)
    panel = _LINE * (len(keys) + 0.6)
    height = down * (panel + _TITLE) + _BELOW + below
    figure = Figure(figsize=(WIDTH, height))
    FigureCanvasAgg(figure)
    times = [one.row.time for one in timed if one.row.time is not None]
    values = [end for time in times for end in (time.low, time.high, time.estimate) if end]
    middle = [time.estimate for time in times]
    # an interval over orders of magnitude is cut off at the edge, or it would hide all others
    limits = (max(min(values), min(middle) / 3) / 1.3, min(max(values), max(middle) * 3) * 1.3)
    width = (WIDTH - left - 0.1) / across
    for number, name in enumerate(drawn):
        row, column = divmod(number, across)
        bottom = height - (row + 1) * (panel + _TITLE)
        place = (left + column * width, bottom, 0.93 * width, panel)
        axes = figure.add_axes((place[0] / WIDTH, place[1] / height, place[2] / WIDTH, place[3] / height))
        mine = {(one.row.method, one.row.device): one for one in timed if one.system.name == name}
        last = number + across >= len(drawn)
        _panel(axes, name, [mine.get(key) for key in keys], look, labels if column == 0 else [], limits, last, what)
    figure.text(
        (left + across * width / 2) / WIDTH, (below - 0.02) / height, f"ms per {what}", ha="center", va="center"
    )
    figure.text(0.1 / WIDTH, 0.05 / height, caption, fontsize=7, color="0.35", va="bottom", linespacing=1.15)
    return figure


def _label(row: Row, several: bool) -> str:
    label = row.label.partition(" (")[0] if len(row.label) > 22 else row.label
    label = textwrap.shorten(label, 22, placeholder=" …") + (" (random)" if row.weights == "random" else "")
    return f"{label}, {row.on.label}" if several else label


def _panel(
    axes: Axes,
    name: str,
    rows: list[SystemRow | None],
    look: list[tuple[str, str]],
    labels: list[str],
    limits: tuple[float, float],
    last: bool,
    what: str,
) -> None:
    axes.set_xscale("log")
    axes.set_xlim(*limits)
    axes.set_ylim(len(rows) - 0.5, -0.6)
    for line, (one, (color, marker)) in enumerate(zip(rows, look, strict=True)):
        if one is None or one.row.time is None:
            continue
        time = one.row.time
        if time.low is not None and time.high is not None:
            axes.plot([time.low, time.high], [line, line], "-", color=color, lw=1.0)
        (mark,) = axes.plot(time.estimate, line, marker, color=color, ms=3.5)
        say(mark, one.row.name, name, value(time, f"ms per {what}"))
    axes.set_title(textwrap.shorten(name, 22, placeholder=" …"), fontsize=7.5, loc="left", pad=2)
    axes.set_yticks(range(len(rows)) if labels else [])
    axes.set_yticklabels(labels, fontsize=7)
    axes.xaxis.set_major_locator(FixedLocator(ticks(*limits)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda number, _: f"{number:g}"))
    axes.tick_params(length=2, labelsize=7, labelbottom=last)
    axes.grid(axis="x", color="0.9", lw=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def ticks(low: float, high: float) -> list[float]:
    """Return the round numbers from `low` to `high` that have room on the axis of a small panel, at least one.

    Matplotlib's own locators write every number of a range below a decade, one over another.
    """
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1, 2, 5), (1, 3), (1,)):
        found = [number for n in decades for step in steps if low <= (number := float(f"{step}e{n}")) <= high]
        if 2 <= len(found) <= _MOST_TICKS:
            return found
    if len(found) > _MOST_TICKS:
        return found[:: math.ceil(len(found) / _MOST_TICKS)]
    return [float(f"{math.sqrt(low * high):.2g}")]


def _caption(table: SystemsTable, systems: int, what: str) -> str:
    described = table.description
    more = f" The first {MOST} of {systems} systems." if systems > MOST else ""
    return (
        f"{described.machine.cpu}, {numbers.of(described.settings.threads, 'thread')}. Run {described.run_id}: "
        f"the time of a {what} at each system, the same axis everywhere. Bars: 95 % intervals, where a system has "
        f"several structures.{more}"
    )

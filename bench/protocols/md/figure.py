"""The figure of simulations: the cost of a step and the energy drift, and how long the molecules stay intact."""

from __future__ import annotations

import textwrap

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from bench.analysis.events import Survival
from bench.protocols.md.page import drift, drifts, name, stable
from bench.protocols.md.plan import temperature
from bench.protocols.md.table import Stability, StabilityTable
from bench.protocols.md.verdict import DRIFT
from bench.render import numbers
from bench.render.figure import STYLE, WIDTH
from bench.render.marks import looks, say, value

_LEAST = 1e-4  # meV/atom/ps: a smaller drift is drawn here


@mpl.rc_context(STYLE)
def draw(table: StabilityTable) -> Figure:
    """Return the figure; it leaves out methods that were not simulated."""
    rows = [row for row in table.rows if row.refused is None]
    several = len({row.device for row in rows}) > 1
    caption = textwrap.fill(_caption(table, drifts(table)), 125)
    legend_lines = -(-len(rows) // 4)
    height = 3.0 + 0.17 * legend_lines + 0.125 * (caption.count("\n") + 1)
    figure = Figure(figsize=(WIDTH, height))
    FigureCanvasAgg(figure)
    bottom = 0.55 + 0.17 * legend_lines + 0.125 * (caption.count("\n") + 1)
    size = (0.93 * height - bottom) / height
    if drifts(table):
        _drifts(figure.add_axes((0.085, bottom / height, 0.40, size)), rows)
        _survival(figure.add_axes((0.585, bottom / height, 0.40, size)), rows)
    else:  # the simulations were too short for a drift
        _survival(figure.add_axes((0.085, bottom / height, 0.90, size)), rows)
    handles = [
        Line2D([], [], marker=mark, color=color, lw=1.2, ms=4, label=name(row, several))
        for (color, mark), row in zip(_looks(rows), rows, strict=True)
    ]
    figure.legend(
        handles=handles,
        loc="lower center",
        bbox_to_anchor=(0.5, (0.10 + 0.125 * (caption.count("\n") + 1)) / height),
        ncols=4,
        frameon=False,
        fontsize=7.5,
    )
    figure.text(0.1 / WIDTH, 0.05 / height, caption, fontsize=7, color="0.35", va="bottom", linespacing=1.15)
    return figure


def _drifts(axes: Axes, rows: list[Stability]) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    for (color, marker), row in zip(_looks(rows), rows, strict=True):
        if row.ms_per_step is None or row.drift is None:
            continue
        slope, within = abs(row.drift.value), row.drift.half_width
        time = row.ms_per_step
        if within is not None:
            low, high = max(slope - within, _LEAST), max(slope + within, _LEAST)
            axes.plot([time.estimate] * 2, [low, high], "-", color=color, lw=1.0)
        if time.low is not None and time.high is not None:
            axes.plot([time.low, time.high], [max(slope, _LEAST)] * 2, "-", color=color, lw=1.0)
        (mark,) = axes.plot(time.estimate, max(slope, _LEAST), marker, color=color, ms=4.5)
        say(
            mark,
            name(row, False),
            value(time, "ms per MD step"),
            f"drift {drift(row)} meV/atom/ps",
            f"MD: {row.verdict}",
        )
    assert DRIFT.warns is not None
    for limit, word in ((DRIFT.passes, "passes below"), (DRIFT.warns, "fails above")):
        axes.axhline(limit, color="0.6", lw=0.7, ls=":")
        axes.text(0.01, limit, word, transform=axes.get_yaxis_transform(), fontsize=7, color="0.4", va="bottom")
    axes.set_xlabel("ms per MD step", labelpad=2)
    axes.set_ylabel("|energy drift|, meV/atom/ps", labelpad=2)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(FuncFormatter(lambda number, _: f"{number:g}"))
        axis.set_minor_formatter(NullFormatter())
    axes.grid(color="0.9", lw=0.6)
    _bare(axes)


def _survival(axes: Axes, rows: list[Stability]) -> None:
    for i, ((color, marker), row) in enumerate(zip(_looks(rows), rows, strict=True)):
        under = (len(rows) - 1 - i) / max(len(rows) - 1, 1)  # a line below others is wider, so that it can be seen
        for one in row.ensembles:
            if one.name == "nve" and one.survival is not None:
                x, y = curve(one.survival)
                axes.plot(x, y, color=color, lw=1.2 + 2.4 * under)
                (mark,) = axes.plot(x[-1], y[-1], marker, color=color, ms=4 + 2.4 * under)
                lasted = f"{one.survival.ended} of {one.survival.count} seeds ended"
                say(
                    mark,
                    name(row, False),
                    f"stable for {stable(row, 'nve').partition(' (')[0]} ps at constant energy",
                    lasted,
                )
    axes.set_xlim(left=0)
    axes.set_ylim(0, 1.05)
    axes.set_xlabel("time at constant energy (NVE), ps", labelpad=2)
    axes.set_ylabel("share of seeds still stable", labelpad=2)
    axes.grid(color="0.9", lw=0.6)
    _bare(axes)


def _looks(rows: list[Stability]) -> list[tuple[str, str]]:
    return looks([(row.kind, f"{row.method} {row.device}") for row in rows])


def curve(survival: Survival) -> tuple[list[float], list[float]]:
    """Return the corners of a survival curve, from 1 at the start to the longest time that was simulated."""
    x, y = [0.0], [1.0]
    for time, share in zip(survival.times_ps, survival.shares, strict=True):
        x += [time, time]
        y += [y[-1], share]
    return x, y


def _bare(axes: Axes) -> None:
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _caption(table: StabilityTable, bars: bool) -> str:
    settings, md = table.description.settings, table.description.settings.md
    return (
        f"{table.description.machine.cpu}, {numbers.of(settings.threads, 'thread')}. Run {table.description.run_id}: "
        f"{numbers.of(md.seeds, 'seed')} of at most {md.duration_ps:g} ps, {md.time_step_fs:g} fs per step, "
        f"{temperature(md)}. "
        f"{'Bars: 95 % intervals. ' if bars else ''}A curve ends at a mark where the simulation ended."
    )

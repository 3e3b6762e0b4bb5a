"""The figures of accuracy: force error against speed with the floor of theories, and frequencies by mode."""

from __future__ import annotations

import itertools
import textwrap
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from bench.errors import BadInput
from bench.protocols.accuracy import words
from bench.protocols.accuracy.matching import SPLIT
from bench.protocols.accuracy.notes import notes
from bench.protocols.accuracy.page import name
from bench.protocols.accuracy.table import Accuracy, AccuracyTable
from bench.render import marks, names, numbers
from bench.render.figure import STYLE, WIDTH, power

MARKERS = {"pass": "o", "warn": "^", "fail": "X", None: "s"}
"""By the verdict on stability."""
_SAID = {"pass": "MD: pass", "warn": "MD: warn", "fail": "MD: fail", None: "no MD"}
_CAPTION_LINE = 0.125  # inches
_ABOVE = "0.55"  # the colour of modes with hydrogen, below the line; that of the others is their method's kind's
LEAST = 0.01  # meV/Angstrom: the axis is logarithmic
SHOWN = 30  # the axis reaches this many times below the spread of theories; what is closer stands at its edge
FEW_TICKS = 300  # the range of an axis from which on only powers of ten have room


def choice(table: AccuracyTable) -> Figure:
    """Return the first figure alone, error against speed; raises BadInput where no method has both."""
    return draw(table, frequencies=False)


def frequencies(table: AccuracyTable) -> Figure:
    """Return the second figure alone; raises BadInput where no method has frequencies."""
    return draw(table, errors=False)


@mpl.rc_context(STYLE)
def draw(table: AccuracyTable, errors: bool = True, frequencies: bool = True) -> Figure:
    """Return both figures above each other; raises BadInput where no method has anything to draw."""
    placed = words.placed(table) if errors else []
    shaking = [row for row in table.rows if frequencies and row.vibrations]
    if not placed and not shaking:
        raise BadInput(f"{table.description.run_id} has nothing to draw. {' '.join(notes(table)[:1])}".strip())
    caption = "\n".join(textwrap.fill(text, 125) for text in _caption(table, placed, bool(shaking)))
    below = 0.55 + _CAPTION_LINE * (caption.count("\n") + 1)
    upper = 3.3 if placed else 0.0
    lower = 0.5 + 0.24 * len(shaking) if shaking else 0.0
    height = below + upper + lower + (0.55 if placed and shaking else 0.0) + 0.25
    figure = Figure(figsize=(WIDTH, height))
    FigureCanvasAgg(figure)
    if shaking:
        axes = figure.add_axes((0.36, below / height, 0.62, (lower - 0.1) / height))
        _frequencies(axes, shaking, table)
    if placed:
        bottom = below + lower + (0.55 if shaking else 0.0)
        axes = figure.add_axes((0.085, bottom / height, 0.9, (upper - 0.25) / height))
        _pareto(axes, sorted(placed, key=lambda row: row.time.estimate if row.time else 0.0), table)
    figure.text(0.1 / WIDTH, 0.05 / height, caption, fontsize=7, color="0.35", va="bottom", linespacing=1.15)
    return figure


def _pareto(axes: Axes, rows: list[Accuracy], table: AccuracyTable) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    points: list[tuple[float, float]] = []
    bars: list[tuple[tuple[float, float], tuple[float, float]]] = []
    least = max(LEAST, table.spread.force_mae / SHOWN) if table.spread else LEAST
    for row in rows:
        time, error = row.time, row.common_mae
        assert time is not None and error is not None
        at = time.estimate, max(error.estimate, least)
        points.append(at)
        style: dict[str, Any] = {"color": marks.of_kind(row.kind), "lw": 0.9, "zorder": 3}
        if time.low is not None and time.high is not None:
            axes.plot([time.low, time.high], [at[1]] * 2, "-", **style)
            bars.append(((time.low, at[1]), (time.high, at[1])))
        if error.low is not None and error.high is not None:
            axes.plot([at[0]] * 2, [max(error.low, least), max(error.high, least)], "-", **style)
        fill: Any = "full" if row.conservative else "none"
        look = {"color": marks.of_kind(row.kind), "ms": 5, "fillstyle": fill, "zorder": 4}
        (mark,) = axes.plot(*at, MARKERS.get(row.stability, "s"), **look)
        against = f"meV/Å against {row.common_label}, {row.references[row.common or ''].structures} structures"
        verdict = _SAID[row.stability] if row.stability in MARKERS and row.stability else None
        speed = marks.value(time, "ms per force call")
        marks.say(mark, name(row, table), speed, f"force MAE {marks.value(error, against)}", verdict)
    _limits(axes, points, table)
    front = pareto(points)
    if len(front) > 1:
        axes.step([x for x, _ in front], [y for _, y in front], where="post", color="0.5", lw=0.8, ls="--", zorder=2)
        for (x, y), (right, below) in itertools.pairwise(front):
            bars += [((x, y), (right, y)), ((right, y), (right, below))]
    names.write(axes, points, [name(row, table) for row in rows], bars)
    axes.set_xlabel("ms per force call", labelpad=2)
    axes.set_ylabel(f"force MAE, meV/Å, against {rows[0].common_label}", labelpad=2)
    _bare(axes)
    axes.legend(
        handles=_legend(rows, len(front) > 1),
        frameon=False,
        fontsize=7,
        ncols=6,
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        handletextpad=0.3,
        columnspacing=1.2,
    )


def _limits(axes: Axes, points: list[tuple[float, float]], table: AccuracyTable) -> None:
    """Set the limits and the ticks, and draw the band of theories."""
    times, errors = zip(*points, strict=True)
    # an interval over orders of magnitude is cut off at the edge, or it would hide all others
    first, last = axes.get_xlim()
    first, last = max(first, min(times) / 10), min(last, max(times) * 10)
    room = max(last / first, 10.0) ** 0.05
    axes.set_xlim(first / room, last * room)
    low, high = min(axes.get_ylim()[0], min(errors) / 1.3), max(axes.get_ylim()[1], max(errors) * 1.3)
    if table.spread is not None:
        spread = table.spread.force_mae
        low, high = max(min(low, spread / 3), spread / SHOWN), max(high, spread * 1.3)
        axes.axhspan(low, spread, color="0.92", zorder=0)
        axes.annotate(
            f"theories differ by up to {spread:.0f} meV/Å",
            (0.01, low),
            xycoords=axes.get_yaxis_transform(),
            xytext=(0, 3),
            textcoords="offset points",
            fontsize=7,
            color="0.4",
            va="bottom",
        )
    axes.set_ylim(low, high)
    for axis in (axes.xaxis, axes.yaxis):
        first, last = axis.get_view_interval()
        axis.set_major_locator(LogLocator(base=10, subs=(1,) if last > FEW_TICKS * first else (1, 2, 5), numticks=12))
        axis.set_major_formatter(FuncFormatter(power if last > FEW_TICKS * first else lambda value, _: f"{value:,g}"))
        axis.set_minor_formatter(NullFormatter())


def _legend(rows: list[Accuracy], front: bool) -> list[Line2D]:
    """Return the marks in the figure and their meanings."""
    kinds = [kind for kind in marks.KINDS if any(row.kind == kind for row in rows)]
    handles = [
        Line2D([], [], marker="s", color=marks.of_kind(kind), ls="none", ms=5, label=marks.KINDS[kind])
        for kind in kinds
    ]
    simulated = [one for one in MARKERS if one and any(row.stability == one for row in rows)]
    handles += [
        Line2D([], [], marker=MARKERS[one], color="0.3", ls="none", ms=5, label=_SAID[one]) for one in simulated
    ]
    if simulated and any(row.stability not in simulated for row in rows):
        handles.append(Line2D([], [], marker=MARKERS[None], color="0.3", ls="none", ms=5, label=_SAID[None]))
    if any(not row.conservative for row in rows):
        hollow = Line2D([], [], marker="s", color="0.3", ls="none", ms=5, fillstyle="none", label="direct forces")
        handles.append(hollow)
    if front:
        handles.append(Line2D([], [], color="0.5", lw=0.8, ls="--", label="no other beats it in both"))
    return handles


def pareto(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the points (time, error) that no other point beats in both, the fastest first."""
    front: list[tuple[float, float]] = []
    for time, error in sorted(points):
        if not front or error < front[-1][1]:
            front.append((time, error))
    return front


def _frequencies(axes: Axes, rows: list[Accuracy], table: AccuracyTable) -> None:
    """Draw each mode's deviation from the matching level, a line for each method."""
    for i, row in enumerate(rows):
        found = row.vibrations[row.nearest_minimum or next(iter(row.vibrations))]
        y = len(rows) - 1 - i
        axes.axhline(y, color="0.9", lw=0.6, zorder=0)
        for low in (True, False):
            deviations = [
                pair.wavenumber_cm1 - pair.reference_cm1 for pair in found.pairs if (pair.reference_cm1 < SPLIT) == low
            ]
            at = [y + (0.1 if low else -0.1)] * len(deviations)
            color = marks.of_kind(row.kind) if low else _ABOVE
            (mark,) = axes.plot(deviations, at, "|", color=color, ms=6, mew=0.8)
            part = found.errors.below if low else found.errors.above
            if part is not None:
                where = f"{part.modes} modes {'below' if low else 'above'} {SPLIT:.0f} cm⁻¹"
                far = f"RMSD {numbers.plain(part.rmsd_cm1)} cm⁻¹, largest {numbers.plain(part.largest_cm1)} cm⁻¹"
                marks.say(mark, name(row, table), f"against {table.label(row.nearest_minimum or '')}", where, far)
    titles = [f"{name(row, table)} – {table.label(row.nearest_minimum or '')}" for row in rows]
    axes.set_yticks(range(len(rows)), list(reversed(titles)), fontsize=6.5)
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.tick_params(axis="y", length=0)
    axes.axvline(0, color="0.4", lw=0.8)
    axes.set_xscale("symlog", linthresh=50)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}".replace("-", "−")))
    axes.set_xlabel("deviation of the wavenumber from the matching level, cm⁻¹", labelpad=2)
    handles = [
        *(
            Line2D([], [], marker="|", color=marks.of_kind(kind), ls="none", ms=6, label=words)
            for kind, words in marks.KINDS.items()
            if any(row.kind == kind for row in rows)
        ),
        Line2D([], [], marker="|", color=_ABOVE, ls="none", ms=6, label=f"above {SPLIT:.0f} cm⁻¹"),
    ]
    axes.legend(handles=handles, frameon=False, fontsize=7, ncols=5, loc="lower right", bbox_to_anchor=(1.0, 1.0))
    _bare(axes)


def _bare(axes: Axes) -> None:
    axes.set_axisbelow(True)
    axes.grid(color="0.93", lw=0.6)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _caption(table: AccuracyTable, placed: list[Accuracy], vibrations: bool) -> list[str]:
    """Return where the figures come from, and what the marks that are drawn need to be understood."""
    described = table.description
    said = []
    if any(row.common_mae is not None and row.common_mae.low is not None for row in placed):
        said.append("Bars: 95 % intervals.")
    if placed and table.spread is not None:
        said.append("Grey: how far good theories differ.")
        edge = table.spread.force_mae / SHOWN
        if any(row.common_mae is not None and row.common_mae.estimate < edge for row in placed):
            said.append("A mark at the lower edge is closer than the axis reaches.")
    if vibrations:
        said.append(f"Coloured ticks: vibrations below {SPLIT:.0f} cm⁻¹.")
    return [
        f"{described.machine.cpu}, {numbers.of(described.settings.threads, 'thread')}. {described.dataset.name}, "
        f"{described.dataset.count} structures. Run {described.run_id}",
        *([" ".join(said)] if said else []),
    ]

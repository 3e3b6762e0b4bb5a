"""The figure of a table: milliseconds per step on a logarithmic axis, one line per method, numbers beside it.

A method with random weights has half a mark; a time of a force call alone has a marked number. Colours are those of the
devices or, where there is only one, of the kinds of methods.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.textpath import TextPath
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from bench.analysis.table import Row, Table, in_order
from bench.core.device import DEVICES
from bench.render import marks, numbers
from bench.render.columns import time_text
from bench.render.lines import has_steps, lines, unit
from bench.render.notes import REPLAY_MARK
from bench.render.numbers import DASH

WIDTH = 7.0
"""Inches: two columns of a journal page, where no letter is smaller than 7 pt."""
_LINE = 0.23  # inches per method
_ABOVE, _AXIS, _CAPTION_LINE, _MARGIN = 0.4, 0.47, 0.125, 0.05  # inches
_GAP = 0.14  # inches between the columns
_MARK = 0.36  # inches of a mark in the legend and what is around it
_SPACE = 0.045  # inches between an estimate and its interval
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
# by Okabe and Ito: distinct for the colour-blind, the first two also in grey; one per kind of device
LOOKS = (("#0072B2", "o"), ("#D55E00", "D"), ("#009E73", "^"), ("#CC79A7", "s"))
STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # ships with matplotlib: the same everywhere
    "font.size": 8,
    "axes.linewidth": 0.6,
    "svg.hashsalt": "pesbench",  # the same figure has the same bytes
    "svg.fonttype": "path",
}


@dataclasses.dataclass(frozen=True)
class _Device:
    name: str
    color: str
    marker: str
    rows: tuple[Row | None, ...]
    """The row of each line, from the top."""
    texts: tuple[str, ...]
    """The numbers beside the plot."""
    unit: str

    @property
    def heading(self) -> str:
        return f"{self.name}, {self.unit}"

    @property
    def estimate_width(self) -> float:
        numbers = [text.partition(" [")[0] for text in self.texts if " [" in text or text == DASH]
        return max((inches(text, 7) for text in numbers), default=0.0)

    @property
    def width(self) -> float:
        intervals = [inches(f"[{text.partition(' [')[2]}", 7) for text in self.texts if " [" in text]
        numbers = self.estimate_width + _SPACE + max(intervals, default=0.0)
        return max(numbers, *(inches(text, 7) for text in (self.heading, *self.texts) if " [" not in text))

    @property
    def measured(self) -> bool:
        return any(row is not None and row.time is not None for row in self.rows)

    @property
    def published(self) -> bool:
        return any(row is not None and row.paper_ms_per_step is not None for row in self.rows)


@mpl.rc_context(STYLE)
def save(figure: Figure, stem: Path, pdf: bool = False) -> list[Path]:
    """Write a figure to ``<stem>.svg``, ``.png`` and perhaps ``.pdf``, and return the paths; raises OSError."""
    stem = Path(stem)
    metadata: dict[str, dict[str, Any]] = {".svg": {"Date": None}, ".png": {"Software": None}}
    if pdf:
        metadata[".pdf"] = {"CreationDate": None}
    written = []
    for suffix, said in metadata.items():
        written.append(stem.with_name(stem.name + suffix))
        figure.savefig(written[-1], dpi=300, metadata=said)
    return written


@mpl.rc_context(STYLE)
def draw(table: Table, written: bool = True) -> Figure:
    """Return the figure; a method that was not measured shows the reason in place of a number.

    `written`: whether the numbers stand beside the plot.
    """
    shown = lines(dataclasses.replace(table, rows=tuple(in_order(table.rows))))
    is_paper = table.is_paper
    devices = []
    for (color, marker), kind in zip(itertools.cycle(LOOKS), DEVICES.values(), strict=False):
        rows = tuple(line.rows.get(kind.name) for line in shown)
        if any(rows):
            texts = tuple(map(time_text, shown, rows))
            devices.append(_Device(kind.label, color, marker, rows, texts, unit(table)))
    by_kind = len(devices) == 1
    of_calls = any(text.endswith(REPLAY_MARK) for device in devices for text in device.texts)
    caption = "\n".join(textwrap.fill(text, 125) for text in _caption(table, of_calls))
    plotted = _LINE * max(len(shown), 1)
    below = _AXIS + _CAPTION_LINE * (caption.count("\n") + 1) + _MARGIN
    height = _ABOVE + plotted + below
    figure = Figure(figsize=(WIDTH, height))
    FigureCanvasAgg(figure)
    left = _GAP + max((inches(line.label, 8) for line in shown), default=0.0)
    right = WIDTH - _MARGIN - (sum(_GAP + device.width for device in devices) if written else _GAP)
    axes = figure.add_axes((left / WIDTH, below / height, (right - left) / WIDTH, plotted / height))
    axis = "ms per optimisation step" if has_steps(table) else "ms per force call"
    _dress(axes, [line.label for line in shown], axis)
    for i in range(len(shown)):
        _draw_line(axes, len(shown) - 1 - i, [(device, device.rows[i]) for device in devices], is_paper, by_kind)
    x = right - left
    for device in devices if written else ():
        _write_column(axes, x + _GAP, device, right - left, "black" if by_kind else device.color)
        x += _GAP + device.width
    low, high = axes.get_xlim()
    room = max(1.2, math.sqrt(12 * low / high))  # at least a decade, so that a power of ten is on the axis
    axes.set_xlim(low / room, high * room)
    decade = (right - left) / math.log10(high / low * room**2)
    if decade < inches("10,000", 8) + _GAP:
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: power(x, in_full=2)))
    handles = _legend(devices, is_paper, by_kind)
    wide = sum(inches(str(handle.get_label()), 7.5) + _MARK for handle in handles)
    figure.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(max(min(left, WIDTH - wide), 0.0) / WIDTH, 1.0),  # above the plot, or as far left as it must
        ncols=6,
        frameon=False,
        fontsize=7.5,
        handletextpad=0.2,
        columnspacing=1.2,
        borderaxespad=0.6,
        borderpad=0.0,
    )
    figure.text(0.1 / WIDTH, _MARGIN / height, caption, fontsize=7, color="0.35", va="bottom", linespacing=1.15)
    return figure


def _draw_line(axes: Axes, y: float, rows: list[tuple[_Device, Row | None]], is_paper: bool, by_kind: bool) -> None:
    drawn = [(device, row) for device, row in rows if row is not None and (row.time or row.paper_ms_per_step)]
    for place, (device, row) in enumerate(drawn):
        # marks of several devices lie above each other, so that none hides another
        color = marks.of_kind(row.kind) if by_kind else device.color
        at = y if len(drawn) < 2 or is_paper else y + 0.14 - 0.28 * place / (len(drawn) - 1)
        if row.paper_ms_per_step is not None and not is_paper:
            (mark,) = axes.plot(
                row.paper_ms_per_step, at, device.marker, ms=5.5, mfc="none", mec=color, mew=0.8, zorder=2
            )
            published = f"{numbers.published(row.paper_ms_per_step)} ms per step"
            marks.say(mark, row.label, f"{device.name}, the paper's figure", published)
        if row.time is not None:
            estimate = row.time
            if estimate.low is not None and estimate.high is not None:
                axes.plot([estimate.low, estimate.high], [at, at], "-", color=color, lw=1.2, zorder=3)
            (mark,) = axes.plot(
                estimate.estimate,
                at,
                device.marker,
                ms=3.8,
                color=color,
                # half a mark for random weights: they give a speed but no accuracy
                fillstyle="left" if row.weights == "random" else "full",
                markerfacecoloralt="white",
                mew=0.7,
                zorder=4,
            )
            what = "ms per force call" if row.of_calls else "ms per step"
            done = f"{row.done} of {row.total} structures" if row.total else None
            marks.say(mark, row.name, device.name, marks.value(estimate, what), done)


def _write_column(axes: Axes, x: float, device: _Device, axes_width: float, color: str) -> None:
    """Write a device's numbers right of the plot, `x` inches from its left edge."""

    def write(text: str, y: float, at: float, side: Literal["left", "right"], color: str = "black") -> None:
        axes.text(
            at / axes_width,
            y,
            text,
            transform=axes.get_yaxis_transform(),
            ha=side,
            va="center_baseline",
            fontsize=7,
            color=color,
        )

    top = len(device.texts) - 1
    write(device.heading, top + 0.75, x, "left", color)
    for i, text in enumerate(device.texts):
        estimate, bracket, interval = text.partition(" [")
        if bracket or text == DASH:
            # estimates end where intervals begin, as in the printed table
            write(estimate, top - i, x + device.estimate_width, "right", "0.5" if text == DASH else "black")
            write(bracket.strip() + interval, top - i, x + device.estimate_width + _SPACE, "left")
        else:
            write(text, top - i, x, "left")


def inches(text: str, size: float) -> float:
    """Return the width of a text in this size (points)."""
    return float(TextPath((0, 0), text, size=size).get_extents().width) / 72 if text.strip() else 0.0


def _dress(axes: Axes, labels: list[str], axis: str) -> None:
    axes.set_xscale("log")
    axes.set_ylim(-0.6, len(labels) - 0.4)
    axes.set_yticks(range(len(labels)), list(reversed(labels)))
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", which="both", width=0.6)
    axes.set_xlabel(axis, labelpad=2)
    axes.xaxis.set_major_locator(LogLocator(base=10, numticks=12))
    axes.xaxis.set_major_formatter(FuncFormatter(power))
    axes.xaxis.set_minor_locator(LogLocator(base=10, subs=tuple(range(2, 10)), numticks=12))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(axis="x", color="0.86", lw=0.6)
    axes.grid(axis="y", color="0.93", lw=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def power(x: float, _: int | None = None, *, in_full: int = 5) -> str:
    """Return a number of an axis: a power of ten, in full up to this exponent; others as they are."""
    exponent = round(math.log10(x))
    if not math.isclose(x, 10.0**exponent):
        return f"{x:,g}"
    return f"{x:,g}" if -2 <= exponent <= in_full else f"10{str(exponent).translate(_SUPERSCRIPTS)}"


def _legend(devices: list[_Device], is_paper: bool, by_kind: bool) -> list[Line2D]:
    """Return the marks in the figure and their meanings."""
    handles = []
    if by_kind:
        there = {row.kind for row in devices[0].rows if row is not None and row.time is not None}
        handles = [
            Line2D([], [], marker=devices[0].marker, color=marks.of_kind(kind), ls="none", ms=3.8, label=words)
            for kind, words in marks.KINDS.items()
            if kind in there
        ]
    for device in devices:
        style: dict[str, Any] = {"marker": device.marker, "color": "0.3" if by_kind else device.color, "ls": "none"}
        if device.measured and not by_kind:
            handles.append(Line2D([], [], ms=3.8, label=device.name, **style))
        if device.published and not is_paper:
            handles.append(Line2D([], [], ms=5.5, mfc="none", mew=0.8, label=f"{device.name}, paper", **style))
    if any(row is not None and row.weights == "random" for device in devices for row in device.rows):
        half = Line2D([], [], marker="o", ms=3.8, color="0.3", ls="none", fillstyle="left", markerfacecoloralt="white")
        half.set_label("random weights")
        handles.append(half)
    return handles


def _caption(table: Table, with_marks: bool) -> Iterable[str]:
    measured = table.description
    threads = measured.settings.threads
    hardware = [measured.machine.cpu, f"{threads} thread{'s' if threads != 1 else ''}", *measured.machine.gpus]
    yield ", ".join(filter(None, hardware))
    data = f"{measured.dataset.name}, {measured.dataset.count} structures"
    if table.is_paper:
        yield f"{data}. {table.title}"
        return
    commit = f", commit {measured.commit[:12]}" if measured.commit else ""
    yield f"{data}. Run {measured.run_id}{commit}"
    if any(row.interval_over for row in table.rows):
        yield "Bars and brackets: 95 % intervals over structures and rounds."
    if with_marks:
        yield f"{REPLAY_MARK}: ms per force call alone, along a fixed path; a BFGS step makes one such call."

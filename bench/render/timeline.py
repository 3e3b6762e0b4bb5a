"""A timeline as a table, as JSON and as a figure."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from bench.analysis.statistics import Estimate
from bench.analysis.timelines import Step, Timeline, steps
from bench.render import numbers
from bench.render.blocks import Block, Page, estimate_object, terminal
from bench.render.cells import BAD, DASH, Cell
from bench.render.figure import STYLE, WIDTH
from bench.render.marks import color

SAME, OTHER = "same", "CHANGED"


def text(timeline: Timeline, newest: str, width: int | None = None, color: bool = False) -> str:
    """Return the table of a timeline, the oldest release first."""
    found = steps(timeline, newest)
    heads = (("Release", ""), ("time / newest", ""), ("next / this", ""), ("answers", ""))
    lines = [*map(_line, found), (Cell(newest), Cell("1"), DASH, DASH)]
    machines = dict.fromkeys(one.machine for one in timeline.releases if one.machine)
    page = Page(
        [("Method", timeline.label), ("Package", timeline.package), ("Machine", "; ".join(machines) or "-")],
        [Block(f"Force calls of {timeline.label} with earlier releases", heads, tuple(lines))],
        _reasons(timeline),
        notes(),
        notes(),
    )
    return terminal(page, width, color)


def _reasons(timeline: Timeline) -> list[tuple[str, str]]:
    """Return why a release has no ratio, and what else differs from the environment of the newest."""
    found = [(one.version, one.why) for one in timeline.releases if one.why]
    other = [(one.version, "; ".join(one.changed)) for one in timeline.releases if one.changed]
    return found + [(version, f"other packages differ, too: {what}") for version, what in other]


def notes() -> list[str]:
    """Return what a reader must know."""
    return [
        "Time / newest: a force call with this release over one with the newest, which took turns. Next / this: above "
        "1, the next release is slower. Brackets: 95 % interval over rounds, each with fresh processes."
    ]


def _line(step: Step) -> tuple[Cell, ...]:
    change = numbers.ratio(step.change)
    if step.changed and step.change is not None:
        change = Cell(str(change), step.change.estimate, state=BAD if step.change.estimate > 1 else "")
    answers = step.release.answers
    return (
        Cell(step.release.version),
        numbers.ratio(step.ratio),
        change,
        DASH if answers is None else Cell(OTHER, state=BAD) if answers else Cell(SAME),
    )


def as_object(timeline: Timeline, newest: str) -> dict[str, Any]:
    """Return a timeline as the JSON object that scripts rely on."""
    return {
        "format": timeline.format,
        "method": timeline.method,
        "package": timeline.package,
        "newest": newest,
        "releases": [
            {
                "version": step.release.version,
                "time_over_newest": estimate_object(step.ratio),
                "next_over_this": estimate_object(step.change),
                "changed": step.changed,
                "same_answers": None if step.release.answers is None else not step.release.answers,
                "other_packages": list(step.release.changed),
                "why": step.release.why or None,
                "run": step.release.run or None,
                "created": step.release.created,
                "machine": step.release.machine,
            }
            for step in steps(timeline, newest)
        ],
    }


@mpl.rc_context(STYLE)
def draw(timeline: Timeline, newest: str) -> Figure:
    """Return the figure: a force call with each release over one with the newest."""
    found = steps(timeline, newest)
    figure = Figure(figsize=(WIDTH, 2.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    ratios = [*(step.ratio for step in found), Estimate(1.0, 1.0, 1.0, 1, None)]
    for x, one in enumerate(ratios):
        if one is not None and one.low is not None and one.high is not None:
            axes.plot([x, x], [one.low, one.high], "-", color=color(0), lw=1.2)
            axes.plot(x, one.estimate, "o", color=color(0), ms=5)
        else:
            axes.text(
                x,
                0.03,  # at the bottom, clear of the line at 1
                "not\nmeasured",
                transform=axes.get_xaxis_transform(),
                ha="center",
                va="bottom",
                fontsize=7,
                color="0.4",
            )
    axes.axhline(1.0, color="0.6", lw=0.7, ls=":", zorder=0)
    labels = [*(step.release.version for step in found), newest]
    axes.set_xticks(range(len(labels)), labels, rotation=30 if len(labels) > 8 else 0)
    axes.set_xlim(-0.5, len(labels) - 0.5)
    axes.set_ylabel(f"time of a force call\nover that with {newest}")
    axes.set_xlabel(f"release of {timeline.package}, {timeline.label}")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return figure

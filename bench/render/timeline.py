"""A timeline as a table, as JSON and as a figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bench.analysis.statistics import Estimate
from bench.analysis.timelines import Other, Step, Timeline, steps
from bench.render import numbers
from bench.render.blocks import Block, Page, estimate_object, terminal
from bench.render.cells import BAD, DASH, Cell
from bench.render.figure import STYLE, WIDTH
from bench.render.marks import color

COLUMNS = ("Release", "time / newest", "next / this", "due to", "answers")
_LEAST_SPAN = 0.1  # of the axis on either side of 1, so that noise does not look like a change
SAME, OTHER = "same", "CHANGED"
UNCLEAR = "unclear"
"""What a change is due to, where other packages changed with it."""
OTHER_ANSWERS = "other answers"
"""The same, where one of the two releases computes something else."""


def text(timeline: Timeline, newest: str, width: int | None = None, color: bool = False) -> str:
    """Return the table of a timeline, the oldest release first."""
    found = steps(timeline, newest)
    lines = [*(_line(step, timeline.package) for step in found), (Cell(newest), Cell("1"), DASH, DASH, DASH)]
    machines, works = (
        dict.fromkeys(filter(None, (getattr(one, name) for one in timeline.releases))) for name in ("machine", "work")
    )
    page = Page(
        [
            ("Method", timeline.label),
            ("Package", timeline.package),
            *([("With", ", ".join(timeline.pins))] if timeline.pins else []),
            *([("Measured", "; ".join(works))] if works else []),
            ("Machine", "; ".join(machines) or "-"),
        ],
        [
            Block(
                f"Force calls of {timeline.label} with earlier releases",
                tuple((title, "") for title in COLUMNS),
                tuple(lines),
            )
        ],
        _reasons(timeline, found, newest),
        notes(),
        notes(),
    )
    return terminal(page, width, color)


def _reasons(timeline: Timeline, found: Sequence[Step], newest: str) -> list[tuple[str, str]]:
    """Return why a release has no ratio, and what else differs between it and the next one."""
    failed = [(one.version, one.why) for one in timeline.releases if one.why]
    following = [*(step.release.version for step in found[1:]), newest]
    told = []
    for step, version in zip(found, following, strict=True):
        if step.others:
            told.append((step.release.version, _beside(timeline, step, version)))
        if step.changed and step.conditions:
            ways = "; ".join(step.conditions)
            told.append((step.release.version, f"it and {version} were not measured alike ({ways})"))
    return failed + told


def _beside(timeline: Timeline, step: Step, following: str) -> str:
    """Return what changes with the package at a step and, where that matters, how to measure it apart."""
    told = f"on the way to {following} other packages change, too: {'; '.join(map(_words, step.others))}"
    if not step.changed:
        return told
    one = next((other for other in step.others if other.new), step.others[0])
    apart = [f"'pesbench timeline {timeline.method} --package {one.name}' compares releases of {one.name}"]
    if one.new:
        apart.insert(
            0,
            f"'pesbench timeline {timeline.method} --package {timeline.package} --pin {one.name}=={one.new}' compares "
            f"these releases with {one.name} {one.new} for all",
        )
    return f"{told}. So the change need not be due to {timeline.package}: {'; '.join(apart)}"


def _words(other: Other) -> str:
    """Return how the version of a package changes.

    >>> _words(Other("numpy", "1.26.4", None))
    'numpy 1.26.4, then none'
    """
    return f"{other.name} {other.old or 'none'}, then {other.new or 'none'}"


def notes() -> list[str]:
    """Return what a reader must know."""
    return [
        "Time / newest: a force call with this release over one with the newest, which took turns. Next / this: above "
        "1, the next release is slower. Due to: the package, where it changes by 5 % or more and nothing else "
        "changes with it. Other answers: one of the two releases computes something else with this checkpoint, so "
        "their times are not of the same work. Answers: beside those of the newest. Brackets: 95 % interval over "
        "rounds, each with fresh processes."
    ]


def _line(step: Step, package: str) -> tuple[Cell, ...]:
    change = numbers.ratio(step.change)
    if step.changed and step.change is not None:
        change = Cell(str(change), step.change.estimate, state=BAD if step.change.estimate > 1 else "")
    same = step.same_answers
    return (
        Cell(step.release.version),
        numbers.ratio(step.ratio),
        change,
        Cell(_due_to(step, package)) if step.changed else DASH,
        DASH if same is None else Cell(SAME) if same else Cell(OTHER, state=BAD),
    )


def _due_to(step: Step, package: str) -> str:
    if step.other_answers:
        return OTHER_ANSWERS
    return package if step.attributable else UNCLEAR


def as_object(timeline: Timeline, newest: str) -> dict[str, Any]:
    """Return a timeline as the JSON object that scripts rely on."""
    return {
        "format": timeline.format,
        "method": timeline.method,
        "package": timeline.package,
        "pins": list(timeline.pins),
        "newest": newest,
        "releases": [
            {
                "version": step.release.version,
                "time_over_newest": estimate_object(step.ratio),
                "next_over_this": estimate_object(step.change),
                "changed": step.changed,
                "same_answers": step.same_answers,
                "due_to": timeline.package if step.attributable else None,
                "other_packages": [{"name": one.name, "this": one.old, "next": one.new} for one in step.others],
                "why": step.release.why or None,
                "run": step.release.run or None,
                "created": step.release.created,
                "machine": step.release.machine,
                "work": step.release.work or None,
            }
            for step in steps(timeline, newest)
        ],
    }


@mpl.rc_context(STYLE)
def draw(timeline: Timeline, newest: str) -> Figure:
    """Return the figure: a force call with each release over one with the newest; hollow where the answers differ."""
    found = steps(timeline, newest)
    figure = Figure(figsize=(WIDTH, 2.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    ratios = [*(step.ratio for step in found), Estimate(1.0, 1.0, 1.0, 1, None)]
    other = [step.same_answers is False for step in found] + [False]
    ends = [1 - _LEAST_SPAN, 1 + _LEAST_SPAN]
    for x, one in enumerate(ratios):
        if one is not None and one.low is not None and one.high is not None:
            axes.plot([x, x], [one.low, one.high], "-", color=color(0), lw=1.2)
            axes.plot(x, one.estimate, "o", color=color(0), ms=5, mfc="white" if other[x] else color(0))
            ends += [one.low, one.high]
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
    room = 0.08 * (max(ends) - min(ends))
    axes.set_ylim(min(ends) - (3 * room if None in ratios else room), max(ends) + room)
    if any(other):
        hollow = Line2D([], [], marker="o", color=color(0), mfc="white", ls="none", ms=5, label=OTHER_ANSWERS)
        axes.legend(handles=[hollow], frameon=False, fontsize=7, loc="lower right", bbox_to_anchor=(1.0, 1.0))
    labels = [*(step.release.version for step in found), newest]
    axes.set_xticks(range(len(labels)), labels, rotation=30 if len(labels) > 8 else 0)
    axes.set_xlim(-0.5, len(labels) - 0.5)
    axes.set_ylabel(f"time of a force call\nover that with {newest}")
    held = f", with {' and '.join(timeline.pins)}" if timeline.pins else ""
    axes.set_xlabel(f"release of {timeline.package}, {timeline.label}{held}")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return figure

"""What the page shows, in the order of a reader's questions: one entry of ``SECTIONS`` for each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bench.analysis.table import Table
from bench.contract.protocol import ACCURACY, MD, RELAX, SCALING, THROUGHPUT
from bench.errors import BadInput
from bench.report import (
    accuracy,
    accuracy_figure,
    scaling,
    scaling_figure,
    stability,
    stability_figure,
    throughput,
    throughput_figure,
)
from bench.report import figure as times_figure
from bench.report.blocks import Block, Page, Subject
from bench.report.columns import columns, failures, means
from bench.report.heading import heading
from bench.report.notes import notes
from bench.report.numbers import DASH
from bench.report.page.grid import Grid, of_block, of_columns
from bench.report.svg import inline_svg

_SECOND = 9
"""Columns of the main table from this priority on are evidence; see :mod:`bench.report.columns`."""
_CHOSEN = ("Method", "rank", "times slower", "force MAE", "frequencies", "MD", "drift", "weights")
"""Columns of the first table, without the device that some of them name."""


@dataclasses.dataclass(frozen=True)
class Measured:
    """All that a run has measured."""

    name: str
    times: Table
    own: Mapping[str, Any]
    """The tables of protocols that have one of their own, by protocol."""
    packages: frozenset[str] = frozenset()
    """The packages that adapters name, whose versions are shown; the rest is in the run's records."""

    @property
    def machine(self) -> str:
        """The machine, in a few words."""
        described = self.times.description.machine
        return ", ".join([described.cpu or "unknown machine", *described.gpus])


@dataclasses.dataclass(frozen=True)
class Part:
    """What one run has to say to a question."""

    run: Measured
    words: Sequence[str] = ()
    figure: str = ""
    """An ``<svg>`` element."""
    grids: Sequence[Grid] = ()
    pairs: Sequence[tuple[str, str]] = ()
    notes: Sequence[str] = ()
    missing: str = ""
    """What was not measured, and the command that measures it."""


@dataclasses.dataclass(frozen=True)
class Section:
    """A question, and the answer of each run."""

    identifier: str
    question: str
    make: Callable[[Measured, str], Part]
    """From a run, and the beginning of all identifiers in this part."""


_ORDER = (
    "A rank such as 4–6 says that the intervals, all taken together, cannot tell which of these places a method has: "
    "between such methods, speed does not decide."
)


def _choice(run: Measured, identifier: str) -> Part:
    table = run.own.get(ACCURACY)
    every = columns(run.times)
    chosen = [one for one in every if one.title.partition(",")[0] in _CHOSEN or one.unit in ("ms/step", "ms/call")]
    ranked = any(one.title.startswith("rank") for one in chosen)
    words = [_ORDER] if ranked else []
    caption = "Speed, error and stability of each method"
    grids = [of_columns(f"{identifier}-methods", caption, run.times, chosen)] if run.times.rows else []
    if table is None:
        return Part(run, words, grids=grids, missing=_not_measured(ACCURACY, "the accuracy"))
    drawn = _drawn(
        accuracy_figure.choice,
        table,
        f"{identifier}-figure",
        "Force error against time per force call",
        "One mark for each method. Towards the left a method is faster, towards the bottom its forces are closer to "
        "those of its nearest reference. In the grey band it is no further from it than the references are from each "
        "other.",
    )
    words = [
        *words,
        "Left is faster, low is closer to the reference. Inside the grey band, a method is no further from its "
        "reference than accepted theories are from each other, and the error alone cannot decide. On the dashed line "
        "lie the methods that no other beats in both.",
    ]
    return Part(run, words, drawn, grids)


def _speed(run: Measured, identifier: str) -> Part:
    table = run.times
    if not table.rows:
        return Part(run, missing=_not_measured(RELAX))
    shown = [one for one in columns(table) if one.priority < _SECOND]
    drawn = _drawn(
        times_figure.draw,
        table,
        f"{identifier}-figure",
        "Milliseconds per step of each method",
        "One line for each method on a logarithmic axis; bars are 95 % intervals, open marks are the paper's figures. "
        "The table below has the same numbers.",
    )
    caption = "Time of each method, beside the published table"
    return Part(run, (), drawn, [of_columns(f"{identifier}-times", caption, table, shown)], means(table))


def _own(
    protocol: str,
    page: Callable[[Any], Page],
    draw: Callable[[Any], Any],
    title: str,
    description: str,
) -> Callable[[Measured, str], Part]:
    """Return how a protocol with a table of its own is shown."""

    def make(run: Measured, identifier: str) -> Part:
        table = run.own.get(protocol)
        if table is None:
            return Part(run, missing=_not_measured(protocol))
        shown = page(table)
        grids = [of_block(f"{identifier}-{protocol}-{i}", block) for i, block in enumerate(shown.blocks)]
        drawn = _drawn(draw, table, f"{identifier}-{protocol}-figure", title, description)
        return Part(run, (), drawn, grids, shown.reasons, shown.notes)

    return make


_GROWTH = _own(
    SCALING,
    scaling.page,
    scaling_figure.draw,
    "Time of a force call by number of atoms",
    "One line for each method on logarithmic axes, with the law that was fitted to it. The last table has the numbers.",
)
_MANY = _own(
    THROUGHPUT,
    throughput.page,
    throughput_figure.draw,
    "Gain of batches and of several processes over single calls",
    "Left for batches, right for processes: one line for each method. The tables below have the numbers.",
)


def _evidence(run: Measured, identifier: str) -> Part:
    table = run.times
    detail = [one for one in columns(table) if one.priority == 0 or one.priority >= _SECOND]
    grids = [of_columns(f"{identifier}-detail", "What each method ran with", table, detail)] if table.rows else []
    versions = _versions(run)
    if versions.lines:
        grids.append(of_block(f"{identifier}-versions", versions))
    return Part(
        run, grids=grids, pairs=[("Failure: " + label, text) for label, text in failures(table)], notes=notes(table)
    )


def _versions(run: Measured) -> Block:
    lines = {}
    for row in run.times.rows:
        shown = [f"{name} {version}" for name, version in sorted(row.versions.items()) if name in run.packages]
        if shown:
            file = str((row.checkpoint or {}).get("file") or DASH)
            lines[Subject(row.method, row.device, row.kind, row.weights)] = (row.name, file, ", ".join(shown))
    headings = (("Method", ""), ("checkpoint", ""), ("packages", ""))
    return Block("Versions and checkpoints", headings, tuple(lines.values()), tuple(lines))


def _how(run: Measured, identifier: str) -> Part:
    return Part(run, _HOW, pairs=heading(run.times))


_HOW = (
    "Every method runs in an environment of its own. The clock runs inside that process and covers the calculator and "
    "the optimiser, not what pesbench does around them. Start-up and warm-up are timed apart.",
    "Each method runs in several rounds, each a fresh process. The processes of a round take turns, so that whatever "
    "the machine does meanwhile hits all methods alike. A structure in which a method's threads waited for a core is "
    "measured again.",
    "A time is the geometric mean over structures. Brackets are 95 % intervals: they include the differences between "
    "structures and between processes. Ratios are paired, structure by structure and round by round.",
    "Do not compare times from different machines: only methods measured in the same run are comparable.",
)

SECTIONS = (
    Section("choice", "Which method should I take?", _choice),
    Section("speed", "How fast is it?", _speed),
    Section(
        "stability",
        "Does it hold a molecule together?",
        _own(
            MD,
            stability.page,
            stability_figure.draw,
            "Energy drift against speed, and how long the molecules stay intact",
            "Left: the drift of the total energy against the time of an MD step. Right: the share of simulations that "
            "are still stable, by simulated time. The tables below have the numbers.",
        ),
    ),
    Section(
        "accuracy",
        "How accurate is it?",
        _own(
            ACCURACY,
            accuracy.page,
            accuracy_figure.frequencies,
            "Harmonic frequencies of each method, less those of its nearest reference",
            "One line for each method and one tick for each vibration. The tables below have the errors.",
        ),
    ),
    Section("growth", "How does the cost grow with size?", _GROWTH),
    Section("throughput", "How many molecules a second?", _MANY),
    Section("evidence", "What is the evidence?", _evidence),
    Section("method", "How was it measured?", _how),
)


def _not_measured(protocol: str, what: str = "it") -> str:
    wanted = ",".join(dict.fromkeys((RELAX, protocol)))
    return f"This run did not measure {what}; 'pesbench run --protocols {wanted}' does."


def _drawn(draw: Callable[[Any], Any], table: Any, name: str, title: str, description: str) -> str:
    """Return a figure for the page; empty where there is nothing to draw."""
    try:
        return inline_svg(draw(table), name=name, title=title, description=description)
    except BadInput:
        return ""

"""What the page shows, in the order of a reader's questions: one entry of ``SECTIONS`` for each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bench.analysis.by_system import SystemsTable
from bench.analysis.table import Table
from bench.core.protocol import RELAX
from bench.errors import BadInput
from bench.render import by_system, systems_figure
from bench.render import figure as times_figure
from bench.render.blocks import Block, Subject
from bench.render.cells import DASH, Cell
from bench.render.columns import columns, failures, means
from bench.render.heading import heading
from bench.render.notes import notes
from bench.render.page.grid import Grid, of_block, of_columns
from bench.render.shown import SHOWN
from bench.render.svg import inline_svg
from bench.render.view import Picture, Question

_SECOND = 9
"""Columns of the main table from this priority on are evidence; see :mod:`bench.render.columns`."""


@dataclasses.dataclass(frozen=True)
class Measured:
    """All that a run has measured."""

    name: str
    times: Table
    own: Mapping[str, Any]
    """The tables of protocols that have one of their own, by protocol."""
    by_system: SystemsTable | None = None
    """The times system by system, where the data set has several."""
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
    wanted: Callable[[Measured], bool] = lambda run: True
    """Whether a run has something to say; a section that no run wants is not there."""


_ORDER = (
    "A rank such as 4–6 says that the intervals, all taken together, cannot tell which of these places a method has: "
    "between such methods, speed does not decide."
)


def _choice(run: Measured, identifier: str) -> Part:
    chosen = [one for one in columns(run.times) if one.chooses]
    ranked = any(one.title.startswith("rank") for one in chosen)
    words = [_ORDER] if ranked else []
    caption = "Speed, error and stability of each method"
    grids = [of_columns(f"{identifier}-methods", caption, run.times, chosen)] if run.times.rows else []
    name, question = next(
        (name, view.question) for name, view in SHOWN.items() if view.question and view.question.choice
    )
    assert question is not None and question.choice is not None
    table = run.own.get(name)
    if table is None:
        return Part(run, words, grids=grids, missing=_not_measured(name, f"the {name}"))
    drawn = _drawn(question.choice, table, f"{identifier}-figure")
    return Part(run, [*words, question.of_choice], drawn, grids)


_TIMES = Picture(
    times_figure.draw,
    "Milliseconds per step of each method",
    "One line for each method on a logarithmic axis; bars are 95 % intervals, open marks are the paper's figures. The "
    "table below has the same numbers.",
)


def _speed(run: Measured, identifier: str) -> Part:
    table = run.times
    if not table.rows:
        return Part(run, missing=_not_measured(RELAX))
    shown = [one for one in columns(table) if one.priority < _SECOND]
    drawn = _drawn(_TIMES, table, f"{identifier}-figure")
    caption = "Time of each method, beside the published table"
    return Part(run, (), drawn, [of_columns(f"{identifier}-times", caption, table, shown)], means(table))


_SYSTEMS = Picture(
    systems_figure.draw,
    "Milliseconds per step at each system",
    "A small panel for each system, with the same methods on the same logarithmic axis. The tables below have the same "
    "numbers.",
)


def _systems(run: Measured, identifier: str) -> Part:
    table = run.by_system
    if table is None:
        return Part(run, missing="This run measured a single system.")
    shown = by_system.page(table)
    grids = [of_block(f"{identifier}-systems-{i}", block) for i, block in enumerate(shown.blocks)]
    return Part(run, (), _drawn(_SYSTEMS, table, f"{identifier}-figure"), grids, shown.reasons)


def _own(protocol: str, question: Question) -> Callable[[Measured, str], Part]:
    """Return how a protocol with a table of its own is shown."""

    def make(run: Measured, identifier: str) -> Part:
        table = run.own.get(protocol)
        if table is None:
            return Part(run, missing=_not_measured(protocol))
        shown = question.page(table)
        grids = [of_block(f"{identifier}-{protocol}-{i}", block) for i, block in enumerate(shown.blocks)]
        drawn = _drawn(question.picture, table, f"{identifier}-{protocol}-figure") if question.picture else ""
        return Part(run, (), drawn, grids, shown.reasons, shown.notes)

    return make


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
            lines[Subject(row.method, row.device, row.kind, row.weights)] = (
                Cell(row.name),
                Cell(file),
                Cell(", ".join(shown)),
            )
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
    Section("systems", "At which system?", _systems, lambda run: run.by_system is not None),
    *(
        Section(view.question.identifier, view.question.question, _own(name, view.question))
        for name, view in sorted(SHOWN.items(), key=lambda one: one[1].question.place if one[1].question else 0)
        if view.question is not None
    ),
    Section("evidence", "What is the evidence?", _evidence),
    Section("method", "How was it measured?", _how),
)


def _not_measured(protocol: str, what: str = "it") -> str:
    wanted = ",".join(dict.fromkeys((RELAX, protocol)))
    return f"This run did not measure {what}; 'pesbench run --protocols {wanted}' does."


def _drawn(picture: Picture, table: Any, name: str) -> str:
    """Return a figure for the page; empty where there is nothing to draw."""
    try:
        return inline_svg(picture.draw(table), name=name, title=picture.title, description=picture.description)
    except BadInput:
        return ""

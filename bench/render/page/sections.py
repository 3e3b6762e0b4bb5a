"""What the page shows, in the order of a reader's questions: one entry of ``SECTIONS`` for each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from bench.analysis.by_system import SystemsTable
from bench.analysis.table import Row, Table
from bench.core.protocol import RELAX
from bench.errors import BadInput
from bench.render import by_system, numbers, systems_figure
from bench.render import figure as times_figure
from bench.render.blocks import Block, RowKey
from bench.render.cells import DASH, Cell
from bench.render.columns import Column, columns, failures, means
from bench.render.heading import heading
from bench.render.lines import lines
from bench.render.notes import notes
from bench.render.page.grid import Grid, grid, of_block, of_columns
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
class Passage:
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
    answer: Sequence[str] = ()
    """What the page begins with."""
    caption: str = ""
    """How to read the figure."""


def has_something(part: Passage) -> bool:
    """Return whether there is anything to read in it."""
    return any(getattr(part, field.name) for field in dataclasses.fields(part) if field.name != "run")


@dataclasses.dataclass(frozen=True)
class Section:
    """A question, and the answer of each run."""

    identifier: str
    question: str
    make: Callable[[Measured, str], Passage]
    """From a run, and the beginning of all identifiers in this part."""
    wanted: Callable[[Measured], bool] = lambda run: True
    """Whether a run has something to say; a section that no run wants is not there."""
    together: Callable[[Sequence[Measured], str], Grid] | None = None
    """One table for several runs, in place of the tables of each."""


_ORDER = (
    "A rank such as 4–6 says that the intervals, all taken together, cannot tell which of these places a method has: "
    "between such methods, speed does not decide."
)


def _choice(run: Measured, identifier: str) -> Passage:
    name, question = _decisive()
    assert question.choice is not None
    shown = _choosing(run.times)
    notes = [_ORDER] if any(one.title == "rank" and _undecided(one, run.times) for one in shown) else []
    grids = [of_columns(f"{identifier}-methods", _promised(shown), run.times, shown)] if run.times.rows else []
    table = run.own.get(name)
    answer = list(question.answer(table)) if table is not None else []
    if not answer:
        missing = "" if table is not None else _not_measured(name, f"the {name}")
        return Passage(run, answer=_fastest(run.times), grids=grids, notes=notes, missing=missing)
    drawn = _drawn(question.choice, table, f"{identifier}-figure")
    return Passage(run, answer=answer, figure=drawn, caption=question.of_choice(table), grids=grids, notes=notes)


def _chooses(run: Measured) -> bool:
    return bool(run.times.rows) or _decisive()[0] in run.own


def _choices(runs: Sequence[Measured], identifier: str) -> Grid:
    """Return what helps to choose a method in each run, all in one table: the same column of all runs side by side."""
    there = [{line.row.method: line for line in lines(run.times)} for run in runs]
    found = [(one, run, number) for number, run in enumerate(runs) for one in _choosing(run.times)[1:]]
    titles = list(dict.fromkeys(one.title for one, *_ in found if one.title != "weights"))
    found = [each for title in titles for each in found if each[0].title == title]
    keys = list(dict.fromkeys(key for of in there for key in of))
    first = {key: next(of[key] for of in there if key in of) for key in keys}
    texts = [
        [Cell(first[key].label), *(one.text(there[n][key]) if key in there[n] else DASH for one, _, n in found)]
        for key in keys
    ]
    headings = [("Method", ""), *((one.title, f"{one.unit} {run.name}".strip()) for one, run, _ in found)]
    about = [RowKey(key, row.device, row.kind, row.weights) for key in keys for row in [first[key].row]]
    compared = [False, *(one.unit in ("ms/step", "ms/call") for one, *_ in found)]
    return grid(f"{identifier}-runs", "The runs beside each other", headings, texts, about, compared)


def _decisive() -> tuple[str, Question]:
    """Return the protocol whose figure helps to choose, with its question."""
    return next(
        (name, view.question) for name, view in SHOWN.items() if view.question is not None and view.question.choice
    )


def _choosing(table: Table) -> list[Column]:
    return [one for one in columns(table) if one.chooses]


def _undecided(rank: Column, table: Table) -> bool:
    return any("–" in rank.text(line) and rank.text(line) != DASH for line in lines(table))


def _promised(shown: Sequence[Column]) -> str:
    """Return the caption of these columns."""
    own = {column.title for view in SHOWN.values() for column in view.columns}
    others = [one.title for one in shown if one.title in own]
    return f"Each method: {', '.join(['speed', *others])}"


def _fastest(table: Table) -> list[str]:
    """Return which methods are the fastest, where no errors were measured, of those that took the most systems."""
    every = [(row.time.estimate, row) for row in table.rows if row.time is not None]
    if not every:
        return []
    most = max(_systems_of(row) for _, row in every)
    timed = [(time, row) for time, row in every if _systems_of(row) == most]
    unit = "ms a force call" if all(row.of_calls for _, row in timed) else "ms a step"
    time, row = min(timed, key=lambda one: one[0])
    said = [f"The fastest is {row.name}: {numbers.plain(time)} {unit}."]
    learned = [one for one in timed if one[1].kind == "mlip" and one[1].weights != "random"]
    if learned and row.kind != "mlip":
        time, row = min(learned, key=lambda one: one[0])
        said.append(f"Of the machine-learned potentials it is {row.name}: {numbers.plain(time)} {unit}.")
    whole = [
        (row.ms_per_molecule.estimate, row)
        for _, row in timed
        if row.ms_per_molecule is not None and row.taken is not None and len(row.taken.relaxed) == most
    ]
    if len(whole) > 1:
        time, row = min(whole, key=lambda one: one[0])
        said.append(f"A whole relaxation is fastest with {row.name}: {numbers.plain(time)} ms.")
    return said


def _systems_of(row: Row) -> int:
    return row.coverage.systems if row.coverage else 0


_TIMES = Picture(
    partial(times_figure.draw, written=False),
    "Milliseconds per step of each method",
    lambda table: (
        "One line for each method on a logarithmic axis; bars are 95 % intervals"
        + ("; open marks are the paper's figures." if any(row.paper_ms_per_step for row in table.rows) else ".")
    ),
)


def _speed(run: Measured, identifier: str) -> Passage:
    table = run.times
    if not table.rows:
        return Passage(run, missing=_not_measured(RELAX))
    # the times themselves stand in the first table of the page
    shown = [one for one in columns(table) if one.title == "Method" or (one.priority < _SECOND and not one.chooses)]
    drawn = _drawn(_TIMES, table, f"{identifier}-figure")
    grids = [of_columns(f"{identifier}-times", "What the times are of", table, shown)] if len(shown) > 1 else []
    return Passage(run, (), drawn, grids, means(table))


_SYSTEMS = Picture(
    systems_figure.draw,
    "The times of each method at each system",
    "A small panel for each system, with the same methods on the same logarithmic axis. The tables below have the same "
    "numbers.",
)


def _systems(run: Measured, identifier: str) -> Passage:
    table = run.by_system
    if table is None:
        return Passage(run, missing="This run measured a single system.")
    shown = by_system.page(table)
    grids = [of_block(f"{identifier}-systems-{i}", block) for i, block in enumerate(shown.blocks)]
    return Passage(run, (), _drawn(_SYSTEMS, table, f"{identifier}-figure"), grids, shown.reasons)


def _has(protocol: str, run: Measured) -> bool:
    return protocol in run.own


def _own(protocol: str, question: Question) -> Callable[[Measured, str], Passage]:
    """Return how a protocol with a table of its own is shown."""

    def make(run: Measured, identifier: str) -> Passage:
        table = run.own.get(protocol)
        if table is None:
            return Passage(run, missing=_not_measured(protocol))
        shown = question.page(table)
        grids = [of_block(f"{identifier}-{protocol}-{i}", block) for i, block in enumerate(shown.blocks)]
        drawn = _drawn(question.picture, table, f"{identifier}-{protocol}-figure") if question.picture else ""
        return Passage(run, (), drawn, grids, shown.reasons, shown.notes)

    return make


def _evidence(run: Measured, identifier: str) -> Passage:
    table = run.times
    detail = [one for one in columns(table) if one.title == "Method" or (one.priority >= _SECOND and not one.chooses)]
    grids = [of_columns(f"{identifier}-detail", "What each method ran with", table, detail)] if table.rows else []
    versions = _versions(run)
    if versions.lines:
        grids.append(of_block(f"{identifier}-versions", versions))
    return Passage(
        run, grids=grids, pairs=[("Failure: " + label, text) for label, text in failures(table)], notes=notes(table)
    )


def _versions(run: Measured) -> Block:
    lines = {}
    for row in run.times.rows:
        shown = [f"{name} {version}" for name, version in sorted(row.versions.items()) if name in run.packages]
        if shown:
            file = str((row.checkpoint or {}).get("file") or DASH)
            lines[RowKey(row.method, row.device, row.kind, row.weights)] = (
                Cell(row.name),
                Cell(file),
                Cell(", ".join(shown)),
            )
    headings = (("Method", ""), ("checkpoint", ""), ("packages", ""))
    return Block("Versions and checkpoints", headings, tuple(lines.values()), tuple(lines))


def _how(run: Measured, identifier: str) -> Passage:
    return Passage(run, _HOW, pairs=heading(run.times))


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
    Section("choice", "Which method should I take?", _choice, _chooses, _choices),
    Section("speed", "How fast is it?", _speed, lambda run: bool(run.times.rows)),
    Section("systems", "At which system?", _systems, lambda run: run.by_system is not None),
    *(
        Section(view.question.identifier, view.question.question, _own(name, view.question), partial(_has, name))
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
        return inline_svg(picture.draw(table), name=name, title=picture.title, description=picture.describe(table))
    except BadInput:
        return ""

"""A run in the style of the published Table 1: its rows in its order, its figures and ours side by side."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from bench.analysis.table import Row, Table
from bench.core.device import CPU, DEVICES
from bench.core.protocol import RELAX
from bench.render import numbers
from bench.render.heading import heading
from bench.render.latex import escape, tabular
from bench.render.notes import REPLAY_MARK
from bench.render.numbers import DASH


@dataclasses.dataclass(frozen=True)
class _Line:
    label: str
    published: Row | None
    """On the CPU."""
    published_gpu: Row | None
    ours: dict[str, Row]
    """By the name of the kind of device."""


def markdown(published: Table, run: Table | None) -> str:
    """Return the table as Markdown; without a run, the published figures alone."""
    heads, lines = _cells(published, run)
    parts = ["| " + " | ".join(" ".join(filter(None, head)) for head in heads) + " |"]
    parts += ["|" + "|".join([":---", *["---:"] * (len(heads) - 1)]) + "|"]
    parts += ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join([*parts, "", *(f"{note}  " for note in _notes(published, run)), ""])


def latex(published: Table, run: Table | None) -> str:
    """Return the table as LaTeX that needs ``booktabs``; without a run, the published figures alone."""
    heads, lines = _cells(published, run)
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            r"\caption{Milliseconds per optimisation step.}",
            r"\footnotesize",
            tabular(heads, [[escape(cell) for cell in line] for line in lines]),
            "",
            r"\smallskip",
            r"\begin{minipage}{\linewidth}\scriptsize",
            *(escape(note) + r"\par" for note in _notes(published, run)),
            r"\end{minipage}",
            r"\end{table}",
            "",
        ]
    )


def _cells(published: Table, run: Table | None) -> tuple[list[tuple[str, str]], list[list[str]]]:
    """Return headings and cells; the columns of devices that nobody measured are left out."""
    columns: list[tuple[tuple[str, str], Callable[[_Line], str]]] = [
        (("Method", ""), lambda line: line.label),
        (("CPU", "paper"), lambda line: _published(line.published)),
        (("GPU", "paper"), lambda line: _published(line.published_gpu)),
    ]
    for kind in DEVICES.values():
        columns.append(((kind.label, "here"), lambda line, name=kind.name: _ours(line.ours.get(name))))  # type: ignore[misc]
    lines = _lines(published, run)
    kept = [column for column in columns if any(column[1](line) != DASH for line in lines)]
    return [head for head, _ in kept], [[text(line) for _, text in kept] for line in lines]


def _lines(published: Table, run: Table | None) -> list[_Line]:
    """Return the published methods in their order, then what else the run has measured."""
    by_method: dict[str, dict[str, Row]] = {}
    for row in published.rows:
        by_method.setdefault(row.method, {})[row.device] = row
    rest: dict[str, dict[str, Row]] = {}
    matched: dict[str, dict[str, Row]] = {}
    for row in run.rows if run else ():
        place = matched.setdefault(row.paper, {}) if row.paper in by_method else rest.setdefault(row.method, {})
        there = place.get(row.on.kind.name)
        # a relaxation counts more than a replayed path, and the method itself more than a variant of it
        if there is None or (there.time is None and row.time) or (row.protocol == RELAX != there.protocol and row.time):
            place[row.on.kind.name] = row
    found = [
        _Line(_label(rows, matched.get(method, {})), rows.get(CPU), _elsewhere(rows), matched.get(method, {}))
        for method, rows in by_method.items()
    ]
    return found + [_Line(_label(rows, rows), None, None, rows) for rows in rest.values()]


def _label(rows: dict[str, Row], ours: dict[str, Row]) -> str:
    """Return the label of some rows, with a remark where ours have random weights."""
    random = any(row.weights == "random" for row in ours.values())
    return next(iter(rows.values())).label + (" (random weights)" if random else "")


def _elsewhere(rows: dict[str, Row]) -> Row | None:
    return next((row for device, row in rows.items() if device != CPU), None)


def _published(row: Row | None) -> str:
    return numbers.published(row.time.estimate, 8) if row and row.time else DASH


def _ours(row: Row | None) -> str:
    if row is None:
        return DASH
    if row.time is None:
        return next(iter(row.failures), DASH)
    return numbers.with_interval(row.time) + REPLAY_MARK * row.of_calls


def _notes(published: Table, run: Table | None) -> list[str]:
    found = [f"Paper: {published.title}; {published.description.machine.cpu}, 4 cores."]
    if run is None:
        return [*found, "There is no run yet to stand beside it."]
    found += [f"Here: {'; '.join(f'{label}: {text}' for label, text in heading(run))}."]
    found += ["Brackets: 95 % intervals over structures and rounds. The hardware differs: compare the order."]
    if any(row.weights == "random" for row in run.rows):
        found.append("Random weights: the speed is right, the energies mean nothing; measured along fixed paths.")
    if any(row.of_calls and row.time for row in run.rows):
        found.append(f"{REPLAY_MARK}: milliseconds per force call alone, of which a BFGS step makes one.")
    return found

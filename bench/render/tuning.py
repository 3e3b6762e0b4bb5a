"""The result of a search for the fastest settings: a ranking, the best with its command line, and what it costs."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from bench.analysis.regression import FASTER, OTHER_ANSWER, SLOWER, UNDECIDED
from bench.analysis.statistics import FEWEST_ROUNDS
from bench.analysis.tuning import DEFAULT, PROCESSES, Tried, Tuned
from bench.render import numbers
from bench.render.blocks import as_json
from bench.render.cells import ABSENT, BAD, DASH, Cell
from bench.render.console import fitting, hidden, labelled, printed, styled, table_of, width_of

FORMATS = ("terminal", "json")
LEAST = ("pays after", "memory", "cold start")
"""The columns that a narrow terminal leaves out, the first one first."""
COLUMNS = ("setting", "ms/call", "time/default", "cold start", "memory", "pays after", "verdict")
"""time/default: below 1 it is faster. pays after: a number of force calls."""
LEAST_SETTING = 12
MOST_LABELS = 4
"""Characters of the first column, at least, in a narrow terminal."""


@dataclasses.dataclass(frozen=True)
class Report:
    """The contents of the report on a search."""

    title: Sequence[tuple[str, str]]
    """Labelled lines above the table."""
    tuned: Tuned
    threshold: float
    command: str
    """The command line that measures the best setting, or the default where none is better."""
    notes: Sequence[str] = ()


def render(report: Report, form: str, width: int | None = None, color: bool = False) -> str:
    """Return the report as text in one of :data:`FORMATS`."""
    return _json(report) if form == "json" else _terminal(report, width, color)


def best(report: Report) -> str:
    """Return which setting is the best, in one sentence or two."""
    tuned, percent = report.tuned, f"{100 * report.threshold:g} %"
    if tuned.best is not None:
        return f"{tuned.best.candidate.label}: {_gain(tuned.best)} times as fast as the default"
    undecided = [one.candidate.label for one in tuned.ranking if one.verdict == UNDECIDED]
    if undecided:
        return (
            f"not decided. No setting is certainly faster than the default by at least {percent}, but these may be: "
            f"{'; '.join(undecided)}. A larger --budget may decide it."
        )
    return f"the default. No setting that was measured is faster by at least {percent}."


def _gain(one: Tried) -> str:
    """Return how many times as fast as the default a setting is, with its interval."""
    assert one.ratio is not None
    found = one.ratio
    inverse = dataclasses.replace(
        found,
        estimate=1 / found.estimate,
        low=None if found.high is None else 1 / found.high,
        high=None if found.low is None else 1 / found.low,
    )
    return numbers.with_interval(inverse, 3)


def answers(one: Tried) -> str:
    """Return how far the answers of a setting are from those of the default."""
    apart = one.deviation
    if apart is None:
        return "it is not known whether the answers are the same"
    several = f"{apart.structures} structure{'s' if apart.structures != 1 else ''}"
    return (
        f"energies within {apart.energy:.1g} eV and forces within {apart.force:.1g} eV/Å of the default's "
        f"({several}; allowed: {apart.energy_allowed:.1g} and {apart.force_allowed:.1g})"
    )


def start(one: Tried, default: Tried) -> str:
    """Return what the start of a setting costs, and when that has paid off."""
    if one.warm_s is None or default.warm_s is None or one.pays_after is None:
        return ""
    extra = one.warm_s - default.warm_s
    if extra <= 0:
        return "it is ready no later than the default, so it pays from the first force call"
    return (
        f"it is ready {numbers.seconds(extra)} later than the default, which pays after {one.pays_after:,} force calls"
    )


def _below(report: Report) -> list[tuple[str, str]]:
    """Return the labelled lines below the table."""
    tuned = report.tuned
    found = [("Best", best(report)), ("Command", report.command)]
    if tuned.best is not None:
        found.append(("Its answers", answers(tuned.best)))
        if tuned.as_fast:
            found.append(("As fast", f"not distinguishable from the best: {'; '.join(tuned.as_fast)}"))
        found.append(("Its start", start(tuned.best, tuned.default)))
    for one in tuned.apart:
        found.append(
            ("Other answers", f"{one.candidate.label}: {'; '.join(one.deviation.words if one.deviation else ())}")
        )
    reasons: dict[tuple[str, str], list[str]] = {}
    for one in tuned.unmeasured:
        reasons.setdefault((one.verdict.capitalize(), one.why.removeprefix("not tried: ")), []).append(
            one.candidate.label
        )
    found += [(what, f"{_few(labels)}: {why}") for (what, why), labels in reasons.items()]
    stopped: dict[str, list[str]] = {}
    for one in tuned.ranking:
        if one.verdict != DEFAULT and one.why:
            stopped.setdefault(one.why, []).append(one.candidate.label)
    found += [("No more rounds", f"{_few(labels)}: {why}") for why, labels in stopped.items()]
    return [line for line in (*found, *(("Note", note) for note in (*_notes(report), *report.notes))) if line[1]]


def _few(labels: Sequence[str]) -> str:
    """Return the first labels, and how many more there are."""
    more = len(labels) - MOST_LABELS
    return "; ".join(labels) if more < 2 else f"{'; '.join(labels[:MOST_LABELS])} and {more} more"


def _notes(report: Report) -> list[str]:
    percent = f"{100 * report.threshold:g} %"
    found = [
        "time/default is the ratio to the default's time in the same sessions, with its 99 % interval. Faster or "
        f"slower: by at least {percent}, and the interval does not contain 1. Faster needs {FEWEST_ROUNDS} rounds "
        "(fresh processes) and the default's answers. The interval includes how much fresh processes differ, at least "
        f"{100 * PROCESSES:g} % where there are few of them.",
        "pays after: the number of force calls after which a slower start has paid off.",
    ]
    if report.tuned.weights == "random":
        found.append("Random weights: the speed is right, the energies mean nothing.")
    return found


def _cells(one: Tried) -> list[str]:
    on_device = one.peak_device_memory_bytes
    return [
        one.candidate.label,
        numbers.plain(one.ms.estimate, 3) if one.ms else DASH,
        DASH if one.verdict == DEFAULT else numbers.ratio(one.ratio),
        numbers.seconds(one.cold_start_s),
        numbers.size(one.peak_memory_bytes if on_device is None else on_device),
        DASH if one.verdict != FASTER or one.pays_after is None else numbers.whole(one.pays_after),
        _verdict(one),
    ]


def _verdict(one: Tried) -> Cell:
    bad = one.verdict in (SLOWER, OTHER_ANSWER)
    return Cell(one.verdict, state=BAD if bad else ABSENT if one.verdict == UNDECIDED else "")


def _terminal(report: Report, width: int | None, color: bool) -> str:
    width = width_of(width)
    every = [*report.tuned.ranking, *report.tuned.apart]
    titles = [COLUMNS[0], *(title.replace(" ", "\n") for title in COLUMNS[1:])]
    lines = [_cells(one) for one in every]
    shown = fitting(titles, lines, width, [title.replace(" ", "\n") for title in LEAST], LEAST_SETTING)
    grid = table_of(titles, shown, range(1, len(COLUMNS) - 1), LEAST_SETTING)
    for one, cells in zip(every, lines, strict=True):
        style = "bold" if one is report.tuned.best else ""
        grid.add_row(*(styled(cells[i], style) for i in shown))
    left_out = hidden([title for i, title in enumerate(COLUMNS) if i not in shown])
    parts: list[RenderableType] = [
        labelled(report.title, width),
        Text(),
        grid,
        Text(),
        labelled([*_below(report), *(("Note", note) for note in left_out)], width),
    ]
    return printed(parts, width, color)


def _json(report: Report) -> str:
    tuned = report.tuned
    document: dict[str, Any] = {
        "format": 1,
        "title": dict(report.title),
        "threshold": report.threshold,
        "method": tuned.label,
        "weights": tuned.weights,
        "best": tuned.best.candidate.label if tuned.best else None,
        "as_fast": list(tuned.as_fast),
        "command": report.command,
        "ranking": [_object(one) for one in tuned.ranking],
        "other_answers": [_object(one) for one in tuned.apart],
        "not_measured": [_object(one) for one in tuned.unmeasured],
        "notes": [f"{label}: {text}" for label, text in _below(report)],
    }
    return as_json(document)


def _object(one: Tried) -> dict[str, Any]:
    plain = dataclasses.asdict(one)
    candidate = plain.pop("candidate")
    return {"setting": one.candidate.label, **candidate, **plain}

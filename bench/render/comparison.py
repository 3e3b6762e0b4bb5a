"""Two runs or two versions side by side: the ratio of their times, the verdict, and what else differs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from bench.analysis.likeness import Circumstances, ComparedRuns
from bench.analysis.regression import NOT_COMPARED, OTHER_ANSWER, SLOWER, UNDECIDED, Comparison
from bench.analysis.statistics import Estimate
from bench.core.description import Description
from bench.core.device import Device, is_accelerator
from bench.core.protocol import REPLAY
from bench.render import numbers
from bench.render.blocks import as_json
from bench.render.cells import ABSENT, BAD, DASH, Cell
from bench.render.circumstances import damaged, disturbed_in_short, unsettled
from bench.render.console import labelled, printed, styled, table, width_of

FORMATS = ("terminal", "markdown", "json")
ROOMY = 130
"""A narrower terminal shows only the interval of the ratio, on which the verdict rests."""
COLUMNS = ("method", "old ms", "new ms", "new/old", "n", "verdict")
"""n: structures that both have."""


@dataclasses.dataclass(frozen=True)
class Report:
    """The contents of a comparison."""

    title: Sequence[tuple[str, str]]
    """Labelled lines above the table."""
    comparisons: Sequence[Comparison]
    threshold: float
    means: Mapping[str, Estimate | None] = dataclasses.field(default_factory=dict)
    """Geometric means of the ratios, by protocol."""
    unlike: Sequence[str] = ()
    """Why the two should not be compared; shown above the table."""
    explain: Sequence[str] = ()
    notes: Sequence[str] = ()


def report_of(compared: ComparedRuns) -> Report:
    """Return the report on the comparison of two runs."""
    old, new = compared.old, compared.new
    return Report(
        title=[("Old", _named(old)), ("New", _named(new)), *where(new.description)],
        comparisons=compared.comparisons,
        threshold=compared.threshold,
        means=compared.means,
        unlike=compared.unlike,
        explain=compared.explain,
        notes=[
            *_circumstances(old, "the first run"),
            *_circumstances(new, "the second run"),
            "Intervals do not include what the machine did to a whole run; 'pesbench regress' measures alternately.",
        ],
    )


def where(description: Description) -> list[tuple[str, str]]:
    """Return the machine, the number of threads and the data set."""
    threads, dataset = description.settings.threads, description.dataset
    return [
        ("Machine", f"{description.machine.cpu}, {threads} thread{'s' if threads != 1 else ''}"),
        ("Data set", f"{dataset.name}: {dataset.count} structures"),
    ]


def _named(run: Circumstances) -> str:
    commit = f", commit {run.description.commit[:12]}" if run.description.commit else ""
    return f"{run.name}, {run.description.created.replace('T', ' ')[:16]}{commit}"


def _circumstances(run: Circumstances, name: str) -> list[str]:
    labels = {method: facts.label for method, facts in run.description.methods.items()}
    said = (disturbed_in_short(run.disturbances, labels), unsettled(run.unsettled), damaged(run.damaged))
    return [f"In {name}: {sentence}" for sentence in said if sentence]


def render(report: Report, form: str, width: int | None = None, color: bool = False) -> str:
    """Return the report as text in one of :data:`FORMATS`."""
    if form == "json":
        return _json(report)
    if form == "markdown":
        return _markdown(report)
    return _terminal(report, width, color)


def rule(threshold: float) -> str:
    """Return the decision rule in one sentence."""
    return (
        f"Slower or faster: by at least {100 * threshold:g} %, and the interval does not contain 1. Same: the interval "
        f"lies within {100 * threshold:g} %. Undecided: all else; more rounds or structures narrow the interval."
    )


def _cells(one: Comparison, intervals: bool, short: bool = False) -> list[Cell]:
    """Return a line of the table; a `short` one leaves to a note what its name would say besides."""
    label = Cell(one.label if short or one.weights != "random" else f"{one.label} (random weights)")
    label += f" ({Device.parse(one.device).label})" if is_accelerator(one.device) else ""
    label += ", replay" if one.protocol == REPLAY and not short else ""
    if one.ratio is None:
        return [label, DASH, DASH, DASH, DASH, _verdict(one)]
    old, new = (
        numbers.with_interval(time) if intervals else numbers.plain(time.estimate, 4) if time else DASH
        for time in (one.old, one.new)
    )
    return [label, old, new, numbers.ratio(one.ratio), numbers.whole(one.ratio.n), _verdict(one)]


def _verdict(one: Comparison) -> Cell:
    bad, unknown = one.verdict in (SLOWER, OTHER_ANSWER), one.verdict in (UNDECIDED, NOT_COMPARED)
    return Cell(one.verdict, state=BAD if bad else ABSENT if unknown else "")


def _below(report: Report) -> list[tuple[str, str]]:
    """Return the labelled lines below the table, in any format."""
    found: list[tuple[str, str]] = [
        (f"Geometric mean{', replay' if protocol == REPLAY else ''}", numbers.ratio(mean))
        for protocol, mean in report.means.items()
        if mean is not None
    ]
    left_out: dict[tuple[str, str], list[str]] = {}
    for one in report.comparisons:
        name = one.label
        if one.verdict == NOT_COMPARED and one.why:
            left_out.setdefault((one.protocol, one.why), []).append(name)
            continue
        if one.answers:
            found.append((f"{name} answers differently", "; ".join(one.answers)))
        elif one.answers is None and one.ratio is not None:
            found.append((name, "it is not known whether the answers are the same"))
        if one.why:
            found.append((f"{name} {one.verdict}", one.why))
    for (protocol, why), names in left_out.items():
        found.append((f"Not compared{', replay' * (protocol == REPLAY)}", f"{', '.join(names)}: {why}"))
    return [*found, *(("What differs", line) for line in report.explain), *(("Note", note) for note in report.notes)]


def _terminal(report: Report, width: int | None, color: bool) -> str:
    width = width_of(width)
    parts: list[RenderableType] = []
    if report.unlike:
        parts += [Text("Different, but compared by request:", style="bold red")]
        parts += [Text(f"  {line}", style="red") for line in report.unlike]
        parts.append(Text())
    parts += [labelled(report.title, width), Text()]
    grid = table()
    for i, title in enumerate(COLUMNS):
        side = "right" if 0 < i < 5 else "left"
        grid.add_column(
            Text(title, justify=side),  # type: ignore[arg-type]
            justify=side,  # type: ignore[arg-type]
            overflow="fold",
            no_wrap=i > 0,
            min_width=None if i else 12,
        )
    stepped = {(one.method, one.device) for one in report.comparisons if one.protocol != REPLAY}
    # what was not compared stands below, with the reason
    shown = [one for one in report.comparisons if one.verdict != NOT_COMPARED or not one.why]
    alone = [one for one in shown if (one.method, one.device) not in stepped]
    for one in shown:
        grid.add_row(*map(styled, _cells(one, intervals=width >= ROOMY, short=one in alone)))
    below = [*_replayed(alone), *_below(report), ("Rule", rule(report.threshold))]
    parts += [grid, Text(), labelled(below, width, bad="answers differently")]
    return printed(parts, width, color)


def _replayed(rows: Sequence[Comparison]) -> list[tuple[str, str]]:
    """Return which rows are of replayed paths, and of random weights."""
    random = [one.label for one in rows if one.weights == "random"]
    others = [one.label for one in rows if one.weights != "random"]
    found = [("Replay", ", ".join(others))] if others else []
    return [*found, ("Replay, random weights", ", ".join(random))] if random else found


def _markdown(report: Report) -> str:
    lines = [f"**Different, but compared by request:** {'; '.join(report.unlike)}", ""] if report.unlike else []
    lines += [f"**{label}:** {text}  " for label, text in report.title]
    lines += ["", "| " + " | ".join(COLUMNS) + " |", "|:---|---:|---:|---:|---:|:---|"]
    for one in report.comparisons:
        *figures, verdict = _cells(one, intervals=True)
        strong = f"**{verdict}**" if verdict.state == BAD else verdict
        lines.append("| " + " | ".join([*figures, strong]) + " |")
    lines += ["", *(f"- {label}: {text}" for label, text in _below(report)), "", rule(report.threshold)]
    return "\n".join(lines) + "\n"


def _json(report: Report) -> str:
    document: dict[str, Any] = {
        "format": 1,
        "title": dict(report.title),
        "threshold": report.threshold,
        "unlike": list(report.unlike),
        "comparisons": [dataclasses.asdict(one) for one in report.comparisons],
        "geometric_means": {name: dataclasses.asdict(mean) for name, mean in report.means.items() if mean},
        "explain": list(report.explain),
        "notes": list(report.notes),
    }
    return as_json(document)

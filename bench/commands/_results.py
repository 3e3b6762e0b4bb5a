"""The results of a run as a user asks for them: by protocol, printed or drawn."""

from __future__ import annotations

import dataclasses
import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.commands._options import SPEED
from bench.commands._output import print_text
from bench.contract.protocol import MD, RELAX, REPLAY
from bench.errors import BadInput

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bench.analysis.simulated import StabilityTable
    from bench.analysis.table import Table

PAPER = "paper"
"""The published table, where a run can be named."""


@dataclasses.dataclass(frozen=True)
class Shown:
    """How results are shown."""

    of: Callable[[str | Path | None], Any]
    """Takes a run as a user names it, returns what the others take."""
    measured: Callable[[Any], bool]
    """Tells whether there is anything in it."""
    render: Callable[[Any, str, bool], str]
    """Takes the format, and whether colours are wanted."""
    draw: Callable[[Any], Figure]
    stem: str
    """The name of the figure's files."""


def show(protocol: str, run: str | Path | None, form: str) -> bool:
    """Print the results of a protocol in one of the formats; returns whether anything was measured."""
    shown = SHOWN[chosen(protocol, run)]
    found = shown.of(run)
    print_text(shown.render(found, form, sys.stdout.isatty()))
    return shown.measured(found)


def chosen(protocol: str, run: str | Path | None) -> str:
    """Return the protocol whose results are shown: of a run that timed nothing, those of what it did."""
    from bench.runs import store

    if protocol != SPEED or run == PAPER:
        return protocol
    measured = store.campaign(store.find(run))["settings"]["protocols"]
    return SPEED if {RELAX, REPLAY} & set(measured) else str(measured[0])


def table_of(run: str | Path | None) -> Table:
    """Return the table of times of a run, or the published one."""
    from bench.analysis.statistics import FEWEST
    from bench.analysis.summary import summarise
    from bench.paper import table1 as paper
    from bench.runs import baselines, frames, simulations

    if run == PAPER:
        return paper.table()
    loaded = frames.load(run)
    dynamics = {}
    if MD in loaded.campaign["settings"]["protocols"]:
        try:
            dynamics = {(row.method, row.device): row for row in simulations.stabilities(loaded).rows}
        except BadInput as error:  # the times are whole all the same
            print(f"pesbench: the dynamics is left out: {error}", file=sys.stderr)
    measured = loaded.structures.groupby(["method", "device"]).structure.nunique()
    # steps are looked at only for a method with too few structures for an interval over those
    steps = loaded.steps if (measured < FEWEST).any() else None
    return summarise(
        loaded.campaign,
        loaded.methods,
        loaded.structures,
        steps,
        replays=loaded.replays,
        watched=loaded.watched,
        answers=baselines.checked(loaded),
        dynamics=dynamics,
        paper=paper.read(),
    )


def _times_of(protocol: str, run: str | Path | None) -> Table:
    """Return the part of the table of times that is about one protocol."""
    table = table_of(run)
    rows = tuple(row for row in table.rows if row.protocol == protocol)
    if not rows:
        name = "the paper" if run == PAPER else table.head.get("run_id", run)
        raise BadInput(f"{name} has no {protocol}; 'pesbench run --protocols relax,replay' measures both.")
    return dataclasses.replace(
        table,
        rows=rows,
        geometric_means=tuple(mean for mean in table.geometric_means if mean.protocol == protocol),
        claims=tuple(claim for claim in table.claims if claim.protocol == protocol),
    )


def _stabilities(run: str | Path | None) -> StabilityTable:
    from bench.runs import frames, simulations

    if run == PAPER:
        raise BadInput("the paper simulated nothing; name a run.")
    return simulations.stabilities(frames.load(run))


def _render_times(table: Table, form: str, color: bool) -> str:
    from bench.report.tables import render

    return render(table, form, color=color)


def _render_stabilities(table: StabilityTable, form: str, color: bool) -> str:
    from bench.report.stability_formats import render

    return render(table, form, color=color)


def _draw_times(table: Table) -> Figure:
    from bench.report.figure import draw

    return draw(table)


def _draw_stabilities(table: StabilityTable) -> Figure:
    from bench.report.stability_figure import draw

    return draw(table)


def _timed(table: Table) -> bool:
    return any(row.time for row in table.rows)


def _simulated(table: StabilityTable) -> bool:
    return any(row.ms_per_step for row in table.rows)


def _times(of: Callable[[str | Path | None], Table]) -> Shown:
    return Shown(of, _timed, _render_times, _draw_times, "ms-per-step")


SHOWN: dict[str, Shown] = {
    SPEED: _times(table_of),
    RELAX: _times(functools.partial(_times_of, RELAX)),
    REPLAY: _times(functools.partial(_times_of, REPLAY)),
    MD: Shown(_stabilities, _simulated, _render_stabilities, _draw_stabilities, "stability"),
}
"""By protocol, and what is shown where none is named."""

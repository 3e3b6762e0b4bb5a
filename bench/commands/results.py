"""The verbs that show results: table, plot."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import BadInput

if TYPE_CHECKING:
    from bench.analysis.simulated import StabilityTable
    from bench.analysis.table import Table


def table(options: argparse.Namespace) -> int:
    """Print the table of times, or that of dynamics."""
    if options.protocol == "md" or only_dynamics(options.run):
        show_stability(options.run, options.format)
    else:
        show(table_of(options.run), options.format)
    return 0


def only_dynamics(run: str | Path | None) -> bool:
    """Tell whether a run has nothing but dynamics."""
    from bench.runs import store

    return run != "paper" and store.campaign(store.find(run))["settings"]["protocols"] == ["md"]


def show_stability(run: str | Path | None, form: str) -> None:
    """Print the stability table of a run in one of the formats."""
    from bench.report.stability_formats import render

    _print(render(_stabilities(run), form, color=sys.stdout.isatty()))


def _stabilities(run: str | Path | None) -> StabilityTable:
    from bench.runs import frames, simulations

    if run == "paper":
        raise BadInput("the paper simulated nothing; name a run.")
    return simulations.stabilities(frames.load(run))


def plot(options: argparse.Namespace) -> int:
    """Draw a figure."""
    from bench.report import figure, stability_figure
    from bench.runs import store

    dynamics = options.protocol == "md" or only_dynamics(options.run)
    if options.output is not None:
        stem = options.output
    elif options.run == "paper":
        stem = Path("ms-per-step-paper")
    else:
        stem = store.find(options.run) / ("stability" if dynamics else "ms-per-step")
    made = stability_figure.draw(_stabilities(options.run)) if dynamics else figure.draw(table_of(options.run))
    try:
        stem.parent.mkdir(parents=True, exist_ok=True)
        for path in figure.save(made, stem):
            print(path)
    except OSError as error:
        raise BadInput(f"cannot write {stem}: {error.strerror}; choose another place with --output.") from None
    return 0


def table_of(run: str | Path | None) -> Table:
    """Return the table of a run, or of the paper."""
    from bench.analysis.statistics import FEWEST
    from bench.analysis.summary import summarise
    from bench.contract.protocol import MD
    from bench.paper import table1 as paper
    from bench.runs import baselines, frames, simulations

    if run == "paper":
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


def show(table: Table, form: str) -> None:
    """Print a table in one of the formats."""
    from bench.report.tables import render

    _print(render(table, form, color=sys.stdout.isatty()))


def _print(text: str) -> None:
    sys.stdout.write(text.rstrip("\n") + "\n")
    sys.stdout.flush()

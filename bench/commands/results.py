"""The verbs that show results: table, plot."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import BadInput

if TYPE_CHECKING:
    from bench.analysis.table import Table


def table(options: argparse.Namespace) -> int:
    """Print a table."""
    show(table_of(options.run), options.format)
    return 0


def plot(options: argparse.Namespace) -> int:
    """Draw a figure."""
    from bench import store
    from bench.report.figure import plot

    table = table_of(options.run)
    if options.output is not None:
        stem = options.output
    elif options.run == "paper":
        stem = Path("ms-per-step-paper")
    else:
        stem = store.find(options.run) / "ms-per-step"
    try:
        stem.parent.mkdir(parents=True, exist_ok=True)
        for path in plot(table, stem):
            print(path)
    except OSError as error:
        raise BadInput(f"cannot write {stem}: {error.strerror}; choose another place with --output.") from None
    return 0


def table_of(run: str | Path | None) -> Table:
    """Return the table of a run, or of the paper."""
    from bench import baselines, frames
    from bench.analysis.statistics import FEWEST
    from bench.analysis.summary import summarise
    from bench.report import paper

    if run == "paper":
        return paper.table()
    loaded = frames.load(run)
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
        paper=paper.read(),
    )


def show(table: Table, form: str) -> None:
    """Print a table in one of the formats."""
    from bench.report.tables import render

    sys.stdout.write(render(table, form, color=sys.stdout.isatty()).rstrip("\n") + "\n")
    sys.stdout.flush()

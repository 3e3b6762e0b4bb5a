"""The verbs that show results: table, plot."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.commands.output import to_stderr
from bench.errors import BadInput

if TYPE_CHECKING:
    from bench.analysis.table import Table


def table(options: argparse.Namespace) -> int:
    """Print the table of a protocol."""
    from bench.report.shown import SHOWN
    from bench.runs import tables

    protocol = options.protocol or tables.protocol_of(options.run)
    made = tables.shown_as(options.run, protocol, warn)
    _print(SHOWN[protocol].render(made, options.format, color=sys.stdout.isatty()))
    return 0


def plot(options: argparse.Namespace) -> int:
    """Draw a figure."""
    from bench.report import figure
    from bench.report.shown import SHOWN
    from bench.runs import store, tables

    protocol = options.protocol or tables.protocol_of(options.run)
    shown = SHOWN[protocol]
    if options.output is not None:
        stem = options.output
    elif options.run == "paper":
        stem = Path(f"{shown.stem}-paper")
    else:
        stem = store.find(options.run) / shown.stem
    made = shown.draw(tables.shown_as(options.run, protocol, warn))
    try:
        stem.parent.mkdir(parents=True, exist_ok=True)
        for path in figure.save(made, stem):
            print(path)
    except OSError as error:
        raise BadInput(f"cannot write {stem}: {error.strerror}; choose another place with --output.") from None
    return 0


def table_of(run: str | Path | None) -> Table:
    """Return the table of a run, or of the paper."""
    from bench.runs import tables

    return tables.table_of(run, warn)


def warn(line: str) -> None:
    """Say on standard error what is left out of what is shown."""
    to_stderr(f"pesbench: {line}")


def show(table: Table, form: str) -> None:
    """Print a table in one of the formats."""
    from bench.report.tables import render

    _print(render(table, form, color=sys.stdout.isatty()))


def _print(text: str) -> None:
    sys.stdout.write(text.rstrip("\n") + "\n")
    sys.stdout.flush()

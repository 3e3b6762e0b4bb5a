"""The verb that keeps a machine's speed over time: history add, show, plot, export."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from bench import paths
from bench.commands.comparing import refuse_versions
from bench.commands.output import out, print_json
from bench.errors import BadInput


def history(options: argparse.Namespace) -> int:
    """Add a run to its machine's history, or show, draw or export one; status 1 where there is nothing to add."""
    if options.run is not None and options.action != "add":
        raise BadInput(f"'history {options.action}' takes no run; choose a machine with --machine.")
    return {"add": _add, "show": _show, "plot": _plot, "export": _export}[options.action](options)


def _add(options: argparse.Namespace) -> int:
    from bench.commands.results import warn
    from bench.runs import dataframes, tables
    from bench.runs import history as histories

    run = dataframes.load(options.run)
    refuse_versions(run)
    path = histories.add(histories.entries(run, tables.table_of(run.directory, warn)))
    if path is None:
        print("pesbench: the run has no time to keep.", file=sys.stderr)
        return 1
    print(path.relative_to(paths.PROJECT))
    return 0


def _show(options: argparse.Namespace) -> int:
    from bench.report.history import table
    from bench.runs import history as histories

    path = histories.find(options.machine)
    lines = histories.read(path)
    if options.json:
        return print_json(lines)
    console = out()
    console.print(path.stem)
    console.print(table(histories.series(lines)))
    return 0


def _plot(options: argparse.Namespace) -> int:
    from bench.report.history import plot
    from bench.runs import history as histories

    path = histories.find(options.machine)
    stem = options.output or Path(f"history-{path.stem}")
    try:
        for file in plot(histories.series(histories.read(path)), stem):
            print(file)
    except OSError as error:
        raise BadInput(f"cannot write {stem}: {error.strerror}; choose another place with --output.") from None
    return 0


def _export(options: argparse.Namespace) -> int:
    from bench.runs import history as histories

    text = json.dumps(histories.export(histories.read(histories.find(options.machine))), indent=1) + "\n"
    if options.output is None:
        sys.stdout.write(text)
        return 0
    try:
        options.output.write_text(text)
    except OSError as error:
        raise BadInput(f"cannot write {options.output}: {error.strerror}; choose another place.") from None
    return 0

"""The verbs compare, for two runs, and baseline, which keeps a run's answers."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench import paths
from bench.campaign.versions import BASE
from bench.errors import BadInput

if TYPE_CHECKING:
    from bench.analysis.regression import Comparison
    from bench.report.comparison import Report
    from bench.runs.dataframes import Run


def compare(options: argparse.Namespace) -> int:
    """Compare two runs; status 1 where something got slower."""
    check_form(options.format)
    from bench.commands.results import warn
    from bench.report.comparison import report_of
    from bench.runs.dataframes import load
    from bench.runs.tables import compared

    found = compared(load(options.a, warn), load(options.b, warn), options.threshold, options.force)
    return show(report_of(found), found.comparisons, options.format)


def baseline(options: argparse.Namespace) -> int:
    """Keep the answers of a run as baselines; status 1 where it has none to keep."""
    from bench.commands.results import warn
    from bench.runs import baselines, dataframes

    run = dataframes.load(options.run, warn)
    refuse_versions(run)
    written = baselines.keep(run)
    for path in written:
        print(path.relative_to(paths.PROJECT))
    if not written:
        print(
            "pesbench: nothing to keep: no answers of real weights, or no relaxations where the baseline has some.",
            file=sys.stderr,
        )
    return 0 if written else 1


def refuse_versions(run: Run) -> None:
    """Refuse a run of `regress`: it measured two versions, and neither relaxed nor took all structures."""
    if any(method.endswith(BASE) for method in run.description.methods):
        raise BadInput(f"{run.directory.name} is a comparison by 'pesbench regress'; name a run of 'pesbench run'.")


def check_form(form: str) -> None:
    """Refuse an unknown format, before anything is read or measured."""
    from bench.report.comparison import FORMATS

    if form not in FORMATS:
        raise BadInput(f"there is no format {form!r}; use {', '.join(FORMATS)}.")


def show(report: Report, found: Sequence[Comparison], form: str) -> int:
    """Print the report; returns 1 where something got slower."""
    from bench.analysis.regression import SLOWER
    from bench.report.comparison import render

    sys.stdout.write(render(report, form, color=sys.stdout.isatty()))
    sys.stdout.flush()
    return 1 if any(one.verdict == SLOWER for one in found) else 0

"""What compare and regress have in common: the formats of a report, and its exit status."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import BadInput

if TYPE_CHECKING:
    from bench.analysis.regression import Comparison
    from bench.render.comparison import Report
    from bench.results.dataframes import Run

FORMATS = ("terminal", "markdown", "json")


def refuse_versions(run: Run) -> None:
    """Refuse a run of `regress` or `tune`: it measured a method twice, and relaxed nothing."""
    from bench.engine.candidates import is_candidate
    from bench.engine.versions import BASE

    if any(map(is_candidate, run.description.methods)):
        raise BadInput(f"{run.directory.name} is a search by 'pesbench tune'; name a run of 'pesbench run'.")
    if any(method.endswith(BASE) for method in run.description.methods):
        raise BadInput(f"{run.directory.name} is a comparison by 'pesbench regress'; name a run of 'pesbench run'.")


def is_plain(directory: Path) -> bool:
    """Return whether a run is one of `run`, neither of `tune` nor of `regress`."""
    from bench.engine.candidates import is_candidate
    from bench.engine.versions import BASE
    from bench.results import store

    try:
        methods = store.describe(directory).methods
    except BadInput:  # of another format
        return False
    return not any(is_candidate(method) or method.endswith(BASE) for method in methods)


def show(report: Report, found: Sequence[Comparison], form: str) -> int:
    """Print the report; returns 1 where something got slower."""
    from bench.analysis.regression import SLOWER
    from bench.render.comparison import render

    sys.stdout.write(render(report, form, color=sys.stdout.isatty()))
    sys.stdout.flush()
    return 1 if any(one.verdict == SLOWER for one in found) else 0

"""What compare and regress have in common: the head of a report, its formats, and its exit status."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bench.errors import BadInput

if TYPE_CHECKING:
    from bench.analysis.regression import Comparison
    from bench.report.comparison import Report
    from bench.runs.frames import Run

FORMATS = "terminal, markdown or json"


def refuse_versions(run: Run) -> None:
    """Refuse a run of `regress`: it measured two versions, and neither relaxed nor took all structures."""
    from bench.campaign.versions import BASE

    if any(method.endswith(BASE) for method in run.campaign["methods"]):
        raise BadInput(f"{run.directory.name} is a comparison by 'pesbench regress'; name a run of 'pesbench run'.")


def where(campaign: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what was measured on, and with how many threads."""
    threads = campaign["settings"]["threads"]
    return [
        ("Machine", f"{campaign['machine']['cpu']}, {threads} thread{'s' if threads != 1 else ''}"),
        ("Data set", f"{campaign['dataset']['name']}: {campaign['dataset']['count']} structures"),
    ]


def check_format(form: str) -> None:
    """Refuse an unknown format, before anything is read or measured."""
    from bench.report import comparison

    if form not in comparison.FORMATS:
        raise BadInput(f"there is no format {form!r}; use {', '.join(comparison.FORMATS)}.")


def show(report: Report, found: Sequence[Comparison], form: str) -> int:
    """Print the report; returns 1 where something got slower."""
    from bench.analysis.regression import SLOWER
    from bench.report.comparison import render

    sys.stdout.write(render(report, form, color=sys.stdout.isatty()))
    sys.stdout.flush()
    return 1 if any(one.verdict == SLOWER for one in found) else 0

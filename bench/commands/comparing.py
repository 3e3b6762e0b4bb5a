"""The verbs compare, for two runs, and baseline, which keeps a run's answers."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bench import paths
from bench.campaign.versions import BASE
from bench.errors import BadInput

if TYPE_CHECKING:
    from bench.analysis.regression import Comparison
    from bench.report.comparison import Report
    from bench.runs.frames import Run


def compare(options: argparse.Namespace) -> int:
    """Compare two runs; status 1 where something got slower."""
    check_form(options.format)
    from bench.analysis import regression
    from bench.analysis.fingerprint import differences
    from bench.report.comparison import Report
    from bench.runs import baselines, frames

    old, new = frames.load(options.a), frames.load(options.b)
    unlike = regression.unlike(old.campaign, new.campaign)
    if unlike and not options.force:
        raise BadInput(
            f"{old.directory.name} and {new.directory.name} are not alike: {'; '.join(unlike)}. "
            "Times of unlike runs say nothing about the methods; --force shows them all the same."
        )
    prints = baselines.of_run(old), baselines.of_run(new)
    answers = {key: differences(prints[1][key], prints[0][key]) for key in prints[0] if key in prints[1]}
    before, after = (
        regression.measured(run.campaign, run.methods, run.structures, run.replays, run.watched) for run in (old, new)
    )
    found = regression.compare(before, after, options.threshold, answers)
    if not any(one.ratio for one in found):
        reasons = dict.fromkeys(f"{one.label}: {one.why.rstrip('.')}" for one in found)
        raise BadInput(
            f"{old.directory.name} and {new.directory.name} have nothing in common that was timed"
            f"{': ' if reasons else ''}{'; '.join(reasons)}."
        )
    report = Report(
        title=[("Old", _name(old)), ("New", _name(new)), *where(new.campaign)],
        comparisons=found,
        threshold=options.threshold,
        means={protocol: regression.mean_ratio(before, after, found, protocol) for protocol in ("relax", "replay")},
        unlike=unlike,
        explain=regression.explain(
            old.campaign,
            new.campaign,
            [{one.method: one.versions for one in run.contents.started} for run in (old, new)],
            [{one.method: one.environment for one in run.contents.started} for run in (old, new)],
        ),
        notes=[
            *_circumstances(old, "the first run"),
            *_circumstances(new, "the second run"),
            "The two runs were not measured at the same time: what the machine did to a whole run is in no interval. "
            "'pesbench regress' measures two versions in turn.",
        ],
    )
    return show(report, found, options.format)


def _circumstances(run: Run, name: str) -> list[str]:
    """Return what makes the times of a run less certain than they look."""
    from bench.analysis.disturbed import disturbances
    from bench.report import notes

    labels = {method: facts["label"] for method, facts in run.campaign["methods"].items()}
    disturbed = notes.disturbed(disturbances(run.watched), labels)
    unsettled = ", ".join(dict.fromkeys(labels[one.method] for one in run.contents.started if one.settled is False))
    return [
        *([f"In {name}: {disturbed}"] if disturbed else []),
        *([f"In {name} force calls had not settled when the warm-up was ended: {unsettled}."] if unsettled else []),
    ]


def baseline(options: argparse.Namespace) -> int:
    """Keep the answers of a run as baselines; status 1 where it has none to keep."""
    from bench.runs import baselines, frames

    run = frames.load(options.run)
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
    if any(method.endswith(BASE) for method in run.campaign["methods"]):
        raise BadInput(f"{run.directory.name} is a comparison by 'pesbench regress'; name a run of 'pesbench run'.")


def where(campaign: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what was measured on, and with how many threads."""
    threads = campaign["settings"]["threads"]
    return [
        ("Machine", f"{campaign['machine']['cpu']}, {threads} thread{'s' if threads != 1 else ''}"),
        ("Data set", f"{campaign['dataset']['name']}: {campaign['dataset']['count']} structures"),
    ]


def _name(run: Run) -> str:
    campaign = run.campaign
    commit = f", commit {str(campaign['commit'])[:12]}" if campaign.get("commit") else ""
    return f"{run.directory.name}, {campaign['created'].replace('T', ' ')[:16]}{commit}"


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

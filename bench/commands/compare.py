"""The verb ``compare``: two runs side by side."""

from __future__ import annotations

import argparse
import dataclasses
from typing import TYPE_CHECKING

from bench.commands import _comparing, _options
from bench.errors import BadInput

if TYPE_CHECKING:
    from bench.runs.comparisons import Compared
    from bench.runs.frames import Run

HELP = """\
Compare two runs of one machine: what got faster, what got slower.
Exit status: 0 nothing got slower, 1 something did, 2 bad input or unlike runs."""
EXAMPLES = ("pesbench compare 20261122-101500 20261123-091200",)


@dataclasses.dataclass(frozen=True)
class Options:
    """The options of the verb."""

    a: str
    """The old run."""
    b: str
    """The new run."""
    threshold: float = 0.05
    """What two runs, not measured at the same time, can tell apart."""
    force: bool = False
    format: str = "terminal"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.add_argument("a", metavar="A", help="the old run: an id or a directory")
    parser.add_argument("b", metavar="B", help="the new run")
    _options.add_threshold(parser)
    parser.add_argument("--force", action="store_true", help="compare runs of unlike machines, data or settings")
    _options.add_format(parser, _comparing.FORMATS)


def run(options: Options) -> int:
    """Compare two runs; status 1 where something got slower."""
    _comparing.check_format(options.format)
    from bench.analysis.regression import unlike
    from bench.report.comparison import Report
    from bench.runs import comparisons, frames

    old, new = frames.load(options.a), frames.load(options.b)
    differences = unlike(old.campaign, new.campaign)
    if differences and not options.force:
        raise BadInput(
            f"{old.directory.name} and {new.directory.name} are not alike: {'; '.join(differences)}. "
            "Times of unlike runs say nothing about the methods; --force shows them all the same."
        )
    found = comparisons.of_runs(old, new, options.threshold)
    _refuse_nothing(found, old, new)
    report = Report(
        title=[("Old", _name(old)), ("New", _name(new)), *_comparing.where(new.campaign)],
        comparisons=found.comparisons,
        threshold=options.threshold,
        means=found.means,
        unlike=differences,
        explain=found.explain,
        notes=[
            *_circumstances(old, "the first run"),
            *_circumstances(new, "the second run"),
            "The two runs were not measured at the same time: what the machine did to a whole run is in no interval. "
            "'pesbench regress' measures two versions in turn.",
        ],
    )
    return _comparing.show(report, found.comparisons, options.format)


def _refuse_nothing(found: Compared, old: Run, new: Run) -> None:
    """Refuse runs that have nothing in common, with the reasons."""
    if any(one.ratio for one in found.comparisons):
        return
    reasons = dict.fromkeys(f"{one.label}: {one.why.rstrip('.')}" for one in found.comparisons)
    raise BadInput(
        f"{old.directory.name} and {new.directory.name} have nothing in common that was timed"
        f"{': ' if reasons else ''}{'; '.join(reasons)}."
    )


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


def _name(run: Run) -> str:
    campaign = run.campaign
    commit = f", commit {str(campaign['commit'])[:12]}" if campaign.get("commit") else ""
    return f"{run.directory.name}, {campaign['created'].replace('T', ' ')[:16]}{commit}"

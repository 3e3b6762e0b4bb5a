"""Two runs, or two versions in one run, as the analysis compares them: reads what it takes in."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from bench.analysis import regression
from bench.analysis.fingerprint import differences
from bench.analysis.regression import NOT_COMPARED, Comparison
from bench.analysis.speedup import mean_time, per_round
from bench.analysis.statistics import Estimate
from bench.analysis.table import PROTOCOLS
from bench.contract.protocol import REPLAY
from bench.runs import baselines, frames
from bench.runs.frames import Run


@dataclasses.dataclass(frozen=True)
class Compared:
    """Two runs side by side."""

    comparisons: list[Comparison]
    means: dict[str, Estimate | None]
    """Geometric means of the ratios, by protocol."""
    explain: list[str]
    """What else differs, in words."""


def of_runs(old: Run, new: Run, threshold: float) -> Compared:
    """Compare the methods that two runs have."""
    prints = baselines.of_run(old), baselines.of_run(new)
    answers = {key: differences(prints[1][key], prints[0][key]) for key in prints[0] if key in prints[1]}
    before, after = (
        regression.measured(run.campaign, run.methods, run.structures, run.replays, run.watched) for run in (old, new)
    )
    found = regression.compare(before, after, threshold, answers)
    return Compared(
        found,
        {protocol: regression.mean_ratio(before, after, found, protocol) for protocol in PROTOCOLS},
        regression.explain(
            old.campaign,
            new.campaign,
            [{one.method: one.versions for one in run.contents.started} for run in (old, new)],
            [{one.method: one.environment for one in run.contents.started} for run in (old, new)],
        ),
    )


@dataclasses.dataclass(frozen=True)
class Versions:
    """Two versions of a method that one run measures in turn."""

    directory: Path
    old: str
    new: str
    """Their names in the run."""
    device: str
    threshold: float

    def decided(self) -> bool:
        """Tell whether what is measured so far is enough."""
        times = per_round(frames.load(self.directory).replays, "calculator_ns", "force_calls")
        return regression.decided(times[self.old, self.device], times[self.new, self.device], self.threshold)

    def compared(self) -> Comparison:
        """Compare what was measured."""
        run = frames.load(self.directory)
        times = per_round(run.replays, "calculator_ns", "force_calls")
        before, after = times[self.old, self.device], times[self.new, self.device]
        prints = baselines.of_run(run)
        mine, theirs = prints.get((self.new, self.device)), prints.get((self.old, self.device))
        answers = differences(mine, theirs) if mine and theirs else None
        verdict, ratio = regression.in_turn(before, after, self.threshold, answers)
        return Comparison(
            method=self.new,
            label=run.campaign["methods"][self.new]["label"],
            device=self.device,
            protocol=REPLAY,
            weights=next(one.weights for one in run.contents.started if one.method == self.new),
            verdict=verdict,
            ratio=ratio,
            old=mean_time(before),
            new=mean_time(after),
            answers=None if answers is None else tuple(answers),
        )

    def not_compared(self, label: str, why: str) -> Comparison:
        """Return what stands in the place of a comparison that could not be made."""
        return Comparison(self.new, label, self.device, REPLAY, NOT_COMPARED, why=why)


def changed_packages(run: Run, pairs: Sequence[tuple[str, str]]) -> list[str]:
    """Return in words how the packages of each pair of versions, old and new, differ."""
    started = {record.method: record for record in run.contents.started}
    return [
        f"{new}: {change}"
        for old, new in pairs
        if old in started and new in started
        for change in regression.changes(started[old].versions, started[new].versions)
    ]

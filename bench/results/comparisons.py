"""Two versions of a method in one run: reads what the analysis compares."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from bench.analysis import regression
from bench.analysis.fingerprint import differences
from bench.analysis.likeness import changes
from bench.analysis.regression import NOT_COMPARED, Comparison
from bench.analysis.times import mean_time, per_round
from bench.core.protocol import REPLAY
from bench.results import baselines
from bench.results.dataframes import Run, load


@dataclasses.dataclass(frozen=True)
class Versions:
    """Two versions of a method that one run measures alternately."""

    directory: Path
    old: str
    new: str
    """Their names in the run."""
    device: str
    threshold: float

    def decided(self) -> bool:
        """Return whether the rounds so far are enough."""
        times = per_round(load(self.directory).replays, "calculator_ns", "force_calls")
        return regression.decided(times[self.old, self.device], times[self.new, self.device], self.threshold)

    def compared(self) -> Comparison:
        """Compare the two versions."""
        run = load(self.directory)
        times = per_round(run.replays, "calculator_ns", "force_calls")
        before, after = times[self.old, self.device], times[self.new, self.device]
        prints = baselines.of_run(run)
        mine, theirs = prints.get((self.new, self.device)), prints.get((self.old, self.device))
        answers = differences(mine, theirs) if mine and theirs else None
        verdict, ratio = regression.in_turn(before, after, self.threshold, answers)
        return Comparison(
            method=self.new,
            label=run.description.methods[self.new].label,
            device=self.device,
            protocol=REPLAY,
            weights=next(one.weights for one in run.contents.started if one.method == self.new),
            verdict=verdict,
            ratio=ratio,
            old=mean_time(before),
            new=mean_time(after),
            answers=None if answers is None else tuple(answers),
            why=regression.why_without_interval(ratio),
        )

    def not_compared(self, label: str, why: str) -> Comparison:
        """Return the placeholder for a comparison that could not be made."""
        return Comparison(self.new, label, self.device, REPLAY, NOT_COMPARED, why=why)


def changed_packages(run: Run, pairs: Sequence[tuple[str, str]]) -> list[str]:
    """Return in words how the packages of each pair of versions, old and new, differ."""
    there = packages(run)
    return [
        f"{new}: {change}"
        for old, new in pairs
        if old in there and new in there
        for change in changes(there[old], there[new])
    ]


def packages(run: Run) -> dict[str, dict[str, str]]:
    """Return the versions of all packages beside each method of a run that was started."""
    return {record.method: dict(record.versions) for record in run.contents.started}

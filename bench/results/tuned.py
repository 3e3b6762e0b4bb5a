"""A search for the fastest settings of a method, as far as its run directory has it."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from bench.analysis import tuning
from bench.analysis.fingerprint import Deviation, deviation
from bench.analysis.methods import MeasuredMethod
from bench.analysis.statistics import Estimate
from bench.analysis.times import mean_time, per_round
from bench.analysis.tuning import Tried, Tuned
from bench.core.candidate import Candidate, Standing
from bench.core.records import Started
from bench.results import baselines
from bench.results.dataframes import Run, load


@dataclasses.dataclass(frozen=True)
class Tuning:
    """The settings that a run measures, the default first."""

    directory: Path
    candidates: Sequence[Candidate]
    device: str
    threshold: float

    def standing(self, left: Sequence[str]) -> Standing:
        """Return which of the settings that are left are to be measured further."""
        run = load(self.directory)
        default = self.candidates[0].method
        changed = [name for name, apart in self._deviations(run).items() if apart is not None and apart.words]
        return tuning.standing(self._relatives(run), default, left, changed, self.threshold)

    def result(self, why: Mapping[str, str]) -> Tuned:
        """Return the result; `why` says for some settings why they were not tried, or measured no further."""
        run = load(self.directory)
        times, relatives, deviations = self._times(run), self._relatives(run), self._deviations(run)
        methods = {one.method: one for one in run.measured_methods}
        warm = {
            name: statistics.median(_warm(one) for one in run.contents.started if one.method == name)
            for name in {one.method for one in run.contents.started}
        }
        default = self.candidates[0].method
        tried = [
            self._tried(one, methods[one.method], times, relatives, deviations.get(one.method), warm, why)
            for one in self.candidates
        ]
        return tuning.summed_up(methods[default].label, methods[default].weights, tried, relatives, self.threshold)

    def _tried(
        self,
        one: Candidate,
        facts: MeasuredMethod,
        times: Mapping[str, pd.DataFrame],
        relatives: Mapping[str, pd.DataFrame],
        apart: Deviation | None,
        warm: Mapping[str, float],
        why: Mapping[str, str],
    ) -> Tried:
        name, default = one.method, self.candidates[0].method
        mine = relatives.get(name)
        found: Estimate | None = None
        if mine is not None and not mine.empty:
            found = tuning.ratio(mine, relatives[default], tuning.process_scatter(relatives))
        known = Tried(
            one,
            verdict=tuning.FAILED if facts.failure else tuning.NOT_TRIED,
            why=(facts.message or "") if facts.failure else why.get(name, ""),
            cold_start_s=facts.cold_start_s,
            warm_s=warm.get(name),
            peak_memory_bytes=facts.peak_memory_bytes,
            peak_device_memory_bytes=facts.peak_device_memory_bytes,
            deviation=apart,
            settings=facts.settings,
        )
        if found is None or facts.failure:
            return known
        sessions = times[name].shape[1]
        known = dataclasses.replace(known, rounds=sessions, ms=mean_time(times[name]), ratio=found)
        if name == default:
            return dataclasses.replace(known, verdict=tuning.DEFAULT, deviation=None)
        saved = mean_time(times[default]).estimate * (1 - found.estimate)
        return dataclasses.replace(
            known,
            verdict=tuning.judged(found, sessions, self.threshold, apart),
            pays_after=tuning.pays_after(warm[name] - warm[default], saved),
        )

    def _times(self, run: Run) -> dict[str, pd.DataFrame]:
        times = per_round(run.replays, "calculator_ns", "force_calls")
        return {method: found for (method, device), found in times.items() if device == self.device}

    def _relatives(self, run: Run) -> dict[str, pd.DataFrame]:
        times = self._times(run)
        default = times.get(self.candidates[0].method)
        if default is None:
            return {}
        return {name: tuning.relative(found, default) for name, found in times.items()}

    def _deviations(self, run: Run) -> dict[str, Deviation | None]:
        prints = {method: found for (method, device), found in baselines.of_run(run).items() if device == self.device}
        default = prints.get(self.candidates[0].method)
        if default is None:
            return {}
        return {name: deviation(found, default) for name, found in prints.items()}


def _warm(record: Started) -> float:
    """Return the seconds until a worker's force calls had become fast."""
    calls = [*((record.first_call_ns,) if record.first_call_ns else ()), *record.warmup_ns]
    slow = max(record.warm_up_calls or 0, 1)
    return (record.import_ns + record.load_ns + sum(calls[:slow])) / 1e9

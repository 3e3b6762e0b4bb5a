"""How much the time of a step differs from one fresh process of a method to the next, from the rounds of runs.

One process says nothing of this. Earlier runs of the same machine do: each round is a fresh process. What they say
counts beside what is assumed without them (:data:`bench.analysis.prediction.PROCESSES`).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping

from bench.analysis.disturbed import disturbances
from bench.analysis.measurements import Measurements
from bench.analysis.prediction import PROCESSES, Prior
from bench.analysis.times import fitted, per_round

MOST_OF_OTHERS = 8.0
"""Degrees of freedom that the other methods count for at most: some methods scatter more than others."""


@dataclasses.dataclass(frozen=True)
class Scatter:
    """A sum of squared deviations of logarithms, and its degrees of freedom."""

    squares: float = 0.0
    freedom: float = 0.0

    def __add__(self, other: Scatter) -> Scatter:
        return Scatter(self.squares + other.squares, self.freedom + other.freedom)

    def at_most(self, freedom: float) -> Scatter:
        """Return the same variance, with no more than so many degrees of freedom."""
        share = min(1.0, freedom / self.freedom) if self.freedom else 0.0
        return Scatter(share * self.squares, share * self.freedom)


def scatters(measurements: Measurements, device: str) -> dict[str, Scatter]:
    """Return the scatter of the rounds of each method of a run on a device.

    Methods with fewer than two rounds are missing. Rounds that something else on the machine disturbed do not count.
    What the rounds' means owe to their structures is in the scatter.
    """
    structures = measurements.structures
    disturbed = {
        (one.method, one.device, one.round)
        for one in (disturbances(measurements.watched) if measurements.watched is not None else ())
    }
    rounds = zip(structures["method"], structures["device"], structures["round"], strict=True)
    found = {}
    for (name, where), times in per_round(structures[[one not in disturbed for one in rounds]]).items():
        fit = fitted(times)
        if where == device and fit.rounds > 1:
            freedom = fit.of_rounds.freedom
            found[name] = Scatter(fit.of_rounds.variance * fit.rounds * freedom, freedom)
    return found


def priors(methods: Iterable[str], runs: Iterable[Mapping[str, Scatter]]) -> dict[str, Prior]:
    """Return what is assumed of the processes of each method, with what earlier runs of the machine say of it.

    A method's own rounds count in full, those of all others as :data:`MOST_OF_OTHERS` degrees of freedom.
    """
    by_method: dict[str, Scatter] = {}
    for run in runs:
        for name, scatter in run.items():
            by_method[name] = by_method.get(name, Scatter()) + scatter
    found = {}
    for name in methods:
        others = sum((one for other, one in by_method.items() if other != name), Scatter())
        assumed = Scatter(PROCESSES.freedom * PROCESSES.sd**2, PROCESSES.freedom)
        total = assumed + by_method.get(name, Scatter()) + others.at_most(MOST_OF_OTHERS)
        found[name] = Prior(math.sqrt(total.squares / total.freedom), total.freedom)
    return found

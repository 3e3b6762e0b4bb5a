"""Predicts what a method costs on a system from a few of its steps, mostly in a single process.

The time of a relaxation is that of a step times the number of steps. Both vary by factors, so an interval is made of
logarithms. It is one for what somebody else would measure, with another process, not for the mean that was measured:

* **Processes** differ, and one of them says nothing of another. So a scatter is assumed (:data:`PROCESSES`), which
  counts as a few degrees of freedom beside those of the processes that were measured, here or in earlier runs of the
  machine (:mod:`bench.analysis.processes`). An interval has its variance twice where there is one process: once for
  the process that was measured, once for the one to come.
* **Structures** differ in their steps. This counts only as far as structures were not measured: where all of them
  were, nothing is left to guess.
* **Cut relaxations** enter as such. Leaving them out would favour easy structures. Where a method has whole
  relaxations, a cut one has more steps than it was seen to have, and otherwise as many as the others. Where it has
  none, the steps of the other methods at these structures are taken, with the scatter between methods.

The parts of an interval are added as squares, each side by itself.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from bench.analysis.statistics import CONFIDENCE, Estimate, bounded_exp

TIME_STEP_FS = 0.5
CALLS_PER_NS = 1e6 / TIME_STEP_FS
_TAIL = (1 + CONFIDENCE) / 2


@dataclasses.dataclass(frozen=True)
class Prior:
    """A scatter that is assumed, and for how much it counts beside what was measured."""

    sd: float
    """Standard deviation of a natural logarithm."""
    freedom: float
    """Degrees of freedom."""


PROCESSES = Prior(0.10, 4.0)
"""Of the time of a step in fresh processes of one method. In our long runs the means of rounds scatter by 2 to 12 %."""
STRUCTURES = Prior(0.25, 4.0)
"""Of the number of steps among structures of one system, or of one set."""
METHODS = Prior(0.30, 6.0)
"""Of the number of steps of different methods from one structure to their minima. On 18 small systems it was 0.30."""
SIDE_BY_SIDE = Prior(0.07, 4.0)
"""Of the speed of several processes at once, over that which a plain loop has in them."""

Reach = tuple[float, float]
"""How far an interval reaches down and up, in logarithms."""


@dataclasses.dataclass(frozen=True)
class Relaxed:
    """What one method showed at one structure."""

    steps: int
    """Made in the round with the most of them."""
    whole: bool
    """Whether it ended by itself: converged."""


@dataclasses.dataclass(frozen=True)
class Steps:
    """The mean number of steps of a relaxation."""

    mean: float
    reach: Reach
    measured: bool
    """Whether the method relaxed at least one structure to its end; otherwise it is a guess from the other methods."""
    by_structure: Mapping[int, float] = dataclasses.field(default_factory=dict)
    """Where it is measured: of each structure that it began, to the end."""
    cut: Mapping[int, Reach] = dataclasses.field(default_factory=dict)
    """Where it is measured: how far the steps of those that were cut may be off."""


def pooled(values: ArrayLike, prior: Prior) -> tuple[float, float]:
    """Return the variance of single values, and its degrees of freedom, from a sample and what is assumed.

    `values` (n,) are logarithms; fewer than two say nothing.
    """
    sample = np.asarray(values, dtype=float).ravel()
    more = max(sample.size - 1, 0)
    squares = float(((sample - sample.mean()) ** 2).sum()) if more else 0.0
    freedom = prior.freedom + more
    return (prior.freedom * prior.sd**2 + squares) / freedom, freedom


def of_one_more(rounds: ArrayLike, prior: Prior = PROCESSES) -> Reach:
    """Return how far the time of a further process may be from the mean of those measured.

    `rounds` (n,) are the logarithms of the means of the measured processes, at least one.
    """
    sample = np.asarray(rounds, dtype=float).ravel()
    variance, freedom = pooled(sample, prior)
    far = student(freedom) * math.sqrt(variance * (1 + 1 / sample.size))
    return far, far


def together(parts: Sequence[Reach]) -> Reach:
    """Return the reach of a sum of independent parts."""
    return math.hypot(*(low for low, _ in parts)), math.hypot(*(high for _, high in parts))


def estimate(value: float, reach: Reach, n: int, rounds: int = 1) -> Estimate:
    """Return a positive value with its interval; `n` structures and so many `rounds` are behind it."""
    log = math.log(value)
    return Estimate(value, bounded_exp(log - reach[0]), bounded_exp(log + reach[1]), n, "structures", rounds)


def beyond(done: float, middle: float, sd: float, freedom: float) -> tuple[float, Reach]:
    """Return the number of steps of a relaxation that made `done` of them and did not end: its median and reach.

    The logarithms of whole relaxations scatter about log(`middle`) by `sd`, as Student's t with so many degrees of
    `freedom`. Those that end earlier are ruled out.
    """
    first = float(special.stdtr(freedom, (math.log(max(done, 1.0)) - math.log(middle)) / sd))
    first = min(first, 1 - 1e-6)  # far beyond all others
    low, median, high = (
        float(special.stdtrit(freedom, first + share * (1 - first))) * sd for share in (1 - _TAIL, 0.5, _TAIL)
    )
    most = max(middle * math.exp(min(median, 20.0)), done)
    return most, (median - low, high - median)


def steps(relaxed: Mapping[int, Relaxed], of_others: Sequence[float], count: int) -> Steps | None:
    """Return the mean steps of a method over the structures of a system.

    Parameters
    ----------
    relaxed : mapping of int to Relaxed
        What it did, by structure; those that it began.
    of_others : sequence of float
        Mean steps of the other methods with whole relaxations there, by the same optimiser.
    count : int
        The number of structures that the mean is about.

    Returns
    -------
    Steps or None
        None where neither the method nor another one relaxed a structure.
    """
    whole = [float(one.steps) for one in relaxed.values() if one.whole]
    cut = {structure: float(one.steps) for structure, one in relaxed.items() if not one.whole}
    if not whole:
        return _guessed(max(cut.values(), default=0.0), of_others)
    logs = np.log(np.maximum(whole, 1.0))  # what is at its minimum already makes no step
    variance, freedom = pooled(logs, STRUCTURES)
    middle, sd = math.exp(float(logs.mean())), math.sqrt(variance)
    imputed = {structure: beyond(done, middle, sd, freedom) for structure, done in cut.items()}
    values = [*whole, *(value for value, _ in imputed.values())]
    mean = float(np.mean(values))
    # the structures that were seen, out of all that are meant
    unseen = max(0.0, 1 - len(values) / max(count, 1))
    variance, freedom = pooled(np.log(np.maximum(values, 1.0)), STRUCTURES)
    far = student(freedom) * math.sqrt(variance * unseen / len(values)) if unseen else 0.0
    shares = [
        (reach[0] * value / sum(values), reach[1] * value / sum(values)) for value, reach in imputed.values()
    ]  # of the mean
    each = {
        structure: imputed[structure][0] if structure in imputed else one.steps for structure, one in relaxed.items()
    }
    off = {structure: reach for structure, (_, reach) in imputed.items()}
    return Steps(mean, together([(far, far), *shares]), True, each, off)


def _guessed(done: float, of_others: Sequence[float]) -> Steps | None:
    if not of_others:
        return None
    logs = np.log(of_others)
    variance, freedom = pooled(logs, METHODS)
    middle = math.exp(float(logs.mean()))
    sd = math.sqrt(variance * (1 + 1 / len(logs)))
    value, reach = beyond(done, middle, sd, freedom)
    return Steps(value, reach, False)


def relaxation(
    ms_per_step: Sequence[float], found: Steps, first_ms: float, structures: int, processes: Prior = PROCESSES
) -> Estimate:
    """Return the seconds of a relaxation.

    Parameters
    ----------
    ms_per_step : sequence of float
        The mean time of a step in each process, milliseconds.
    found : Steps
    first_ms : float
        The force call before the first step.
    structures : int
        How many were measured.
    processes : Prior
        How processes differ, as far as it is known without these.
    """
    logs = np.log(ms_per_step)
    ms = math.exp(float(logs.mean()))
    reach = together([of_one_more(logs, processes), found.reach])
    return estimate(max(ms * found.mean + first_ms, 1e-6) / 1e3, reach, structures, len(logs))


def hours_per_ns(ms_per_call: Sequence[float], structures: int, processes: Prior = PROCESSES) -> Estimate:
    """Return the hours of a nanosecond of md at :data:`TIME_STEP_FS`, from the force calls of each process."""
    logs = np.log(ms_per_call)
    hours = math.exp(float(logs.mean())) * CALLS_PER_NS / 3.6e6
    return estimate(hours, of_one_more(logs, processes), structures, len(logs))


def for_molecules(each: Estimate, molecules: int, processes: int, speed: float, start_s: float) -> Estimate:
    """Return the seconds in which `processes` relax `molecules`, with one start of each process.

    `each` are the seconds of one relaxation in one process alone, `speed` is the work of all processes over that of one
    alone. How well they share a memory is not known from a plain loop, so it has a scatter of its own.
    """
    assert each.low is not None and each.high is not None
    value = each.estimate * molecules / speed
    log = math.log(each.estimate)
    parts: list[Reach] = [(log - math.log(each.low), math.log(each.high) - log)]
    if processes > 1:
        far = student(SIDE_BY_SIDE.freedom) * SIDE_BY_SIDE.sd
        parts.append((far, far))
    found = estimate(value, together(parts), each.n, each.rounds)
    assert found.low is not None and found.high is not None
    return dataclasses.replace(found, estimate=value + start_s, low=found.low + start_s, high=found.high + start_s)


def student(freedom: float) -> float:
    """Return Student's t of a 95 % interval with so many degrees of freedom."""
    return float(special.stdtrit(freedom, _TAIL))

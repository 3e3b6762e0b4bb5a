"""Faster, slower or the same: the decision rule, for two runs and for two versions measured alternately."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from bench.analysis.alternation import alternating_ratio
from bench.analysis.like_steps import pair
from bench.analysis.measurements import Measurements
from bench.analysis.methods import MeasuredMethod
from bench.analysis.statistics import CONFIDENCE, FEWEST_ROUNDS, Estimate
from bench.analysis.summary import all_times
from bench.analysis.times import Key, Times, call_times, mean_over, mean_time, unpaired_ratio, with_steps
from bench.core.protocol import REPLAY

FASTER, SLOWER, EQUAL, UNDECIDED, NOT_COMPARED = "faster", "slower", "same", "undecided", "not compared"
OTHER_ANSWER = "other answer"
"""The verdict instead of ``faster`` where the answers differ: computing something else is no speed-up."""

EARLY = 0.99
"""Confidence of the interval that may end a comparison early: it is tested often, which finds chance effects."""


@dataclasses.dataclass(frozen=True)
class Comparison:
    """One method in two runs, or in two versions."""

    method: str
    label: str
    device: str
    protocol: str
    verdict: str
    ratio: Estimate | None = None
    """Time of the new one over that of the old one."""
    old: Estimate | None = None
    new: Estimate | None = None
    """Milliseconds per step, or per force call under ``replay``."""
    answers: tuple[str, ...] | None = ()
    """Where the answers differ; None where this is unknown."""
    weights: str | None = None
    """The same for both, or they are not compared."""
    why: str = ""
    """Why the methods were not compared, or why nothing was decided."""


def verdict(ratio: Estimate, threshold: float) -> str:
    """Return the verdict on a ratio of times, new over old.

    ``slower`` or ``faster`` needs two things: a change of at least `threshold`, and an interval that does not contain
    1. ``same`` means that the change is surely smaller than the threshold: the interval lies inside it. Everything
    else is ``undecided``.

    Parameters
    ----------
    ratio : Estimate
        Its interval may be missing, which leaves everything undecided.
    threshold : float
        0.05 means 5 %: slower from 1.05 on, faster below 1/1.05.
    """
    if ratio.low is None or ratio.high is None:
        return UNDECIDED
    if ratio.estimate >= 1 + threshold and ratio.low > 1:
        return SLOWER
    if ratio.estimate <= 1 / (1 + threshold) and ratio.high < 1:
        return FASTER
    if 1 / (1 + threshold) < ratio.low and ratio.high < 1 + threshold:
        return EQUAL
    return UNDECIDED


def decided(old: pd.DataFrame, new: pd.DataFrame, threshold: float) -> bool:
    """Return whether the rounds so far decide between two versions, so that no more are needed.

    Parameters
    ----------
    old, new : DataFrame
        Milliseconds by structure and round, as :func:`bench.analysis.times.per_round` gives them.
    threshold : float
        See :func:`verdict`.
    """
    ratio = alternating_ratio(new, old, confidence=EARLY)
    return ratio is not None and verdict(ratio, threshold) != UNDECIDED


def in_turn(
    old: pd.DataFrame, new: pd.DataFrame, threshold: float, answers: Sequence[str] | None = ()
) -> tuple[str, Estimate | None]:
    """Return verdict and ratio of two versions that were measured alternately, round by round.

    If the comparison ended early, the interval is the one that ended it; at the end of the budget it is the 95 % one.
    """
    if decided(old, new, threshold):
        ratio = alternating_ratio(new, old, confidence=EARLY)
    else:
        ratio = alternating_ratio(new, old, confidence=CONFIDENCE)
    return (UNDECIDED if ratio is None else judged(ratio, threshold, answers)), ratio


def judged(ratio: Estimate, threshold: float, answers: Sequence[str] | None) -> str:
    """Return the verdict, which is never ``faster`` where the answers differ."""
    found = verdict(ratio, threshold)
    return OTHER_ANSWER if found == FASTER and answers else found


def why_without_interval(ratio: Estimate | None) -> str:
    """Return why nothing can be decided on a ratio of enough rounds; empty where it can."""
    if ratio is None or ratio.low is not None or ratio.n > 1:
        return ""
    return "one structure does not show how much structures differ; measure two or more"


@dataclasses.dataclass(frozen=True)
class Side:
    """One of two runs, as a comparison needs it."""

    methods: Mapping[Key, MeasuredMethod]
    times: Mapping[str, Times]
    """By protocol."""
    calls: Times = dataclasses.field(default_factory=dict)
    """Of replayed paths: the force calls alone."""
    stepped: frozenset[Key] = frozenset()
    """Those in whose replayed paths an optimiser worked, so that their times are of steps."""

    @classmethod
    def of(cls, measurements: Measurements) -> Side:
        """Return what a comparison needs of a run."""
        return cls(
            {one.key: one for one in measurements.methods},
            all_times(measurements),
            call_times(measurements.replays),
            with_steps(measurements.replays),
        )

    def beside(self, other: Side) -> Side:
        """Return a copy whose replayed paths are compared by force calls where only one of the two has steps."""
        unlike = self.stepped ^ other.stepped
        calls = {key: found for key, found in self.calls.items() if key in unlike}
        return dataclasses.replace(self, times={**self.times, REPLAY: {**self.times.get(REPLAY, {}), **calls}})


def compare(old: Side, new: Side, threshold: float, answers: Mapping[Key, Sequence[str] | None]) -> list[Comparison]:
    """Return the comparison of each method, device and protocol that one of the two runs has.

    Structures are paired. Rounds are not, because two runs were not measured at the same time: the interval includes
    the scatter of both.

    Parameters
    ----------
    old, new : Side
        The runs.
    threshold : float
        See :func:`verdict`.
    answers : mapping of (method, device) to sequence of str or None
        Where the fingerprints differ; None or missing where this is unknown.
    """
    found = []
    for protocol in old.times:
        keys = [*old.times[protocol], *(key for key in new.times[protocol] if key not in old.times[protocol])]
        found += [_one(key, protocol, old, new, threshold, answers.get(key)) for key in keys]
    return found


def _one(key: Key, protocol: str, old: Side, new: Side, threshold: float, answers: Sequence[str] | None) -> Comparison:
    method = new.methods.get(key) or old.methods[key]
    bare = Comparison(key[0], method.label, key[1], protocol, NOT_COMPARED, weights=method.weights)
    for run, name in ((old, "first"), (new, "second")):
        if key not in run.times[protocol]:
            failed = run.methods.get(key)
            reason = f" ({failed.failure}: {failed.message})" if failed and failed.failure else ""
            return dataclasses.replace(bare, why=f"not measured in the {name} run{reason}")
    for field, words in (("weights", "weights"), ("dtype", "precision")):
        one, other = getattr(old.methods[key], field), getattr(new.methods[key], field)
        if one != other:
            return dataclasses.replace(bare, why=f"different {words}: {one or 'unknown'} and {other or 'unknown'}")
    after, before = pair(new.times[protocol], key, key, old.times[protocol])
    ratio = unpaired_ratio(after, before)
    if ratio is None:
        return dataclasses.replace(bare, why="no structure in common")
    few = min(before.shape[1], after.shape[1]) < FEWEST_ROUNDS
    why = f"fewer than {FEWEST_ROUNDS} rounds do not show how much fresh processes differ" if few else ""
    return dataclasses.replace(
        bare,
        verdict=UNDECIDED if few else judged(ratio, threshold, answers),
        ratio=ratio,
        old=mean_time(before),
        new=mean_time(after),
        answers=None if answers is None else tuple(answers),
        why=why or why_without_interval(ratio),
    )


def mean_ratio(old: Side, new: Side, comparisons: Iterable[Comparison], protocol: str) -> Estimate | None:
    """Return the geometric mean of the ratios of one protocol, over the structures and rounds that all of them have.

    None for fewer than two, or nothing in common.
    """
    keys = [(one.method, one.device) for one in comparisons if one.protocol == protocol and one.ratio]
    if len(keys) < 2:
        return None
    both = [pair(new.times[protocol], key, key, old.times[protocol]) for key in keys]
    return unpaired_ratio(mean_over([after for after, _ in both]), mean_over([before for _, before in both]))

"""The settings of one method, measured in turn with its default: which is the fastest, and is it worth it?

All times are relative to those of the default in the same session, structure by structure, so that settings of
different sessions can be compared, too.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bench.analysis.fingerprint import Deviation
from bench.analysis.model import Component, difference, estimate, fit
from bench.analysis.regression import EARLY, EQUAL, FASTER, OTHER_ANSWER, SLOWER, UNDECIDED, verdict
from bench.analysis.statistics import FEWEST_ROUNDS, Estimate
from bench.analysis.times import systems_of
from bench.core.candidate import Candidate, Standing

PROCESSES = 0.05
"""The least standard deviation of the logarithm of a ratio between fresh processes that is assumed beforehand.

Larger than what is usual for real methods, so that the first look drops nothing by chance."""
BEFOREHAND = 4
"""What is assumed counts like a standard deviation with this many degrees of freedom."""
DEFAULT, FAILED, NOT_TRIED = "default", "failed", "not tried"


@dataclasses.dataclass(frozen=True)
class Tried:
    """One setting, as far as it was measured."""

    candidate: Candidate
    verdict: str
    """Compared with the default: ``faster``, ``slower``, ``same``, ``undecided``, ``other answer``; or ``default``,
    ``failed``, ``not tried``."""
    why: str = ""
    """Why it failed, was not tried, or was measured no further."""
    rounds: int = 0
    """Sessions, each with a fresh process."""
    ms: Estimate | None = None
    """Milliseconds per force call."""
    ratio: Estimate | None = None
    """Its time over that of the default in the same sessions."""
    cold_start_s: float | None = None
    warm_s: float | None = None
    """Until its force calls had become fast: the cold start and the slow calls after it."""
    peak_memory_bytes: int | None = None
    peak_device_memory_bytes: int | None = None
    deviation: Deviation | None = None
    """How far its answers are from those of the default; None where that is unknown."""
    pays_after: int | None = None
    """The number of force calls after which its slower start has paid off; None where it never does."""
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """What really ran, as the adapter reported it."""


@dataclasses.dataclass(frozen=True)
class Tuned:
    """The result of a search."""

    label: str
    """Of the method."""
    weights: str | None
    default: Tried
    ranking: tuple[Tried, ...]
    """The settings with the default's answers, the default among them, the fastest first."""
    apart: tuple[Tried, ...]
    """Settings that change the answers, the fastest first."""
    unmeasured: tuple[Tried, ...]
    """Settings that failed or were not tried."""
    best: Tried | None
    """The fastest of those that are certainly faster than the default; None where none is."""
    as_fast: tuple[str, ...] = ()
    """Labels of the settings that may be as fast as the best, as far as was measured."""


def relative(times: pd.DataFrame, default: pd.DataFrame) -> pd.DataFrame:
    """Return times over those of the default, by structure and session; only what both have measured.

    Parameters
    ----------
    times, default : DataFrame
        Milliseconds by structure and session, as :func:`bench.analysis.times.per_round` gives them.
    """
    both = times.columns.intersection(default.columns)
    return (times[both] / default[both]).dropna(how="all").dropna(how="all", axis=1)


def process_scatter(relatives: Mapping[str, pd.DataFrame]) -> float:
    """Return the standard deviation of a ratio's logarithm between fresh processes that is assumed beforehand.

    It is that of all settings with several sessions together, which says how noisy this machine is, but at least
    :data:`PROCESSES`.

    Parameters
    ----------
    relatives : mapping of str to DataFrame
        By setting, as :func:`relative` gives them.
    """
    squares, freedom = 0.0, 0
    for one in relatives.values():
        means = _session_means(one)
        if len(means) > 1 and means.any():  # the default is always 1
            squares += float(((means - means.mean()) ** 2).sum())
            freedom += len(means) - 1
    return max(PROCESSES, math.sqrt(squares / freedom) if freedom else 0.0)


def ratio(one: pd.DataFrame, other: pd.DataFrame, assumed: float) -> Estimate | None:
    """Return the geometric mean of one setting's time over that of another, with its 99 % interval.

    It is 99 % because many settings are compared, after every round. Few sessions say little about the scatter of fresh
    processes, so their variance is moderated by the one that was assumed beforehand: the mean of both, weighted by
    their degrees of freedom, which add (as in limma: G. K. Smyth, Stat. Appl. Genet. Mol. Biol. 3, 3 (2004)).

    Parameters
    ----------
    one, other : DataFrame
        As :func:`relative` gives them. Sessions that both have are compared one by one.
    assumed : float
        See :func:`process_scatter`.

    Returns
    -------
    Estimate or None
        None where they have no structure in common.
    """
    structures = one.index.intersection(other.index)
    if structures.empty:
        return None
    one, other = one.loc[structures], other.loc[structures]
    together = pd.DataFrame(np.log(one / other)).dropna(how="all", axis=1)
    if together.empty:
        found = difference(np.log(one), np.log(other), systems_of(structures))
        sessions = Component(assumed**2 * (1 / one.shape[1] + 1 / other.shape[1]), BEFOREHAND)
        rounds = min(one.shape[1], other.shape[1])
    else:
        found = fit(together, systems=systems_of(structures))
        rounds = together.shape[1]
        freedom = BEFOREHAND + rounds - 1
        squares = BEFOREHAND * assumed**2 + (rounds - 1) * rounds * found.of_rounds.variance
        sessions = Component(squares / freedom / rounds, freedom)
    parts = (sessions, found.of_structures)
    return estimate(found.mean, parts, n=found.structures, over="structures", rounds=rounds, confidence=EARLY)


def _session_means(ratios: pd.DataFrame) -> np.ndarray:
    """Return the mean logarithm of each session that has any ratios, over the structures that all of them have."""
    logs = pd.DataFrame(np.log(ratios)).dropna(how="all", axis=1).dropna()
    return logs.mean().to_numpy(dtype=float) if len(logs) else np.array([])


def standing(
    relatives: Mapping[str, pd.DataFrame],
    default: str,
    left: Collection[str],
    other_answers: Collection[str],
    threshold: float,
) -> Standing:
    """Return which settings to measure further: one step of successive halving.

    The faster half stays, and of the other half those whose interval overlaps that of the fastest. A setting that is
    certainly slower than the default goes in any case. So does, once there are three sessions, one that is certainly
    slower than the fastest.

    Parameters
    ----------
    relatives : mapping of str to DataFrame
        By setting, as :func:`relative` gives them; the default's is all ones.
    default : str
        It takes part in the comparison, but is not among the settings to keep.
    left : collection of str
        The settings that may still be the fastest.
    other_answers : collection of str
        Those among them that change the answers: they are not kept.
    threshold : float
        See :func:`bench.analysis.regression.verdict`.
    """
    assumed = process_scatter(relatives)
    ratios = {
        name: found
        for name in left
        if name in relatives and name not in other_answers
        for found in [ratio(relatives[name], relatives[default], assumed)]
        if found is not None
    }
    ratios[default] = Estimate(1.0, 1.0, 1.0, 0, None)
    order = sorted(ratios, key=lambda name: ratios[name].estimate)
    best = order[0]
    half = math.ceil(len(order) / 2)
    verdicts = {name: _against(relatives, name, best, threshold) for name in order if name != best}
    keep = [
        name
        for place, name in enumerate(order)
        if name != default
        and (place < half or _overlap(ratios[name], ratios[best]))
        and SLOWER not in (verdict(ratios[name], threshold), verdicts.get(name))
    ]
    known = all(
        relatives[name].shape[1] >= FEWEST_ROUNDS and (name == best or verdicts[name] != UNDECIDED) for name in keep
    )
    if best != default:
        known = known and _against(relatives, default, best, threshold) != UNDECIDED
    return Standing(
        keep=tuple(keep),
        other_answers=tuple(name for name in left if name in other_answers),
        times={name: found.estimate for name, found in ratios.items()},
        decided=known,
    )


def _overlap(one: Estimate, best: Estimate) -> bool:
    return one.low is None or best.high is None or one.low <= best.high


def _against(relatives: Mapping[str, pd.DataFrame], name: str, best: str, threshold: float) -> str:
    """Return the verdict on a setting, compared with the fastest; undecided for fewer than three sessions."""
    one, other = relatives[name], relatives[best]
    if min(one.shape[1], other.shape[1]) < FEWEST_ROUNDS:
        return UNDECIDED
    found = ratio(one, other, process_scatter(relatives))
    return UNDECIDED if found is None else verdict(found, threshold)


def judged(found: Estimate, sessions: int, threshold: float, apart: Deviation | None) -> str:
    """Return the verdict on a setting, compared with the default.

    ``faster`` needs three sessions and the same answers: computing something else is no gain.
    """
    said = verdict(found, threshold)
    if apart is not None and apart.words:
        return OTHER_ANSWER
    return UNDECIDED if said in (FASTER, EQUAL) and sessions < FEWEST_ROUNDS else said


def pays_after(extra_s: float, saved_ms: float) -> int | None:
    """Return after how many force calls a slower start has paid off; None where a call saves nothing.

    Parameters
    ----------
    extra_s : float
        How much later its calls are fast than those of the default; negative where they are earlier.
    saved_ms : float
        Saved by each call.
    """
    if saved_ms <= 0:
        return None
    return max(0, math.ceil(1000 * extra_s / saved_ms))


def summed_up(
    label: str,
    weights: str | None,
    tried: Sequence[Tried],
    relatives: Mapping[str, pd.DataFrame],
    threshold: float,
) -> Tuned:
    """Return the result of a search from all its settings, the default first."""

    def key(one: Tried) -> float:
        return one.ratio.estimate if one.ratio else math.inf

    default = tried[0]
    measured = sorted((one for one in tried if one.ms is not None and one.verdict != FAILED), key=key)
    ranking = [one for one in measured if one.verdict != OTHER_ANSWER]
    faster = [one for one in ranking if one.verdict == FASTER]
    best = faster[0] if faster else None
    return Tuned(
        label=label,
        weights=weights,
        default=default,
        ranking=tuple(ranking),
        apart=tuple(one for one in measured if one.verdict == OTHER_ANSWER),
        unmeasured=tuple(one for one in tried if one not in measured),
        best=best,
        as_fast=tuple(
            one.candidate.label
            for one in ranking
            if best is not None and one is not best and _as_fast(relatives, one, best, threshold)
        ),
    )


def _as_fast(relatives: Mapping[str, pd.DataFrame], one: Tried, best: Tried, threshold: float) -> bool:
    """Return whether it is not known that a setting is slower than the best by at least the threshold."""
    found = ratio(relatives[one.candidate.method], relatives[best.candidate.method], process_scatter(relatives))
    return found is not None and verdict(found, threshold) != SLOWER

"""Faster, slower or the same: the decision rule, for two runs and for two versions measured in turn."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bench.analysis.disturbed import in_place
from bench.analysis.speedup import Key, mean_over, over_rounds, paired_ratio, per_round, scatter
from bench.analysis.statistics import CONFIDENCE, FEWEST_ROUNDS, Estimate, geometric_mean, independent
from bench.analysis.table import PROTOCOLS, RELAX, REPLAY

FASTER, SLOWER, EQUAL, UNDECIDED, NOT_COMPARED = "faster", "slower", "same", "undecided", "not compared"
OTHER_ANSWER = "other answer"
"""The verdict instead of ``faster`` where the answers differ: what computes something else is no speed-up."""

EARLY = 0.99
"""Confidence of the interval that may end a comparison before its budget does: looking often finds chance effects."""


@dataclasses.dataclass(frozen=True)
class Comparison:
    """One method in two runs, or in two versions."""

    method: str
    label: str
    device: str
    protocol: str
    verdict: str
    ratio: Estimate | None = None
    """Time of the new one over time of the old one."""
    old: Estimate | None = None
    new: Estimate | None = None
    """Milliseconds per step, or per force call under ``replay``."""
    answers: tuple[str, ...] | None = ()
    """Where the answers differ; None where that cannot be told."""
    weights: str | None = None
    """Of both: unlike ones are not compared."""
    why: str = ""
    """Why the methods were not compared, or why nothing was decided."""


def verdict(ratio: Estimate, threshold: float) -> str:
    """Return what a ratio of times, new over old, says.

    ``slower`` or ``faster`` takes two things: an effect of at least `threshold` and an interval clear of 1. ``same``
    is what is known to be smaller than the threshold: an interval that lies inside it. Everything else is
    ``undecided``.

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
    """Tell whether rounds that were measured in turn have decided already, so that no more are needed.

    Parameters
    ----------
    old, new : DataFrame
        Milliseconds by structure and round, as :func:`bench.analysis.speedup.per_round` gives them.
    threshold : float
        See :func:`verdict`.
    """
    if min(old.shape[1], new.shape[1]) < FEWEST_ROUNDS:
        return False
    ratio = paired_ratio(new, old, confidence=EARLY)
    return ratio is not None and verdict(ratio, threshold) != UNDECIDED


def in_turn(
    old: pd.DataFrame, new: pd.DataFrame, threshold: float, answers: Sequence[str] | None = ()
) -> tuple[str, Estimate | None]:
    """Return verdict and ratio of two versions that were measured in turn, round by round.

    Where the comparison ended early the interval is the one that ended it; at the end of a budget it is the 95 % one.
    """
    if decided(old, new, threshold):
        ratio = paired_ratio(new, old, confidence=EARLY)
    else:
        ratio = paired_ratio(new, old, confidence=CONFIDENCE)
    return (UNDECIDED if ratio is None else judged(ratio, threshold, answers)), ratio


def judged(ratio: Estimate, threshold: float, answers: Sequence[str] | None) -> str:
    """Return the verdict, which is never ``faster`` where the answers differ."""
    found = verdict(ratio, threshold)
    return OTHER_ANSWER if found == FASTER and answers else found


@dataclasses.dataclass(frozen=True)
class Measured:
    """What a comparison takes from a run."""

    campaign: Mapping[str, Any]
    methods: Mapping[Key, Mapping[str, Any]]
    """The rows of the run's data frame of methods."""
    times: Mapping[str, Mapping[Key, pd.DataFrame]]
    """Milliseconds by structure and round, by protocol."""


def measured(
    campaign: Mapping[str, Any],
    methods: pd.DataFrame,
    structures: pd.DataFrame,
    replays: pd.DataFrame,
    watched: pd.DataFrame,
) -> Measured:
    """Return what a comparison takes from the data frames of a run."""
    rounds = int(campaign["settings"]["rounds"])
    structures, replays = (in_place(frame, watched, rounds) for frame in (structures, replays))
    return Measured(
        campaign,
        {
            (str(record["method"]), str(record["device"])): {str(name): value for name, value in record.items()}
            for record in methods.to_dict("records")
        },
        {
            RELAX: per_round(structures) if len(structures) else {},
            REPLAY: per_round(replays, "calculator_ns", "force_calls") if len(replays) else {},
        },
    )


def compare(
    old: Measured, new: Measured, threshold: float, answers: Mapping[Key, Sequence[str] | None]
) -> list[Comparison]:
    """Return the comparison of each method, device and protocol that one of the two runs has.

    Structures are paired. Rounds are not: two runs were not measured beside each other, and the scatter of both is in
    the interval.

    Parameters
    ----------
    old, new : Measured
        The runs.
    threshold : float
        See :func:`verdict`.
    answers : mapping of (method, device) to sequence of str or None
        Where the fingerprints differ; None or missing where it cannot be told.
    """
    found = []
    for protocol in PROTOCOLS:
        keys = [*old.times[protocol], *(key for key in new.times[protocol] if key not in old.times[protocol])]
        found += [_one(key, protocol, old, new, threshold, answers.get(key)) for key in keys]
    return found


def _one(
    key: Key, protocol: str, old: Measured, new: Measured, threshold: float, answers: Sequence[str] | None
) -> Comparison:
    record = new.methods.get(key) or old.methods[key]
    bare = Comparison(key[0], str(record["label"]), key[1], protocol, NOT_COMPARED, weights=record["weights"])
    for run, name in ((old, "first"), (new, "second")):
        if key not in run.times[protocol]:
            failed = run.methods.get(key, {})
            reason = f" ({failed['failure']}: {failed['message']})" if failed.get("failure") else ""
            return dataclasses.replace(bare, why=f"not measured in the {name} run{reason}")
    for field, words in (("weights", "weights"), ("dtype", "precision")):
        one, other = old.methods[key][field], new.methods[key][field]
        if one != other:
            return dataclasses.replace(bare, why=f"unlike {words}: {one} and {other}")
    before, after = old.times[protocol][key], new.times[protocol][key]
    ratio = paired_ratio(after, before, same_rounds=False)
    if ratio is None:
        return dataclasses.replace(bare, why="no structure in common")
    few = min(before.shape[1], after.shape[1]) < FEWEST_ROUNDS
    return dataclasses.replace(
        bare,
        verdict=UNDECIDED if few else judged(ratio, threshold, answers),
        ratio=ratio,
        old=geometric_mean(over_rounds(before).to_numpy(), between=scatter(before)),
        new=geometric_mean(over_rounds(after).to_numpy(), between=scatter(after)),
        answers=None if answers is None else tuple(answers),
        why=f"fewer than {FEWEST_ROUNDS} rounds do not tell how far fresh processes differ" if few else "",
    )


def mean_ratio(old: Measured, new: Measured, comparisons: Iterable[Comparison], protocol: str) -> Estimate | None:
    """Return the geometric mean of the ratios of one protocol, over the structures that all of them have.

    None for fewer than two.
    """
    keys = [(one.method, one.device) for one in comparisons if one.protocol == protocol and one.ratio]
    if len(keys) < 2:
        return None
    before, after = ([run.times[protocol][key] for key in keys] for run in (old, new))
    common = set.intersection(*(set(frame.index) for frame in (*before, *after)))
    if not common:
        return None
    before, after = ([frame.loc[sorted(common)] for frame in frames] for frames in (before, after))
    # each over its own rounds: budgets end at different structures, and one round may have no structure of them all
    logs = [np.log(over_rounds(b) / over_rounds(a)) for a, b in zip(before, after, strict=True)]
    between = independent(scatter(mean_over(before)), scatter(mean_over(after)))
    return geometric_mean(np.exp(np.mean(logs, axis=0)), between=between)


UNLIKE_MACHINE = (("cpu", "CPU"), ("usable_cores", "cores"), ("gpus", "GPUs"))
UNLIKE_SETTINGS = ("threads", "optimizer", "fmax", "max_steps", "replay_points")


def unlike(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return in words why two campaigns cannot be compared; empty where they can."""
    found = []
    for field, words in UNLIKE_MACHINE:
        one, other = old["machine"].get(field), new["machine"].get(field)
        if one != other:
            found.append(f"{words}: {_words(one)} and {_words(other)}")
    memory = [campaign["machine"].get("memory_bytes") or 0 for campaign in (old, new)]
    if max(memory) > 1.1 * min(memory):
        found.append(f"memory: {memory[0] / 2**30:.0f} GiB and {memory[1] / 2**30:.0f} GiB")
    if old["dataset"]["digest"] != new["dataset"]["digest"]:
        found.append(f"data set: {old['dataset']['name']} and {new['dataset']['name']}")
    for field in UNLIKE_SETTINGS:
        one, other = old["settings"].get(field), new["settings"].get(field)
        if one != other:
            found.append(f"{field}: {_words(one)} and {_words(other)}")
    return found


def _words(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return str(value)


def explain(
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    versions: Sequence[Mapping[str, Mapping[str, str]]],
    variables: Sequence[Mapping[str, Mapping[str, str]]],
) -> list[str]:
    """Return in words what else differs between two runs.

    Parameters
    ----------
    old, new : mapping
        What ``campaign.json`` says.
    versions, variables : pair of mappings
        The packages' versions and the environment variables of each method's worker, of the old and of the new run.
    """
    found = []
    for field, words in (("commit", "pesbench's commit"), ("pesbench", "pesbench")):
        one, other = str(old.get(field))[:12], str(new.get(field))[:12]
        if one != other:
            found.append(f"{words}: {one} and {other}")
    for field in ("os", "governor"):
        one, other = old["machine"].get(field), new["machine"].get(field)
        if one != other:
            found.append(f"{field}: {one} and {other}")
    speeds = [campaign["machine"].get("parallel_speed", {}).get("speed") for campaign in (old, new)]
    if None not in speeds and max(speeds) > 1.2 * min(speeds):
        found.append(f"parallel speed of the machine: {speeds[0]} and {speeds[1]}")
    for field in ("rounds", "seed", "limit"):
        one, other = old["settings"].get(field), new["settings"].get(field)
        if one != other:
            found.append(f"{field}: {one} and {other}")
    for pair in (versions, variables):
        for method in pair[0]:
            if method in pair[1]:
                found += [f"{method}: {change}" for change in changes(pair[0][method], pair[1][method])]
    return found


def changes(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """Return in words how two mappings, such as the versions of packages, differ."""
    names = sorted({*old, *new} - {"executable"})
    return [
        f"{name} {old.get(name, 'not there')} and {new.get(name, 'not there')}"
        for name in names
        if old.get(name) != new.get(name)
    ]

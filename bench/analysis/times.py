"""Times by structure and round of each method on each device: the basis of means and ratios."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal, Protocol

import numpy as np
import pandas as pd

from bench.analysis.model import Fit, difference, fit
from bench.analysis.statistics import CONFIDENCE, Estimate
from bench.core.records import FAILED

Key = tuple[str, str]
"""A method and a device."""
Times = Mapping[Key, pd.DataFrame]
"""Milliseconds by structure and round."""
SYSTEM = "system"
"""The column of records with the number of the system, where there are several."""


def per_round(structures: pd.DataFrame, time: str = "step_ns", count: str = "steps") -> dict[Key, pd.DataFrame]:
    """Return the milliseconds per step, or per force call, of each structure in each round.

    Parameters
    ----------
    structures : DataFrame
        One row per relaxation or replayed path. Converged, step-capped and censored ones count; failed ones and those
        without a step do not.
    time : str
        The column of nanoseconds.
    count : str
        The column by which they are divided.

    Returns
    -------
    dict of (method, device) to DataFrame
        Milliseconds, one line per structure and one column per round; NaN where a round did not measure it. Where
        `structures` has a column ``system``, the lines are indexed by system and structure.
    """
    if structures.empty:
        return {}
    numerator = pd.to_numeric(structures[time], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    denominator = pd.to_numeric(structures[count], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    # NaN compares false, so missing values drop out here too
    usable = (structures["status"] != FAILED).to_numpy(dtype=bool) & (numerator > 0) & (denominator > 0)
    index = ["method", "device", *([SYSTEM] if SYSTEM in structures else []), "structure"]
    counted = structures.loc[usable, [*index, "round"]]
    counted = counted.assign(log=np.log(numerator[usable] / denominator[usable] * 1e-6))
    # one pivot for all methods, because each takes longer than all that it sums up
    times = _exp(counted.pivot_table(index=index, columns="round", values="log"))
    keys = dict.fromkeys(zip(*(times.index.get_level_values(name) for name in index[:2]), strict=True))
    return {
        (str(method), str(device)): times.loc[(method, device)].dropna(axis=1, how="all") for method, device in keys
    }


class Kept(Protocol):
    """The part of :class:`bench.analysis.measurements.Measurements` that is needed here."""

    @property
    def part_of(self) -> tuple[Any, int] | None:
        """The measurements at several systems of which these are those at one, and its number."""

    @property
    def found(self) -> dict[str, Any]:
        """What was computed already."""


def kept_per_round(measurements: Kept, records: Literal["structures", "replays"], time: str, count: str) -> Times:
    """Return what :func:`per_round` gives for these records, computed once.

    Those of all systems are summed up together, because a table for each takes longer than all that is in it.
    """
    whole, number = measurements.part_of or (measurements, None)
    kept = whole.found.setdefault("per round", {})
    name = records, time, count
    if name not in kept:
        kept[name] = per_round(getattr(whole, records), time, count)
    if number is None:
        found: Times = kept[name]
        return found
    if (*name, SYSTEM) not in kept:
        kept[*name, SYSTEM] = by_the_system(kept[name])
    mine: Times = kept[*name, SYSTEM].get(number, {})
    return mine


def by_the_system(times: Times) -> dict[int, dict[Key, pd.DataFrame]]:
    """Return the times at each system by itself, by its number, as a run of that system alone would have them.

    Parameters
    ----------
    times : mapping of (method, device) to DataFrame
        Indexed by system and structure, as :func:`per_round` gives those of several systems.
    """
    found: dict[int, dict[Key, pd.DataFrame]] = {}
    for key, each in times.items():
        numbers = each.index.get_level_values(SYSTEM).to_numpy()
        values, structures = each.to_numpy(), each.index.get_level_values("structure")
        for number in np.unique(numbers):
            mine = numbers == number
            rounds = ~np.isnan(values[mine]).all(axis=0)
            found.setdefault(int(number), {})[key] = pd.DataFrame(
                values[np.ix_(mine, rounds)], index=structures[mine], columns=each.columns[rounds]
            )
    return found


def call_times(replays: pd.DataFrame) -> dict[Key, pd.DataFrame]:
    """Return the milliseconds per force call of each structure in each round, as ``per_round`` does.

    Parameters
    ----------
    replays : DataFrame
        One row per replayed path, with the columns of ``docs/format.md``.
    """
    return per_round(replays, "calculator_ns", "force_calls")


def with_steps(replays: pd.DataFrame) -> frozenset[Key]:
    """Return the methods and devices in whose timed paths an optimiser worked at each geometry.

    A run that an older version began may have paths of both kinds; such a method is judged by its force calls, so that
    all its paths count.
    """
    timed = replays[(replays["status"] != FAILED) & (replays["force_calls"] > 0)]
    return keys_of(timed) - keys_of(timed[timed["step_ns"].isna()])


def keys_of(records: pd.DataFrame) -> frozenset[Key]:
    """Return the methods and devices that have records."""
    pairs = zip(records["method"], records["device"], strict=True)
    return frozenset((str(method), str(device)) for method, device in pairs)


def by_key(records: pd.DataFrame) -> dict[Key, pd.DataFrame]:
    """Return the records of each method on each device."""
    return {(str(method), str(device)): mine for (method, device), mine in records.groupby(["method", "device"])}


def systems_of(index: pd.Index) -> np.ndarray | None:
    """Return the system of each line of data frames of times; None where all are of one."""
    return index.get_level_values(SYSTEM).to_numpy() if isinstance(index, pd.MultiIndex) else None


def at_systems(times: pd.DataFrame, systems: Collection[int] | None) -> pd.DataFrame:
    """Return the part of times at some systems: all where all are of one system, and where `systems` is None."""
    numbers = systems_of(times.index)
    if systems is None or numbers is None:
        return times
    mine = times[np.isin(numbers, sorted(systems))]
    return mine.dropna(how="all", axis=1)


def structures_of(index: pd.Index) -> list[int]:
    """Return the structure of each line of data frames of times."""
    found = index.get_level_values("structure") if isinstance(index, pd.MultiIndex) else index
    return [int(one) for one in found]


def fitted(times: pd.DataFrame) -> Fit:
    """Return the model of :mod:`bench.analysis.model` for the logarithms of times."""
    return fit(_log(times), systems=systems_of(times.index))


def by_structure(times: pd.DataFrame) -> pd.Series:
    """Return the milliseconds at each structure, after what the rounds do is taken out."""
    return pd.Series(np.exp(fitted(times).values), index=times.index)


def mean_time(times: pd.DataFrame) -> Estimate:
    """Return the geometric mean over structures, with the interval of :mod:`bench.analysis.model`."""
    return fitted(times).estimate()


def round_spread(times: pd.DataFrame) -> float | None:
    """Return how far apart the rounds of one method lie.

    The geometric mean time of the slowest of them over that of the fastest, over the structures common to all; None for
    a single round or nothing in common.
    """
    common = _log(times).dropna().mean()
    several = times.shape[1] > 1 and bool(common.notna().all())
    return float(np.exp(common.max() - common.min())) if several else None


def paired_ratio(numerator: pd.DataFrame, denominator: pd.DataFrame, confidence: float = CONFIDENCE) -> Estimate | None:
    """Return the geometric mean of numerator over denominator, which were measured in the same rounds.

    Parameters
    ----------
    numerator, denominator : DataFrame
        Milliseconds by structure and round, as :func:`per_round` gives them. Only structures count that both have in
        the same round, so that what a round or a structure does to both cancels.
    confidence : float
        Of the interval.

    Returns
    -------
    Estimate or None
        None where they were not measured together: they have no structure of any round in common.
    """
    return _ratio(pd.DataFrame(numerator / denominator), confidence)


def unpaired_ratio(numerator: pd.DataFrame, denominator: pd.DataFrame) -> Estimate | None:
    """Return the geometric mean of numerator over denominator, of two runs: structures are paired, rounds are not.

    None where they have no structure in common. See :func:`bench.analysis.model.difference`.
    """
    common = numerator.index.intersection(denominator.index)
    if common.empty:
        return None
    return difference(_log(numerator.loc[common]), _log(denominator.loc[common]), systems_of(common)).estimate()


def mean_ratio(ratios: Sequence[pd.DataFrame]) -> Estimate | None:
    """Return the geometric mean of several ratios, at the structures and rounds that all of them have.

    Parameters
    ----------
    ratios : sequence of DataFrame
        Each by structure and round. The whole mean has one interval, because their errors are not independent.
    """
    return _ratio(mean_over(ratios), CONFIDENCE)


def mean_over(series: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the geometric mean of several data frames of times, or of ratios, each by structure and round.

    NaN where one of them lacks a value.
    """
    total = _log(series[0])
    for one in series[1:]:
        total = total + _log(one)  # aligned by structure and round
    return _exp(total / len(series)).dropna(how="all").dropna(how="all", axis=1)


def _ratio(ratios: pd.DataFrame, confidence: float) -> Estimate | None:
    return fitted(ratios).estimate(confidence) if ratios.notna().to_numpy().any() else None


def _log(times: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(np.log(times))


def _exp(logs: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(np.exp(logs))

"""From relaxations to the time of a relaxed molecule, to failures that converged, and to other minima.

The time of a relaxation is that of a step times the number of steps, the force call before the first one included. The
time of a step comes from the model of all times, so that rounds, processes and structures count as they should. The
number of steps comes from :mod:`bench.analysis.survival`, so that a budget that cuts off long relaxations does not make
a method fast.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Protocol

import numpy as np
import pandas as pd

from bench.analysis import fidelity, survival
from bench.analysis.statistics import CONFIDENCE, Estimate, bounded_exp
from bench.analysis.times import SYSTEM, Key
from bench.core.records import CENSORED, CONVERGED

SAME_EV, SAME_ANGSTROM = 0.001, 0.05
"""Nearer than this in energy, or in shape, two relaxed geometries are of one minimum. Both must be farther for another
one: a loose criterion stops at several meV, and a soft torsion moves far at no cost."""
BONDS_CHANGED = "bonds changed"


class Interval(Protocol):
    """An estimate with its interval."""

    @property
    def estimate(self) -> float:
        """The estimate."""

    @property
    def low(self) -> float | None:
        """The lower end; None without an interval."""

    @property
    def high(self) -> float | None:
        """The upper end."""


@dataclasses.dataclass(frozen=True)
class Steps:
    """How many steps relaxations take, in units of the time of a step; the first force call is one of them."""

    logs: np.ndarray = dataclasses.field(compare=False)
    """(structures,) the natural logarithms; of a relaxation that only was cut off, of what it had made."""
    is_cut: np.ndarray = dataclasses.field(compare=False)
    """(structures,) whether a relaxation only was cut off."""
    systems: np.ndarray = dataclasses.field(compare=False)
    """(structures,) the system of each; 0 where all are of one."""

    @functools.cached_property
    def found(self) -> survival.MeanLog | None:
        """The mean logarithm, in which each system counts alike; None where it is only known to be larger."""
        return survival.mean_log(self.logs, self.is_cut, self.systems) if len(self.logs) else None

    @property
    def cut(self) -> int:
        """Structures whose relaxation only was cut off."""
        return int(self.is_cut.sum())

    @property
    def relaxed(self) -> frozenset[int]:
        """The systems with a relaxation that ended."""
        return frozenset(self.systems[~self.is_cut].tolist())

    @property
    def beyond(self) -> float | None:
        """By how much the mean of all is larger than that of the relaxations that ended, as a factor.

        None where the mean is only known to be larger.
        """
        if self.found is None:
            return None
        ended = pd.Series(self.logs[~self.is_cut]).groupby(self.systems[~self.is_cut]).mean()
        return math.exp(self.found.mean - float(ended.mean()))

    def at(self, systems: Collection[int]) -> Steps:
        """Return the part at some systems."""
        mine = np.isin(self.systems, sorted(systems))
        return Steps(self.logs[mine], self.is_cut[mine], self.systems[mine])


def steps(relaxations: pd.DataFrame, reactions: bool = False) -> Steps | None:
    """Return how many steps the relaxations of one method on one device take; None where none tells anything.

    A structure counts once: by the mean of its rounds that converged, or else by the longest that was cut off. Those
    that fail count among the failures.
    """
    usable = _usable(relaxations, reactions)
    each = _each_structure(usable, _log_steps(usable))
    if each.empty:
        return None
    is_cut = each["whole"].isna().to_numpy()
    systems = each.index.get_level_values(SYSTEM).to_numpy(dtype=int)
    return Steps(np.where(is_cut, each["cut"], each["whole"]), is_cut, systems)


def at_least(relaxations: pd.DataFrame, reactions: bool = False) -> float | None:
    """Return the milliseconds that a relaxation takes at least, where some were cut off; None where none was.

    It is what they had taken: a structure that converged counts with its mean, one that was only cut off with the most
    of any round; then the geometric mean, in which each system counts alike.
    """
    usable = _usable(relaxations, reactions)
    step, every, of_steps = (
        pd.to_numeric(usable[name], errors="coerce") for name in ("step_ns", "calculator_ns", "step_calculator_ns")
    )
    total = (step + (every - of_steps).fillna(0.0)).where(step > 0)
    each = _each_structure(usable, np.log(total.to_numpy(dtype=float) / 1e6))
    if not each["whole"].isna().any():
        return None
    return float(np.exp(each["whole"].fillna(each["cut"]).groupby(level=SYSTEM).mean().mean()))


def _each_structure(relaxations: pd.DataFrame, logs: np.ndarray) -> pd.DataFrame:
    """Return a line for each system and structure: ``whole``, or NaN where it only was cut off, and then ``cut``."""
    converged = (relaxations["status"] == CONVERGED).to_numpy(dtype=bool)
    lines = pd.DataFrame(
        {
            SYSTEM: relaxations[SYSTEM].to_numpy() if SYSTEM in relaxations else 0,
            "structure": relaxations["structure"].to_numpy(),
            "whole": np.where(converged, logs, np.nan),
            "cut": np.where(converged, np.nan, logs),
        }
    )
    each = lines.groupby([SYSTEM, "structure"]).agg(whole=("whole", "mean"), cut=("cut", "max"))
    return each[each.notna().any(axis=1)]


def _usable(relaxations: pd.DataFrame, reactions: bool) -> pd.DataFrame:
    """Return the relaxations that tell how long one takes: those that converged, or were only cut off."""
    usable = relaxations[relaxations["status"].isin([CONVERGED, CENSORED])]
    return usable if reactions else usable[~changed(usable)]


def _log_steps(relaxations: pd.DataFrame) -> np.ndarray:
    """Return the logarithm of each relaxation's time over that of its mean step; NaN where a step was not timed."""
    number = relaxations["steps"].to_numpy(dtype=float)
    step_ns = pd.to_numeric(relaxations["step_ns"], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    every = pd.to_numeric(relaxations["calculator_ns"], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    of_steps = pd.to_numeric(relaxations["step_calculator_ns"], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    first = np.nan_to_num(every - of_steps)  # a native optimiser makes that call in its first step
    with np.errstate(divide="ignore", invalid="ignore"):
        count = number * (step_ns + first) / step_ns
    count = np.where(number == 0, 1.0, count)  # it met the criterion at the start: one force call
    return np.where(np.isfinite(count) & (count > 0), np.log(np.where(count > 0, count, 1.0)), np.nan)


def time(per_step: Estimate | None, taken: Steps | None) -> Estimate | None:
    """Return the milliseconds of a relaxed molecule, from those of a step; None where it is only known to take longer.

    Both are of the same systems.
    """
    if per_step is None or taken is None or taken.found is None:
        return None
    found = _times_steps(per_step, taken.found.mean, [taken.found.half_width(CONFIDENCE)], taken.found.complete)
    return dataclasses.replace(found, lacks=per_step.lacks)


def _times_steps(per_step: Interval, log: float, halves: Iterable[float | None], n: int) -> Estimate:
    """Return a time or a ratio per step times that of the numbers of steps, whose logarithm is `log`."""
    estimate, parts = per_step.estimate * math.exp(log), [_half(per_step), *halves]
    if any(part is None for part in parts):
        return Estimate(estimate, None, None, n, None)
    factor = bounded_exp(math.hypot(*(part for part in parts if part is not None)))
    return Estimate(estimate, estimate / factor, estimate * factor, n, "structures", getattr(per_step, "rounds", 1))


class Relaxed(Protocol):
    """What is needed of a row to compare it with others."""

    @property
    def key(self) -> Key:
        """Its method and device."""

    @property
    def taken(self) -> Steps | None:
        """How many steps its relaxations take."""


PerStep = Callable[[Collection[int]], Interval | None]
"""Gives a ratio of times per step, or the mean of several, over some systems."""


def ratio(per_step: PerStep, pairs: Sequence[tuple[Relaxed, Relaxed]]) -> Estimate | None:
    """Return a ratio per relaxed molecule; None where it is not known.

    It is over the systems at which all methods have a relaxation that ended: steps and times of other systems would
    make a method fast that cannot take the large ones.

    Parameters
    ----------
    per_step : callable
        See :data:`PerStep`.
    pairs : sequence of (slow, fast)
        The methods in the ratios. What structures share in their numbers of steps does not cancel, so the interval is
        rather too wide.
    """
    rows = {row.key: row for pair in pairs for row in pair}
    every = {key: row.taken for key, row in rows.items() if row.taken is not None}
    if len(every) < len(rows):
        return None
    systems = frozenset.intersection(*(taken.relaxed for taken in every.values()))
    found = {key: taken.at(systems).found for key, taken in every.items()}
    of_steps = per_step(systems) if systems else None
    if of_steps is None:
        return None
    shares: dict[Key, float] = {}  # how much each method counts in the mean
    for pair in pairs:
        for sign, row in zip((1.0, -1.0), pair, strict=True):
            shares[row.key] = shares.get(row.key, 0.0) + sign / len(pairs)
    log, halves, n = 0.0, [], []
    for key, share in shares.items():
        mean = found[key]
        if mean is None:
            return None
        half = mean.half_width(CONFIDENCE)
        log += share * mean.mean
        halves.append(None if half is None else share * half)
        n.append(mean.complete)
    return _times_steps(of_steps, log, halves, min(n))


def _half(found: Interval) -> float | None:
    """Return half the width of an interval of a logarithm."""
    if found.low is None or found.high is None or found.low <= 0:
        return None
    return math.log(found.high / found.low) / 2


def changed(relaxations: pd.DataFrame) -> pd.Series:
    """Return which relaxations made or broke bonds."""
    return pd.to_numeric(relaxations["bonds_changed"], errors="coerce").fillna(0) > 0


def other_minima(relaxations: pd.DataFrame) -> dict[str, Any]:
    """Return how many structures ended at another minimum than the best one of their system, and how much higher.

    `relaxations` are the converged ones of one method on one device. Empty where nothing can be said: the energies or
    the geometries of a system are missing, or only one structure converged.
    """
    higher: list[float] = []
    compared = 0
    systems = relaxations.groupby(SYSTEM) if SYSTEM in relaxations else [(0, relaxations)]
    for _, mine in systems:
        once = mine.drop_duplicates("structure")
        once = once[once["energy"].notna() & once["positions"].notna()]
        if len(once) < 2:
            continue
        compared += len(once)
        energies = once["energy"].to_numpy(dtype=float)
        best = once["positions"].iloc[int(energies.argmin())]
        for above, xyz in zip(energies - energies.min(), once["positions"], strict=True):
            if above > SAME_EV and fidelity.kabsch_rmsd(xyz, best) > SAME_ANGSTROM:
                higher.append(1000 * above)
    if not compared:
        return {}
    return {"other_minima": len(higher), "other_minima_mev": float(np.median(higher)) if higher else None}

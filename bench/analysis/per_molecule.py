"""From relaxations to the time of a relaxed molecule, to failures that converged, and to other minima.

The time of a relaxation is that of a step times the number of steps, the force call before the first one included. The
time of a step comes from the model of all times, so that rounds, processes and structures count as they should. The
number of steps comes from :mod:`bench.analysis.survival`, so that a budget that cuts off long relaxations does not make
a method fast.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import pandas as pd

from bench.analysis import fidelity, survival
from bench.analysis.statistics import CONFIDENCE, Estimate
from bench.analysis.times import SYSTEM
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
    """How many steps a relaxation takes, in units of the time of a step; its first force call is one of them."""

    found: survival.MeanLog
    cut: int
    """Structures whose relaxation only was cut off."""


def steps(relaxations: pd.DataFrame, reactions: bool = False) -> Steps | None:
    """Return how many steps the relaxations of one method on one device take; None where none converged.

    A structure counts once: by the mean of its rounds that converged, or else by the longest that was cut off. Those
    that fail count among the failures. Each system counts alike.
    """
    usable = _usable(relaxations, reactions)
    logs = _log_steps(usable)
    converged = (usable["status"] == CONVERGED).to_numpy(dtype=bool)
    lines = pd.DataFrame(
        {
            "structure": usable["structure"].to_numpy(),
            "system": usable[SYSTEM].to_numpy() if SYSTEM in usable else 0,
            "whole": np.where(converged, logs, np.nan),
            "cut": np.where(converged, np.nan, logs),
        }
    )
    each = lines.groupby(["system", "structure"]).agg(whole=("whole", "mean"), cut=("cut", "max"))
    each = each[each.notna().any(axis=1)]
    if each.empty:
        return None
    is_cut = each["whole"].isna().to_numpy()
    weights = 1.0 / each.groupby("system")["whole"].transform("size").to_numpy()
    found = survival.mean_log(np.where(is_cut, each["cut"], each["whole"]), is_cut, weights)
    return None if found is None else Steps(found, int(is_cut.sum()))


def at_least(relaxations: pd.DataFrame, reactions: bool = False) -> float | None:
    """Return the milliseconds that a relaxation takes at least, where none converged and some were only cut off.

    It is what the cut ones had taken: per structure the most of any round, then the geometric mean, in which each
    system counts alike. None where one converged, or where nothing was timed.
    """
    usable = _usable(relaxations, reactions)
    if usable.empty or (usable["status"] == CONVERGED).any():
        return None
    step, every, of_steps = (
        pd.to_numeric(usable[name], errors="coerce") for name in ("step_ns", "calculator_ns", "step_calculator_ns")
    )
    total = (step + (every - of_steps).fillna(0.0)).where(step > 0)
    systems = usable[SYSTEM] if SYSTEM in usable else pd.Series(0, usable.index)
    each = np.log(total.groupby([systems, usable["structure"]]).max().dropna() / 1e6)
    return None if each.empty else float(np.exp(each.groupby(level=0).mean().mean()))


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
    """Return the milliseconds of a relaxed molecule, from those of a step; None where nothing converged."""
    if per_step is None or taken is None:
        return None
    estimate = per_step.estimate * math.exp(taken.found.mean)
    own, half = _half(per_step), taken.found.half_width(CONFIDENCE)
    if own is None or half is None:
        return dataclasses.replace(per_step, estimate=estimate, low=None, high=None, over=None, n=taken.found.complete)
    factor = math.exp(math.hypot(own, half))
    return dataclasses.replace(
        per_step, estimate=estimate, low=estimate / factor, high=estimate * factor, n=taken.found.complete
    )


class Times(Protocol):
    """What is needed of a row to compare it with others."""

    @property
    def ms_per_step(self) -> Estimate | None:
        """Milliseconds of a step."""

    @property
    def ms_per_molecule(self) -> Estimate | None:
        """Milliseconds of a relaxed molecule."""


def ratio(per_step: Interval, pairs: Sequence[tuple[Times, Times]]) -> Estimate | None:
    """Return a ratio per relaxed molecule from the one per step; None where a method has no such time.

    Parameters
    ----------
    per_step : Relative or Mean or Estimate
        The ratio of times per step, or the geometric mean of several such ratios.
    pairs : sequence of (slow, fast)
        The methods in the ratios. What structures share in their numbers of steps does not cancel, so the interval is
        rather too wide.
    """
    shares: dict[int, float] = {}  # how much each method counts in the mean
    methods: dict[int, tuple[float, float | None]] = {}
    for pair in pairs:
        for sign, one in zip((1.0, -1.0), pair, strict=True):
            if one.ms_per_step is None or one.ms_per_molecule is None:
                return None
            methods[id(one)] = _steps_of(one.ms_per_step, one.ms_per_molecule)
            shares[id(one)] = shares.get(id(one), 0.0) + sign / len(pairs)
    estimate = per_step.estimate * math.exp(sum(shares[key] * mean for key, (mean, _) in methods.items()))
    n = min(one.ms_per_molecule.n for pair in pairs for one in pair if one.ms_per_molecule)
    parts = [_half(per_step), *(None if half is None else shares[key] * half for key, (_, half) in methods.items())]
    if any(part is None for part in parts):
        return Estimate(estimate, None, None, n, None)
    factor = math.exp(math.hypot(*(part for part in parts if part is not None)))
    return Estimate(estimate, estimate / factor, estimate * factor, n, "structures")


def _steps_of(per_step: Estimate, per_molecule: Estimate) -> tuple[float, float | None]:
    """Return the mean logarithm of the number of steps, and half the width of its interval."""
    mean = math.log(per_molecule.estimate / per_step.estimate)
    every, own = _half(per_molecule), _half(per_step)
    return mean, None if every is None or own is None else math.sqrt(max(every**2 - own**2, 0.0))


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

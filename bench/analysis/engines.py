"""The engines of a method beside their reference: times as fast, and how far the answers are apart."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bench.analysis.fingerprint import tolerance
from bench.analysis.methods import MeasuredMethod
from bench.analysis.model import mean_of
from bench.analysis.statistics import Estimate
from bench.analysis.times import mean_time, paired_ratio
from bench.core.description import SystemFacts
from bench.core.records import Driven


@dataclasses.dataclass(frozen=True)
class Limits:
    """How far an engine's answers may be from the reference's, where its header says so."""

    energy: float | None = None
    """eV per atom."""
    force: float | None = None
    """eV/Angstrom, of a component."""
    reason: str = ""


@dataclasses.dataclass(frozen=True)
class Apart:
    """How far two answers are apart, the largest over the structures, and how far they may be."""

    energy: float
    """eV per atom."""
    force: float
    """eV/Angstrom, of a component."""
    energy_allowed: float
    force_allowed: float

    @property
    def same(self) -> bool:
        """Whether both are within what is allowed; not where one is no number."""
        return self.energy <= self.energy_allowed and self.force <= self.force_allowed


@dataclasses.dataclass(frozen=True)
class AtSystem:
    """A method at one system."""

    system: str
    atoms: int
    ms: Estimate | None = None
    """Milliseconds per force call."""
    speedup: Estimate | None = None
    """The reference's time over its own, in the same rounds: how many times as fast it is."""
    apart: Apart | None = None
    driver: str = ""
    """What made its steps of dynamics."""
    driver_ms: Estimate | None = None
    """Milliseconds of a step of dynamics without the force call in it."""
    edges: int | None = None
    """Pairs of neighbours in its list, each counted twice."""
    rebuilds: float | None = None
    """Lists of neighbours for each force call."""
    beyond: Estimate | None = None
    """How many times as fast it is where atoms move beyond the skin from call to call; None where nobody keeps lists,
    and both are the same."""
    rebuilds_beyond: float | None = None
    why: str = ""
    """Why it was not measured here."""


@dataclasses.dataclass(frozen=True)
class Engine:
    """An engine, or the reference itself, at all systems."""

    method: str
    engine: str
    """Empty for the reference."""
    label: str
    at: tuple[AtSystem, ...]
    limits: Limits = Limits()
    cold_start_s: float | None = None
    """From the start of the process to the end of the first force call."""
    conversion_s: float | None = None
    """To convert the checkpoint, once; None where it reads the same file."""
    peak_memory_bytes: int | None = None
    derivative: float | None = None
    """Root mean square difference of its forces from the derivative of its energy, eV/Angstrom."""
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    failure: str = ""
    """The class of the failure that ended its measurements; empty where none did."""
    message: str = ""

    @property
    def same_answers(self) -> bool | None:
        """Whether its answers are the reference's at all systems; None where none was compared."""
        known = [one.apart.same for one in self.at if one.apart is not None]
        return all(known) if known else None

    @property
    def energy_difference(self) -> float | None:
        """The largest difference of the energy, eV per atom."""
        return max((one.apart.energy for one in self.at if one.apart is not None), default=None)

    @property
    def force_difference(self) -> float | None:
        """The largest difference of a component of the forces, eV/Angstrom."""
        return max((one.apart.force for one in self.at if one.apart is not None), default=None)


def at_system(
    facts: SystemFacts,
    mine: pd.DataFrame | None,
    reference: pd.DataFrame | None,
    apart: Apart | None,
    why: str = "",
) -> AtSystem:
    """Return a method at a system from its times and the reference's there, as per_round gives them."""
    known = AtSystem(facts.name, facts.atoms, apart=apart, why=why)
    if mine is None or mine.empty:
        return known
    ratio = None if reference is None else paired_ratio(reference, mine)
    return dataclasses.replace(known, ms=mean_time(mine), speedup=ratio)


def times_beyond(reference: pd.DataFrame | None, mine: pd.DataFrame | None) -> Estimate | None:
    """Return how many times as fast a method is as the reference where both moved beyond the skin; None without it."""
    if mine is None or reference is None or mine.empty or reference.empty:
        return None
    return paired_ratio(reference, mine)


def driver_ms(driven: Sequence[Driven], method: str, frames: Sequence[int]) -> tuple[str, Estimate | None]:
    """Return the driver of a method at some structures, and its own time of a step, ms; None where it was not timed.

    Of each round, the median over steps of what a step takes without the force call in it.
    """
    mine = [one for one in driven if one.method == method and one.structure in frames and one.step_ns]
    if not mine:
        return "", None
    own = [float(np.median(np.subtract(one.step_ns, one.calculator_ns))) * 1e-6 for one in mine]
    return mine[-1].driver, mean_of(own, "rounds")


def lists_per_call(replays: Sequence[Any], method: str, frames: Sequence[int]) -> float | None:
    """Return the lists of neighbours that a method made for each force call at some structures; None where unknown."""
    told = [one for one in replays if one.method == method and one.structure in frames and one.rebuilds is not None]
    calls = sum(len(one.calculator_ns) for one in told)
    return sum(one.rebuilds for one in told) / calls if calls else None


def apart(
    answers: pd.DataFrame, one: MeasuredMethod, reference: MeasuredMethod, frames: Sequence[int], limits: Limits
) -> Apart | None:
    """Return how far the answers of two methods are apart at some structures of one system; None without any.

    The limits are those of the coarser dtype, for the rounding of an energy of that size, unless the header has wider
    ones.

    Parameters
    ----------
    answers : DataFrame
        One row per answer: method, structure, energy in eV, forces (n, 3) in eV/Angstrom.
    """
    here = answers[answers["structure"].isin(list(frames))]
    mine, theirs = (
        here[here["method"] == method.method].drop_duplicates("structure").set_index("structure")
        for method in (one, reference)
    )
    common = mine.index.intersection(theirs.index)
    if common.empty:
        return None
    atoms = len(mine.loc[common[0], "forces"])
    dtype = "float32" if "float32" in (one.dtype, reference.dtype) else "float64"
    wide = tolerance(one.kind, dtype, one.tf32 or reference.tf32)
    largest = max(abs(theirs.loc[index, "energy"]) for index in common)
    return Apart(
        energy=_largest(abs(mine.loc[index, "energy"] - theirs.loc[index, "energy"]) / atoms for index in common),
        force=_largest(_between(mine.loc[index, "forces"], theirs.loc[index, "forces"]) for index in common),
        energy_allowed=max((wide.energy + 4 * wide.resolution * largest) / atoms, limits.energy or 0.0),
        force_allowed=max(wide.force, limits.force or 0.0),
    )


def _largest(values: Any) -> float:
    """Return the largest value; infinity where one is no number."""
    return max(math.inf if math.isnan(value) else float(value) for value in values)


def _between(one: Any, other: Any) -> float:
    mine, theirs = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
    return float(np.abs(mine - theirs).max()) if mine.shape == theirs.shape else math.inf


def derivative(answers: pd.DataFrame, method: str, middle: int, lines: Sequence[Mapping[int, Any]]) -> float | None:
    """Return how far forces are from the derivative of the energy, root mean square of a component, eV/Angstrom.

    The derivative along random directions comes from Richardson-extrapolated central differences; the mean square of
    the difference along random unit vectors equals that of its components. None where an answer is missing.

    Parameters
    ----------
    answers : DataFrame
        As for :func:`apart`.
    middle : int
        The structure whose forces are compared.
    lines : sequence of mapping
        For each direction, the positions (n, 3) in Angstrom of the structures at -2, -1, 1 and 2 steps, in this order.
    """
    mine = answers[answers["method"] == method].drop_duplicates("structure").set_index("structure")
    if middle not in mine.index or not lines:
        return None
    forces = np.asarray(mine.loc[middle, "forces"], dtype=float)
    found = []
    for line in lines:
        if not set(line) <= set(mine.index):
            return None
        energies = mine.loc[list(line), "energy"].to_numpy(dtype=float)
        places = [np.asarray(place, dtype=float) for place in line.values()]
        way = (places[2] - places[1]) / 2
        step = float(np.linalg.norm(way))
        near = (energies[2] - energies[1]) / (2 * step)
        far = (energies[3] - energies[0]) / (4 * step)
        found.append((4 * near - far) / 3 + float((forces * way).sum()) / step)
    return float(np.sqrt(np.mean(np.square(found))))


def ordered(engines: Sequence[Engine]) -> list[Engine]:
    """Return engines in the order of a report: those with the reference's answers first, each group the fastest first.

    The fastest is so at the largest system that was measured.
    """

    def key(one: Engine) -> tuple[bool, float]:
        speeds = [at.speedup.estimate for at in one.at if at.speedup is not None]
        return one.same_answers is not True, -speeds[-1] if speeds else math.inf

    return sorted(engines, key=key)


def recommended(engines: Sequence[Engine]) -> Engine | None:
    """Return the fastest engine with the reference's answers that is certainly faster at its largest system, or None.

    One that failed somewhere is never recommended.
    """
    for one in ordered(engines):
        speeds = [at.speedup for at in one.at if at.speedup is not None]
        if one.same_answers and not one.failure and speeds and (speeds[-1].low or 0.0) > 1.0:
            return one
    return None

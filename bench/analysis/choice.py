"""What each method showed on one system, and which one to take: the input is a short run of the relax protocol."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from bench.analysis import prediction, unlike
from bench.analysis.disagreement import ByStructure, apart, disagreement, order, rmsd
from bench.analysis.measurements import Measurements
from bench.analysis.methods import MeasuredMethod
from bench.analysis.per_molecule import changed
from bench.analysis.prediction import PROCESSES, Prior, Relaxed
from bench.analysis.statistics import Estimate
from bench.core.records import CONVERGED, FAILED, STEP_CAP

NEAR = 1.5
"""A method agrees with the most trusted one if their forces differ by at most this times what that one differs from the
others..."""
LEAST = 100.0
"""... or by at most this, meV/Angstrom: PBE0 and wB97M-V differ by 113 on naphthalene at 500 K..."""
MOST = 300.0
"""... but never by more than this: where all differ, none agrees."""
SAME_MINIMUM = 0.25
"""Angstrom: relaxed to 0.05 eV/Angstrom, floppy molecules end this far apart in one minimum."""
AS_NEAR = 2.0
"""Methods up to this times the least disagreement may be the most trusted: among them the level of theory decides."""


@dataclasses.dataclass(frozen=True)
class Known:
    """What is known of a method before anything is measured."""

    level: str
    """Its functional or method, by which levels of theory are told apart."""
    twin: str
    """The same for methods that are one and the same by several programs."""
    rung: int
    """How far its level of theory may be trusted by itself: higher is better."""
    warnings: tuple[str, ...] = ()
    """Why it is far from what it was made for, in words."""
    reference: float | None = None
    """See :attr:`Advised.reference_mev_per_angstrom`."""


@dataclasses.dataclass(frozen=True)
class Advised:
    """A method, and what it showed."""

    method: str
    label: str
    kind: str = ""
    seconds_per_relaxation: Estimate | None = None
    hours_per_ns: Estimate | None = None
    peak_memory_bytes: int | None = None
    disagreement_mev_per_angstrom: float | None = None
    excluded: str | None = None
    """Why it was not measured, or showed nothing; None where it did."""
    steps: float | None = None
    """Of a relaxation."""
    steps_measured: bool = False
    """Whether it relaxed a structure; otherwise its steps are guessed from those of other methods."""
    structures: int = 0
    """That it relaxed to the end."""
    unconverged: int = 0
    """Structures that failed, or did not converge within the most steps."""
    to_trusted_mev_per_angstrom: float | None = None
    """How far its forces are from those of the most trusted method."""
    rmsd_to_trusted: float | None = None
    """How far its relaxed geometries are from those of the most trusted method, Angstrom."""
    order_like_trusted: float | None = None
    """Kendall's tau-b between its order of the frames by energy and that of the most trusted method."""
    reference_mev_per_angstrom: float | None = None
    """How far its forces are from the labels of a reference set, where that is kept."""
    start_s: float | None = None
    warnings: tuple[str, ...] = ()
    native: bool = False

    @property
    def measured(self) -> bool:
        """Whether it showed anything."""
        return self.excluded is None


@dataclasses.dataclass(frozen=True)
class Choice:
    """All methods, and the two that are advised."""

    methods: tuple[Advised, ...]
    """Those that were measured first, then the excluded ones."""
    fastest: Advised | None
    """That agrees with the most trusted one."""
    trusted: Advised | None
    agreeing: tuple[str, ...] = ()
    """The methods that agree with the most trusted one; itself among them."""

    @property
    def measured(self) -> list[Advised]:
        """The methods that showed something."""
        return [one for one in self.methods if one.measured]


def choose(
    measurements: Measurements,
    known: Mapping[str, Known],
    excluded: Mapping[str, Advised],
    md: bool,
    processes: Mapping[str, Prior] | None = None,
    whole_task: Callable[[Advised], float | None] | None = None,
) -> Choice:
    """Return what the methods of a short run showed, and which to take.

    Parameters
    ----------
    measurements : Measurements
        Of the relax protocol, on one device.
    known : mapping of str to Known
        By method; each that was measured.
    excluded : mapping of str to Advised
        The methods that were not tried.
    md : bool
        Whether the fastest is chosen by md, not by relaxations.
    processes : mapping of str to Prior, optional
        How processes differ, by method; by default as is assumed where nothing is known of the machine.
    whole_task : callable, optional
        The seconds of the whole task with a method, None where it has no time for it: by this the fastest is chosen
        where methods differ in how many of their processes fit into memory. By default, by a single relaxation.
    """
    facts = measurements.description.dataset
    forces = _forces(measurements.answers)
    shown = {
        one.method: _shown(one, measurements, known[one.method], (processes or {}).get(one.method, PROCESSES))
        for one in measurements.methods
        if one.method in known
    }
    good = {name: one for name, one in shown.items() if one.measured and name in forces}
    levels, twins = ({name: getattr(known[name], field) for name in good} for field in ("level", "twin"))
    forces = {name: forces[name] for name in good}
    for name, one in good.items():
        good[name] = dataclasses.replace(one, disagreement_mev_per_angstrom=disagreement(name, forces, levels, twins))
    trusted = _trusted(good, known)
    if trusted is not None:
        relaxed, energies = _relaxed(measurements.structures), _energies(measurements.answers)
        periodic = any(one.periodic for one in facts.systems)
        systems = [one.frames for one in facts.systems]
        for name, one in good.items():
            if name != trusted:
                good[name] = dataclasses.replace(
                    one,
                    to_trusted_mev_per_angstrom=apart(forces[name], forces[trusted]),
                    rmsd_to_trusted=rmsd(relaxed.get(name, {}), relaxed.get(trusted, {}), periodic),
                    order_like_trusted=order(energies[name], energies[trusted], systems),
                )
    agreeing = [name for name, one in good.items() if name == trusted or _agrees(one, good[trusted or name])]

    def time(one: Advised) -> float:
        return _time(one, md, whole_task)

    every = [*sorted((shown | good).values(), key=time), *excluded.values()]
    return Choice(
        methods=tuple(sorted(every, key=lambda one: not one.measured)),
        fastest=_fastest([good[name] for name in agreeing], time),
        trusted=good[trusted] if trusted else None,
        agreeing=tuple(agreeing),
    )


def _time(one: Advised, md: bool, whole_task: Callable[[Advised], float | None] | None = None) -> float:
    if whole_task is not None:
        seconds = whole_task(one)
        return float("inf") if seconds is None else seconds
    time = one.hours_per_ns if md else one.seconds_per_relaxation
    return time.estimate if time else float("inf")


def _fastest(agreeing: Sequence[Advised], by_task: Callable[[Advised], float]) -> Advised | None:
    """Return the fastest; one that is far from what it was made for only where no other has a time.

    Where none has the time of a relaxation, that of a force call decides.
    """
    for time in (by_task, lambda one: _time(one, True)):
        timed = [one for one in agreeing if time(one) < float("inf")]
        if timed:
            return min(timed, key=lambda one: (bool(one.warnings), time(one)))
    return None


def _trusted(good: Mapping[str, Advised], known: Mapping[str, Known]) -> str | None:
    """Return the method that is trusted most.

    Of those that are near what they were made for and relax without failures (of all, where none is), those that
    disagree least with the others; among these the one with the highest level of theory.
    """
    able = [name for name, one in good.items() if not one.warnings and not one.unconverged] or list(good)
    apart_by = {name: good[name].disagreement_mev_per_angstrom for name in able}
    least = min((found for found in apart_by.values() if found is not None), default=None)
    near = [name for name in able if least is None or (apart_by[name] or 0.0) <= AS_NEAR * least]
    return max(near, key=lambda name: (known[name].rung, -(apart_by[name] or 0.0)), default=None)


def _agrees(one: Advised, trusted: Advised) -> bool:
    if one.to_trusted_mev_per_angstrom is None:
        return False
    if one.rmsd_to_trusted is not None and one.rmsd_to_trusted > SAME_MINIMUM:
        return False
    own = trusted.disagreement_mev_per_angstrom or 0.0
    return one.to_trusted_mev_per_angstrom <= min(max(NEAR * own, LEAST), MOST)


def _shown(method: MeasuredMethod, measurements: Measurements, known: Known, processes: Prior) -> Advised:
    """Return what a method showed by itself."""
    mine = _without_reactions(measurements.structures)
    mine = mine[mine["method"] == method.method]
    found = Advised(
        method=method.method,
        label=method.label,
        kind=method.kind,
        peak_memory_bytes=method.peak_memory_bytes,
        reference_mev_per_angstrom=known.reference,
        start_s=method.cold_start_s,
        warnings=known.warnings,
        native=method.optimizer == "native",
    )
    # one that is at its minimum already makes no step
    counted = mine[(mine["status"] == CONVERGED) | ((mine["status"] != FAILED) & (mine["steps"] > 0))]
    if counted.empty:
        message = method.message or next((str(text) for text in mine["message"].dropna()), "it made no step")
        return dataclasses.replace(found, excluded=message.rstrip("."))
    relaxed = _looks(counted)
    of_others = [] if found.native else _others(measurements, method.method)
    failed = int(mine.loc[mine["status"].isin([FAILED, STEP_CAP]), "structure"].nunique())
    whole = sum(one.whole for one in relaxed.values())
    # a method that never converges has no time of a relaxation, however many others do
    steps = (
        None
        if failed and not whole
        else prediction.steps(relaxed, of_others, measurements.description.dataset.total or 1)
    )
    first = (counted["calculator_ns"] - counted["step_calculator_ns"]).astype(float).mean() / 1e6
    first = 0.0 if np.isnan(first) else float(first)
    alone = [first] if first else []  # where no step was made, the first call says what one takes
    per_step = _rounds(counted, "step_ns", "steps") or alone
    per_call = _rounds(counted, "step_calculator_ns", "step_force_calls") or alone
    relaxation = hours = None
    if steps is not None and per_step:
        relaxation = prediction.relaxation(per_step, steps, first, len(relaxed), processes)
    if per_call:
        hours = prediction.hours_per_ns(per_call, len(relaxed), processes)
    system_of = measurements.description.dataset.system_of
    if system_of:
        every = _without_reactions(measurements.structures)
        others = every[(every["method"] != method.method) & (every["status"] != FAILED)]
        if relaxation is not None and steps is not None:
            total = measurements.description.dataset.total or len(system_of)
            relaxation = unlike.relaxation(counted, others, steps, system_of, total, per_step, processes) or relaxation
        if hours is not None:
            hours = unlike.hours_per_ns(counted, others, system_of, per_call, processes) or hours
    return dataclasses.replace(
        found,
        seconds_per_relaxation=relaxation,
        hours_per_ns=hours,
        steps=None if steps is None else steps.mean,
        steps_measured=bool(steps and steps.measured),
        structures=whole,
        unconverged=failed,
    )


def _without_reactions(structures: pd.DataFrame) -> pd.DataFrame:
    """Return the relaxations; one that made or broke bonds did not converge to the molecule, so it is a failure."""
    reacted = changed(structures) & (structures["status"] == CONVERGED)
    return structures.assign(
        status=structures["status"].where(~reacted, FAILED),
        message=structures["message"].where(~reacted, "its relaxation made or broke bonds"),
    )


def _looks(counted: pd.DataFrame) -> dict[int, Relaxed]:
    """Return what a method did at each structure; step caps count as cut."""
    found = {}
    for structure in counted["structure"].unique():
        rows = counted[counted["structure"] == structure]
        found[int(structure)] = Relaxed(int(rows["steps"].max()), bool((rows["status"] == CONVERGED).any()))
    return found


def _others(measurements: Measurements, name: str) -> list[float]:
    """Return the mean steps of each other method with whole relaxations by the same optimiser."""
    every = _without_reactions(measurements.structures)
    optimizers = set(every.loc[every["method"] == name, "optimizer"])
    whole = every[(every["status"] == CONVERGED) & (every["method"] != name) & every["optimizer"].isin(optimizers)]
    return [max(float(value), 1.0) for value in whole.groupby("method")["steps"].mean()]


def _rounds(counted: pd.DataFrame, time: str, count: str) -> list[float]:
    """Return milliseconds by `count` of each round; none where a native optimiser does not count."""
    found = []
    for _, rows in counted.groupby("round"):
        total, number = rows[time].astype(float).sum(), rows[count].astype(float).sum()
        if total > 0 and number > 0:
            found.append(float(total / number / 1e6))
    return found


def _forces(answers: pd.DataFrame) -> dict[str, ByStructure]:
    return {
        str(name): {int(row["structure"]): np.asarray(row["forces"], dtype=float) for row in rows.to_dict("records")}
        for name, rows in answers.groupby("method")
    }


def _energies(answers: pd.DataFrame) -> dict[str, dict[int, float]]:
    return {
        str(name): {int(row["structure"]): float(row["energy"]) for row in rows.to_dict("records")}
        for name, rows in answers.groupby("method")
    }


def _relaxed(structures: pd.DataFrame) -> dict[str, ByStructure]:
    structures = _without_reactions(structures)
    whole = structures[(structures["status"] == CONVERGED) & structures["positions"].notna()]
    return {
        str(name): {
            int(row["structure"]): np.asarray(row["positions"], dtype=float)
            for row in rows.drop_duplicates("structure").to_dict("records")
        }
        for name, rows in whole.groupby("method")
    }

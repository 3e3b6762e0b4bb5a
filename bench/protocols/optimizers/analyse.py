"""From relaxations by several optimisers to times, failures and performance profiles.

A problem is a structure with a method. It is solved by an optimiser that converges tightly at the best minimum that any
of them found for that problem, with the bonds of the start: a molecule that collapsed or stopped higher is not relaxed.
Times are those to the campaign's own criterion, and to the tight one; ratios are of the same problem in the same
process.
"""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from bench.analysis.disturbed import disturbances
from bench.analysis.measurements import Measurements, Summary
from bench.analysis.methods import MeasuredMethod
from bench.analysis.model import Component, estimate, mean_of
from bench.analysis.per_molecule import BONDS_CHANGED, SAME_EV
from bench.analysis.statistics import ONE_PROCESS, Estimate
from bench.core.description import Description
from bench.core.kind import rank
from bench.core.records import CENSORED, CONVERGED, FAILED, STEP_CAP
from bench.protocols.optimizers.record import Optimization
from bench.protocols.optimizers.table import OptimizerRow, OptimizersTable, Overall, Profile

FEWEST_VALUES = 3
"""With fewer there is no interval."""

Problem = tuple[str, str, int]
"""A method, a device and a structure."""


def optimizers_table(measurements: Measurements) -> OptimizersTable:
    """Return how the optimisers of a campaign compare."""
    description = measurements.description
    watched = measurements.watched
    attempts = [one for one in measurements.records if isinstance(one, Optimization)]
    problems: dict[Problem, list[Optimization]] = {}
    for one in attempts:
        problems.setdefault((one.method, one.device, one.structure), []).append(one)
    solved = {problem: _solved(mine) for problem, mine in problems.items()}
    named = list(description.settings.optimizers)
    system_of = description.dataset.system_of
    rows: list[OptimizerRow] = []
    unmeasured = {}
    for method in (_without_its_own(one, description) for one in measurements.methods):
        mine = {problem: found for problem, found in problems.items() if problem[:2] == method.key}
        if not mine:
            unmeasured[method.label] = method.message or "its time ended before anything was relaxed"
            continue
        rows += [_row(method, name, named[0], mine, solved, system_of) for name in named]
    rows.sort(key=lambda row: rank(row.kind))
    # an optimiser that the budget did not let begin has not failed to solve the problem; one that began with another
    # method only would look as if it had failed at all problems of this one
    began = {one.optimizer for one in attempts}
    complete = {
        problem: solved[problem]
        for problem, found in problems.items()
        if solved[problem]
        and not any(one.status == CENSORED for one in found)
        and {one.optimizer for one in found} == began
    }
    profiles = tuple(_profile(name, complete.values()) for name in named)
    return OptimizersTable(
        description=description,
        rows=tuple(rows),
        overall=tuple(
            _overall(name, rows, profile, len(complete)) for name, profile in zip(named, profiles, strict=True)
        ),
        profiles=profiles,
        problems=len(complete),
        solved=sum(map(bool, solved.values())),
        at_start=sum(any(one.force_calls == 1 for one in found.values()) for found in solved.values()),
        unmeasured=unmeasured,
        disturbances=disturbances(watched) if watched is not None else (),
        repeats=sum(one.visits - 1 for one in attempts),
        damaged=measurements.damaged,
    )


def _without_its_own(method: MeasuredMethod, description: Description) -> MeasuredMethod:
    """Return a method under the name that it has with another optimiser than its own."""
    facts = description.methods.get(method.method)
    return dataclasses.replace(method, label=facts.model_label) if facts and facts.model_label else method


class Solved(NamedTuple):
    """A problem that an optimiser solved: what it took to the campaign's criterion, and to the tight one."""

    force_calls: int
    nanoseconds: int
    own_ns: int
    """The optimiser's part."""
    tight_ns: int
    above: float
    """How far above the best minimum it was at the campaign's criterion, eV."""
    round: int
    """Of its process."""


def _solved(attempts: Sequence[Optimization]) -> dict[str, Solved]:
    """Return the attempts at a problem that solved it, by optimiser."""
    best, found = _best(attempts), {}
    for one in attempts:
        calls, calculator, own, energy = (
            one.calls_at_fmax,
            one.calculator_ns_at_fmax,
            one.optimizer_ns_at_fmax,
            one.energy_at_fmax,
        )
        if None in (calls, calculator, own, energy, one.energy) or not _is_relaxed(one):
            continue
        assert calls is not None and calculator is not None and own is not None  # which mypy cannot see
        assert energy is not None and one.energy is not None
        if calls > 0 and one.energy <= best + SAME_EV:
            tight = one.calculator_ns + one.optimizer_ns
            found[one.optimizer] = Solved(calls, calculator + own, own, tight, max(energy - best, 0.0), one.round)
    return found


def _is_relaxed(one: Optimization) -> bool:
    return one.status == CONVERGED and not one.bonds_changed


def _best(attempts: Sequence[Optimization]) -> float:
    """Return the lowest energy of the relaxed, eV; infinite where there is none."""
    return min((one.energy for one in attempts if _is_relaxed(one) and one.energy is not None), default=math.inf)


def _row(
    method: MeasuredMethod,
    optimizer: str,
    reference: str,
    problems: Mapping[Problem, Sequence[Optimization]],
    solved: Mapping[Problem, Mapping[str, Solved]],
    system_of: Mapping[int, int],
) -> OptimizerRow:
    mine = [one for found in problems.values() for one in found if one.optimizer == optimizer]
    ended = [one for one in mine if one.status != CENSORED]
    good = {problem[2]: solved[problem][optimizer] for problem in problems if optimizer in solved[problem]}
    others = {problem[2]: solved[problem][reference] for problem in problems if reference in solved[problem]}
    both = sorted(good.keys() & others.keys()) if optimizer != reference else []
    higher = _higher(problems, solved, optimizer)
    total = sum(one.nanoseconds for one in good.values())

    def ratio(figure: Callable[[Solved], int]) -> Estimate | None:
        return _mean({key: figure(good[key]) / figure(others[key]) for key in both}, system_of)

    def mean(figure: Callable[[Solved], int]) -> Estimate | None:
        times = {key: 1e-6 * figure(one) for key, one in good.items()}
        return _mean(times, system_of, {key: one.round for key, one in good.items()})

    return OptimizerRow(
        method=method.method,
        label=method.label,
        kind=method.kind,
        device=method.device,
        weights=method.weights,
        optimizer=optimizer,
        attempts=len(ended),
        solved=len(good),
        cut=len(mine) - len(ended),
        failures=dict(Counter(kind for one in ended if (kind := _failure(one)))),
        higher=len(higher),
        higher_mev=1000 * statistics.median(higher) if higher else None,
        ms_per_molecule=mean(_loose),
        force_calls=float(np.exp(np.mean([np.log(_calls(one)) for one in good.values()]))) if good else None,
        above_mev=1000 * statistics.median(one.above for one in good.values()) if good else None,
        own_share=sum(one.own_ns for one in good.values()) / total if total else None,
        time_ratio=ratio(_loose),
        calls_ratio=ratio(_calls),
        tight_ms_per_molecule=mean(_tight),
        tight_time_ratio=ratio(_tight),
        tight_fmax=mine[0].tight_fmax if mine else None,
        message=next((one.failure.message for one in ended if one.failure), None),
    )


def _loose(one: Solved) -> int:
    return one.nanoseconds


def _tight(one: Solved) -> int:
    return one.tight_ns


def _calls(one: Solved) -> int:
    return one.force_calls


def _failure(one: Optimization) -> str | None:
    """Return why a relaxation is none, in a word or two; None for one that converged to something."""
    if one.status == FAILED:
        return one.failure.kind if one.failure else FAILED
    if one.status == STEP_CAP:
        return STEP_CAP
    return BONDS_CHANGED if one.bonds_changed else None


def _higher(
    problems: Mapping[Problem, Sequence[Optimization]], solved: Mapping[Problem, Mapping[str, Solved]], optimizer: str
) -> list[float]:
    """Return how far above the best the others converged, in eV."""
    return [
        one.energy - _best(attempts)
        for problem, attempts in problems.items()
        for one in attempts
        if one.optimizer == optimizer
        and _is_relaxed(one)
        and one.energy is not None
        and optimizer not in solved[problem]
    ]


def _mean(
    values: Mapping[int, float], system_of: Mapping[int, int], rounds: Mapping[int, int] | None = None
) -> Estimate | None:
    """Return the geometric mean of values by structure: over systems of their means, or over structures of one system.

    Its interval is Student's, over what the mean is over. Systems count alike, however many structures each has.
    `rounds` says in which process each structure was relaxed, where that matters: for times, not for ratios within a
    process. Structures of one round then have its process in common, and a single process gives no interval.
    """
    if not values:
        return None
    logs: dict[int, list[float]] = {}
    for structure, value in values.items():
        logs.setdefault(system_of.get(structure, 0), []).append(float(np.log(value)))
    if len(logs) > 1:
        found = _with_interval([float(np.exp(np.mean(one))) for one in logs.values()], "systems")
    elif rounds is None:
        found = _with_interval(list(values.values()), "structures")
    else:
        found = _enough(_over_rounds(values, rounds), len(values))
    one_process = rounds is not None and len({rounds[structure] for structure in values}) < 2
    return dataclasses.replace(found, low=None, high=None, over=None, lacks=ONE_PROCESS) if one_process else found


def _over_rounds(values: Mapping[int, float], rounds: Mapping[int, int]) -> Estimate:
    """Return the geometric mean over rounds of their means over structures, of which each has one round.

    The variance has a part of the structures, from their scatter within rounds, and one of the processes: what the
    rounds' means scatter beyond that (a one-way layout, by moments).
    """
    logs = np.log(list(values.values()))
    number = np.unique([rounds[structure] for structure in values], return_inverse=True)[1]
    counts = np.bincount(number)
    means = np.bincount(number, logs) / counts
    within, between = len(logs) - len(counts), len(counts) - 1
    mean = float(means.mean())
    if not (within and between):
        return estimate(mean, None, n=len(logs), over="structures", rounds=len(counts))
    single = float(((logs - means[number]) ** 2).sum()) / within
    of_structures = single * float((1 / counts).mean()) / len(counts)
    of_rounds = max(0.0, float(means.var(ddof=1)) / len(counts) - of_structures)
    parts = [Component(of_structures, within), Component(of_rounds, between)]
    return estimate(mean, parts, n=len(logs), over="structures", rounds=len(counts))


def _with_interval(values: Sequence[float], over: str) -> Estimate:
    return _enough(mean_of(values, over), len(values))


def _enough(found: Estimate, count: int) -> Estimate:
    """Return a mean without its interval where it is of two values, which say nothing about their scatter."""
    return found if count >= FEWEST_VALUES else dataclasses.replace(found, low=None, high=None, over=None)


def _profile(optimizer: str, problems: Iterable[Mapping[str, Solved]]) -> Profile:
    with_it = [solved for solved in problems if optimizer in solved]

    def multiples(cost: Callable[[Solved], int]) -> tuple[float, ...]:
        return tuple(sorted(cost(one[optimizer]) / min(map(cost, one.values())) for one in with_it))

    return Profile(optimizer, multiples(_loose), multiples(_calls))


def _overall(optimizer: str, rows: Sequence[OptimizerRow], profile: Profile, problems: int) -> Overall:
    mine = [row for row in rows if row.optimizer == optimizer]

    def over_methods(name: str) -> Estimate | None:
        ratios = [found.estimate for row in mine if (found := getattr(row, name)) is not None]
        return _with_interval(ratios, "methods") if ratios else None

    def share(most: float) -> float | None:
        begun = any(row.attempts or row.cut for row in mine)
        return sum(one <= most for one in profile.time) / problems if problems and begun else None

    return Overall(
        optimizer,
        sum(row.attempts for row in mine),
        sum(row.solved for row in mine),
        over_methods("time_ratio"),
        over_methods("calls_ratio"),
        over_methods("tight_time_ratio"),
        share(1.0),
        share(2.0),
    )


SUMMARY = Summary(table=optimizers_table)

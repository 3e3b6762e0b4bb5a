"""Compares each method of a run with each reference: one frozen value per method and device.

The figures are defined in :mod:`bench.protocols.accuracy.force_errors`, :mod:`bench.protocols.accuracy.geometry` and
:mod:`bench.analysis.vibrations`, and whose truth counts in :mod:`bench.protocols.accuracy.levels`; here they are put
together.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from bench.analysis.at_system import at_system
from bench.analysis.measurements import Measurements, Summary
from bench.analysis.methods import MeasuredMethod
from bench.analysis.model import fit
from bench.analysis.statistics import ONE_PROCESS, Estimate
from bench.analysis.times import Key, mean_time, per_round
from bench.analysis.vibrations import NormalModes
from bench.core.records import DONE, FAILED, Record
from bench.protocols.accuracy import levels
from bench.protocols.accuracy.floor import FEWEST_STRUCTURES, errors_at, floor, modes_of, spread_of
from bench.protocols.accuracy.force_errors import uncertainty_quality
from bench.protocols.accuracy.geometry import planarity
from bench.protocols.accuracy.levels import same_theory
from bench.protocols.accuracy.minimum import at_minimum, reference_minimum
from bench.protocols.accuracy.over_systems import all_levels, differences, missing, over_systems
from bench.protocols.accuracy.plan import ACCURACY
from bench.protocols.accuracy.record import SinglePoint, Vibrations
from bench.protocols.accuracy.table import NO_LABELS, Accuracy, AccuracyTable
from bench.protocols.accuracy.truths import Level, Truths
from bench.protocols.md.analyse import stabilities

R = TypeVar("R", SinglePoint, Vibrations)

RANDOM = "random weights, whose energies mean nothing"
NO_SYSTEM = "it takes no system of the set"
PLANAR = 0.05
"""Angstrom, root mean square: a molecule this near to a plane is meant to be planar."""


def accuracies(measurements: Measurements) -> dict[Key, Accuracy]:
    """Return the accuracy of each method and device of a campaign; empty where the protocol was not measured.

    Of several systems, it is that over all of them.
    """
    return measurements.once("accuracies", lambda: _accuracies(measurements))


def _accuracies(measurements: Measurements) -> dict[Key, Accuracy]:
    systems: Sequence[Truths] = measurements.read.get(ACCURACY) or ()
    if not systems:
        return {}
    rows = {method.key: _row(method, measurements) for method in measurements.methods}
    common = _common(rows.values(), all_levels(systems))
    if common is None:
        return rows
    return {key: _compared(row, common, measurements) for key, row in rows.items()}


def _compared(row: Accuracy, common: Level, measurements: Measurements) -> Accuracy:
    """Return a row with the level that all share; of several systems, with its time at those where it is compared."""
    row = dataclasses.replace(row, common=common.name, common_label=common.label)
    systems: Sequence[Truths] = measurements.read[ACCURACY]
    key = (row.method, row.device)
    here = [
        one.system
        for one in _by_system(measurements)
        if (one.method, one.device) == key and common.name in one.references
    ]
    if not systems[0].system or not here:
        return row
    method = next(one for one in measurements.methods if one.key == key)
    points = _done(_of(SinglePoint, measurements.records, method))
    time = _time(measurements, key, points, [truths for truths in systems if truths.system in here])
    return dataclasses.replace(row, common_systems=tuple(here), time=time)


def _row(method: MeasuredMethod, measurements: Measurements) -> Accuracy:
    systems: Sequence[Truths] = measurements.read[ACCURACY]
    found = [row for row in _by_system(measurements) if (row.method, row.device) == method.key]
    if not systems[0].system:
        return found[0]
    bare = _bare(method, measurements)
    if not found:
        return dataclasses.replace(bare, refused=method.message if method.failure else NO_SYSTEM)
    points = _done(_of(SinglePoint, measurements.records, method))
    row = over_systems(bare, found, systems, points)
    return dataclasses.replace(row, time=_time(measurements, method.key, points, systems))


def _by_system(measurements: Measurements) -> tuple[Accuracy, ...]:
    """Return a row for each system and each method that takes it."""
    return measurements.once("accuracy by system", lambda: tuple(_each(measurements)))


def _each(measurements: Measurements) -> Iterator[Accuracy]:
    described = measurements.description
    facts = {one.name: one for one in described.dataset.systems}
    for truths in measurements.read[ACCURACY]:
        normal = {level.name: modes_of(level, truths) for level in truths.levels if level.has_hessian}
        here = at_system(measurements, facts[truths.system]) if truths.system else measurements
        for method in measurements.methods:
            if not truths.system or truths.system not in described.methods[method.method].left_out:
                yield _accuracy(method, here, truths, normal)


def _common(rows: Iterable[Accuracy], every: Sequence[Level]) -> Level | None:
    """Return the level by which methods are compared with each other; None where none was compared with any.

    Of the levels that most methods have, at most systems, the highest one: an error against a level of its own tells
    how well a model learned, and not which of two is closer to the truth.
    """
    counts: Counter[str] = Counter()
    for row in rows:
        counts.update({name: one.systems for name, one in row.references.items()})
    theories = {one.name: one.theory for one in every if counts[one.name] == max(counts.values(), default=0) > 0}
    if not theories:
        return None
    chosen = levels.nearest({}, theories)
    return next(one for one in every if one.name == chosen)


def accuracy_table(measurements: Measurements) -> AccuracyTable:
    """Return the accuracy of all methods of a campaign, with the floor."""
    systems: Sequence[Truths] = measurements.read[ACCURACY]
    first, several = systems[0], bool(systems[0].system)
    rows = accuracies(measurements)
    verdicts = {key: found.verdict for key, found in stabilities(measurements).items()}
    return AccuracyTable(
        description=measurements.description,
        rows=tuple(dataclasses.replace(row, stability=verdicts.get(key)) for key, row in rows.items()),
        levels=all_levels(systems),
        floor=tuple(differences(systems) if several else floor(first)),
        spread=None if several else spread_of(first),
        minima=tuple(
            reference_minimum(level, truths, modes_of(level, truths))
            for truths in systems
            for level in truths.levels
            if level.has_hessian
        ),
        experiment=tuple(
            dict.fromkeys(source for one in systems if one.experiment for source in one.experiment.sources)
        ),
        planar=not several and _is_planar(first),
        missing=missing(systems, measurements.description) if several else first.missing,
        by_system=_by_system(measurements) if several else (),
        damaged=measurements.damaged,
    )


def _is_planar(truths: Truths) -> bool:
    """Return whether more than three atoms lie in one plane at a reference's minimum."""
    minima = [level.minimum.positions for level in truths.levels if level.minimum is not None]
    return len(truths.numbers) > 3 and any(planarity(positions).rms < PLANAR for positions in minima)


def _accuracy(
    method: MeasuredMethod,
    measurements: Measurements,
    truths: Truths,
    normal: Mapping[str, NormalModes],
) -> Accuracy:
    facts, records = measurements.description.methods[method.method], measurements.records
    points = [one for one in _of(SinglePoint, records, method) if truths.has(one.structure)]
    done = _done(points)
    found = dataclasses.replace(
        _bare(method, measurements),
        system=truths.system,
        time=_time(measurements, method.key, done, [truths]),
        failures=Counter(one.failure.kind for one in points if one.failure and one.status == FAILED),
    )
    if method.weights == "random":
        return dataclasses.replace(found, refused=RANDOM)
    compared = [level for level in truths.levels if not level.control]
    found = dataclasses.replace(found, **_at_structures(done, compared, facts.theory or {}, truths))
    looked_for = [one for one in _of(Vibrations, records, method) if truths.has(one.molecule)]
    vibrations = next((one for one in looked_for if one.hessian is not None), None)
    if vibrations is None:
        settings = measurements.description.settings
        wanted = settings.vibrations and any(map(truths.has, settings.minima))
        found = dataclasses.replace(found, no_minimum=_no_minimum(looked_for, wanted))
    else:
        with_minimum = {level.name: level for level in compared if level.minimum is not None}
        found = dataclasses.replace(found, **at_minimum(vibrations, truths, with_minimum, normal, facts.theory or {}))
    if not found.measured:
        why = method.message if method.failure else _why(points, looked_for)
        found = dataclasses.replace(found, refused=why)
    return found


def _bare(method: MeasuredMethod, measurements: Measurements) -> Accuracy:
    """Return a row without figures."""
    facts = measurements.description.methods[method.method]
    return Accuracy(
        method=method.method,
        label=method.label,
        kind=method.kind,
        device=method.device,
        weights=method.weights,
        conservative=facts.conservative,
        theory=facts.theory,
    )


def _done(points: Iterable[SinglePoint]) -> list[SinglePoint]:
    return [one for one in points if one.status == DONE]


def _of(kind: type[R], records: Sequence[Record], method: MeasuredMethod) -> list[R]:
    return [one for one in records if isinstance(one, kind) and (one.method, one.device) == method.key]


def _why(points: Sequence[SinglePoint], vibrations: Sequence[Vibrations]) -> str:
    failures = [*(one.failure for one in points), *(one.failure for one in vibrations)]
    failure = next(filter(None, failures), None)
    if failure is not None:
        return f"{failure.kind}: {failure.message}"
    return NO_LABELS if points else "its time ended before anything was measured"


def _no_minimum(vibrations: Sequence[Vibrations], wanted: bool) -> str | None:
    failure = vibrations[-1].failure if vibrations else None
    if failure is not None:
        return f"{failure.kind}: {failure.message}"
    return "its time ended first" if wanted else None


def _time(
    measurements: Measurements, key: Key, points: Sequence[SinglePoint], systems: Sequence[Truths]
) -> Estimate | None:
    """Return the milliseconds of a force call at some systems: in relaxations, else in replays, else near structures.

    The last are of a single process, so they have no interval; each system counts the same in their mean.
    """
    frames = {one for truths in systems for one in truths.frames}
    for frame, time, count in (
        (measurements.structures, "step_calculator_ns", "step_force_calls"),
        (measurements.replays, "calculator_ns", "force_calls"),
    ):
        mine = frame[(frame["method"] == key[0]) & (frame["device"] == key[1])]
        there = mine[mine["structure"].isin(frames)] if frames else mine
        times = per_round(there, time, count).get(key)
        if times is not None:
            return mean_time(times)
    each = [
        np.log([one.calculator_ns * 1e-6 for one in points if one.calculator_ns > 0 and truths.has(one.structure)])
        for truths in systems
    ]
    each = [logs for logs in each if logs.size]
    if len(each) == 1:
        return fit(each[0][:, None]).estimate()
    if not each:
        return None
    mean = float(np.exp(np.mean([logs.mean() for logs in each])))
    return Estimate(mean, None, None, sum(map(len, each)), None, lacks=ONE_PROCESS)


def _at_structures(
    points: Sequence[SinglePoint], compared: Sequence[Level], theory: Mapping[str, str], truths: Truths
) -> dict[str, Any]:
    energies = {one.structure: one.energy for one in points if one.energy is not None}
    forces = {one.structure: truths.moving(np.array(one.forces)) for one in points}
    references = {level.name: each for level in compared if (each := errors_at(energies, forces, level)) is not None}
    if not references:
        return {}
    by_name = {level.name: level for level in compared}
    most = max(one.structures for one in references.values())
    # a level with a structure or two must not judge where others have more
    enough = [name for name, one in references.items() if one.structures >= min(FEWEST_STRUCTURES, most)]
    nearest = levels.nearest(theory, {name: by_name[name].theory for name in enough})
    same = same_theory(theory, by_name[nearest].theory)
    # an error and the spread that it is held against are of the same structures
    spread = spread_of(truths, set(forces) & set(by_name[nearest].forces))
    judged = errors_at(energies, forces, by_name[nearest], spread.structures if spread else None)
    assert judged is not None
    return {
        "references": references,
        "nearest": nearest,
        "nearest_label": by_name[nearest].label,
        "verdict": levels.verdict(judged.force_mae, spread.force_mae if spread else 0.0, same)
        if same or spread is not None
        else None,
        "spread": spread,
        "uncertainty": _uncertainty(points, by_name[nearest], truths),
    }


def _uncertainty(points: Sequence[SinglePoint], level: Level, truths: Truths) -> Any:
    known = [one for one in points if one.force_deviations is not None and one.structure in level.forces]
    if not known:
        return None
    errors = [
        np.linalg.norm(truths.moving(np.array(one.forces)) - level.forces[one.structure], axis=1) for one in known
    ]
    claimed = [truths.moving(np.array(one.force_deviations)) for one in known]
    return uncertainty_quality(np.array(claimed), np.array(errors))


SUMMARY = Summary(own=accuracies, table=accuracy_table)

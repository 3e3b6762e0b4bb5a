"""Compares each method of a run with each reference: one frozen value per method and device.

The figures are defined in :mod:`bench.protocols.accuracy.force_errors`, :mod:`bench.protocols.accuracy.geometry` and
:mod:`bench.analysis.vibrations`, and whose truth counts in :mod:`bench.protocols.accuracy.levels`; here they are put
together.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from bench.analysis.measurements import Measurements, Summary
from bench.analysis.methods import MeasuredMethod
from bench.analysis.model import fit
from bench.analysis.statistics import Estimate
from bench.analysis.times import Key, mean_time, per_round
from bench.analysis.vibrations import NormalModes
from bench.core.records import DONE, FAILED, Record
from bench.protocols.accuracy import levels
from bench.protocols.accuracy.floor import FEWEST_STRUCTURES, errors_at, floor, modes_of, spread_of
from bench.protocols.accuracy.force_errors import uncertainty_quality
from bench.protocols.accuracy.geometry import planarity
from bench.protocols.accuracy.levels import same_theory
from bench.protocols.accuracy.minimum import at_minimum, reference_minimum
from bench.protocols.accuracy.plan import ACCURACY
from bench.protocols.accuracy.record import SinglePoint, Vibrations
from bench.protocols.accuracy.table import Accuracy, AccuracyTable
from bench.protocols.accuracy.truths import Level, Truths
from bench.protocols.md.analyse import stabilities

R = TypeVar("R", SinglePoint, Vibrations)

RANDOM = "random weights, whose energies mean nothing"
PLANAR = 0.05
"""Angstrom, root mean square: a molecule this near to a plane is meant to be planar."""


def accuracies(measurements: Measurements) -> dict[Key, Accuracy]:
    """Return the accuracy of each method and device of a campaign; empty where the protocol was not measured."""
    return measurements.once("accuracies", lambda: _accuracies(measurements))


def _accuracies(measurements: Measurements) -> dict[Key, Accuracy]:
    truths: Truths | None = measurements.read.get(ACCURACY)
    if truths is None:
        return {}
    normal = {level.name: modes_of(level, truths) for level in truths.levels if level.has_hessian}
    rows = {method.key: _accuracy(method, measurements, truths, normal) for method in measurements.methods}
    common = _common(rows.values(), truths.levels)
    if common is None:
        return rows
    return {key: dataclasses.replace(row, common=common.name, common_label=common.label) for key, row in rows.items()}


def _common(rows: Iterable[Accuracy], every: Sequence[Level]) -> Level | None:
    """Return the level by which methods are compared with each other; None where none was compared with any.

    Of the levels that most methods have, the highest one: an error against a level of its own tells how well a model
    learned, and not which of two is closer to the truth.
    """
    counts = Counter(name for row in rows for name in row.references)
    theories = {one.name: one.theory for one in every if counts[one.name] == max(counts.values(), default=0) > 0}
    if not theories:
        return None
    chosen = levels.nearest({}, theories)
    return next(one for one in every if one.name == chosen)


def accuracy_table(measurements: Measurements) -> AccuracyTable:
    """Return the accuracy of all methods of a campaign, with the floor."""
    truths: Truths = measurements.read[ACCURACY]
    rows = accuracies(measurements)
    verdicts = {key: found.verdict for key, found in stabilities(measurements).items()}
    return AccuracyTable(
        description=measurements.description,
        rows=tuple(dataclasses.replace(row, stability=verdicts.get(key)) for key, row in rows.items()),
        levels=truths.levels,
        floor=tuple(floor(truths)),
        spread=spread_of(truths),
        minima=tuple(
            reference_minimum(level, truths, modes_of(level, truths)) for level in truths.levels if level.has_hessian
        ),
        experiment=truths.experiment.sources if truths.experiment else (),
        planar=_is_planar(truths),
        missing=truths.missing,
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
    points = _of(SinglePoint, records, method)
    done = [one for one in points if one.status == DONE]
    found = Accuracy(
        method=method.method,
        label=method.label,
        kind=method.kind,
        device=method.device,
        weights=method.weights,
        conservative=facts.conservative,
        theory=facts.theory,
        time=_time(measurements, method.key, done),
        failures=Counter(one.failure.kind for one in points if one.failure and one.status == FAILED),
    )
    if method.weights == "random":
        return dataclasses.replace(found, refused=RANDOM)
    compared = [level for level in truths.levels if not level.control]
    found = dataclasses.replace(found, **_at_structures(done, compared, facts.theory or {}, truths))
    looked_for = _of(Vibrations, records, method)
    vibrations = next((one for one in looked_for if one.hessian is not None), None)
    if vibrations is None:
        found = dataclasses.replace(
            found, no_minimum=_no_minimum(looked_for, measurements.description.settings.vibrations)
        )
    else:
        with_minimum = {level.name: level for level in compared if level.minimum is not None}
        found = dataclasses.replace(found, **at_minimum(vibrations, truths, with_minimum, normal, facts.theory or {}))
    if not found.measured:
        why = method.message if method.failure else _why(points, looked_for)
        found = dataclasses.replace(found, refused=why)
    return found


def _of(kind: type[R], records: Sequence[Record], method: MeasuredMethod) -> list[R]:
    return [one for one in records if isinstance(one, kind) and (one.method, one.device) == method.key]


def _why(points: Sequence[SinglePoint], vibrations: Sequence[Vibrations]) -> str:
    failures = [*(one.failure for one in points), *(one.failure for one in vibrations)]
    failure = next(filter(None, failures), None)
    if failure is not None:
        return f"{failure.kind}: {failure.message}"
    return "no structure of the run has labels" if points else "its time ended before anything was measured"


def _no_minimum(vibrations: Sequence[Vibrations], wanted: bool) -> str | None:
    failure = vibrations[-1].failure if vibrations else None
    if failure is not None:
        return f"{failure.kind}: {failure.message}"
    return "its time ended first" if wanted else None


def _time(measurements: Measurements, key: Key, points: Sequence[SinglePoint]) -> Estimate | None:
    """Return the milliseconds of a force call: in relaxations, else in replays, else near the structures themselves.

    The last are of a single process, so they have no interval.
    """
    for frame, time, count in (
        (measurements.structures, "step_calculator_ns", "step_force_calls"),
        (measurements.replays, "calculator_ns", "force_calls"),
    ):
        times = per_round(frame, time, count).get(key)
        if times is not None:
            return mean_time(times)
    each = [one.calculator_ns * 1e-6 for one in points if one.calculator_ns > 0]
    return fit(np.log(each)[:, None]).estimate() if each else None


def _at_structures(
    points: Sequence[SinglePoint], compared: Sequence[Level], theory: Mapping[str, str], truths: Truths
) -> dict[str, Any]:
    energies = {one.structure: one.energy for one in points if one.energy is not None}
    forces = {one.structure: np.array(one.forces) for one in points}
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
        "uncertainty": _uncertainty(points, by_name[nearest]),
    }


def _uncertainty(points: Sequence[SinglePoint], level: Level) -> Any:
    known = [one for one in points if one.force_deviations is not None and one.structure in level.forces]
    if not known:
        return None
    errors = [np.linalg.norm(np.array(one.forces) - level.forces[one.structure], axis=1) for one in known]
    return uncertainty_quality(np.array([one.force_deviations for one in known]), np.array(errors))


SUMMARY = Summary(own=accuracies, table=accuracy_table)

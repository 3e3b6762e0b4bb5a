"""Compares each method of a run with each reference: one frozen value per method and device.

The figures are defined in :mod:`bench.analysis.force_errors`, :mod:`bench.analysis.geometry` and
:mod:`bench.analysis.vibrations`, and whose truth counts in :mod:`bench.analysis.levels`; here they are put together.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from bench.analysis import geometry, levels, species
from bench.analysis.accurate import Accuracy, AccuracyTable, Floor, Geometry, Harmonic
from bench.analysis.fidelity import kabsch_rmsd
from bench.analysis.force_errors import ForceErrors, force_errors, uncertainty_quality
from bench.analysis.levels import same_theory
from bench.analysis.measurements import Measurements
from bench.analysis.methods import MeasuredMethod
from bench.analysis.stability import stabilities
from bench.analysis.statistics import Estimate, geometric_mean
from bench.analysis.times import Key, mean_time, per_round
from bench.analysis.truths import Experiment, Level, Truths
from bench.analysis.vibrations import (
    FrequencyErrors,
    NormalModes,
    compare,
    frequency_errors,
    harmonic,
    imaginary,
    zero_point_energy,
)
from bench.contract.records import DONE, Record, SinglePoint, Vibrations

R = TypeVar("R", SinglePoint, Vibrations)

RANDOM = "random weights, whose energies mean nothing"


def accuracies(measurements: Measurements) -> dict[Key, Accuracy]:
    """Return the accuracy of each method and device of a campaign; empty where the protocol was not measured."""
    truths = measurements.truths
    if truths is None:
        return {}
    normal = {level.name: _modes(level, truths) for level in truths.levels if level.minimum is not None}
    spread = _spread(floor(truths), truths)
    return {method.key: _accuracy(method, measurements, truths, normal, spread) for method in measurements.methods}


def accuracy_table(measurements: Measurements) -> AccuracyTable:
    """Return the accuracy of all methods of a campaign, with the floor."""
    truths = measurements.truths
    assert truths is not None
    pairs = floor(truths)
    verdicts = {key: found.verdict for key, found in stabilities(measurements).items()}
    return AccuracyTable(
        description=measurements.description,
        rows=tuple(
            dataclasses.replace(row, stability=verdicts.get(key)) for key, row in accuracies(measurements).items()
        ),
        levels=truths.levels,
        floor=tuple(pairs),
        spread=_spread(pairs, truths),
        experiment=truths.experiment.sources if truths.experiment else (),
        missing=truths.missing,
        damaged=measurements.damaged,
    )


def floor(truths: Truths) -> list[Floor]:
    """Return how much each two references differ, at the structures, in their minima and in their frequencies."""
    found = []
    for one, other in itertools.combinations(truths.levels, 2):
        frequencies = bonds = None
        if one.minimum is not None and other.minimum is not None:
            modes = _modes(one, truths), _modes(other, truths)
            positions = one.minimum.positions, other.minimum.positions
            if _comparable(*modes):
                frequencies = compare(*modes, truths.masses, *positions).errors
            bonds = geometry.bond_errors(truths.numbers, *positions)
        forces = _errors(one.energies, one.forces, other)
        if forces is not None or frequencies is not None:
            found.append(Floor(one.name, other.name, forces, frequencies, bonds, same_theory(one.theory, other.theory)))
    return found


def _spread(pairs: Sequence[Floor], truths: Truths) -> float | None:
    """Return the largest force MAE between two theories; None where no two have labels in common.

    Labels that only check others do not count: their own errors would widen it.
    """
    controls = {level.name for level in truths.levels if level.control}
    known = {
        (pair.a, pair.b): pair.forces.force_mae.estimate
        for pair in pairs
        if pair.forces and not pair.same_theory and controls.isdisjoint((pair.a, pair.b))
    }
    return levels.spread(known) if known else None


def _modes(level: Level, truths: Truths) -> NormalModes:
    assert level.minimum is not None
    return harmonic(level.minimum.hessian, truths.masses, level.minimum.positions)


def _comparable(modes: NormalModes, reference: NormalModes) -> bool:
    """Return whether there are modes, and as many: a molecule that is linear in only one of both has another number."""
    return modes.wavenumbers.size == reference.wavenumbers.size > 0


def _accuracy(
    method: MeasuredMethod,
    measurements: Measurements,
    truths: Truths,
    normal: Mapping[str, NormalModes],
    spread: float | None,
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
        failures=Counter(one.failure.kind for one in points if one.failure),
    )
    if method.weights == "random":
        return dataclasses.replace(found, refused=RANDOM)
    compared = [level for level in truths.levels if not level.control]
    found = dataclasses.replace(found, **_at_structures(done, compared, facts.theory or {}, spread))
    looked_for = _of(Vibrations, records, method)
    vibrations = next((one for one in looked_for if one.hessian is not None), None)
    if vibrations is None:
        found = dataclasses.replace(found, no_minimum=_no_minimum(looked_for))
    else:
        with_minimum = {level.name: level for level in compared if level.minimum is not None}
        found = dataclasses.replace(found, **_at_minimum(vibrations, truths, with_minimum, normal, facts.theory or {}))
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


def _no_minimum(vibrations: Sequence[Vibrations]) -> str | None:
    if not vibrations:
        return None
    failure = vibrations[-1].failure
    return f"{failure.kind}: {failure.message}" if failure else "its time ended first"


def _time(measurements: Measurements, key: Key, points: Sequence[SinglePoint]) -> Estimate | None:
    """Return the milliseconds of a force call: in relaxations, else in replays, else at the structures themselves.

    The last are of a single process, so their interval is without the scatter of rounds.
    """
    for frame in (measurements.structures, measurements.replays):
        times = per_round(frame, "calculator_ns", "force_calls").get(key)
        if times is not None:
            return mean_time(times)
    each = [one.calculator_ns * 1e-6 for one in points if one.calculator_ns > 0]
    return geometric_mean(np.array(each)) if each else None


def _errors(energies: Mapping[int, float], forces: Mapping[int, np.ndarray], level: Level) -> ForceErrors | None:
    """Return the errors at the structures that both have; None where there are none."""
    common = sorted(set(forces) & set(level.forces))
    if not common:
        return None
    return force_errors(
        np.array([forces[i] for i in common]),
        np.array([level.forces[i] for i in common]),
        np.array([energies[i] for i in common]),
        np.array([level.energies[i] for i in common]),
    )


def _at_structures(
    points: Sequence[SinglePoint], compared: Sequence[Level], theory: Mapping[str, str], spread: float | None
) -> dict[str, Any]:
    energies = {one.structure: float(one.energy or 0.0) for one in points}
    forces = {one.structure: np.array(one.forces) for one in points}
    references = {level.name: each for level in compared if (each := _errors(energies, forces, level)) is not None}
    if not references:
        return {}
    by_name = {level.name: level for level in compared}
    nearest = levels.nearest(theory, {name: by_name[name].theory for name in references})
    same = same_theory(theory, by_name[nearest].theory)
    mae = references[nearest].force_mae
    return {
        "references": references,
        "nearest": nearest,
        "verdict": levels.verdict(mae, spread or 0.0, same) if same or spread is not None else None,
        "uncertainty": _uncertainty(points, by_name[nearest]),
    }


def _uncertainty(points: Sequence[SinglePoint], level: Level) -> Any:
    known = [one for one in points if one.force_deviations is not None and one.structure in level.forces]
    if not known:
        return None
    errors = [np.linalg.norm(np.array(one.forces) - level.forces[one.structure], axis=1) for one in known]
    return uncertainty_quality(np.array([one.force_deviations for one in known]), np.array(errors))


def _at_minimum(
    record: Vibrations,
    truths: Truths,
    minima: Mapping[str, Level],
    normal: Mapping[str, NormalModes],
    theory: Mapping[str, str],
) -> dict[str, Any]:
    positions = np.array(record.positions)
    modes = harmonic(np.array(record.hessian), truths.masses, positions)
    own = Harmonic(
        status=record.status,
        fmax=float(record.fmax or 0.0),
        planarity=geometry.planarity(positions),
        wavenumbers=tuple(modes.wavenumbers.tolist()),
        imaginary=imaginary(modes.wavenumbers),
        residue=modes.residue,
        asymmetry=modes.asymmetry,
        zero_point_energy=zero_point_energy(modes.wavenumbers),
        hessian_seconds=record.hessian_ns / 1e9,
        hessian_calls=record.force_calls,
        source=record.source,
    )
    found: dict[str, Any] = {"harmonic": own}
    if minima:
        found["nearest_minimum"] = levels.nearest(theory, {name: level.theory for name, level in minima.items()})
        found["geometry"] = {
            name: Geometry(
                geometry.bond_errors(truths.numbers, positions, level.minimum.positions),
                kabsch_rmsd(positions, level.minimum.positions),
            )
            for name, level in minima.items()
            if level.minimum is not None
        }
        found["vibrations"] = {
            name: compare(modes, normal[name], truths.masses, positions, level.minimum.positions)
            for name, level in minima.items()
            if level.minimum is not None and _comparable(modes, normal[name])
        }
    if truths.experiment is not None:
        if truths.experiment.bonds:
            unique = [(bond.pairs, bond.length) for bond in truths.experiment.bonds]
            found["experimental_bonds"] = geometry.unique_bonds_error(positions, unique)
        found["experimental_fundamentals"] = _fundamentals(modes, positions, truths.numbers, truths.experiment)
    return found


def _fundamentals(
    modes: NormalModes, positions: np.ndarray, numbers: np.ndarray, experiment: Experiment
) -> FrequencyErrors | None:
    """Compare harmonic wavenumbers with measured fundamentals, matched by species; None where that is impossible."""
    names = species.species(numbers, positions, modes.modes)
    if names is None:
        return None
    places = species.numbered(names, modes.wavenumbers)
    both = [
        (modes.wavenumbers[places[one.species, one.place]], one.wavenumber)
        for one in experiment.fundamentals
        if (one.species, one.place) in places
    ]
    if not both:
        return None
    ours, measured = np.array(both).T
    return frequency_errors(ours, measured)

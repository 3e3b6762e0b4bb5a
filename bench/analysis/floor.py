"""How much the references differ among themselves: the floor below which an error says nothing."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from bench.analysis import geometry, levels
from bench.analysis.accurate import Floor
from bench.analysis.force_errors import ForceErrors, force_errors
from bench.analysis.levels import same_theory
from bench.analysis.truths import Level, Truths
from bench.analysis.vibrations import NormalModes, compare, harmonic

FEWEST_STRUCTURES = 3
"""A comparison of two levels, or with one, counts for a verdict only at as many structures."""


def floor(truths: Truths) -> list[Floor]:
    """Return how much each two references differ, at the structures, in their minima and in their frequencies."""
    found = []
    for one, other in itertools.combinations(truths.levels, 2):
        frequencies = bonds = None
        if one.minimum is not None and other.minimum is not None:
            modes = modes_of(one, truths), modes_of(other, truths)
            positions = one.minimum.positions, other.minimum.positions
            if comparable(*modes):
                frequencies = compare(*modes, truths.masses, *positions).errors
            bonds = geometry.bond_errors(truths.numbers, *positions)
        forces = errors_at(one.energies, one.forces, other)
        if forces is not None or frequencies is not None:
            found.append(Floor(one.name, other.name, forces, frequencies, bonds, same_theory(one.theory, other.theory)))
    return found


def spread_of(pairs: Sequence[Floor], truths: Truths) -> float | None:
    """Return the largest force MAE between two theories; None where no two have labels in common.

    Labels that only check others do not count: their own errors would widen it. Nor do pairs that have fewer
    structures in common than :data:`FEWEST_STRUCTURES`.
    """
    controls = {level.name for level in truths.levels if level.control}
    known = {
        (pair.a, pair.b): pair.forces.force_mae.estimate
        for pair in pairs
        if pair.forces
        and pair.forces.structures >= FEWEST_STRUCTURES
        and not pair.same_theory
        and controls.isdisjoint((pair.a, pair.b))
    }
    return levels.spread(known) if known else None


def modes_of(level: Level, truths: Truths) -> NormalModes:
    """Return the normal modes of a level that has a minimum."""
    assert level.minimum is not None
    return harmonic(level.minimum.hessian, truths.masses, level.minimum.positions)


def comparable(modes: NormalModes, reference: NormalModes) -> bool:
    """Return whether there are modes, and as many: a molecule that is linear in only one of both has another number."""
    return modes.wavenumbers.size == reference.wavenumbers.size > 0


def errors_at(energies: Mapping[int, float], forces: Mapping[int, np.ndarray], level: Level) -> ForceErrors | None:
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

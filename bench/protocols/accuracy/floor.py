"""How much the references differ among themselves: the floor below which an error says nothing."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping

import numpy as np

from bench.analysis.vibrations import NormalModes, harmonic
from bench.protocols.accuracy import geometry, levels
from bench.protocols.accuracy.force_errors import ForceErrors, force_errors, force_mae
from bench.protocols.accuracy.levels import same_theory
from bench.protocols.accuracy.matching import compare
from bench.protocols.accuracy.pooled import compared
from bench.protocols.accuracy.table import Floor, Spread
from bench.protocols.accuracy.truths import Level, Truths

FEWEST_STRUCTURES = 3
"""A comparison of two levels, or with one, counts for a verdict only at as many structures."""


def floor(truths: Truths) -> list[Floor]:
    """Return how much each two references differ, at the structures, in their minima and in their frequencies."""
    found = []
    normal = {level.name: modes_of(level, truths) for level in truths.levels if level.has_hessian}
    for one, other in itertools.combinations(truths.levels, 2):
        frequencies = bonds = None
        if one.minimum is not None and other.minimum is not None:
            positions = one.minimum.positions, other.minimum.positions
            if one.has_hessian and other.has_hessian:
                modes = normal[one.name], normal[other.name]
                if comparable(*modes):
                    frequencies = compare(*modes, truths.masses, *positions, truths.numbers).errors
            bonds = geometry.bond_errors(truths.numbers, *positions)
        forces = errors_at(one.energies, one.forces, other)
        if forces is not None or bonds is not None:
            found.append(Floor(one.name, other.name, forces, frequencies, bonds, same_theory(one.theory, other.theory)))
    return found


def spread_of(truths: Truths, structures: Collection[int] | None = None) -> Spread | None:
    """Return how far good theories differ, at the structures that all of them have and that are in `structures`.

    Only the levels that :data:`bench.protocols.accuracy.levels.STATED` names count, each functional by the level with
    the most labels (of equally many, the most complete basis): another level, however bad, changes nothing. None where
    fewer than two functionals have :data:`FEWEST_STRUCTURES` structures in common.
    """
    chosen: dict[str, Level] = {}
    for level in truths.levels:
        if level.control or not level.forces or not levels.stated(level.theory):
            continue
        known = chosen.get(levels.functional(level.theory))
        if known is None or _completeness(level) > _completeness(known):
            chosen[levels.functional(level.theory)] = level
    if len(chosen) < 2:
        return None
    common = set.intersection(*(set(level.forces) for level in chosen.values()))
    if structures is not None:
        common &= set(structures)
    if len(common) < FEWEST_STRUCTURES:
        return None
    errors = []
    for one, other in itertools.combinations(chosen.values(), 2):
        found = compared(one.energies, one.forces, other, common)
        assert found is not None
        errors.append(force_mae(found.forces, found.reference_forces).estimate)
    return Spread(max(errors), tuple(level.name for level in chosen.values()), frozenset(common))


def _completeness(level: Level) -> tuple[int, int]:
    return len(level.forces), levels.basis_rank(level.theory)


def modes_of(level: Level, truths: Truths) -> NormalModes:
    """Return the normal modes of a level that has a minimum with a Hessian."""
    assert level.minimum is not None
    assert level.minimum.hessian is not None
    return harmonic(level.minimum.hessian, truths.masses, level.minimum.positions)


def comparable(modes: NormalModes, reference: NormalModes) -> bool:
    """Return whether there are modes, and as many: a molecule that is linear in only one of both has another number."""
    return modes.wavenumbers.size == reference.wavenumbers.size > 0


def errors_at(
    energies: Mapping[int, float],
    forces: Mapping[int, np.ndarray],
    level: Level,
    structures: Collection[int] | None = None,
) -> ForceErrors | None:
    """Return the errors at the structures that both have, and that are in `structures`; None where there are none."""
    found = compared(energies, forces, level, structures)
    return None if found is None else force_errors(*found)

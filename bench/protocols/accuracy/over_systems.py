"""The accuracy of a method over several systems, from its accuracy at each.

Force errors are means over systems, each with the same weight; energies, geometries and frequencies are those of a
system. Spread and verdict are of a system, too: other systems may have other levels.
"""

from __future__ import annotations

import dataclasses
import itertools
import shlex
from collections import Counter
from collections.abc import Collection, Sequence

import numpy as np

from bench.core.description import DataSetFacts, Description
from bench.protocols.accuracy import levels
from bench.protocols.accuracy.levels import same_theory
from bench.protocols.accuracy.pooled import Compared, compared, pooled
from bench.protocols.accuracy.record import SinglePoint
from bench.protocols.accuracy.table import Accuracy, Floor
from bench.protocols.accuracy.truths import Level, Truths

FIXED = "Forces on fixed atoms are not compared."
NO_MOLECULE = "Minima and frequencies are those of free molecules, and there is none."
OWN_LABELS = "Put energies and forces into your file; --energy-key and --forces-key name them."
NAMED = 5
"""So many systems are named in a sentence."""


def all_levels(systems: Sequence[Truths]) -> tuple[Level, ...]:
    """Return the levels of all systems, each with its labels at all of them; those of several are without minima."""
    if len(systems) == 1:
        return systems[0].levels
    found: dict[str, Level] = {}
    for level in (level for truths in systems for level in truths.levels):
        known = found.get(level.name, Level(level.name, level.theory, control=level.control))
        found[level.name] = dataclasses.replace(
            known, energies={**known.energies, **level.energies}, forces={**known.forces, **level.forces}
        )
    return tuple(found.values())


def over_systems(
    bare: Accuracy, rows: Sequence[Accuracy], systems: Sequence[Truths], points: Sequence[SinglePoint]
) -> Accuracy:
    """Return the row of a method over its systems.

    Parameters
    ----------
    bare : Accuracy
        Its row without figures.
    rows : sequence of Accuracy
        The method at each system that it takes, at least one.
    systems : sequence of Truths
    points : sequence of SinglePoint
        What it answered at all structures.
    """
    found = dataclasses.replace(
        bare,
        failures=sum((Counter(row.failures) for row in rows), Counter()),
        verdicts=Counter(row.verdict for row in rows if row.verdict),
    )
    if not any(row.measured for row in rows):
        return dataclasses.replace(found, refused=next((row.refused for row in rows if row.refused), None))
    energies = {one.structure: one.energy for one in points if one.energy is not None}
    both: dict[str, list[Compared]] = {}
    for truths in systems:
        forces = {one.structure: truths.moving(np.array(one.forces)) for one in points if truths.has(one.structure)}
        for level in truths.levels:
            if not level.control and (one := compared(energies, forces, level)) is not None:
                both.setdefault(level.name, []).append(one)
    if not both:
        return found
    references = {name: pooled(each) for name, each in both.items()}
    known = {level.name: level for level in all_levels(systems)}
    most = max(one.systems for one in references.values())
    nearest = levels.nearest(
        bare.theory or {}, {name: known[name].theory for name, one in references.items() if one.systems == most}
    )
    return dataclasses.replace(found, references=references, nearest=nearest, nearest_label=known[nearest].label)


def differences(systems: Sequence[Truths]) -> list[Floor]:
    """Return how much each two references differ in their forces, over the systems that have both."""
    found = []
    for one, other in itertools.combinations(all_levels(systems), 2):
        here = [{level.name: level for level in truths.levels} for truths in systems]
        both = [
            each
            for level in here
            if one.name in level and other.name in level
            if (each := compared(level[one.name].energies, level[one.name].forces, level[other.name])) is not None
        ]
        if both:
            same = same_theory(one.theory, other.theory)
            found.append(Floor(one.name, other.name, pooled(both), None, None, same))
    return found


def missing(systems: Sequence[Truths], description: Description) -> str:
    """Return which systems have no reference, in sentences; empty where nothing is missing."""
    dataset = description.dataset
    free = {one.name for one in dataset.systems if not one.periodic and not one.fixed}
    labels = [one.system for one in systems if not any(level.forces for level in one.levels)]
    minima = [one.system for one in systems if one.system in free and not any(level.minimum for level in one.levels)]
    others = [one.system for one in systems if one.system not in free]
    said = []
    if labels:
        said.append(f"There are no reference labels for {_some(labels, len(systems))}. {_to_do(labels, free, dataset)}")
    if minima and description.settings.vibrations:
        said.append(
            f"There is no reference minimum of {_some(minima, len(systems))}, so geometries and frequencies there have "
            "no reference."
        )
    if others and description.settings.vibrations:
        said.append(_only_molecules(_some(others, len(systems))) if free else NO_MOLECULE)
    if any(one.fixed and any(level.forces for level in one.levels) for one in systems):
        said.append(FIXED)
    return " ".join(said)


def bound(dataset: DataSetFacts, labels: bool) -> str:
    """Return what cannot be compared of the only system, which has a cell or fixed atoms.

    `labels`: whether there are any for it.
    """
    said = [] if labels else [f"There are no reference labels for {dataset.name}. {OWN_LABELS}"]
    said.append(_only_molecules(dataset.formula))
    return " ".join([*said, FIXED] if labels and any(one.fixed for one in dataset.systems) else said)


def _to_do(systems: Sequence[str], free: Collection[str], dataset: DataSetFacts) -> str:
    """Return how to get labels for systems."""
    one = next((name for name in systems if name in free), None)
    if one is None:
        return OWN_LABELS
    named = dataset.given if "--structures" in dataset.given else ("--structures", dataset.name, *dataset.given)
    structures = shlex.join([*named[1:], "--systems", one])
    return f"'pesbench reference --level pbe0-def2-svp --structures {structures}' makes those of {one}."


def _only_molecules(others: str) -> str:
    return f"Minima and frequencies are those of free molecules, not of {others}."


def _some(names: Sequence[str], every: int) -> str:
    if len(names) == every:
        return "any of the systems"
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"

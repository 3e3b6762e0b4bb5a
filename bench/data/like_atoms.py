"""Which like atoms of two structures of a molecule belong together, where their files number them differently."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from ase.build import minimize_rotation_and_translation
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial.transform import Rotation

from bench.data.distances import bonds

MOST_TRIES = 20
NEAR = 0.3
"""Angstrom, root mean square: a structure farther from the target is tried from many sides."""
_FORBIDDEN = 1e6  # Angstrom squared: atoms that are not alike


def permuted(structure: Atoms, target: Atoms) -> NDArray[np.int64]:
    """Return the order of the target's atoms in which it lies nearest to the structure, such that bonds stay bonds.

    An assignment of like atoms and a rotation are found in turn, each the best for the other (iterated closest points).
    Alike are atoms of one element and surroundings. Where no order with the same bonds is nearer, it stays as it is.
    """
    kinds = _kinds(structure), _kinds(target)
    order = np.arange(len(structure))
    if sorted(kinds[0]) != sorted(kinds[1]):
        return order
    unlike = np.not_equal.outer(*map(np.array, kinds)) * _FORBIDDEN
    straight, distance = _laid(structure, target)
    best, nearest = order, distance
    centre = straight.mean(axis=0)
    starts = [straight]
    if distance > NEAR * np.sqrt(len(order)):  # as numbered, they may be turned to a place that is only locally best
        given = target.positions - target.positions.mean(axis=0)
        starts += [
            turn.apply(one) + centre for one in (straight - centre, given) for turn in Rotation.create_group("O")
        ]
    for placed in starts:
        for _ in range(MOST_TRIES):
            found = linear_sum_assignment(((structure.positions[:, None] - placed) ** 2).sum(axis=2) + unlike)[1]
            laid, distance = _laid(structure, target[found])
            if distance < nearest - 1e-6 and _same_bonds(structure, target[found]):
                best, nearest = found, distance
            previous, placed = placed, np.empty_like(laid)
            placed[found] = laid  # in the target's own order
            if np.allclose(placed, previous, atol=1e-9):
                break
    return best


def _laid(structure: Atoms, target: Atoms) -> tuple[NDArray[np.float64], float]:
    """Return the target's positions laid over the structure (least squares), and how far they still are."""
    moved = target.copy()
    minimize_rotation_and_translation(structure, moved)
    return moved.positions, float(np.linalg.norm(moved.positions - structure.positions))


def _same_bonds(one: Atoms, other: Atoms) -> bool:
    return np.array_equal(bonds(one), bonds(other))


def _kinds(atoms: Atoms) -> list[int]:
    """Return a number for each atom: equal for atoms of one element with the same surroundings (Weisfeiler, Lehman)."""
    near: list[list[int]] = [[] for _ in atoms]
    for one, other in bonds(atoms).tolist():
        near[one].append(other)
        near[other].append(one)
    kinds = [int(number) for number in atoms.numbers]
    for _ in range(4):
        kinds = [_digest((kinds[atom], *sorted(kinds[other] for other in near[atom]))) for atom in range(len(atoms))]
    return kinds


def _digest(words: tuple[int, ...]) -> int:
    return hash(words)  # of numbers alone, so it is the same in each process

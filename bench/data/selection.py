"""Which structures of a trajectory are measured, in which order, and the replay path from each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase import Atoms
from ase.build import minimize_rotation_and_translation

COUNT = 101  # as many as the paper optimised
MD17_SPACING = 3_250
FEWEST_PARTS = 9
NO_WAY = 1e-3
"""Angstrom: a shorter path would be no path."""
GROWTH = 0.02


def select_evenly(available: Sequence[int], count: int = COUNT, spacing: int = MD17_SPACING) -> list[int]:
    """Return, for k = 0..count-1, the member of `available` nearest to spacing k; the lower one in a tie."""
    indices = np.unique(available)
    # argmin takes the first of equal ones, and the indices ascend
    return [int(indices[np.argmin(np.abs(indices - spacing * k))]) for k in range(count)]


def measuring_order(n: int) -> list[int]:
    """Return the order in which all methods take the structures 0..n-1: 0, n/2, n/4, 3n/4, ...

    It is van der Corput's sequence in base 2, so every prefix is spread evenly over the trajectory: a method
    whose budget ends early has still covered all of it, and shares its structures with all other methods.
    """
    bits = max(n - 1, 0).bit_length()
    reversals = (int(f"{i:0{bits}b}"[::-1], 2) for i in range(2**bits))
    return list(dict.fromkeys(reversal * n >> bits for reversal in reversals)) if n else []


def replay_path(structure: Atoms, reference: Atoms, points: int) -> np.ndarray:
    """Return a path from a structure to the reference molecule, the same for every method.

    The reference is laid over the structure (least squares), and the way there is cut into equal parts: nine, or more
    for more than ten points. So the parts are about as long as steps of a relaxation, however few points there are. A
    structure that is the reference itself, as the first one of a user's file is, grows by 2 % instead: a calculator
    would answer a second call at the same geometry from its memory. Returns displacements from the structure,
    (points, n, 3) in Angstrom; the first is zero.
    """
    target = reference.copy()
    minimize_rotation_and_translation(structure, target)
    way = target.positions - structure.positions
    if np.abs(way).max() < NO_WAY:
        way = GROWTH * (structure.positions - structure.positions.mean(axis=0)) + NO_WAY  # also moves a single atom
    return np.arange(points)[:, None, None] / max(points - 1, FEWEST_PARTS) * way

"""Which structures of a trajectory are measured, in which order, and the replay path from each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase import Atoms
from ase.build import minimize_rotation_and_translation
from ase.data import covalent_radii
from scipy.spatial import cKDTree

from bench.data.distances import BONDED
from bench.data.like_atoms import permuted
from bench.data.systems import fixed_atoms

COUNT = 101  # as many as the paper optimised
MD17_SPACING = 3_250
FEWEST_PARTS = 9
NO_WAY = 1e-3
"""Angstrom: a shorter path would be no path."""
GROWTH = 0.02
NEAREST = 0.3
"""Of the sum of the covalent radii: nearer atoms are refused in a data set, too."""
SQUEEZED = ((0.6, 0.8), (1.1, 1.3))
"""No path brings a pair below the first that is above the second at both ends: atoms would pass through one another.
The last is for pairs that are not bonded."""
SHAKE = 0.15
"""Angstrom: how far the atom goes that goes farthest where a system is shaken; as far as relaxations of crystals do."""
TO_REFERENCE, REORDERED, GROWN, SHAKEN = WAYS = (
    "to the reference",
    "to the reference with like atoms exchanged",
    "grown",
    "shaken",
)
"""Where a replay leads."""


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
    """Return a path from a structure, the same for every method: see :func:`replay_way` for where it leads.

    The way is cut into equal parts: nine, or more for more than ten points. So the parts are about as long as steps of
    a relaxation, however few points there are. Returns displacements from the structure, (points, n, 3) in Angstrom;
    the first is zero, and no two points are alike.
    """
    way, _ = replay_way(structure, reference)
    return np.arange(points)[:, None, None] / max(points - 1, FEWEST_PARTS) * way


def replay_way(structure: Atoms, reference: Atoms) -> tuple[np.ndarray, str]:
    """Return the displacements to the end of a replay, (n, 3) in Angstrom, and which of :data:`WAYS` it is.

    The reference is laid over the structure (least squares), with like atoms exchanged where that is nearer and bonds
    stay bonds: a file may number the hydrogens of a methyl group in any order, and straight ahead they would pass
    through one another. Where atoms still meet, or where the structure is the reference itself, as the first one of a
    user's file is, the structure grows by 2 % instead: a calculator would answer a second call at the same geometry
    from its memory. A periodic system, or one with atoms that do not move, cannot be turned or grow: its free atoms go
    in directions drawn at random, the same in every run.
    """
    fixed = fixed_atoms(structure)
    if structure.pbc.any() or fixed:
        return _shaken(len(structure), fixed), SHAKEN
    order = permuted(structure, reference)
    way = _laid_over(structure, reference[order])
    if np.abs(way).max() >= NO_WAY and is_safe(structure, way):
        return way, REORDERED if (order != np.arange(len(order))).any() else TO_REFERENCE
    # NO_WAY also moves a single atom
    return GROWTH * (structure.positions - structure.positions.mean(axis=0)) + NO_WAY, GROWN


def _shaken(atoms: int, fixed: Sequence[int]) -> np.ndarray:
    way = np.random.default_rng(atoms).normal(size=(atoms, 3))
    way[list(fixed)] = 0.0
    farthest = float(np.linalg.norm(way, axis=1).max())
    return way * (SHAKE / farthest) if farthest else way


def is_safe(structure: Atoms, way: np.ndarray) -> bool:
    """Return whether no two atoms come too near one another anywhere on a straight way, (n, 3) in Angstrom.

    Too near is below :data:`NEAREST` of the sum of their covalent radii, or as :data:`SQUEEZED` says.
    """
    radii = covalent_radii[structure.numbers]
    most = 2 * float(np.linalg.norm(way, axis=1).max()) + 2 * BONDED * float(radii.max())
    first, second = cKDTree(structure.positions).query_pairs(most, output_type="ndarray").T.reshape(2, -1)
    here = structure.positions[first] - structure.positions[second]
    along = way[first] - way[second]
    # the distance of a pair along a straight way is least at one point
    with np.errstate(divide="ignore", invalid="ignore"):
        at = np.nan_to_num(-(here * along).sum(axis=1) / (along**2).sum(axis=1)).clip(0, 1)
    sums = radii[first] + radii[second]
    least = np.linalg.norm(here + at[:, None] * along, axis=1) / sums
    at_ends = np.minimum(np.linalg.norm(here, axis=1), np.linalg.norm(here + along, axis=1)) / sums
    squeezed = [(least < below) & (at_ends > apart) for below, apart in SQUEEZED]
    return not np.any([least < NEAREST, *squeezed])


def _laid_over(structure: Atoms, reference: Atoms) -> np.ndarray:
    target = reference.copy()
    minimize_rotation_and_translation(structure, target)
    return np.asarray(target.positions - structure.positions)

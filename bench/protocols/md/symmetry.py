"""Tests of forces that hold for every potential: force calls only, no clock and no energies.

Forces that are the derivative of an energy have a symmetric Jacobian and do no work around a closed loop; forces
between the atoms alone sum to zero, and so do their torques; the forces on a rotated molecule are the rotated forces.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from time import perf_counter_ns
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from bench.core.failure import Failure
from bench.measure.derivatives import Forces, TimeIsUp, jacobian
from bench.measure.relax import classify
from bench.protocols.md.record import Symmetry

ROTATIONS = 12
LOOP_POINTS = 24
LOOP_RADIUS = 0.05  # Angstrom per atom, root mean square
SEED = 0


def loop_work(forces: Forces, positions: np.ndarray, seed: int = SEED) -> tuple[float, float]:
    """Return the work of the forces around a circle in configuration space, and the sum of its absolute values.

    The circle lies around `positions` in the plane of two random orthogonal directions; its radius is 0.05 Angstrom
    times the root of the number of atoms. The integrand is periodic, so the sum over 24 equal parts is exact except
    for harmonics of the 24th order.

    Returns
    -------
    work, absolute : float
        eV. The first is zero for a conservative force; the second is the scale for comparison.
    """
    plane = np.linalg.qr(np.random.default_rng(seed).normal(size=(positions.size, 2)))[0].T.reshape(2, *positions.shape)
    radius = LOOP_RADIUS * np.sqrt(len(positions))
    angle = 2 * np.pi / LOOP_POINTS
    work = []
    for k in range(LOOP_POINTS):
        cosine, sine = np.cos(k * angle), np.sin(k * angle)
        at = positions + radius * (cosine * plane[0] + sine * plane[1])
        tangent = radius * (cosine * plane[1] - sine * plane[0])
        work.append(float((forces(at) * tangent).sum()) * angle)
    return float(np.sum(work)), float(np.sum(np.abs(work)))


def rotation_error(forces: Forces, positions: np.ndarray, rotations: int = ROTATIONS, seed: int = SEED) -> float:
    """Return how far the forces of a rotated molecule are from the rotated forces.

    Root mean square of a component, eV/Angstrom, over random rotations about the centre of the molecule.
    """
    random = np.random.default_rng(seed)
    centre = positions.mean(axis=0)
    expected = forces(positions)
    squares = []
    for turn in Rotation.random(rotations, random).as_matrix():
        found = forces(centre + (positions - centre) @ turn.T)
        squares.append(np.mean((found @ turn - expected) ** 2))
    return float(np.sqrt(np.mean(squares)))


def net(forces: np.ndarray, positions: np.ndarray) -> tuple[float, float]:
    """Return the norms of the sum of the forces (eV/Angstrom) and of the sum of their torques (eV)."""
    torque = np.cross(positions - positions.mean(axis=0), forces).sum(axis=0)
    return float(np.linalg.norm(forces.sum(axis=0))), float(np.linalg.norm(torque))


def examine(
    adapter: Any,
    calculator: Any,
    structure: Any,
    *,
    key: dict[str, Any],
    deadline_ns: int | None = None,
    beat: Callable[[int], None] = lambda calls: None,
) -> Symmetry:
    """Examine the forces at one structure; tests after the deadline stay None in the record.

    `key` holds the record's method, device, round and structure. Cheap tests come first: 1, 13, 24 and 6n force
    calls for n atoms.
    """
    begin = perf_counter_ns()
    calls = itertools.count(1)

    def forces(positions: np.ndarray) -> np.ndarray:
        if deadline_ns is not None and perf_counter_ns() > deadline_ns:
            raise TimeIsUp
        beat(next(calls))
        moved = structure.copy()
        moved.positions = positions
        atoms = adapter.prepare(moved)
        return np.array(adapter.new_structure(calculator, atoms).get_forces(atoms), dtype=float)

    found: dict[str, Any] = {}
    failure = None
    positions = structure.positions.copy()
    try:
        here = forces(positions)
        found["force_rms"] = float(np.sqrt(np.mean(here**2)))
        net_force, net_torque = net(here, positions)
        found["net_force"] = net_force
        if not structure.pbc.any():  # images exert a torque, and a rotated crystal needs a rotated cell
            found["net_torque"] = net_torque
            found["rotation_error"] = rotation_error(forces, positions)
        found["loop_work"], found["loop_absolute"] = loop_work(forces, positions)
        derivatives = jacobian(forces, positions)
        found["jacobian_symmetric"] = float(np.linalg.norm(derivatives + derivatives.T) / 2)
        found["jacobian_antisymmetric"] = float(np.linalg.norm(derivatives - derivatives.T) / 2)
    except TimeIsUp:
        pass
    except Exception as error:
        failure = classify(error)
    if not np.isfinite(list(found.values())).all():
        failure = failure or Failure("nan", "forces are not finite")
        found = {name: value if np.isfinite(value) else None for name, value in found.items()}
    return Symmetry(**key, **found, wall_ns=perf_counter_ns() - begin, failure=failure)

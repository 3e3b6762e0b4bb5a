"""The momenta of a simulation: which motions it has, how they are drawn, and a thermostat for them.

A free molecule has neither net momentum nor angular momentum. What is periodic in some direction has no net momentum,
and no rotation that could be taken away. With fixed atoms nothing is conserved, and only the others move.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from ase import Atoms, units
from ase.md.velocitydistribution import Stationary, ZeroRotation, thermalize_momenta
from ase.md.verlet import VelocityVerlet

from bench.core.records import INTERNAL, VELOCITIES
from bench.measure.relax import free_atoms

FRICTION = 5.0 / (1000 * units.fs)  # of all but naphthalene, as for naphthalene-gfn2
_LINEAR = 1e-3  # the rotation about the axis of a linear molecule is less than this share of the largest motion


def internal_motions(atoms: Atoms) -> int:
    """Return the number of motions that have a temperature.

    Of a molecule 3N - 6, 3N - 5 where it is linear, 0 for an atom; of what is periodic 3N - 3; with fixed atoms, three
    for each of the others.
    """
    return 3 * int(free_atoms(atoms).sum()) - rigid_motions(atoms).shape[1]


def rigid_motions(atoms: Atoms) -> np.ndarray:
    """Return the mass-weighted motions as a whole that a simulation is without, an orthonormal basis, (3n, m)."""
    basis, sizes = _motions(atoms)
    return basis[:, sizes > _LINEAR * sizes[:1]]


def _motions(atoms: Atoms) -> tuple[np.ndarray, np.ndarray]:
    """Return all of them, and their sizes, (m,).

    The sizes descend, so the rotation about the axis of a linear molecule is the last one.
    """
    if not free_atoms(atoms).all():
        return np.zeros((3 * len(atoms), 0)), np.zeros(0)
    root = np.sqrt(atoms.get_masses())[:, None]
    arms = atoms.positions - atoms.get_center_of_mass()
    motions = [np.broadcast_to(axis, arms.shape) for axis in np.eye(3)]
    if not atoms.pbc.any():
        motions += [np.cross(axis, arms) for axis in np.eye(3)]
    basis, sizes, _ = np.linalg.svd(np.stack([(root * one).ravel() for one in motions], axis=1), full_matrices=False)
    return basis, sizes


def set_momenta(atoms: Atoms, temperature: float, seed: int, temperature_of: str = VELOCITIES) -> None:
    """Draw momenta for a system at its minimum such that its temperature settles at `temperature`, K.

    Maxwell-Boltzmann, then the momenta of motions as a whole are removed, then all are scaled. The temperature is that
    of the internal motions or, as in MD17, of the kinetic energy over all 3N velocities; then that of the internal
    motions is 3N/(3N-6) times as high. Half of the kinetic energy becomes potential energy of the vibrations, so the
    momenta are scaled to twice the target.
    """
    thermalize_momenta(atoms, temperature, rng=np.random.default_rng(seed))  # it leaves fixed atoms at rest
    if free_atoms(atoms).all():
        Stationary(atoms, preserve_temperature=False)
        if not atoms.pbc.any():
            with np.errstate(divide="ignore", invalid="ignore"):  # a linear molecule has no moment about its axis
                ZeroRotation(atoms, preserve_temperature=False)
    if not atoms.get_kinetic_energy() > 1e-12:
        raise ValueError("it has no internal motion to simulate")
    counted = internal_motions(atoms) if temperature_of == INTERNAL else 3 * len(atoms)
    target = 2.0 * 0.5 * counted * units.kB * temperature
    atoms.set_momenta(atoms.get_momenta() * np.sqrt(target / atoms.get_kinetic_energy()))


class InternalLangevin(VelocityVerlet):
    """Langevin dynamics of the internal motions alone: friction and noise neither move nor turn the whole.

    A thermostat that only rescales velocities, such as the Nose-Hoover chain, is not ergodic with few vibrations: UFF's
    H2 stayed at 418 K instead of 300 K whatever the seed.
    """

    def __init__(self, atoms: Atoms, timestep: float, temperature_k: float, seed: int) -> None:
        super().__init__(atoms, timestep)
        self.kept = np.exp(-FRICTION * timestep)
        self.noise = np.sqrt((1 - self.kept**2) * units.kB * temperature_k)
        self.random = np.random.default_rng([seed, 1])  # other numbers than those of the momenta
        self.rigid = rigid_motions(atoms).shape[1]  # now: a linear molecule bends

    def step(self, forces: np.ndarray | None = None) -> Any:
        """Exchange heat, then make a step of velocity Verlet."""
        root = np.sqrt(self.atoms.get_masses())[:, None]
        weighted = self.kept * (self.atoms.get_momenta() / root).ravel()
        weighted += self.noise * self.random.standard_normal(weighted.size)
        basis = _motions(self.atoms)[0][:, : self.rigid]
        weighted -= basis @ (basis.T @ weighted)
        self.atoms.set_momenta(root * weighted.reshape(-1, 3))  # fixed atoms stay at rest
        return super().step(forces)

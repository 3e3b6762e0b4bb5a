"""The records of the md protocol."""

from __future__ import annotations

import dataclasses
import math
from typing import ClassVar

from bench.core.failure import Failure
from bench.core.records import VELOCITIES, Record


@dataclasses.dataclass(frozen=True)
class Symmetry(Record):
    """Tests of the forces at a structure; None where the time ran out."""

    record: ClassVar[str] = "symmetry"
    structure: int
    wall_ns: int
    force_rms: float | None = None
    """Root mean square of a force component, eV/Angstrom."""
    net_force: float | None = None
    """Norm of the sum of the forces, eV/Angstrom."""
    net_torque: float | None = None
    """Norm of the sum of the torques about the molecule's centre, eV."""
    rotation_error: float | None = None
    """Forces of the rotated molecule minus rotated forces, root mean square of a component, eV/Angstrom."""
    loop_work: float | None = None
    """Work around a circle in configuration space, eV."""
    loop_absolute: float | None = None
    """The same for the absolute values, eV."""
    jacobian_symmetric: float | None = None
    """Frobenius norm of the symmetric part of the forces' derivatives, eV/Angstrom^2."""
    jacobian_antisymmetric: float | None = None
    failure: Failure | None = None


@dataclasses.dataclass(frozen=True)
class Trajectory(Record):
    """One simulation from the method's own relaxed geometry."""

    record: ClassVar[str] = "trajectory"
    trajectory: int
    """Its number in the campaign's plan, from 0."""
    ensemble: str
    """``nve`` or ``nvt``."""
    seed: int
    """For the initial momenta."""
    time_step_fs: float
    temperature_k: float
    """Of what :attr:`temperature_of` says."""
    duration_ps: float
    """As planned."""
    status: str
    """``done``, ``censored`` (the time budget ended first) or ``failed``."""
    steps: int
    """Number of steps made."""
    wall_ns: int
    """Includes the relaxation before it, in the first trajectory of a worker."""
    file: str | None
    """The file of energies and frames, in the run directory; None where no step was made."""
    failure: Failure | None = None
    temperature_of: str = VELOCITIES
    """``velocities`` (all 3N of them, as in MD17) or ``internal`` (the internal motions)."""
    structure: int = 0
    """The first structure of its system."""

    def wrong(self) -> str | None:
        """Return what is wrong with its time step."""
        return None if 0 < self.time_step_fs < math.inf else "its time step is not a positive number"

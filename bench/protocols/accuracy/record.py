"""The records of the accuracy protocol."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from bench.core.failure import Failure
from bench.core.records import DONE, Record


@dataclasses.dataclass(frozen=True)
class SinglePoint(Record):
    """Energy and forces at a structure's own geometry, to be compared with reference labels."""

    record: ClassVar[str] = "single-point"
    structure: int
    status: str
    """``done`` or ``failed``; a `failure` beside ``done`` is that of the method's own uncertainty."""
    energy: float | None
    """eV."""
    forces: tuple[tuple[float, float, float], ...] | None
    """(n, 3) in eV/Angstrom."""
    calculator_ns: int
    """Of a further force call, a small step away; 0 where none was made."""
    wall_ns: int
    energy_deviation: float | None = None
    """Standard deviation of the energy by the method's own estimate of its uncertainty, eV."""
    force_deviations: tuple[float, ...] | None = None
    """The same of the force on each atom, (n,) in eV/Angstrom."""
    failure: Failure | None = None

    def wrong(self) -> str | None:
        """Return what is wrong with its answer."""
        return "it has no answer" if self.status == DONE and None in (self.energy, self.forces) else None


@dataclasses.dataclass(frozen=True)
class Vibrations(Record):
    """The method's own minimum of the reference molecule of a system, and its Hessian there."""

    record: ClassVar[str] = "vibrations"
    molecule: int
    """The first structure of the system: 0 where there is one system."""
    status: str
    """``converged``, ``step-cap`` (the Hessian is that of an unconverged geometry), ``censored`` or ``failed``."""
    steps: int
    """Of the relaxation."""
    energy: float | None
    """eV."""
    fmax: float | None
    """Largest force on an atom at the minimum, eV/Angstrom."""
    positions: tuple[tuple[float, float, float], ...] | None
    """(n, 3) in Angstrom."""
    hessian: tuple[tuple[float, ...], ...] | None
    """(3n, 3n) in eV/Angstrom^2, as computed: not symmetrised."""
    source: str
    """``central differences`` of the forces, or ``native``: the method's own."""
    force_calls: int | None
    """Of the Hessian; None where it is native."""
    hessian_ns: int
    """The force calls of the Hessian, or the native Hessian with its SCF."""
    wall_ns: int
    failure: Failure | None = None

    def wrong(self) -> str | None:
        """Return what is wrong with its Hessian."""
        if self.hessian is None:
            return None
        size = 3 * len(self.positions or ())
        if len(self.hessian) != size or any(len(row) != size for row in self.hessian):
            return "its Hessian is not one of its atoms"
        return None

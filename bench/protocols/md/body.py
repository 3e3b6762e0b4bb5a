"""What was simulated: a molecule, a crystal, or something with fixed atoms; which motions of it have a temperature."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.analysis.vibrations import external_motions

Floats = NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Body:
    """The reference structure of a system, as far as the analysis of a simulation needs it; n atoms."""

    numbers: np.ndarray
    """(n,) atomic numbers."""
    masses: np.ndarray
    """(n,) in u."""
    positions: np.ndarray
    """(n, 3) Angstrom."""
    free: np.ndarray
    """(n,) whether an atom moves."""
    cell: np.ndarray | None = None
    """(3, 3) Angstrom; None for a molecule."""
    pbc: tuple[bool, ...] = (False, False, False)

    @classmethod
    def of(cls, atoms: Any) -> Body:
        """Make one from ase.Atoms."""
        free = np.ones(len(atoms), dtype=bool)
        for one in atoms.constraints:
            free[one.get_indices()] = False
        periodic = bool(atoms.pbc.any())
        return cls(
            numbers=atoms.numbers.copy(),
            masses=atoms.get_masses(),
            positions=atoms.positions.copy(),
            free=free,
            cell=atoms.cell.array.copy() if periodic else None,
            pbc=tuple(bool(one) for one in atoms.pbc),
        )

    @property
    def periodic(self) -> bool:
        """Whether it is periodic in some direction."""
        return any(self.pbc)

    def motions(self, positions: Floats) -> Floats:
        """Return the mass-weighted motions as a whole that a simulation is without, an orthonormal basis, (3n, m).

        Translations and rotations of a molecule at `positions`, (n, 3); translations alone of what is periodic; none
        where atoms are fixed.
        """
        if not self.free.all():
            return np.zeros((3 * len(self.masses), 0))
        if not self.periodic:
            return external_motions(self.masses, positions)
        root = np.sqrt(self.masses / self.masses.sum())
        return np.kron(root[:, None], np.eye(3))

    @property
    def internal_motions(self) -> int:
        """The number of motions that have a temperature."""
        return 3 * int(self.free.sum()) - self.motions(self.positions).shape[1]

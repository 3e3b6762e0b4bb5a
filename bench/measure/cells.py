"""Relaxes the cell of a periodic system together with its atoms, by ASE's FrechetCellFilter."""

from __future__ import annotations

from typing import Any

import numpy as np

from bench.core.strain import relaxed_components


class Cell:
    """The atoms and the cell of a periodic system as an optimiser sees them; `filter` is what it moves.

    A convergence criterion holds for both: the forces on atoms and, for the cell, the derivative of the energy with
    respect to the strain per atom, which ASE's filter puts below them in three more rows.
    """

    def __init__(self, atoms: Any) -> None:
        from ase.filters import FrechetCellFilter  # it loads SciPy

        class Remembering(FrechetCellFilter):
            """Keeps what it was last asked for, so that nothing is computed twice for the record."""

            last = np.zeros((0, 3))

            def get_forces(self, **more: Any) -> np.ndarray:
                self.last = super().get_forces(**more)
                return self.last

        self.atoms = atoms
        self.filter = Remembering(atoms, mask=relaxed_components(atoms.cell.array.tolist(), atoms.pbc.tolist()))
        self._begun = _size(atoms)

    @property
    def forces(self) -> np.ndarray:
        """The forces of the last force call, (n + 3, 3) in eV/Angstrom."""
        return self.filter.last

    def volume_change(self) -> float:
        """Return by how much the volume has grown, as a fraction; of a slab it is the area, of a wire the length."""
        return float(_size(self.atoms) / self._begun - 1.0)


def _size(atoms: Any) -> float:
    # the vectors in directions that are not periodic do not change
    return abs(float(np.linalg.det(atoms.cell.array)))


def remaining(atoms: Any) -> np.ndarray:
    """Return the forces on atoms and cell at a geometry, (n + 3, 3) in eV/Angstrom; `atoms` have a calculator."""
    return Cell(atoms).filter.get_forces()

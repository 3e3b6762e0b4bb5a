# /// script
# requires-python = ">=3.11"
# dependencies = ["pyberny==0.7.0"]
#
# [tool.uv]
# exclude-newer = "2026-11-15T00:00:00Z"
#
# [tool.pesbench]
# family = "PyBerny"
# download-mb = 60
#
# [tool.pesbench.optimizers.Berny]
# label = "Berny (PyBerny)"
# free = true
# note = "PyBerny in redundant internal coordinates. Each geometry that it asks for counts as a step."
# ///
"""PyBerny, free molecules only."""

from __future__ import annotations

import logging
from typing import Any

from bench.adapter import Minimizer

NEVER = 1e-12
"""Its own criteria are never met: the largest force decides, as for every optimiser."""


class BernyLoop(Minimizer):
    """Drives PyBerny's loop."""

    def minimize(self) -> None:
        """Minimise in redundant internal coordinates."""
        from ase import units
        from berny import Berny, Geometry

        logging.getLogger("berny").setLevel(logging.CRITICAL)
        names = ("gradientmax", "gradientrms", "stepmax", "steprms")
        start = Geometry(self.atoms.get_chemical_symbols(), self.atoms.positions.copy())
        berny = Berny(start, maxsteps=10**6, symmetry="nowarn", **dict.fromkeys(names, NEVER))
        for geometry in berny:
            energy, forces = self.evaluate(geometry.coords)
            berny.send((energy / units.Hartree, -forces * units.Bohr / units.Hartree))


def make(name: str, atoms: Any) -> Any:
    """Return the optimiser of `atoms`, which have a calculator."""
    return BernyLoop(atoms)

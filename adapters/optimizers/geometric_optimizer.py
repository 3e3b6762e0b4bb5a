# /// script
# requires-python = ">=3.11"
# dependencies = ["geometric==1.1.1"]
#
# [tool.uv]
# exclude-newer = "2026-11-15T00:00:00Z"
#
# [tool.pesbench]
# family = "geomeTRIC"
# download-mb = 60
#
# [tool.pesbench.optimizers.geomeTRIC]
# label = "geomeTRIC (TRIC)"
# free = true
# note = "geomeTRIC in its translation-rotation internal coordinates. Each geometry that it asks for counts as a step."
# ///
"""geomeTRIC (Wang and Song, J. Chem. Phys. 144, 214108 (2016)), free molecules only."""

from __future__ import annotations

import logging
from typing import Any

from bench.adapter import Minimizer

NEVER = 1e-12
"""Its own criteria are never met: the largest force decides, as for every optimiser."""


class GeomeTRIC(Minimizer):
    """Drives geomeTRIC's loop."""

    def minimize(self) -> None:
        """Minimise in TRIC."""
        from geometric.engine import Engine
        from geometric.internal import DelocalizedInternalCoordinates
        from geometric.molecule import Molecule
        from geometric.optimize import Optimize
        from geometric.params import OptParams

        logging.getLogger("geometric").setLevel(logging.CRITICAL)
        minimizer = self
        from ase import units

        class Forces(Engine):
            def calc_new(self, coords: Any, dirname: str) -> dict[str, Any]:
                energy, forces = minimizer.evaluate(coords.reshape(-1, 3) * units.Bohr)
                gradient = -forces.ravel() * units.Bohr / units.Hartree
                return {"energy": energy / units.Hartree, "gradient": gradient}

            def calc(self, coords: Any, dirname: str, read_data: bool = False, copydir: str | None = None) -> Any:
                return self.calc_new(coords, dirname)

        molecule = Molecule()
        molecule.elem = self.atoms.get_chemical_symbols()
        molecule.xyzs = [self.atoms.positions.copy()]
        molecule.build_topology()
        coordinates = DelocalizedInternalCoordinates(molecule, build=True, connect=False, addcart=False)
        names = ("energy", "grms", "gmax", "drms", "dmax")
        params = OptParams(maxiter=10**6, qccnv=False, molcnv=False, **{f"convergence_{one}": NEVER for one in names})
        Optimize(
            self.atoms.positions.ravel() / units.Bohr, molecule, coordinates, Forces(molecule), None, params, False
        )


def make(name: str, atoms: Any) -> Any:
    """Return the optimiser of `atoms`, which have a calculator."""
    return GeomeTRIC(atoms)

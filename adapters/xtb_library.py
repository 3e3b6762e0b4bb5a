# /// script
# requires-python = ">=3.11"
# dependencies = ["xtb==22.1", "ase==3.29.0", "numpy==2.4.6"]
#
# [tool.uv]
# exclude-newer = "2026-11-15T00:00:00Z"
# override-dependencies = ["matplotlib; sys_platform == 'never'"]
#
# [tool.pesbench]
# family = "xTB (xtb)"
# kind = "semi-empirical"
# devices = ["cpu"]
# dtypes = ["float64"]
# charge = true
# spin = true
# download-mb = 65
# elements = [
#   "H", "He", "Li", "Be", "B", "C", "N", "O", "F", "Ne", "Na", "Mg", "Al", "Si", "P", "S", "Cl", "Ar",
#   "K", "Ca", "Sc", "Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn", "Ga", "Ge", "As", "Se", "Br", "Kr",
#   "Rb", "Sr", "Y", "Zr", "Nb", "Mo", "Tc", "Ru", "Rh", "Pd", "Ag", "Cd", "In", "Sn", "Sb", "Te", "I", "Xe",
#   "Cs", "Ba", "La", "Ce", "Pr", "Nd", "Pm", "Sm", "Eu", "Gd", "Tb", "Dy", "Ho", "Er", "Tm", "Yb", "Lu",
#   "Hf", "Ta", "W", "Re", "Os", "Ir", "Pt", "Au", "Hg", "Tl", "Pb", "Bi", "Po", "At", "Rn",
# ]
#
# [tool.pesbench.methods."gfn2-xtb@xtb"]
# engine-of = "gfn2-xtb"
# label = "GFN2-xTB (xtb)"
# [tool.pesbench.methods."gfn1-xtb@xtb"]
# engine-of = "gfn1-xtb"
# label = "GFN1-xTB (xtb)"
# ///
"""GFN2-xTB and GFN1-xTB in the library of the xtb program, through its Python package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.adapter import Adapter, charge_and_spin

NAMES = {"gfn2-xtb@xtb": "GFN2-xTB", "gfn1-xtb@xtb": "GFN1-xTB"}


class Xtb(Adapter):
    """xtb's ASE calculator with its defaults; within a structure each SCF starts from the last one's density."""

    def load(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> Any:
        """Return xtb's ASE calculator (eV, Angstrom); OMP_NUM_THREADS alone sets its threads."""
        from xtb.ase.calculator import XTB

        self._calculator = XTB(method=NAMES[method])
        return self._calculator

    def script(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> str:
        """Return how a plain script makes xtb's calculator of the molecule."""
        charge, spin = charge_and_spin(self.reference)
        state = ""
        if charge or spin != 1:
            state = f"""\
    atoms.set_initial_charges([{charge}] + [0] * (len(atoms) - 1))
    atoms.set_initial_magnetic_moments([{spin - 1}] + [0] * (len(atoms) - 1))
"""
        return f"""\
from xtb.ase.calculator import XTB

# OMP_NUM_THREADS alone sets its threads
calculator = XTB(method={NAMES[method]!r})


def prepare(atoms):
    \"\"\"Start each structure with a new density; within one, the SCF starts from the last.\"\"\"
    calculator.reset()
{state}"""

    def prepare(self, atoms: Any) -> Any:
        """Return `atoms`, or a copy with charge and unpaired electrons on its atoms, where xtb reads them."""
        charge, spin = charge_and_spin(atoms)
        if charge or spin != 1:
            others = [0.0] * (len(atoms) - 1)
            atoms = atoms.copy()
            atoms.set_initial_charges([charge, *others])
            atoms.set_initial_magnetic_moments([spin - 1, *others])
        return atoms

    def settings(self) -> dict[str, Any]:
        """Return the SCF settings: accuracy relative to xtb's default, electronic temperature in K."""
        parameters = self._calculator.parameters
        shown = {key: parameters[key] for key in ("accuracy", "electronic_temperature", "max_iterations")}
        return {**shown, "scf_guess": "xtb's at first, then the density of the last step"}

# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "tblite==0.8.0",
#   "ase==3.29.0",
#   "numpy==2.4.6",
# ]
#
# [tool.uv]
# exclude-newer = "2026-11-15T00:00:00Z"
# override-dependencies = ["matplotlib; sys_platform == 'never'"]
#
# [tool.pesbench]
# family = "xTB"
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
# [tool.pesbench.methods.gfn2-xtb]
# label = "GFN2-xTB (tblite)"
# [tool.pesbench.methods.gfn2-xtb.theory]
# functional = "GFN2-xTB"
# basis = "minimal valence"
# dispersion = "D4"
# source = "Bannwarth et al., J. Chem. Theory Comput. 15, 1652 (2019)"
#
# [tool.pesbench.methods.gfn1-xtb]
# label = "GFN1-xTB (tblite)"
# default = false
# [tool.pesbench.methods.gfn1-xtb.theory]
# functional = "GFN1-xTB"
# basis = "minimal valence"
# dispersion = "D3(BJ)"
# source = "Grimme et al., J. Chem. Theory Comput. 13, 1989 (2017)"
# ///
"""The extended tight-binding methods GFN2-xTB and GFN1-xTB, with tblite."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.adapter import Adapter, charge_and_spin

NAMES = {"gfn2-xtb": "GFN2-xTB", "gfn1-xtb": "GFN1-xTB"}
SHOWN = ("accuracy", "electronic_temperature", "max_iterations", "mixer", "mixer_damping")
UNKNOWN = "cannot be set in this release"


class XTB(Adapter):
    """tblite's ASE calculator with its defaults.

    The spin multiplicity sets the number of singly occupied orbitals. As published, the methods have no exchange energy
    between unpaired electrons: the triplet of oxygen is not lower than its singlet.

    Within a structure each SCF starts from the last one's density, which is tblite's default. `new_structure`
    resets the calculator; ASE then reports everything as changed, and tblite drops the density.
    """

    def load(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> Any:
        """Return tblite's ASE calculator (eV, Angstrom); OMP_NUM_THREADS alone sets its threads."""
        from tblite.ase import TBLite

        self._calculator = TBLite(method=NAMES[method], verbosity=0)
        return self._calculator

    def script(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> str:
        """Return how a plain script makes tblite's calculator of the molecule."""
        charge, spin = charge_and_spin(self.reference)
        state = ""
        if charge or spin != 1:
            state = f"""\
    atoms.set_initial_charges([{charge}] + [0] * (len(atoms) - 1))
    atoms.set_initial_magnetic_moments([{spin - 1}] + [0] * (len(atoms) - 1))
"""
        return f"""\
from tblite.ase import TBLite

# OMP_NUM_THREADS alone sets its threads
calculator = TBLite(method={NAMES[method]!r}, verbosity=0)


def prepare(atoms):
    \"\"\"Start each structure with a new density; within one, the SCF starts from the last.\"\"\"
    calculator.reset()
{state}"""

    def prepare(self, atoms: Any) -> Any:
        """Return `atoms`, or a copy with charge and unpaired electrons on its atoms, where tblite reads them."""
        charge, spin = charge_and_spin(atoms)
        if charge or spin != 1:
            others = [0.0] * (len(atoms) - 1)
            atoms = atoms.copy()
            atoms.set_initial_charges([charge, *others])
            atoms.set_initial_magnetic_moments([spin - 1, *others])
        return atoms

    def settings(self) -> dict[str, Any]:
        """Return the SCF settings: accuracy relative to tblite's default, electronic temperature in K.

        Some of these cannot be set in releases before 0.7.
        """
        parameters = self._calculator.parameters
        shown = {key: parameters.get(key, UNKNOWN) for key in SHOWN}
        guess = parameters.get("guess", "tblite's own")
        return {**shown, "scf_guess": f"{guess} at first, then the density of the last step"}

# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "dxtb==0.4.0",
#   "tad-libcint==0.3.0",  # without it, dxtb has no GFN2-xTB
#   "torch==2.13.0",
#   "ase==3.29.0",
#   "numpy==1.26.4",  # tad-dftd3, which dxtb pins, takes no later one
# ]
#
# [tool.uv]
# exclude-newer = "2026-11-15T00:00:00Z"
# exclude-newer-package = { torch = false }
# override-dependencies = ["matplotlib; sys_platform == 'never'"]
#
# [tool.pesbench]
# family = "xTB (dxtb)"
# kind = "semi-empirical"
# devices = ["cpu"]
# dtypes = ["float64"]
# charge = true
# spin = true
# download-mb = 270  # with a CPU build of torch
# elements = [
#   "H", "He", "Li", "Be", "B", "C", "N", "O", "F", "Ne", "Na", "Mg", "Al", "Si", "P", "S", "Cl", "Ar",
#   "K", "Ca", "Sc", "Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn", "Ga", "Ge", "As", "Se", "Br", "Kr",
#   "Rb", "Sr", "Y", "Zr", "Nb", "Mo", "Tc", "Ru", "Rh", "Pd", "Ag", "Cd", "In", "Sn", "Sb", "Te", "I", "Xe",
#   "Cs", "Ba", "La", "Ce", "Pr", "Nd", "Pm", "Sm", "Eu", "Gd", "Tb", "Dy", "Ho", "Er", "Tm", "Yb", "Lu",
#   "Hf", "Ta", "W", "Re", "Os", "Ir", "Pt", "Au", "Hg", "Tl", "Pb", "Bi", "Po", "At", "Rn",
# ]
#
# [tool.pesbench.methods."gfn2-xtb@dxtb"]
# engine-of = "gfn2-xtb"
# label = "GFN2-xTB (dxtb)"
# energy-limit = 1e-5
# limit-reason = "its constants and cut-offs are others; a tighter SCF does not bring its energies nearer to tblite's"
# [tool.pesbench.methods."gfn1-xtb@dxtb"]
# engine-of = "gfn1-xtb"
# label = "GFN1-xTB (dxtb)"
# energy-limit = 1e-5
# limit-reason = "its constants and cut-offs are others; a tighter SCF does not bring its energies nearer to tblite's"
# ///
"""GFN2-xTB and GFN1-xTB in dxtb, which is written in torch and gets its forces by differentiation."""

from __future__ import annotations

import inspect
import textwrap
from pathlib import Path
from typing import Any

from bench.adapter import Adapter, charge_and_spin

NAMES = {"gfn2-xtb@dxtb": "GFN2_XTB", "gfn1-xtb@dxtb": "GFN1_XTB"}


class Dxtb(Adapter):
    """dxtb with its defaults; each SCF starts from the charges of an electronegativity model."""

    def load(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> Any:
        """Return an ASE calculator (eV, Angstrom) of dxtb, which has none itself."""
        import torch

        torch.set_num_threads(threads)
        self._calculator = make_calculator(NAMES[method])
        return self._calculator

    def script(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> str:
        """Return how a plain script makes the calculator: by the function below."""
        charge, spin = charge_and_spin(self.reference)
        return f"""\
from typing import Any

import torch

torch.set_num_threads({threads})


{textwrap.dedent(inspect.getsource(make_calculator))}

calculator = make_calculator({NAMES[method]!r})


def prepare(atoms):
    calculator.charge, calculator.unpaired = {charge}, {spin - 1}
"""

    def prepare(self, atoms: Any) -> Any:
        """Return `atoms`; the calculator gets their charge and unpaired electrons."""
        charge, spin = charge_and_spin(atoms)
        self._calculator.charge, self._calculator.unpaired = charge, spin - 1
        return atoms

    def settings(self) -> dict[str, Any]:
        """Return the settings of the SCF, and the precision."""
        import torch

        options = self._calculator.options()
        return {
            "scf_guess": "EEQ at each call",
            "forces": "by differentiation of the energy, through the SCF",
            "max_iterations": options.maxiter,
            "tolerance": options.f_atol,
            "electronic_temperature": float(options.fermi.etemp),
            "threads": torch.get_num_threads(),
        }


def make_calculator(parametrisation: str) -> Any:
    """Return an ASE calculator (eV, Angstrom) of a parametrisation of dxtb; dxtb is imported only here."""
    import dxtb
    import numpy as np
    import torch
    from ase import units
    from ase.calculators.calculator import Calculator, all_changes

    class Dxtb(Calculator):
        implemented_properties = ["energy", "forces"]  # noqa: RUF012 - ASE's own way to declare them
        charge = 0
        unpaired = 0
        inner: Any = None
        numbers: Any = None

        def of(self, numbers: Any) -> Any:
            """Return dxtb's calculator of these atoms."""
            if self.inner is None or self.numbers.tolist() != numbers.tolist():
                self.numbers = torch.tensor(numbers, device="cpu")
                known = getattr(dxtb, parametrisation)
                self.inner = dxtb.Calculator(self.numbers, known, opts={"verbosity": 0}, dtype=torch.double)
            return self.inner

        def options(self) -> Any:
            """Return dxtb's settings of the SCF."""
            return self.of(np.array([1, 1]) if self.inner is None else self.numbers).opts.scf

        def calculate(self, atoms: Any = None, properties: Any = None, system_changes: Any = all_changes) -> None:
            super().calculate(atoms, properties, system_changes)
            inner = self.of(self.atoms.numbers)
            positions = self.atoms.positions / units.Bohr
            places = torch.tensor(positions, dtype=torch.double, device="cpu", requires_grad=True)
            inner.reset()  # at the geometry of the last call it would give wrong forces, by some tenths of eV/Angstrom
            energy = inner.get_energy(places, chrg=self.charge, spin=self.unpaired)
            (gradient,) = torch.autograd.grad(energy, places)
            self.results = {
                "energy": float(energy.detach()) * units.Hartree,
                "forces": -gradient.numpy() * (units.Hartree / units.Bohr),
            }

    return Dxtb()

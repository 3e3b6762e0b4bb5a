# /// script
# requires-python = ">=3.11"
# dependencies = ["ase==3.29.0", "numpy==2.4.6", "pyscf==2.14.0"]
#
# [tool.uv]
# exclude-newer = "2026-11-15T00:00:00Z"
#
# [tool.pesbench]
# family = "PySCF"
# kind = "dft"
# devices = ["cpu", "cuda"]
# dtypes = ["float64"]
# charge = true
# spin = true
# download-mb = 135
# warm-up = false
# # [ctk] installs the CUDA libraries; CuPy 14.2 is built against cuTENSOR 2.4.1 and ignores other versions
# cuda-dependencies = ["gpu4pyscf-cuda12x==1.9.0", "cupy-cuda12x[ctk]==14.2.0", "cutensor-cu12==2.4.1"]
#
# [tool.pesbench.methods.pbe0-def2-svp]
# label = "PBE0/def2-SVP (PySCF)"
# note = """density fitting, grid level 2; after a structure's first step the SCF starts from the last density; \
#   the paper's program is NWChem"""
# [tool.pesbench.methods.pbe0-def2-svp.theory]
# functional = "PBE0"
# basis = "def2-SVP"
# dispersion = "none"
# source = "the adapter's own input"
#
# # Reference labels ('pesbench reference'): converged further, and a structure starts from the last one's density.
#
# [tool.pesbench.methods.reference-pbe0-def2-svp]
# label = "PBE0/def2-SVP (reference)"
# level = "pbe0-def2-svp"
# default = false
# [tool.pesbench.methods.reference-pbe0-def2-svp.theory]
# functional = "PBE0"
# basis = "def2-SVP"
# dispersion = "none"
# source = "the adapter's own input"
#
# [tool.pesbench.methods.reference-pbe-def2-svp]
# label = "PBE/def2-SVP (reference)"
# level = "pbe-def2-svp"
# default = false
# [tool.pesbench.methods.reference-pbe-def2-svp.theory]
# functional = "PBE"
# basis = "def2-SVP"
# dispersion = "none"
# source = "the adapter's own input"
#
# [tool.pesbench.methods.reference-pbe0-def2-tzvp]
# label = "PBE0/def2-TZVP (reference)"
# level = "pbe0-def2-tzvp"
# default = false
# [tool.pesbench.methods.reference-pbe0-def2-tzvp.theory]
# functional = "PBE0"
# basis = "def2-TZVP"
# dispersion = "none"
# source = "the adapter's own input"
#
# [tool.pesbench.methods.reference-wb97m-v-def2-tzvp]
# label = "wB97M-V/def2-TZVP (reference)"
# level = "wb97m-v-def2-tzvp"
# default = false
# [tool.pesbench.methods.reference-wb97m-v-def2-tzvp.theory]
# functional = "wB97M-V"
# basis = "def2-TZVP"
# dispersion = "VV10"
# source = "the adapter's own input"
#
# [tool.pesbench.methods.reference-pbe-def2-tzvpp]
# label = "PBE/def2-TZVPP (reference)"
# level = "pbe-def2-tzvpp"
# default = false
# [tool.pesbench.methods.reference-pbe-def2-tzvpp.theory]
# functional = "PBE"
# basis = "def2-TZVPP"
# dispersion = "none"
# source = "the adapter's own input"
#
# [tool.pesbench.methods.reference-pbe0-def2-tzvpp]
# label = "PBE0/def2-TZVPP (reference)"
# level = "pbe0-def2-tzvpp"
# default = false
# [tool.pesbench.methods.reference-pbe0-def2-tzvpp.theory]
# functional = "PBE0"
# basis = "def2-TZVPP"
# dispersion = "none"
# source = "the adapter's own input"
# ///
"""DFT with PySCF, or on an accelerator with GPU4PySCF, through PySCF's own ASE calculator.

One method is PBE0/def2-SVP as it is timed; the others are levels of theory for reference labels.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from bench.adapter import Adapter, charge_and_spin

LEVELS = {
    "pbe0-def2-svp": ("pbe0", "def2-svp"),
    "reference-pbe0-def2-svp": ("pbe0", "def2-svp"),
    "reference-pbe-def2-svp": ("pbe", "def2-svp"),
    "reference-pbe0-def2-tzvp": ("pbe0", "def2-tzvp"),
    "reference-wb97m-v-def2-tzvp": ("wb97m_v", "def2-tzvp"),
    "reference-pbe-def2-tzvpp": ("pbe", "def2-tzvpp"),
    "reference-pbe0-def2-tzvpp": ("pbe0", "def2-tzvpp"),
}
"""Functional and basis of each method."""
NEAR_LIMIT = {"reference-pbe-def2-tzvpp", "reference-pbe0-def2-tzvpp"}
"""Levels by whose geometries and frequencies methods are judged; how near to the limit is in docs/accuracy.md."""
# PySCF's default for the gradient, 3e-5, leaves tenths of a meV/Angstrom in a force
REFERENCE_CONVERGENCE = 1e-9, 1e-5  # hartree; norm of the orbital gradient


# Radial and angular points for VV10, which couples each pair of points: it is smooth, and a grid as coarse as SG-0
# (P. M. W. Gill and S.-H. Chien, J. Comput. Chem. 27, 730 (2006)) is usual for it. PySCF's default has ten times more.
NONLOCAL_GRID = (23, 170)


class PySCFDFT(Adapter):
    """Kohn-Sham DFT with density fitting; unrestricted where electrons are unpaired."""

    def __init__(self) -> None:
        # To compare programs, change these before `load`.
        self.density_fitting = True
        self.grid_level = 2
        self._on_gpu = False
        self._reference = False
        self.xc, self.basis = LEVELS["pbe0-def2-svp"]

    def load(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> Any:
        """Import PySCF and set up the calculation of the reference molecule."""
        if device.startswith("cuda"):
            # GPU4PySCF uses every visible device, so only one is made visible
            number = int(device.partition(":")[2] or 0)
            visible = os.environ.get("CUDA_VISIBLE_DEVICES")
            os.environ["CUDA_VISIBLE_DEVICES"] = visible.split(",")[number] if visible else str(number)
            self._on_gpu = True

        from pyscf import lib

        lib.num_threads(threads)
        self.xc, self.basis = LEVELS[method]
        self._reference = method.startswith("reference-")
        if method in NEAR_LIMIT:
            self.grid_level = 3
            # PySCF's analytic Hessian leaves out that the grid moves with the atoms: its translations come out at
            # 29 cm-1. Differences of the forces keep them at zero.
            self.symmetric = True
        return self.new_structure(None, self.reference)

    def script(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> str:
        """Return how a plain script makes PySCF's calculator of the structure."""
        xc, basis = LEVELS[method]
        charge, spin = charge_and_spin(self.reference)
        on_gpu, reference = device.startswith("cuda"), method.startswith("reference-")
        package = "gpu4pyscf.tools.ase_interface" if on_gpu else "pyscf.pbc.tools.pyscf_ase"
        number = device.partition(":")[2] or "0"
        visible = f'import os\n\nos.environ["CUDA_VISIBLE_DEVICES"] = "{number}"\n' if on_gpu else ""
        options = {
            "mf.nlcgrids.atom_grid": NONLOCAL_GRID if xc.endswith("_v") else None,
            "mf.conv_tol": REFERENCE_CONVERGENCE[0] if reference else None,
            "mf.conv_tol_grad": REFERENCE_CONVERGENCE[1] if reference else None,
        }
        more = "".join(f"{name} = {value!r}\n" for name, value in options.items() if value is not None)
        wait = "import cupy\n\nsynchronize = cupy.cuda.get_current_stream().synchronize\n"
        return f"""\
{visible}\
from {package} import PySCF
from pyscf import dft, gto, lib

lib.num_threads({threads})
molecule = gto.M(
    atom=list(zip(structure.symbols, structure.positions.tolist())),
    unit="Angstrom",
    basis={basis!r},
    charge={charge},
    spin={spin - 1},
    verbose=0,
)
mf = dft.{"RKS" if spin == 1 else "UKS"}(molecule, xc={xc!r}){".density_fit()" if self.density_fitting else ""}
mf.grids.level = {self.grid_level}
mf.chkfile = None
{more}calculator = PySCF(method=mf{".to_gpu()" if on_gpu else ""})
{wait if on_gpu else ""}"""

    def new_system(self, calculator: Any, reference: Any) -> Any:
        """Return a calculator of another molecule, whatever is kept between the structures of one."""
        self.reference = reference
        return self.new_structure(None, reference)

    def new_structure(self, calculator: Any, atoms: Any) -> Any:
        """Return a new calculator: its first SCF starts from PySCF's guess, the next from the last density.

        A reference keeps its calculator: converged as it is, a result does not depend on where the SCF started.
        """
        if self._reference and calculator is not None:
            return calculator
        from pyscf import dft, gto

        if self._on_gpu:
            from gpu4pyscf.tools.ase_interface import PySCF
        else:
            from pyscf.pbc.tools.pyscf_ase import PySCF

        charge, spin = charge_and_spin(atoms)
        if atoms.pbc.any():
            raise ValueError("only molecules are implemented, this structure is periodic")
        molecule = gto.M(
            atom=list(zip(atoms.symbols, atoms.positions.tolist(), strict=True)),
            unit="Angstrom",
            basis=self.basis,
            charge=charge,
            spin=spin - 1,  # PySCF's is the number of unpaired electrons
            verbose=0,
        )
        # PySCF's Coulomb term computes its integrals again in each cycle unless it may keep them, 1 GB here
        molecule.incore_anyway = self._reference
        mf = (dft.RKS if spin == 1 else dft.UKS)(molecule, xc=self.xc)
        if self.density_fitting:
            mf = mf.density_fit()
        # The quadrature takes most of the time, so the grid matters most. On naphthalene level 1 leaves a net force
        # of 4.0 meV/Angstrom, level 2 of 0.3 and level 3, with 40 % more points, of 0.2.
        mf.grids.level = self.grid_level
        if mf.do_nlc():
            mf.nlcgrids.atom_grid = NONLOCAL_GRID
        if self._reference:
            mf.conv_tol, mf.conv_tol_grad = REFERENCE_CONVERGENCE
        mf.chkfile = None  # no file inside a step; the scanner keeps the density in memory
        if self._on_gpu:
            mf = mf.to_gpu()
        self._mf = mf
        return PySCF(method=mf)

    def hessian(self, calculator: Any, atoms: Any) -> Any | None:
        """Return PySCF's analytic Hessian (eV/Angstrom^2), None where its forces are to be differentiated."""
        if self._on_gpu or self._mf.do_nlc() or self.symmetric:
            return None
        from ase.units import Bohr, Hartree

        calculator.get_potential_energy(atoms)  # the density at this geometry
        mf = self._mf.copy().reset(calculator.mol)
        mf.kernel(dm0=calculator.method_scan.make_rdm1())
        if not mf.converged:
            raise RuntimeError("the SCF before the Hessian did not converge")
        blocks = mf.Hessian().kernel()  # (n, n, 3, 3)
        return blocks.transpose(0, 2, 1, 3).reshape(3 * len(atoms), -1) * (Hartree / Bohr**2)

    def synchronize(self) -> None:
        """Wait for the device."""
        if self._on_gpu:
            import cupy

            cupy.cuda.get_current_stream().synchronize()

    def peak_device_memory(self) -> int | None:
        """Return the size of CuPy's pool, which only grows; blocks above 100 MB are allocated outside it."""
        if not self._on_gpu:
            return None
        import cupy

        return cupy.get_default_memory_pool().total_bytes()

    def settings(self) -> dict[str, Any]:
        """Return the settings of the last calculation object."""
        import pyscf

        mf = self._mf
        found = {
            "program": "PySCF",
            "version": pyscf.__version__,
            "xc": mf.xc,
            "basis": mf.mol.basis,
            "functions": mf.mol.nao,
            "density-fitting": mf.with_df.auxbasis if self.density_fitting else None,
            "grid-level": mf.grids.level,
            "energy-convergence-hartree": mf.conv_tol,
            "gradient-convergence": mf.conv_tol_grad or mf.conv_tol**0.5,
            "guess": f"{mf.init_guess}; within a structure the previous density",
            "memory-limit-mb": mf.max_memory,
            "threads": pyscf.lib.num_threads(),
        }
        if mf.do_nlc():
            found["nonlocal-grid"] = list(NONLOCAL_GRID)
        if self._on_gpu:
            import cupy
            import gpu4pyscf
            from gpu4pyscf.lib import cutensor

            found |= {
                "program": "GPU4PySCF",
                "gpu4pyscf": gpu4pyscf.__version__,
                "cupy": cupy.__version__,
                "cutensor": cutensor.cutensor is not None,
            }
        return found

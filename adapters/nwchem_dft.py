# /// script
# requires-python = ">=3.11"
# dependencies = ["ase==3.29.0", "numpy==2.4.6"]
#
# [tool.uv]
# exclude-newer = "2026-11-15T00:00:00Z"
#
# [tool.pesbench]
# family = "NWChem"
# kind = "dft"
# devices = ["cpu"]
# dtypes = ["float64"]
# charge = true
# spin = true
# download-mb = 80
# warm-up = false
# programs = ["nwchem"]
# programs-hint = "apt-get install nwchem libopenblas0-pthread"
#
# [tool.pesbench.theory]
# functional = "PBE0"
# basis = "def2-SVP"
# dispersion = "none"
# source = "the adapter's own input"
#
# # The published figure was made through ASE, so the input that ASE writes has the published column.
# [tool.pesbench.methods.pbe0-def2-svp-nwchem-as-ase]
# label = "PBE0/def2-SVP (NWChem, ASE's input)"
# paper = "pbe0-def2-svp"
# note = """what ASE writes when it is told functional and basis alone: Cartesian d functions (190 instead of 180 for \
#   naphthalene), integrals kept on the disk (0.9 GB), NWChem's defaults; each step starts program and SCF anew"""
#
# [tool.pesbench.methods.pbe0-def2-svp-nwchem]
# label = "PBE0/def2-SVP (NWChem)"
# default = false
# note = """integral-direct, spherical functions, NWChem's default grid and tolerances; \
#   as with ASE, every step starts the program anew, and its SCF from the atomic guess"""
#
# [tool.pesbench.methods.pbe0-def2-svp-nwchem-warm]
# label = "PBE0/def2-SVP (NWChem, previous orbitals)"
# default = false
# note = "like PBE0/def2-SVP (NWChem), but after a structure's first step the SCF starts from the last orbitals"
# ///
"""PBE0/def2-SVP with NWChem, through ASE's file interface: one start of the program for each force call."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import tempfile
from pathlib import Path
from typing import Any

from bench.adapter import Adapter, as_arguments, charge_and_spin

AS_ASE = "pbe0-def2-svp-nwchem-as-ase"
"""The method with nothing in its input but what ASE itself writes."""

# ASE writes "basis noprint", with which NWChem uses Cartesian d functions although the library entry says
# spherical (water: 25 functions instead of 24, 1.5 mHa). def2-SVP is defined with spherical ones.
BASIS_OPTIONS = "spherical"

# The memory limit of a rank, stated because the built-in one differs between builds of the program. It reserves
# nothing and does not affect speed: a direct SCF keeps no integrals (benzene takes 100 MB).
MEMORY = "total 2000 mb"

PLAIN_WARM = """

class Warm(NWChem):
    \"\"\"After the first step the SCF starts from the last orbitals, for which ASE has no setting.\"\"\"

    def write_input(self, *arguments):
        orbitals = Path(self.directory) / self.prefix / f"{self.prefix}.movecs"
        if orbitals.exists():
            self.parameters["dft"]["vectors"] = f"input {orbitals} output {orbitals}"
        super().write_input(*arguments)


"""

# NWChem's output about itself and its settings.
PRINTED = {
    "version": r"nwchem branch\s+= (\S+)",
    "functions-of-water": r"AO basis - number of functions:\s+(\S+)",  # 24 spherical, 25 Cartesian
    "grid": r"Grid used for XC integration:\s+(\S+)",
    "energy-convergence-hartree": r"Convergence on energy requested:\s+(\S+)",
    "density-convergence": r"Convergence on density requested:\s+(\S+)",
    "gradient-convergence": r"Convergence on gradient requested:\s+(\S+)",
    "schwarz-screening": r"Schwarz screening/accCoul:\s+(\S+)",
}


class NWChemDFT(Adapter):
    """PBE0/def2-SVP with NWChem: with ASE's input, or with our own, with or without the orbitals of the previous step.

    It is unrestricted where electrons are unpaired: for any multiplicity but 1.
    """

    def __init__(self) -> None:
        # NWChem's `dft` block, except as ASE writes it; all else has NWChem's defaults. Change it before `load`. The
        # multiplicity is that of a closed shell; any other structure replaces it with its own.
        self.dft: dict[str, Any] = {"xc": "pbe0", "mult": 1, "direct": None, "noio": None}

    def load(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> Any:
        """Run NWChem once on a water molecule, to check that it works and to read its settings."""
        from ase.build import molecule

        self._warm = method.endswith("-warm")
        self._choose_input(method)
        self._ranks = threads
        for program in ["nwchem"] + ["mpirun"] * (threads > 1):
            if shutil.which(program) is None:
                raise FileNotFoundError(f"{program} is not on PATH")
        self._scratch = tempfile.TemporaryDirectory(prefix="pesbench-nwchem-")  # removed when the process ends
        self._scratch_folder = self._scratch.name
        self._folder = Path(self._scratch_folder, "0")
        water = molecule("H2O")
        calculator = self.new_structure(None, water)
        calculator.get_potential_energy(water)
        output = (self._folder / "nwchem.nwo").read_text(errors="replace")
        found = {name: re.search(pattern, output) for name, pattern in PRINTED.items()}
        self._printed = {name: match and match[1] for name, match in found.items()}
        return calculator

    def script(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> str:
        """Return how a plain script makes ASE's calculator, with a folder of its own for NWChem's files."""
        charge, spin = charge_and_spin(self.reference)
        self._choose_input(method)
        self._ranks, self._scratch_folder = threads, "{folder}"
        warm = method.endswith("-warm")
        return f"""\
import tempfile
from pathlib import Path

from ase.calculators.nwchem import NWChem

scratch = tempfile.TemporaryDirectory(prefix="nwchem-")  # removed at the end
folder = scratch.name
{PLAIN_WARM if warm else ""}\
calculator = {"Warm" if warm else "NWChem"}(
    label=f"{{folder}}/nwchem",
    command=f{self._command()!r},
{as_arguments(self._input(charge, spin))}
)
"""

    def new_structure(self, calculator: Any, atoms: Any) -> Any:
        """Return a calculator with a new folder; the last structure's files, orbitals too, are deleted."""
        charge, spin = charge_and_spin(atoms)
        if atoms.pbc.any():
            raise ValueError("only molecules are implemented, this structure is periodic")
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder = self._folder.with_name(str(int(self._folder.name) + 1))
        return _calculator_class(self._warm)(
            label=str(self._folder / "nwchem"), command=self._command(), **self._input(charge, spin)
        )

    def _choose_input(self, method: str) -> None:
        self._as_ase = method == AS_ASE
        if self._as_ase:
            self.dft = {"xc": "pbe0"}

    def _input(self, charge: int, spin: int) -> dict[str, Any]:
        """Return the arguments of ASE's calculator that become NWChem's input."""
        more: dict[str, Any] = {"basispar": BASIS_OPTIONS, "memory": MEMORY, "charge": charge}
        if self._as_ase:
            more = {"charge": charge} if charge else {}
        state = {} if spin == 1 else {"mult": spin, "odft": None}
        return {"theory": "dft", "basis": "def2-svp", "dft": self.dft | state, **more}

    def _command(self) -> str:
        """Return the shell command that ASE runs in the structure's folder."""
        variables = {
            "TMPDIR": self._scratch_folder,  # Open MPI leaves a session folder there
            "OMPI_MCA_ess_singleton_isolated": "1",  # otherwise one rank starts a daemon in its own session
            "OMPI_MCA_rmaps_base_oversubscribe": "1",  # the caller decides the number of ranks
        }
        if os.geteuid() == 0:  # in a container, where mpirun would refuse
            variables |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
        words = ["env"]
        # inside a Slurm job step a program without mpirun assumes that srun started it, and ends
        words += [f"-u {name}" for name in os.environ if name.startswith(("SLURM_", "PMI"))]
        words += [f"{name}={shlex.quote(value)}" for name, value in variables.items()]
        if self._ranks > 1:  # by default the ranks of all runs on a machine are bound to the same first cores
            words += ["mpirun", "-np", str(self._ranks), "--bind-to", "none"]
        return " ".join([*words, "nwchem PREFIX.nwi > PREFIX.nwo 2> PREFIX.err"])

    def settings(self) -> dict[str, Any]:
        """Return NWChem's input and its output about itself at :meth:`load`."""
        return {
            "program": "NWChem",
            **self._printed,
            "input": {
                "basis": "def2-svp" if self._as_ase else f"def2-svp {BASIS_OPTIONS}",
                "memory per rank": "NWChem's default" if self._as_ase else MEMORY,
                "dft": self.dft,
            },
            "guess": "previous orbitals within a structure" if self._warm else "atomic, at every step",
            "ranks": self._ranks,
            "executable": shutil.which("nwchem"),
        }


def _calculator_class(warm: bool) -> Any:
    """Return ASE's NWChem calculator, with NWChem's messages in its errors and, if `warm`, with an initial guess."""
    from ase.calculators.calculator import CalculationFailed
    from ase.calculators.nwchem import NWChem

    class Calculator(NWChem):
        def write_input(self, atoms: Any, properties: Any = None, system_changes: Any = None) -> None:
            orbitals = Path(self.directory) / self.prefix / f"{self.prefix}.movecs"
            if warm and orbitals.exists():  # ASE has no such setting
                self.parameters["dft"]["vectors"] = f"input {orbitals} output {orbitals}"
            super().write_input(atoms, properties, system_changes)

        def execute(self) -> None:
            try:
                super().execute()
            except CalculationFailed as error:
                raise CalculationFailed(_reason(Path(self.directory) / self.prefix)) from error

    return Calculator


def _reason(prefix: Path) -> str:
    """Return the last meaningful lines of output from NWChem, or else from the program that started it."""
    output = prefix.with_suffix(".nwo").read_text(errors="replace")
    # NWChem ends with a block between rules: the error, its line of the input, and its likely cause
    block = output.partition(f"\n {'-' * 72}\n")[2]
    source = block or prefix.with_suffix(".err").read_text(errors="replace")
    lines = [" ".join(line.split()) for line in source.splitlines()]
    lines = [line for line in lines if line.strip("-") and not line.startswith("For ")][-8:]
    if "Calculation failed to converge" in output:
        lines.insert(0, "calculation failed to converge")
    return "NWChem: " + ("; ".join(lines) or "ended without a message")[:600]

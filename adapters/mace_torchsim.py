# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "torch-sim-atomistic==0.3.0",  # the last one for Python 3.11
#   "mace-torch==0.3.16",
#   "torch==2.13.0",
#   "ase==3.29.0",
#   "numpy==2.4.6",
# ]
#
# [tool.uv]
# exclude-newer = "2026-11-15T00:00:00Z"
# exclude-newer-package = { torch = false }
# override-dependencies = [
#   "configargparse; sys_platform == 'never'",
#   "gitpython; sys_platform == 'never'",
#   "prettytable; sys_platform == 'never'",
#   "python-hostlist; sys_platform == 'never'",
#   "pyyaml; sys_platform == 'never'",
# ]
#
# [tool.pesbench]
# family = "MACE (torch-sim)"
# kind = "mlip"
# devices = ["cpu", "cuda"]
# dtypes = ["float32"]
# periodic = true
# download-mb = 330  # with a CPU build of torch
# cuda-dependencies = []  # a CUDA build of torch brings what it needs
#
# [tool.pesbench.knobs]
# tf32 = { values = ["off", "on"], devices = ["cuda"] }
#
# [tool.pesbench.methods."mace-mp-0-small@torch-sim"]
# engine-of = "mace-mp-0-small"
# label = "MACE-MP-0 (small), torch-sim"
# force-tolerance = 0.01  # as for the reference: the noise of a float32 energy
# memory-mb = 700
# [tool.pesbench.methods."mace-mpa-0@torch-sim"]
# engine-of = "mace-mpa-0"
# label = "MACE-MPA-0 (medium), torch-sim"
# memory-mb = 1200
# ///
"""MACE's foundation models in torch-sim, whose states hold one structure or many; see docs/engines.md."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench.adapter import TorchAdapter, by_molecule, refuse_ions


class MaceTorchSim(TorchAdapter):
    """MACE as torch-sim calls it: it makes a state of the atoms and lets its own wrapper of the model compute."""

    def load(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> Any:
        """Return an ASE calculator (eV, Angstrom) of torch-sim's model; torch-sim has none."""
        import mace.modules  # noqa: F401 - before e3nn
        import torch

        self.set_up_torch(device, threads)
        self._calculator = make_calculator(str(checkpoint), self.device, getattr(torch, dtype))
        self.model = self._calculator.model.model
        return self._calculator

    def script(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> str:
        """Return how a plain script makes the calculator: by the function below."""
        return f"""\
from typing import Any

import mace.modules  # before e3nn
{self.torch_lines(device, threads)}


{textwrap.dedent(inspect.getsource(make_calculator))}

calculator = make_calculator({str(checkpoint)!r}, torch.device({device!r}), torch.{dtype})
"""

    def prepare(self, atoms: Any) -> Any:
        """Return `atoms`; raises ValueError for an ion, which the model would ignore."""
        refuse_ions(atoms, "this MACE model")
        return atoms

    def batched(self, calculator: Any, structures: Sequence[Any]) -> list[tuple[float, Any]]:
        """Return energy and forces of each structure from one state, which is what torch-sim is made for."""
        found = calculator.answer(list(structures))
        return by_molecule(found["energy"].cpu().tolist(), found["forces"].cpu().numpy(), structures)

    def driver(self, calculator: Any, atoms: Any, timed: Callable[[Any], Any]) -> tuple[str, Callable[[], Any]]:
        """Return a function that makes a step of torch-sim's velocity Verlet."""
        import torch
        import torch_sim
        from torch_sim.units import MetalUnits

        model = calculator.model
        start, step = torch_sim.integrators.nve(
            timed(model),
            dt=torch.tensor(5e-4 * MetalUnits.time, device=self.device, dtype=model.dtype),  # 0.5 fs
            kT=torch.tensor(300 * MetalUnits.temperature, device=self.device, dtype=model.dtype),
            seed=0,
        )
        state = start(torch_sim.io.atoms_to_state([atoms], self.device, model.dtype))
        return "torch-sim", lambda: step(state)

    def settings(self) -> dict[str, Any]:
        """Return the neighbour list and the precision that really run; the cutoff in Angstrom."""
        model = self._calculator.model
        return {
            **super().settings(),
            "kernel": "e3nn",
            "neighbours": getattr(model.neighbor_list_fn, "__name__", str(model.neighbor_list_fn)),
            "cutoff": float(model.r_max),
            "charge_and_spin": "not taken",
            "stress": "off",
        }


def make_calculator(checkpoint: str, device: Any, dtype: Any) -> Any:
    """Return an ASE calculator (eV, Angstrom) of a MACE file in torch-sim; both are imported only here."""
    import torch
    import torch_sim
    from ase.calculators.calculator import Calculator, all_changes
    from torch_sim.models.mace import MaceModel

    # the harness has checked the file's hash
    loaded = torch.load(checkpoint, weights_only=False, map_location="cpu")
    wrapped = MaceModel(loaded, device=device, dtype=dtype, compute_stress=False)

    class TorchSim(Calculator):
        implemented_properties = ["energy", "forces"]  # noqa: RUF012 - ASE's own way to declare them
        model = wrapped

        def answer(self, structures: Any) -> Any:
            """Return torch-sim's results of some structures in one state."""
            return self.model(torch_sim.io.atoms_to_state(structures, device, dtype))

        def calculate(self, atoms: Any = None, properties: Any = None, system_changes: Any = all_changes) -> None:
            super().calculate(atoms, properties, system_changes)
            found = self.answer([self.atoms])
            self.results = {"energy": float(found["energy"][0]), "forces": found["forces"].cpu().numpy()}

    return TorchSim()

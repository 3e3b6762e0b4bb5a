# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "nequix==0.4.5",
#   "torch==2.13.0",
#   "torch-geometric==2.8.1",
#   "e3nn==0.6.0",
#   "jax==0.10.2",  # the calculator imports both
#   "ase==3.29.0",
#   "numpy==2.4.6",
# ]
#
# [tool.uv]
# exclude-newer = "2026-11-15T00:00:00Z"
# exclude-newer-package = { torch = false }
# override-dependencies = [
#   "jax==0.10.2",  # nequix requires jax[cuda12], some gigabytes, on every Linux machine
#   "ase-db-backends; sys_platform == 'never'",
#   "matplotlib; sys_platform == 'never'",
#   "h5py; sys_platform == 'never'",
#   "optax; sys_platform == 'never'",
#   "wandb; sys_platform == 'never'",
#   "wandb-osh; sys_platform == 'never'",
# ]
#
# [tool.pesbench]
# family = "Nequix (torch)"
# kind = "mlip"
# devices = ["cpu"]
# dtypes = ["float32"]
# periodic = true
# stress = true
# download-mb = 400
#
# [tool.pesbench.conversion]
# command = ["-c", """
# import sys
# from nequix.model import load_model
# from nequix.torch_impl.model import save_model
# from nequix.torch_impl.utils import convert_model_jax_to_torch
# save_model(sys.argv[2], *convert_model_jax_to_torch(*load_model(sys.argv[1], False), False))
# """, "{checkpoint}", "{converted}"]
# file = "nequix.pt"
# dependencies = ["torch==2.13.0", "torch-geometric==2.8.1", "e3nn==0.6.0"]
#
# [tool.pesbench.methods."nequix-mp-1@torch"]
# engine-of = "nequix-mp-1"
# label = "Nequix MP (nequix-mp-1), torch"
# memory-mb = 900
# [tool.pesbench.methods."nequix-mp-1-pft@torch"]
# engine-of = "nequix-mp-1-pft"
# label = "Nequix MP PFT (nequix-mp-1-pft), torch"
# memory-mb = 900
# [tool.pesbench.methods."nequix-omat-1@torch"]
# engine-of = "nequix-omat-1"
# label = "Nequix OMat (nequix-omat-1), torch"
# memory-mb = 900
# [tool.pesbench.methods."nequix-oam-1@torch"]
# engine-of = "nequix-oam-1"
# label = "Nequix OAM (nequix-oam-1), torch"
# memory-mb = 900
# ///
"""Nequix on upstream's torch backend; see docs/engines.md."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from bench.adapter import TorchAdapter


class NequixTorch(TorchAdapter):
    """Nequix's ASE calculator on its torch backend, without kernels and not compiled: both need a GPU."""

    def load(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> Any:
        """Return Nequix's ASE calculator (eV, Angstrom) of a converted checkpoint."""
        os.environ["JAX_PLATFORMS"] = "cpu"  # it is imported, but computes nothing
        from nequix.calculator import NequixCalculator

        self.set_up_torch(device, threads)
        self._calculator = NequixCalculator(model_path=checkpoint, backend="torch", use_kernel=False)
        self._calculator.device = self.device  # it would take the first GPU wherever there is one
        self.model = self._calculator.model.to(self.device)
        return self._calculator

    def script(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> str:
        """Return how a plain script makes Nequix's calculator."""
        return f"""\
{self.torch_lines(device, threads)}
from nequix.calculator import NequixCalculator

calculator = NequixCalculator(model_path={str(checkpoint)!r}, backend="torch", use_kernel=False)
calculator.device = torch.device({device!r})  # it would take the first GPU wherever there is one
calculator.model.to(calculator.device)
"""

    def prepare(self, atoms: Any) -> Any:
        """Return `atoms`; raises ValueError for an element that the model was not trained on."""
        unknown = sorted(set(atoms.numbers.tolist()) - set(self._calculator.atom_indices))
        if unknown:
            raise ValueError(f"Nequix does not know the element with the atomic number {unknown[0]}")
        return atoms

    def settings(self) -> dict[str, Any]:
        """Return the backend and the precision in use; the cutoff in Angstrom."""
        return {
            **super().settings(),
            "backend": self._calculator.backend,
            "kernel": "e3nn",
            "compiled": False,
            "cutoff": self._calculator.cutoff,
            "stress": "only computed in a periodic cell",
        }

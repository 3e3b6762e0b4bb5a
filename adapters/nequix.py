# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "nequix==0.4.5",
#   "jax==0.10.2",
#   "ase==3.29.0",
#   "numpy==2.4.6",
# ]
#
# [tool.uv]
# exclude-newer = "2026-11-15T00:00:00Z"
# override-dependencies = [
#   "jax==0.10.2",  # nequix asks for jax[cuda12], some gigabytes, on every Linux machine
#   "ase-db-backends; sys_platform == 'never'",
#   "matplotlib; sys_platform == 'never'",
#   "h5py; sys_platform == 'never'",
#   "optax; sys_platform == 'never'",
#   "wandb; sys_platform == 'never'",
#   "wandb-osh; sys_platform == 'never'",
# ]
#
# [tool.pesbench]
# family = "Nequix"
# kind = "mlip"
# devices = ["cpu", "cuda"]
# dtypes = ["float32"]
# download-mb = 155
# cuda-dependencies = ["jax-cuda12-plugin[with-cuda]==0.10.2"]
# thread-control = "affinity"
#
# [tool.pesbench.methods.nequix-mp-1]
# label = "Nequix MP (nequix-mp-1)"
# paper = "nequix-mp-1"
# parameters = 707658
# [tool.pesbench.methods.nequix-mp-1.checkpoint]
# file = "nequix-mp-1.nqx"
# licence = "CC-BY-4.0 as listed by Matbench Discovery (code: MIT)"
# url = "https://github.com/atomicarchitects/nequix/raw/7c2854de8e754b1a60274c7d9d2e014989ed632e/models/nequix-mp-1.nqx"
# bytes = 2842366
# sha256 = "1647af8e627e1afa11e2bfadeab0797326513a521afd7dd01606a96f56783eee"
# ///
"""Nequix on JAX, without the OpenEquivariance kernels."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from bench.adapter import Adapter


class Nequix(Adapter):
    """Nequix's ASE calculator on its JAX backend.

    Adapter.synchronize stays as it is: the calculator copies energy and forces to the host, and that waits.
    """

    def load(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> Any:
        """Return Nequix's ASE calculator (eV, Angstrom) of `checkpoint`; it casts all input to float32."""
        if checkpoint is None:
            raise ValueError(f"{method} needs its checkpoint file; Nequix would fetch one without checking it")
        platform, _, index = device.partition(":")
        os.environ["JAX_PLATFORMS"] = platform  # read at import; it keeps JAX from falling back to the CPU
        import jax
        from nequix.calculator import NequixCalculator

        try:
            self._device = jax.devices()[int(index or 0)]
        except (AssertionError, IndexError, RuntimeError) as error:
            raise RuntimeError(f"JAX finds no device {device} ({error!r})") from error
        jax.config.update("jax_default_device", self._device)
        self._calculator = NequixCalculator(model_path=checkpoint, use_kernel=False)
        return self._calculator

    def prepare(self, atoms: Any) -> Any:
        """Return `atoms`; an element that the model was not trained on is a ValueError."""
        unknown = sorted(set(atoms.numbers.tolist()) - set(self._calculator.atom_indices))
        if unknown:
            raise ValueError(f"Nequix does not know the element with the atomic number {unknown[0]}")
        return atoms

    def new_structure(self, calculator: Any, atoms: Any) -> Any:
        """Return the calculator without its last results.

        Not with reset(): the calculator would then choose its padded number of edges anew, and where that is
        one not met before (320 or 384 for naphthalene) compile again, inside the timed region.
        """
        calculator.results = {}
        return calculator

    def count_parameters(self) -> int:
        """Return the number of parameters, the energies of the isolated elements included, as published."""
        return sum(leaf.size for leaf in self._leaves())

    def settings(self) -> dict[str, Any]:
        """Return backend, kernel, precision and compiled size that really run; the cutoff in Angstrom."""
        import jax

        model = self._calculator.model
        return {
            "backend": self._calculator.backend,
            "kernel": "OpenEquivariance" if any(layer.kernel for layer in model.layers) else "e3nn-jax",
            "parameter_dtypes": sorted({str(leaf.dtype) for leaf in self._leaves()}),
            "matmul_precision": jax.config.jax_default_matmul_precision,
            "device": str(self._device),
            "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
            "cutoff": self._calculator.cutoff,
            "padded_edges": self._calculator._capacity,
            "stress": "only computed in a periodic cell",
        }

    def peak_device_memory(self) -> int | None:
        """Return the largest memory that JAX had in use on the GPU, in bytes; None on a CPU."""
        if self._device.platform == "cpu":
            return None
        return int(self._device.memory_stats()["peak_bytes_in_use"])

    def _leaves(self) -> list[Any]:
        """Return the model's arrays."""
        import jax

        return [leaf for leaf in jax.tree.leaves(self._calculator.model) if isinstance(leaf, jax.Array)]

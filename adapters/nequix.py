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
# family = "Nequix"
# kind = "mlip"
# made-for = "crystals"
# devices = ["cpu", "cuda"]
# dtypes = ["float32"]
# periodic = true
# stress = true
# download-mb = 155
# cuda-dependencies = ["jax-cuda12-plugin[with-cuda]==0.10.2"]
# thread-control = "affinity"
#
# [tool.pesbench.knobs]
# tf32 = { values = ["off", "on"], devices = ["cuda"] }
# # OpenEquivariance is upstream's default on a GPU. It is compiled there, so it is only in an environment you bring.
# kernel = { values = ["openequivariance", "e3nn-jax"], devices = ["cuda"] }
# capacity-multiplier = ["1.1", "1.0"]  # space for edges: more of it costs time, less of it compiles more often
#
# [tool.pesbench.theory]
# functional = "PBE+U"
# basis = "-"
# dispersion = "none"
# source = "Koker et al., arXiv:2508.16067 and 2601.07742; nequix's README"
#
# [tool.pesbench.methods.nequix-mp-1]
# label = "Nequix MP (nequix-mp-1)"
# paper = "nequix-mp-1"
# parameters = 707658
# random-weights = true
# memory-mb = 1000
# [tool.pesbench.methods.nequix-mp-1.checkpoint]
# file = "nequix-mp-1.nqx"
# licence = "CC-BY-4.0 as listed by Matbench Discovery (code: MIT)"
# url = "https://github.com/atomicarchitects/nequix/raw/7c2854de8e754b1a60274c7d9d2e014989ed632e/models/nequix-mp-1.nqx"
# bytes = 2842366
# sha256 = "1647af8e627e1afa11e2bfadeab0797326513a521afd7dd01606a96f56783eee"
#
# [tool.pesbench.methods.nequix-mp-1-pft]
# label = "Nequix MP PFT (nequix-mp-1-pft)"
# parameters = 707658
# note = "nequix-mp-1 fine-tuned on phonons of the MDR database."
# default = false
# random-weights = true
# memory-mb = 1000
# [tool.pesbench.methods.nequix-mp-1-pft.checkpoint]
# file = "nequix-mp-1-pft.nqx"
# licence = "CC-BY-4.0 as listed by Matbench Discovery (code: MIT)"
# url = "https://github.com/atomicarchitects/nequix/raw/7c2854de8e754b1a60274c7d9d2e014989ed632e/models/nequix-mp-1-pft.nqx"
# bytes = 2842840
# sha256 = "a88aeaed71fd447572dc57af21d469207d7737b85a6dbb66f8c38156f175c5f1"
#
# [tool.pesbench.methods.nequix-omat-1]
# label = "Nequix OMat (nequix-omat-1)"
# parameters = 707658
# note = "Trained on OMat24."
# default = false
# random-weights = true
# memory-mb = 1000
# [tool.pesbench.methods.nequix-omat-1.checkpoint]
# file = "nequix-omat-1.nqx"
# licence = "not stated for the checkpoint (in a repository under MIT)"
# url = "https://github.com/atomicarchitects/nequix/raw/9c852a9c4cce69ae5e75bc5a2cf670be21ff8c28/models/nequix-omat-1.nqx"
# bytes = 2841752
# sha256 = "2d0802ae7f5915cb488c44d25649d98404a103697e6500abb40f515e003a46a6"
#
# [tool.pesbench.methods.nequix-oam-1]
# label = "Nequix OAM (nequix-oam-1)"
# parameters = 707658
# note = "Trained on OMat24, then on sAlex and MPtrj."
# default = false
# random-weights = true
# memory-mb = 1000
# [tool.pesbench.methods.nequix-oam-1.checkpoint]
# file = "nequix-oam-1.nqx"
# licence = "not stated for the checkpoint (in a repository under MIT)"
# url = "https://github.com/atomicarchitects/nequix/raw/9c852a9c4cce69ae5e75bc5a2cf670be21ff8c28/models/nequix-oam-1.nqx"
# bytes = 2869928
# sha256 = "6a43475eaeb32a7a049f36c1306d78aa1e7a17e8af37aeda7901c8fec0ca845c"
#
# [tool.pesbench.methods.nequix-oam-1-pft]
# label = "Nequix OAM PFT (nequix-oam-1-pft)"
# parameters = 707658
# note = "nequix-oam-1 fine-tuned on phonons of the MDR database."
# default = false
# random-weights = true
# memory-mb = 1000
# [tool.pesbench.methods.nequix-oam-1-pft.checkpoint]
# file = "nequix-oam-1-pft.nqx"
# licence = "not stated for the checkpoint (in a repository under MIT)"
# url = "https://github.com/atomicarchitects/nequix/raw/9c852a9c4cce69ae5e75bc5a2cf670be21ff8c28/models/nequix-oam-1-pft.nqx"
# bytes = 2842066
# sha256 = "4ce693d68886512aab50c84ea2400efd68163e11155f7c7babe98e695177e809"
# ///
"""Nequix on JAX, on a GPU with the OpenEquivariance kernels where they are installed."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.adapter import Adapter, by_molecule

ARCHITECTURE: dict[str, Any] = {  # from the checkpoint of nequix-mp-1; its siblings differ in the last three
    "hidden_irreps": "128x0e + 64x1o + 32x2e + 32x3o",
    "lmax": 3,
    "cutoff": 6.0,
    "n_layers": 4,
    "radial_basis_size": 8,
    "radial_mlp_size": 64,
    "radial_mlp_layers": 2,
    "radial_polynomial_p": 6.0,
    "mlp_init_scale": 4.0,
    "index_weights": False,
    "layer_norm": True,
    "shift": 0.16502578765761478,
    "scale": 0.8066479563713074,
    "avg_n_neighbors": 57.413687022442645,
}
KERNELS = ("openequivariance", "openequivariance_extjax")
ATOMIC_NUMBERS = [*range(1, 84), *range(89, 95)]  # H to Bi and Ac to Pu


class Nequix(Adapter):
    """Nequix's ASE calculator on its JAX backend.

    It needs no synchronize(): the calculator copies energy and forces to the host, which waits for the device.
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
        if self.knobs.get("tf32") == "on":  # Nequix's import asks for the highest precision
            jax.config.update("jax_default_matmul_precision", "tensorfloat32")
        self._missing = self._missing_kernels()
        self._calculator = NequixCalculator(
            model_path=checkpoint,
            use_kernel=self._kernel() and not self._missing,  # without the packages it would raise an error
            capacity_multiplier=float(self.knobs.get("capacity-multiplier", "1.1")),
        )
        self._edges: dict[int, int] = {}
        return self._calculator

    def script(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> str:
        """Return how a plain script makes Nequix's calculator."""
        platform, _, index = device.partition(":")
        tf32 = 'jax.config.update("jax_default_matmul_precision", "tensorfloat32")'
        return f"""\
import os

os.environ["JAX_PLATFORMS"] = {platform!r}  # read at import
import jax
from nequix.calculator import NequixCalculator

jax.config.update("jax_default_device", jax.devices()[{int(index or 0)}])
{tf32 if self.knobs.get("tf32") == "on" else ""}
calculator = NequixCalculator(
    model_path={str(checkpoint)!r},
    use_kernel={self._kernel() and not self._missing_kernels()},
    capacity_multiplier={float(self.knobs.get("capacity-multiplier", "1.1"))},
)
"""

    def _kernel(self) -> bool:
        return self.knobs.get("kernel") == "openequivariance"

    def _missing_kernels(self) -> list[str]:
        """Return the packages that the chosen kernel needs and that are not installed."""
        return [name for name in KERNELS if self._kernel() and importlib.util.find_spec(name) is None]

    def make_random(self, method: str, path: Path, seed: int) -> None:
        """Write a checkpoint of the common architecture with Nequix's initial weights."""
        os.environ["JAX_PLATFORMS"] = "cpu"
        import jax
        from nequix.model import Nequix as Model
        from nequix.model import save_model

        model = Model(jax.random.key(seed), n_species=len(ATOMIC_NUMBERS), **ARCHITECTURE)
        save_model(path, model, {"atomic_numbers": ATOMIC_NUMBERS, **ARCHITECTURE})

    def prepare(self, atoms: Any) -> Any:
        """Return `atoms`; raises ValueError for an element that the model was not trained on."""
        unknown = sorted(set(atoms.numbers.tolist()) - set(self._calculator.atom_indices))
        if unknown:
            raise ValueError(f"Nequix does not know the element with the atomic number {unknown[0]}")
        return atoms

    def new_structure(self, calculator: Any, atoms: Any) -> Any:
        """Return the calculator without its last results.

        It does not call reset(): the calculator would then choose its padded number of edges anew, and compile again
        for a new one (320 or 384 for naphthalene), inside the timed region.
        """
        calculator.results = {}
        return calculator

    def batched(self, calculator: Any, structures: Sequence[Any]) -> list[tuple[float, Any]]:
        """Return energy and forces of each structure from one graph of jraph's, padded as its calculator pads one.

        Each number of structures is compiled once, unless a batch has more edges than the padded ones before it.
        """
        import equinox
        import jraph
        import numpy as np
        from nequix.data import dict_to_graphstuple, preprocess_graph

        graph = jraph.batch_np(
            [
                dict_to_graphstuple(preprocess_graph(atoms, calculator.atom_indices, calculator.cutoff, False))
                for atoms in structures
            ]
        )
        size, atoms, edges = len(structures), int(graph.n_node.sum()), int(graph.n_edge.sum())
        if edges > self._edges.get(size, 0):
            self._edges[size] = -(-int(np.ceil(edges * calculator._capacity_multiplier)) // 64) * 64
        padded = jraph.pad_with_graphs(graph, (atoms + 8) // 8 * 8, self._edges[size], size + 1)
        energies, forces, _ = equinox.filter_jit(calculator.model)(padded)
        return by_molecule(np.array(energies).tolist()[:size], np.array(forces)[:atoms], structures)

    def count_parameters(self) -> int:
        """Return the number of parameters, including the energies of isolated atoms, as published."""
        return sum(leaf.size for leaf in self._leaves())

    def settings(self) -> dict[str, Any]:
        """Return the backend, kernel, precision and compiled size in use; the cutoff in Angstrom."""
        import jax

        model = self._calculator.model
        kernel = any(getattr(layer, "kernel", False) for layer in model.layers)  # none in releases before 0.4
        missing = f" ({' and '.join(self._missing)} not installed)" if self._missing else ""
        return {
            "backend": self._calculator.backend,
            "kernel": "OpenEquivariance" if kernel else f"e3nn-jax{missing}",
            "capacity_multiplier": self._calculator._capacity_multiplier,
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

    def product_error(self) -> float | None:
        """Return the error of JAX's float32 product of two random matrices, against float64."""
        import jax
        import numpy as np

        left, right = np.random.default_rng(0).random((2, 512, 512), dtype=np.float32)
        product = np.array(jax.numpy.matmul(jax.device_put(left, self._device), jax.device_put(right, self._device)))
        exact = left.astype(float) @ right.astype(float)
        return float(np.abs(product - exact).max() / exact.max())

    def _leaves(self) -> list[Any]:
        """Return the model's arrays."""
        import jax

        return [leaf for leaf in jax.tree.leaves(self._calculator.model) if isinstance(leaf, jax.Array)]

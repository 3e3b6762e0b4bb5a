# /// script
# requires-python = ">=3.11,<3.13"
# dependencies = [
#   "fairchem-core==1.10.0",
#   "torch==2.13.0",
#   "torch-geometric==2.8.1",
#   "ase==3.29.0",
#   "numpy==2.4.6",
# ]
#
# [tool.uv]
# exclude-newer = "2026-11-15T00:00:00Z"
# exclude-newer-package = { torch = false }
# override-dependencies = [
#   "torch==2.13.0",  # fairchem-core 1.10.0 asks for 2.4, but works with this one
#   "numpy==2.4.6",  # likewise, for 1.26
#   "aiohttp; sys_platform == 'never'",
#   "cwevals; sys_platform == 'never'",
#   "hydra-core; sys_platform == 'never'",
#   "pymatgen; sys_platform == 'never'",
#   "torchtnt; sys_platform == 'never'",
# ]
#
# [tool.pesbench]
# family = "EquiformerV2"
# kind = "mlip"
# made-for = "crystals"
# devices = ["cpu", "cuda"]
# dtypes = ["float32"]
# conservative = false
# download-mb = 410  # with a CPU build of torch
# cuda-dependencies = []  # a CUDA build of torch brings what it needs
#
# [tool.pesbench.knobs]
# tf32 = { values = ["off", "on"], devices = ["cuda"] }
#
# [tool.pesbench.theory]
# functional = "PBE+U"
# basis = "-"
# dispersion = "none"
# source = "Barroso-Luque et al., arXiv:2410.12771"
#
# [tool.pesbench.methods.eqv2-m]
# label = "eqV2 M (OMat24, MPtrj, sAlex)"
# paper = "eqv2-m"
# parameters = 86589068
# random-weights = true
# memory-mb = 2500
# note = """
# Trained on OMat24, then on MPtrj and sAlex, as Matbench Discovery lists eqV2 M. fairchem-core 1.10.0, the last \
# release that runs it, on torch 2.13. torch_geometric's scatter replaces torch_scatter's, which has no wheels. \
# Forces are predicted directly; the stress is predicted too and cannot be switched off."""
# [tool.pesbench.methods.eqv2-m.checkpoint]
# file = "eqV2_86M_omat_mp_salex.pt"
# licence = "Meta's own licence for the OMat24 models, at the address for access (code: MIT)"
# url = "https://huggingface.co/facebook/OMAT24/resolve/main/eqV2_86M_omat_mp_salex.pt"
# gated = "https://huggingface.co/facebook/OMAT24"
# ///
"""Meta's EquiformerV2 of 86 M parameters for materials, eqV2 M."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import types
from pathlib import Path
from typing import Any

from bench.adapter import TorchAdapter

SEED = 0


class EquiformerV2(TorchAdapter):
    """fairchem 1.10's calculator; it takes molecules without a box, and has no choice of precision or compilation."""

    def load(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> Any:
        """Return fairchem's ASE calculator (eV, Angstrom) of `checkpoint`."""
        if checkpoint is None:
            raise ValueError(f"{method} needs its checkpoint file; access is granted at huggingface.co/facebook/OMAT24")
        kind, _, index = device.partition(":")
        if index:  # fairchem uses the first visible GPU
            visible = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
            os.environ["CUDA_VISIBLE_DEVICES"] = visible[int(index)] if visible != [""] else index
        self.set_up_torch(kind, threads)
        _import_fairchem()
        from fairchem.core import OCPCalculator

        # These old checkpoints hold NumPy numbers, which torch since 2.6 refuses to load by default.
        os.environ["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] = "1"
        self._calculator = OCPCalculator(checkpoint_path=checkpoint, cpu=kind == "cpu", seed=SEED)
        self.model = self._calculator.trainer.model
        self.device = self._calculator.trainer.device
        if self.device.type != kind:  # it falls back silently
            raise RuntimeError(f"fairchem chose the device {self.device} instead of {device}")
        return self._calculator

    def script(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> str:
        """Return how a plain script makes fairchem's calculator, without torch_scatter."""
        kind, _, index = device.partition(":")
        visible = f'os.environ["CUDA_VISIBLE_DEVICES"] = "{index}"  # fairchem uses the first one\n' if index else ""
        return f"""\
import importlib
import os
import sys
import types

{visible}\
os.environ["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] = "1"  # these old checkpoints hold NumPy numbers
{self.torch_lines(kind, threads)}
from torch_geometric.utils import scatter

# torch_scatter has no wheels; where it is not installed, torch_geometric's function takes its place
if importlib.util.find_spec("torch_scatter") is None:
    sys.modules["torch_scatter"] = types.ModuleType("torch_scatter")
    sys.modules["torch_scatter"].scatter = scatter

from fairchem.core import OCPCalculator
from fairchem.core.common.registry import registry

registry.register("imports_setup", True)  # otherwise fairchem imports all its architectures
importlib.import_module("fairchem.core.models.equiformer_v2.equiformer_v2")
importlib.import_module("fairchem.core.models.equiformer_v2.trainers.forces_trainer")
calculator = OCPCalculator(checkpoint_path={str(checkpoint)!r}, cpu={kind == "cpu"}, seed={SEED})
"""

    def make_random(self, method: str, path: Path, seed: int) -> None:
        """Write a checkpoint as fairchem 1.10 saves it: the released configuration with fairchem's initial weights.

        Its normalizers do nothing and its element energies are zero.
        """
        import torch

        _import_fairchem()
        from fairchem.core.common.registry import registry

        torch.manual_seed(seed)
        weights = registry.get_model_class("hydra")(**MODEL).state_dict()
        targets = ("energy", "forces", "stress_isotropic", "stress_anisotropic")
        torch.save(
            {
                "state_dict": {f"module.{name}": tensor for name, tensor in weights.items()},
                "normalizers": {name: {"mean": torch.tensor(0.0), "rmsd": torch.tensor(1.0)} for name in targets},
                "elementrefs": {"energy": {"element_references": torch.zeros(119)}},
                "config": {
                    "trainer": "equiformerv2_forces",
                    "model": {"name": "hydra", **MODEL},
                    "outputs": OUTPUTS,
                    "loss_functions": [{"energy": {"fn": "per_atom_mae", "coefficient": 2.5}}],
                    "evaluation_metrics": {},
                    "optim": {},
                    "dataset": {"src": None},
                },
            },
            path,
        )

    def prepare(self, atoms: Any) -> Any:
        """Return `atoms`; an element beyond the model's table is a ValueError."""
        most = self.model.backbone.max_num_elements - 1
        if max(atoms.numbers) > most:
            raise ValueError(f"eqV2 knows the elements up to {most}, not the atomic number {max(atoms.numbers)}")
        return atoms

    def new_structure(self, calculator: Any, atoms: Any) -> Any:
        """Return the calculator without its last results, and reset its random numbers.

        It rotates the frame of every edge by a random angle about that edge, which changes the last digits.
        """
        calculator.trainer.set_seed(SEED)
        calculator.reset()
        return calculator

    def settings(self) -> dict[str, Any]:
        """Return the precision and the components that really run; the cutoff in Angstrom."""
        trainer = self._calculator.trainer
        backbone = self.model.backbone
        return {
            **super().settings(),
            "trainer": type(trainer).__name__,
            "scatter": sys.modules["torch_scatter"].scatter.__module__.partition(".")[0],
            "amp": trainer.scaler is not None,
            "compile": False,
            "cutoff": backbone.max_radius,
            "max_neighbors": backbone.max_neighbors,
            "forces": "direct",
            "stress": "computed with the forces",
        }


def _import_fairchem() -> None:
    """Import the parts of fairchem for EquiformerV2; by itself it would import all its architectures.

    It imports torch_scatter's `scatter`. Where that package is not installed, torch_geometric's equivalent function
    replaces it; no installed package is changed.
    """
    from torch_geometric.utils import scatter  # before the replacement exists, because it looks for torch_scatter

    if importlib.util.find_spec("torch_scatter") is None:
        stand_in = types.ModuleType("torch_scatter", "torch_geometric's scatter, put here by pesbench")
        vars(stand_in)["scatter"] = scatter
        sys.modules["torch_scatter"] = stand_in
    from fairchem.core.common.registry import registry

    registry.register("imports_setup", True)  # tells fairchem not to import the rest
    importlib.import_module("fairchem.core.models.equiformer_v2.equiformer_v2")
    importlib.import_module("fairchem.core.models.equiformer_v2.trainers.forces_trainer")


OUTPUTS = {
    "energy": {"level": "system", "property": "energy"},
    "forces": {"level": "atom", "property": "forces", "train_on_free_atoms": True, "eval_on_free_atoms": True},
    "stress": {
        "level": "system",
        "property": "stress",
        "decomposition": {"stress_isotropic": {"irrep_dim": 0}, "stress_anisotropic": {"irrep_dim": 2}},
    },
}
MODEL = {
    "pass_through_head_outputs": True,
    "otf_graph": True,
    "backbone": {
        "model": "equiformer_v2_backbone",
        "use_pbc": True,
        "use_pbc_single": True,
        "otf_graph": True,
        "enforce_max_neighbors_strictly": False,
        "max_neighbors": 20,
        "max_radius": 12.0,
        "max_num_elements": 96,
        "avg_num_nodes": 31.17,
        "avg_degree": 61.95,
        "num_layers": 10,
        "sphere_channels": 128,
        "attn_hidden_channels": 64,
        "num_heads": 8,
        "attn_alpha_channels": 64,
        "attn_value_channels": 16,
        "ffn_hidden_channels": 128,
        "norm_type": "layer_norm_sh",
        "lmax_list": [6],
        "mmax_list": [4],
        "grid_resolution": 18,
        "num_sphere_samples": 128,
        "edge_channels": 128,
        "use_atom_edge_embedding": True,
        "share_atom_edge_embedding": False,
        "use_m_share_rad": False,
        "distance_function": "gaussian",
        "num_distance_basis": 512,
        "attn_activation": "silu",
        "use_s2_act_attn": False,
        "use_attn_renorm": True,
        "ffn_activation": "silu",
        "use_gate_act": False,
        "use_grid_mlp": True,
        "use_sep_s2_act": True,
        "alpha_drop": 0.1,
        "drop_path_rate": 0.1,
        "proj_drop": 0.0,
        "weight_init": "uniform",
    },
    "heads": {
        "energy": {"module": "equiformer_v2_energy_head"},
        "forces": {"module": "equiformer_v2_force_head"},
        "stress": {
            "module": "rank2_symmetric_head",
            "output_name": "stress",
            "use_source_target_embedding": True,
            "decompose": True,
        },
    },
}

# /// script
# requires-python = ">=3.11,<3.15"
# dependencies = [
#   "fairchem-core==2.24.0",
#   "torch==2.13.0",
#   "ase==3.29.0",
#   "numpy==2.4.6",
# ]
#
# [tool.uv]
# exclude-newer = "2026-11-15T00:00:00Z"
# exclude-newer-package = { torch = false }
# override-dependencies = [
#   "ase-db-backends; sys_platform == 'never'",
#   "clusterscope; sys_platform == 'never'",
#   "cuda-python; sys_platform == 'never'",  # for UMA Nitro, which supports uma-s-1p2p1 but not uma-s-1p2
#   "cwevals; sys_platform == 'never'",
#   "lmdb; sys_platform == 'never'",
#   "numba; sys_platform == 'never'",
#   "nvalchemi-toolkit-ops; sys_platform == 'never'",  # an optional neighbour list
#   "nvidia-cutlass-dsl; sys_platform == 'never'",  # for UMA Nitro
#   "tensorboard; sys_platform == 'never'",
#   "websockets; sys_platform == 'never'",
# ]
#
# [tool.pesbench]
# family = "UMA"
# kind = "mlip"
# made-for = "molecules"
# devices = ["cpu", "cuda"]
# dtypes = ["float32", "float64"]
# charge = true
# spin = true
# download-mb = 330  # with a CPU build of torch
# cuda-dependencies = []  # a CUDA build of torch brings what it needs, Triton included
#
# # fairchem's defaults for this checkpoint. Compilation takes one to two minutes and needs a C++ compiler.
# [tool.pesbench.knobs]
# tf32 = { values = ["on", "off"], devices = ["cuda"] }
# merge-mole = ["on", "off"]
# compile = ["on", "off"]
# stress = ["on", "off"]
# execution-mode = { values = ["general", "umas_fast_pytorch"], devices = ["cpu"] }
#
# [tool.pesbench.theory]
# functional = "wB97M-V"
# basis = "def2-TZVPD"
# dispersion = "VV10"
# source = "Wood et al., arXiv:2506.23971; OMol25: Levine et al., arXiv:2505.08762"
#
# [tool.pesbench.methods.uma-s-1p2]
# label = "UMA-S-1.2 (omol)"
# paper = "uma-s-1p2"
# parameters = 291482433
# random-weights = true
# memory-mb = 5000
# note = """
# Task omol; as fairchem 2.24 does by default for this checkpoint: experts merged for the molecule (6.33 M of 291.5 M \
# parameters stay), torch.compile, TF32 on a GPU, stress."""
# [tool.pesbench.methods.uma-s-1p2.checkpoint]
# file = "uma-s-1p2.pt"
# licence = "FAIR Chemistry License (code: MIT)"
# url = "https://huggingface.co/facebook/UMA/resolve/main/checkpoints/uma-s-1p2.pt"
# gated = "https://huggingface.co/facebook/UMA"
# ///
"""Meta's UMA-S-1.2 for molecules (task omol), with its experts merged for the molecule."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.adapter import TorchAdapter, as_arguments, by_molecule, charge_and_spin

TASK = "omol"


class Uma(TorchAdapter):
    """fairchem's calculator with every inference setting stated, since presets change between versions."""

    def load(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> Any:
        """Return fairchem's ASE calculator (eV, Angstrom) of `checkpoint`."""
        if checkpoint is None:
            raise ValueError(f"{method} needs its checkpoint file; access is granted at huggingface.co/facebook/UMA")
        import torch

        self.set_up_torch(device, threads)
        if self.device.type == "cuda":
            torch.cuda.set_device(self.device)  # fairchem ignores an index and uses the current device
        self._dtype, self._checkpoint = dtype, checkpoint
        self._compile = self.compiles(self.device.type)
        self._calculator = self._fresh()
        self._count = super().count_parameters()  # now, because the first call merges the experts
        self._system: tuple[Any, ...] | None = None
        return self._calculator

    def script(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> str:
        """Return how a plain script makes fairchem's calculator."""
        settings, overrides = self._inference(self.compiles(device.partition(":")[0]), dtype)
        current = "" if device == "cpu" else f"\ntorch.cuda.set_device({device!r})"
        return f"""\
from fairchem.core import FAIRChemCalculator
from fairchem.core.units.mlip_unit import InferenceSettings, load_predict_unit
{self.torch_lines(device, threads)}{current}
settings = InferenceSettings(
{as_arguments(settings)}
)
predictor = load_predict_unit({str(checkpoint)!r}, settings, {overrides!r}, device={device.partition(":")[0]!r})
calculator = FAIRChemCalculator(predictor, task_name={TASK!r})
"""

    def make_random(self, method: str, path: Path, seed: int) -> None:
        """Write a checkpoint in fairchem's inference format: the architecture as released, fairchem's initial weights.

        The element energies are zero. Sizes missing from the released configurations are those of uma-s-1p2p1, for
        which fairchem's fast path is written; both have 64 experts and seven tasks.
        """
        import torch
        from fairchem.core.models.base import HydraModel
        from fairchem.core.units.mlip_unit.api.inference import MLIPInferenceCheckpoint

        torch.manual_seed(seed)
        weights = HydraModel(**{key: value for key, value in MODEL.items() if key != "_target_"}).state_dict()
        averaged = {f"module.{name}": tensor for name, tensor in weights.items()}
        averaged["n_averaged"] = torch.tensor(1)
        torch.save(MLIPInferenceCheckpoint(MODEL, weights, averaged, _tasks()), path)

    def prepare(self, atoms: Any) -> Any:
        """Return a copy with the charge and the spin multiplicity; without them omol assumes a neutral singlet."""
        atoms = atoms.copy()
        atoms.info["charge"], atoms.info["spin"] = charge_and_spin(atoms)
        return atoms

    def new_structure(self, calculator: Any, atoms: Any) -> Any:
        """Return the calculator without its last results.

        The experts are merged at the first call, for one composition, charge and spin. With another one, fairchem
        would continue unmerged and uncompiled, so load anew and merge here, outside the timed region.
        """
        system = atoms.get_chemical_formula(), atoms.info["charge"], atoms.info["spin"]
        if self._system not in (None, system):
            calculator.predictor = self._fresh().predictor
            for _ in range(2):  # the second call still compiles a little
                calculator.calculate(atoms.copy(), ["energy", "forces"], [])
        self._system = system
        calculator.reset()
        return calculator

    def batched(self, calculator: Any, structures: Sequence[Any]) -> list[tuple[float, Any]]:
        """Return energy and forces of each structure from one batch of fairchem's predictor.

        They must have the composition, charge and spin for which the experts are merged.
        """
        from fairchem.core.datasets.atomic_data import atomicdata_list_to_batch

        batch = atomicdata_list_to_batch([calculator.a2g(atoms) for atoms in structures])
        found = calculator.predictor.predict(batch)
        forces = found["forces"].detach().cpu().numpy()
        return by_molecule(found["energy"].detach().cpu().flatten().tolist(), forces, structures)

    def count_parameters(self) -> int | None:
        """Return the number of parameters in the checkpoint, all experts and tasks included."""
        return self._count

    @property
    def model(self) -> Any:
        """The current model: the predictor loads another one for another molecule."""
        return self._calculator.predictor.model

    def settings(self) -> dict[str, Any]:
        """Return the inference settings in use; the cutoff in Angstrom."""
        predictor = self._calculator.predictor
        backbone = self.model.module.backbone
        used = predictor.inference_settings
        return {
            **super().settings(),
            "task": self._calculator.task_name,
            "charge and spin": "0 and 1 unless the structure says otherwise",
            "merge_mole": used.merge_mole,
            "merged_parameters": super().count_parameters() if used.merge_mole else None,
            "compiled": self.compiled(used.compile),
            "tf32": used.tf32,
            "nitro": used.nitro,
            "activation_checkpointing": used.activation_checkpointing,
            "kernel": type(backbone.backend).__name__,
            "graph": f"version {backbone.radius_pbc_version}",
            "float32_matmul_precision": "high" if used.tf32 else "highest",
            "device": str(predictor.device),
            "cutoff": backbone.cutoff,
            "max_neighbors": backbone.max_neighbors,
            "stress": "computed with the forces" if backbone.regress_config.stress else "off",
        }

    def _fresh(self) -> Any:
        """Return a calculator with the model as in the checkpoint, its experts not yet merged."""
        from fairchem.core import FAIRChemCalculator
        from fairchem.core.units.mlip_unit import InferenceSettings, load_predict_unit

        settings, overrides = self._inference(self._compile, self._dtype)
        predictor = load_predict_unit(
            self._checkpoint, InferenceSettings(**settings), overrides, device=self.device.type
        )
        return FAIRChemCalculator(predictor, task_name=TASK)

    def _inference(self, compiled: bool, dtype: str) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """Return the arguments of fairchem's settings, and what replaces parts of the checkpoint's configuration."""
        stress = self.knobs.get("stress", "on") == "on"
        settings = {
            "merge_mole": self.knobs.get("merge-mole", "on") == "on",
            "compile": compiled,
            "tf32": self.knobs.get("tf32", "on") == "on",  # only on a GPU
            "nitro": False,  # the default, but not for uma-s-1p2: fairchem warns and goes on without
            "activation_checkpointing": False,
            "base_precision_dtype": dtype,
            "execution_mode": self.knobs.get("execution-mode"),  # None on a GPU: fairchem takes its Triton kernels
            "external_graph_gen": False,
            "internal_graph_gen_version": 2,
            "auto_add_default_untrained_tasks": stress,
        }
        return settings, None if stress else {"backbone": {"regress_stress": False}}


DATASETS = {name: name for name in ("oc20", "oc22", "oc25", "omol", "omat", "odac", "omc")}
MODEL = {
    "_target_": "fairchem.core.models.base.HydraModel",
    "model_id": "UMA-S-1.2",
    "supports_single_atoms": True,
    "pass_through_head_outputs": True,
    "backbone": {
        "model": "fairchem.core.models.uma.escn_moe.eSCNMDMoeBackbone",
        "num_experts": 64,
        "moe_dropout": 0.05,
        "moe_layer_type": "pytorch",
        "use_composition_embedding": True,
        "use_global_embedding": False,
        "max_num_elements": 100,
        "sphere_channels": 128,
        "hidden_channels": 128,
        "edge_channels": 128,
        "num_layers": 4,
        "lmax": 2,
        "mmax": 2,
        "cutoff": 6,
        "max_neighbors": 300,
        "otf_graph": True,
        "distance_function": "gaussian",
        "num_distance_basis": 32,
        "direct_forces": False,
        "regress_forces": True,
        "regress_stress": True,
        "norm_type": "rms_norm_sh",
        "act_type": "gate",
        "ff_type": "spectral",
        "chg_spin_emb_type": "rand_emb",
        "cs_emb_grad": True,
        "charge_balanced_channels": [0, 1, 2],
        "dataset_mapping": DATASETS,
    },
    "heads": {
        "energyandforcehead": {
            "module": "fairchem.core.models.uma.escn_moe.DatasetSpecificMoEWrapper",
            "head_cls": "fairchem.core.models.uma.escn_md.MLP_EFS_Head",
            "head_kwargs": {"wrap_property": False},
            "dataset_mapping": DATASETS,
        }
    },
}


def _tasks() -> list[dict[str, Any]]:
    """Return the checkpoint's outputs: energy and forces for every data set, stress for those of crystals."""
    shapes: dict[str, tuple[str, list[int]]] = {
        "energy": ("system", [1]),
        "forces": ("atom", [3]),
        "stress": ("system", [1, 9]),
    }
    normalization = "fairchem.core.modules.normalization"
    references = {
        "_target_": f"{normalization}.element_references.ElementReferences",
        "element_references": {"_target_": "torch.DoubleTensor", "_args_": [[0.0] * 100]},
    }
    return [
        {
            "_target_": "fairchem.core.units.mlip_unit.mlip_unit.Task",
            "name": f"{dataset}_{quantity}",
            "level": level,
            "property": quantity,
            "out_spec": {
                "_target_": "fairchem.core.units.mlip_unit.mlip_unit.OutputSpec",
                "dim": shape,
                "dtype": "float32",
            },
            "normalizer": {"_target_": f"{normalization}.normalizer.Normalizer", "mean": 0.0, "rmsd": 1.423},
            "element_references": references if quantity == "energy" else None,
            "datasets": [dataset],
        }
        for quantity, (level, shape) in shapes.items()
        for dataset in (DATASETS if quantity != "stress" else ("omat", "omc"))
    ]

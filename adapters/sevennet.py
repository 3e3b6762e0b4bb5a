# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "sevenn==0.13.0",
#   "torch==2.13.0",
#   "ase==3.29.0",
#   "numpy==2.4.6",
#   "pyyaml==6.0.3",
# ]
#
# [tool.uv]
# exclude-newer = "2026-11-15T00:00:00Z"
# exclude-newer-package = { torch = false }
# override-dependencies = [
#   "aiohttp; sys_platform == 'never'",
#   "matplotlib; sys_platform == 'never'",
#   "ninja; sys_platform == 'never'",
# ]
#
# [tool.pesbench]
# family = "SevenNet"
# kind = "mlip"
# made-for = "crystals"
# devices = ["cpu", "cuda"]
# dtypes = ["float32"]
# periodic = true
# stress = true
# download-mb = 330  # with a CPU build of torch
# cuda-dependencies = []  # a CUDA build of torch brings what it needs
#
# [tool.pesbench.knobs]
# tf32 = { values = ["off", "on"], devices = ["cuda"] }
# kernel = { values = ["e3nn", "cuequivariance"], devices = ["cuda"] }  # its package is for an environment you bring
#
# [tool.pesbench.methods.7net-0]
# label = "SevenNet-0 (11Jul2024)"
# parameters = 842440
# note = "The checkpoint of 11 July 2024, which sevenn calls 7net-0, not that of 22 May 2024."
# memory-mb = 600
# [tool.pesbench.methods.7net-0.checkpoint]
# file = "checkpoint_sevennet_0.pth"
# licence = "MIT"
# bytes = 10268648
# sha256 = "7052cb42b7b3be42b40b97fa0d21077a48c54b5548948fc4dcf346629f813c36"
# shipped = true
# [tool.pesbench.methods.7net-0.theory]
# functional = "PBE+U"
# basis = "-"
# dispersion = "none"
# source = "Park et al., J. Chem. Theory Comput. 20, 4857 (2024): MPtrj"
#
# [tool.pesbench.methods.7net-mf-0]
# label = "SevenNet-MF-0 (PBE)"
# default = false
# note = "Modal PBE of the two that it was trained on (PBE and R2SCAN)."
# memory-mb = 600
# [tool.pesbench.methods.7net-mf-0.checkpoint]
# file = "checkpoint_sevennet_mf_0.pth"
# licence = "MIT"
# bytes = 10322158
# sha256 = "81791329b37d445f46b531578c182c41792d98c7814222c9e5dde276402225fd"
# shipped = true
# [tool.pesbench.methods.7net-mf-0.theory]
# functional = "PBE+U"
# basis = "-"
# dispersion = "none"
# source = "Kim et al., J. Am. Chem. Soc. 147, 1042 (2025): modal PBE is MPtrj"
#
# [tool.pesbench.methods.7net-l3i5]
# label = "SevenNet-l3i5"
# default = false
# parameters = 1171144
# memory-mb = 600
# [tool.pesbench.methods.7net-l3i5.checkpoint]
# file = "checkpoint_l3i5.pth"
# licence = "MIT"
# bytes = 14345754
# sha256 = "a7ff190d41efe5b8317a03d20a468e4036a1a3e64e0b14fdbab64ac3f4bfc09d"
# shipped = true
# [tool.pesbench.methods.7net-l3i5.theory]
# functional = "PBE+U"
# basis = "-"
# dispersion = "none"
# source = "SevenNet's documentation: MPtrj"
#
# [tool.pesbench.methods.sevennet-mf-ompa]
# label = "SevenNet-MF-ompa (mpa)"
# paper = "sevennet-mf-ompa"
# parameters = 25734966
# note = "Modal mpa (MPtrj and sAlex) of the two that it was trained on (mpa and omat24)."
# random-weights = true
# memory-mb = 900
# [tool.pesbench.methods.sevennet-mf-ompa.checkpoint]
# file = "checkpoint_sevennet_mf_ompa.pth"
# licence = "not stated for the checkpoint (code: MIT; Matbench Discovery has listed GPL-3.0)"
# url = "https://github.com/MDIL-SNU/SevenNet/releases/download/v0.11.0.cp/checkpoint_sevennet_mf_ompa.pth"
# [tool.pesbench.methods.sevennet-mf-ompa.theory]
# functional = "PBE+U"
# basis = "-"
# dispersion = "none"
# source = "Kim et al., J. Am. Chem. Soc. 147, 1042 (2025); Matbench Discovery"
# ///
"""SevenNet's pretrained models, with its own e3nn kernels."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.adapter import TorchAdapter, by_molecule, shipped_checkpoint

MODELS = {  # the name in sevenn, and the modal: the data set whose level of theory is used
    "7net-0": ("7net-0", None),
    "7net-mf-0": ("7net-mf-0", "PBE"),
    "7net-l3i5": ("7net-l3i5", None),
    "sevennet-mf-ompa": ("7net-mf-ompa", "mpa"),
}
MF_OMPA_MODALS = ("mpa", "omat24")
ACCELERATORS = {"cuequivariance_torch", "flashTP_e3nn", "openequivariance"}


class SevenNet(TorchAdapter):
    """SevenNet's ASE calculator; the stress comes with the forces and cannot be switched off."""

    def load(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> Any:
        """Return SevenNet's ASE calculator (eV, Angstrom); without `checkpoint`, of the file in its package."""
        from sevenn.calculator import SevenNetCalculator
        from sevenn.util import pretrained_name_to_path

        self.set_up_torch(device, threads)
        name, modal = MODELS[method]
        if checkpoint is None:
            if method == "sevennet-mf-ompa":
                raise ValueError(f"{method} does not come with sevenn: a checkpoint file is needed")
            checkpoint = shipped_checkpoint(__file__, method, Path(pretrained_name_to_path(name)))
        with warnings.catch_warnings():
            # The warning only says that e3nn is slower than an accelerator; settings() reports which one runs.
            warnings.filterwarnings("ignore", message="No tensor product accelerator", category=UserWarning)
            accelerated = self.knobs.get("kernel") == "cuequivariance"
            self._calculator = SevenNetCalculator(checkpoint, modal=modal, device=device, enable_cueq=accelerated)
        self.model = self._calculator.model
        self._method = method
        if accelerated and "cuequivariance_torch" not in self._kernels():  # sevenn would only warn and use e3nn
            raise ImportError("cuequivariance is not installed, so sevenn runs on e3nn")
        return self._calculator

    def script(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> str:
        """Return how a plain script makes SevenNet's calculator."""
        name, modal = MODELS[method]
        accelerated = self.knobs.get("kernel") == "cuequivariance"
        return f"""\
from sevenn.calculator import SevenNetCalculator
{self.torch_lines(device, threads)}
calculator = SevenNetCalculator(
    {str(checkpoint or name)!r},
    modal={modal!r},
    device={device!r},
    enable_cueq={accelerated},
)
"""

    def edges(self, calculator: Any) -> int | None:
        """Return the number of edges in the graph of the last force call; None before sevenn 0.11.1."""
        edges = calculator.results.get("num_edges")
        return None if edges is None else int(edges)

    def make_random(self, method: str, path: Path, seed: int) -> None:
        """Write a checkpoint of SevenNet-MF-ompa with sevenn's initial weights, from sevenn's fine-tuning preset."""
        if method != "sevennet-mf-ompa":
            raise ValueError(f"{method} comes with sevenn: no random weights are needed")
        import sevenn
        import torch
        import yaml
        from sevenn.model_build import build_E3_equivariant_model
        from sevenn.parse_input import init_model_config

        preset = yaml.safe_load((Path(sevenn.__file__).parent / "presets" / "mf_ompa_fine_tune.yaml").read_text())
        config = init_model_config(preset["model"]) | {
            "version": sevenn.__version__,
            "use_modality": True,
            "_modal_map": {modal: index for index, modal in enumerate(MF_OMPA_MODALS)},
            "_number_of_modalities": len(MF_OMPA_MODALS),
            "use_modal_wise_shift": True,
            "use_modal_wise_scale": False,
            # Statistics of the training set, unpublished; the cost does not depend on them.
            "conv_denominator": 40.0,
            "shift": 0.0,
            "scale": 1.0,
        }
        torch.manual_seed(seed)
        weights = build_E3_equivariant_model(config).state_dict()
        torch.save({"config": config, "model_state_dict": weights, "epoch": 0, "time": "", "hash": ""}, path)

    def count_parameters(self) -> int:
        """Return the number of trained parameters, counted like the published numbers."""
        named = dict(self.model.named_parameters())
        count = sum(parameter.numel() for parameter in named.values() if parameter.requires_grad)
        if self._method == "sevennet-mf-ompa":
            # Its per-element energy shifts were trained, but the released package cannot mark them separately.
            count += named["rescale_atomic_energy.shift"].numel()
        return count

    def batched(self, calculator: Any, structures: Sequence[Any]) -> list[tuple[float, Any]]:
        """Return energy and forces of each structure from one graph, put together as for SevenNet's training."""
        from sevenn import _keys
        from sevenn.atom_graph_data import AtomGraphData
        from sevenn.train.dataload import unlabeled_atoms_to_graph
        from torch_geometric.loader.dataloader import Collater

        graphs = [
            AtomGraphData.from_numpy_dict(unlabeled_atoms_to_graph(atoms, calculator.cutoff)) for atoms in structures
        ]
        for graph in graphs:
            if calculator.modal:
                graph[_keys.DATA_MODALITY] = calculator.modal
        batch = Collater([], follow_batch=None, exclude_keys=None)(graphs).to(self.device)
        self.model.set_is_batch_data(True)
        try:
            found = self.model(batch)
        finally:
            self.model.set_is_batch_data(False)
        forces = found[_keys.PRED_FORCE].detach().cpu().numpy()
        return by_molecule(found[_keys.PRED_TOTAL_ENERGY].detach().cpu().tolist(), forces, structures)

    def settings(self) -> dict[str, Any]:
        """Return the modal, the kernel and the precision that really run; the cutoff in Angstrom."""
        return {
            **super().settings(),
            "modal": self._calculator.modal,
            "kernel": ", ".join(sorted(self._kernels())) or "e3nn",
            "cutoff": self._calculator.cutoff,
            "stress": "computed with the forces",
        }

    def _kernels(self) -> set[str]:
        """Return the accelerators that the model uses: a missing one only causes a warning."""
        return {type(module).__module__.partition(".")[0] for module in self.model.modules()} & ACCELERATORS

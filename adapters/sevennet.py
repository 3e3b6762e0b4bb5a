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
# devices = ["cpu", "cuda"]
# dtypes = ["float32"]
# download-mb = 330  # with a CPU build of torch
# cuda-dependencies = []  # a CUDA build of torch brings what it needs
#
# [tool.pesbench.methods.7net-0]
# label = "SevenNet-0 (11Jul2024)"
# parameters = 842440
# note = "The checkpoint of 11 July 2024, which the name 7net-0 stands for in sevenn, not that of 22 May 2024."
# memory-mb = 600
# [tool.pesbench.methods.7net-0.checkpoint]
# file = "checkpoint_sevennet_0.pth"
# licence = "MIT"
# bytes = 10268648
# sha256 = "7052cb42b7b3be42b40b97fa0d21077a48c54b5548948fc4dcf346629f813c36"
# shipped = true
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
# ///
"""SevenNet's pretrained models, with its own e3nn kernels."""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path
from typing import Any

from bench.adapter import Adapter, read_header, refuse_ions

MODELS = {  # the name in sevenn, and the modal: the data set whose level of theory is asked for
    "7net-0": ("7net-0", None),
    "7net-mf-0": ("7net-mf-0", "PBE"),
    "7net-l3i5": ("7net-l3i5", None),
    "sevennet-mf-ompa": ("7net-mf-ompa", "mpa"),
}
MF_OMPA_MODALS = ("mpa", "omat24")
ACCELERATORS = {"cuequivariance_torch", "flashTP_e3nn", "openequivariance"}


class SevenNet(Adapter):
    """SevenNet's ASE calculator; the stress comes with the forces and cannot be switched off."""

    def load(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> Any:
        """Return SevenNet's ASE calculator (eV, Angstrom); without `checkpoint`, of the file that it ships."""
        import torch
        from sevenn.calculator import SevenNetCalculator

        torch.set_num_threads(threads)
        name, modal = MODELS[method]
        path = checkpoint or _shipped_checkpoint(method, name)
        with warnings.catch_warnings():
            # That e3nn is slower than an accelerator is no news; settings() says which one runs.
            warnings.filterwarnings("ignore", message="No tensor product accelerator", category=UserWarning)
            self._calculator = SevenNetCalculator(path, modal=modal, device=device)
        self._method = method
        return self._calculator

    def make_random(self, method: str, path: Path, seed: int) -> None:
        """Write a checkpoint of SevenNet-MF-ompa as sevenn initialises it, after its preset for fine-tuning it."""
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

    def prepare(self, atoms: Any) -> Any:
        """Return `atoms`; a charge, which the model would pass over, is a ValueError."""
        refuse_ions(atoms, "SevenNet")
        return atoms

    def synchronize(self) -> None:
        """Wait until the GPU has finished; nothing to wait for on a CPU."""
        if self._calculator.device.type == "cuda":
            import torch

            torch.cuda.synchronize(self._calculator.device)

    def count_parameters(self) -> int:
        """Return the number of trained parameters, counted as the published numbers are."""
        named = dict(self._calculator.model.named_parameters())
        count = sum(parameter.numel() for parameter in named.values() if parameter.requires_grad)
        if self._method == "sevennet-mf-ompa":
            # Its per-element energy shifts were trained, but the released package cannot mark them alone.
            count += named["rescale_atomic_energy.shift"].numel()
        return count

    def settings(self) -> dict[str, Any]:
        """Return the modal, the kernel and the precision that really run; the cutoff in Angstrom."""
        import torch

        model = self._calculator.model
        # A missing accelerator is only warned of, so look at what the model is made of.
        packages = {type(module).__module__.partition(".")[0] for module in model.modules()}
        return {
            "modal": self._calculator.modal,
            "kernel": ", ".join(sorted(packages & ACCELERATORS)) or "e3nn",
            "parameter_dtypes": sorted({str(p.dtype).removeprefix("torch.") for p in model.parameters()}),
            "float32_matmul_precision": torch.get_float32_matmul_precision(),
            "device": str(self._calculator.device),
            "threads": torch.get_num_threads(),
            "cutoff": self._calculator.cutoff,
            "stress": "computed with the forces",
        }

    def peak_device_memory(self) -> int | None:
        """Return the largest memory that torch had allocated on the GPU, in bytes; None on a CPU."""
        if self._calculator.device.type != "cuda":
            return None
        import torch

        return int(torch.cuda.max_memory_allocated(self._calculator.device))


def _shipped_checkpoint(method: str, name: str) -> Path:
    """Return the installed file that sevenn loads for `name`, after a look at its SHA-256: it is a pickle."""
    from sevenn.util import pretrained_name_to_path

    known = read_header(__file__).methods[method].checkpoint
    if known is None or not known.shipped:
        raise ValueError(f"{method} does not come with sevenn: a checkpoint file is needed")
    path = Path(pretrained_name_to_path(name))
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != known.sha256:
        raise ValueError(f"{path} has the SHA-256 {found} instead of {known.sha256}; it was not loaded")
    return path

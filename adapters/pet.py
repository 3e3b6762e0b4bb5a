# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "upet==0.3.1",
#   "metatrain==2026.4.1",
#   "torch==2.13.0",
#   "ase==3.29.0",
#   "numpy==2.4.6",
# ]
#
# [tool.uv]
# exclude-newer = "2026-11-15T00:00:00Z"
# exclude-newer-package = { torch = false }
# override-dependencies = [
#   "hf-xet; sys_platform == 'never'",
#   "matplotlib; sys_platform == 'never'",
#   "nvalchemi-toolkit-ops; sys_platform == 'never'",  # neighbour lists on a GPU; it depends on warp
# ]
#
# [tool.pesbench]
# family = "PET"
# kind = "mlip"
# devices = ["cpu", "cuda"]
# dtypes = ["float32", "float64"]
# periodic = true
# stress = true
# download-mb = 290  # with a CPU build of torch
# cuda-dependencies = ["nvalchemi-toolkit-ops==0.4.1"]
#
# [tool.pesbench.knobs]
# tf32 = { values = ["off", "on"], devices = ["cuda"] }
# uncertainty = ["on", "off"]  # of each atom's energy, with every call; upstream warns where it exceeds 0.1 eV
# stress = ["on", "off"]  # upstream computes it with every energy, of molecules too (it then divides by a volume of 0)
#
# [tool.pesbench.theory]
# functional = "r2SCAN"
# basis = "-"
# dispersion = "none"
# source = "Malosso et al., arXiv:2603.02089; upet's documentation"
#
# [tool.pesbench.methods."pet-mad-1.5-s"]
# label = "PET-MAD-1.5-S"
# paper = "pet-mad-1.5-s"
# parameters = 25924122
# random-weights = true
# memory-mb = 720
# note = """
# Version 1.5.0, not upet's newest. As upstream's calculator does by default, each call computes the LLPR uncertainty \
# and the stress too; the 65,536 parameters of the uncertainty are not counted."""
# [tool.pesbench.methods."pet-mad-1.5-s".checkpoint]
# file = "pet-mad-s-v1.5.0.ckpt"
# licence = "BSD-3-Clause"
# url = "https://huggingface.co/lab-cosmo/upet/resolve/main/models/pet-mad-s-v1.5.0.ckpt"
# ///
"""PET-MAD, in upet's ASE calculator."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.adapter import TorchAdapter, as_arguments

ARCHITECTURE = {  # only values that differ from metatrain's defaults
    "cutoff": 8.0,
    "cutoff_width_adaptive": 0.5,  # metatrain's value for checkpoints older than this parameter
    "num_neighbors_adaptive": 16,
    "adaptive_cutoff_method": "grid",
    "d_pet": 256,
    "d_node": 1024,
    "d_head": 256,
    "d_feedforward": 512,
    "num_attention_layers": 1,
    "num_gnn_layers": 3,
}
ELEMENTS = 102
ENSEMBLE = 128  # members of the LLPR ensemble, each a last layer of the energy


class Pet(TorchAdapter):
    """upet's ASE calculator. PET is not equivariant: it has learned that a rotation does not change the energy."""

    def load(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> Any:
        """Return upet's ASE calculator (eV, Angstrom) of `checkpoint`, scripted; by default with uncertainty, stress.

        Given a name, upet would ask Hugging Face for a list of files even if it has the model.
        """
        if checkpoint is None:
            raise ValueError(f"{method} needs its checkpoint file; upet would fetch one without checking it")
        import torch
        from upet.ase import UPETCalculator

        self.set_up_torch(device, threads)
        if device != "cpu":
            torch.cuda.set_device(device)  # metatomic drops the index and uses the current device
        self._calculator = UPETCalculator(checkpoint_path=checkpoint, dtype=dtype, device=device, **self._options())
        if self.knobs.get("stress") == "off":  # upet passes no such argument on
            self._calculator.calculator.parameters["do_gradients_with_energy"] = False
        self.model = self._calculator.calculator._model
        return self._calculator

    def script(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> str:
        """Return how a plain script makes upet's calculator."""
        current = "" if device == "cpu" else f"\ntorch.cuda.set_device({device!r})"
        off = 'calculator.calculator.parameters["do_gradients_with_energy"] = False\n'
        stress = off if self.knobs.get("stress") == "off" else ""
        return f"""\
from upet.ase import UPETCalculator
{self.torch_lines(device, threads)}{current}
calculator = UPETCalculator(
    checkpoint_path={str(checkpoint)!r},
    dtype={dtype!r},
    device={device!r},
{as_arguments(self._options())}
)
{stress}"""

    def _options(self) -> dict[str, Any]:
        """Return the arguments of upet's calculator that a knob decides about."""
        return {"uncertainty_threshold": None} if self.knobs.get("uncertainty") == "off" else {}

    def make_random(self, method: str, path: Path, seed: int) -> None:
        """Write a checkpoint of PET-MAD-S 1.5.0 as released, in its LLPR wrapper, with random weights to `path`."""
        import torch
        from metatrain.llpr import __model__ as LlprModel
        from metatrain.pet import __model__ as PetModel
        from metatrain.utils.architectures import get_default_hypers
        from metatrain.utils.data import DatasetInfo
        from metatrain.utils.data.target_info import get_energy_target_info, get_generic_target_info

        def direct(name: str, quantity: str, unit: str, rank: int, sample: str) -> Any:
            kind = {"cartesian": {"rank": rank}}
            target = {"quantity": quantity, "unit": unit, "type": kind, "sample_kind": sample, "num_subtargets": 1}
            return get_generic_target_info(name, target)

        torch.manual_seed(seed)
        targets = {
            "energy": get_energy_target_info("energy", {"quantity": "energy", "unit": "eV"}),
            "non_conservative_forces": direct("non_conservative_forces", "force", "eV/Angstrom", 1, "atom"),
            "non_conservative_stress": direct("non_conservative_stress", "pressure", "eV/Angstrom^3", 2, "system"),
        }
        data = DatasetInfo(length_unit="angstrom", atomic_types=list(range(1, ELEMENTS + 1)), targets=targets)
        model = LlprModel({"num_ensemble_members": {"energy": ENSEMBLE}}, data)
        model.set_wrapped_model(PetModel({**get_default_hypers("pet")["model"], **ARCHITECTURE}, data))
        for name, matrix in model.named_buffers(recurse=False):
            if name.startswith("cholesky_"):  # zero before calibration, hence singular
                matrix.copy_(torch.eye(len(matrix)))
        torch.save(model.get_checkpoint(), path)

    def prepare(self, atoms: Any) -> Any:
        """Return `atoms`; raises ValueError for an element that the model was not trained on."""
        unknown = sorted(set(atoms.numbers.tolist()) - set(self.model.capabilities().atomic_types))
        if unknown:
            raise ValueError(f"PET-MAD does not know the element with the atomic number {unknown[0]}")
        return atoms

    def new_structure(self, calculator: Any, atoms: Any) -> Any:
        """Return the calculator without its last results and without its neighbour list."""
        from metatomic_ase._neighbors import AllNeighborsCalculator

        calculator.reset()
        model = calculator.calculator
        model.reset()
        model._nl_calculators = AllNeighborsCalculator(
            self.model.requested_neighbor_lists(), skin=model.parameters["neighbor_skin"]
        )
        return calculator

    def batched(self, calculator: Any, structures: Sequence[Any]) -> list[tuple[float, Any]]:
        """Return energy and forces of each structure from one call of metatomic's calculator for a list of them."""
        found = calculator.calculator.compute_energy(list(structures), compute_forces_and_stresses=True)
        return [(float(energy), forces) for energy, forces in zip(found["energy"], found["forces"], strict=True)]

    def uncertainty(self, calculator: Any, atoms: Any) -> tuple[float, Any]:
        """Return upet's LLPR uncertainties, which cost more than a force call and are computed for this call only.

        The standard deviation of the energy, eV, and that of the force on each atom over the ensemble of last layers:
        (n,), eV/Angstrom, the norm over its components.
        """
        import numpy as np

        of_forces = np.linalg.norm(calculator.get_forces_uncertainty(atoms), axis=1)
        return float(calculator.get_energy_uncertainty(atoms)), of_forces

    def count_parameters(self) -> int:
        """Return the number of trained parameters, without the ensemble for the uncertainty, as published."""
        named = self.model.named_parameters()
        return sum(parameter.numel() for name, parameter in named if "llpr_ensemble" not in name)

    def settings(self) -> dict[str, Any]:
        """Return the heads, neighbour list and precision in use; lengths in Angstrom."""
        from metatomic_ase import _neighbors

        model = self._calculator.calculator
        on_gpu = self.device.type == "cuda" and _neighbors.HAS_NVALCHEMIOPS
        return {
            **super().settings(),
            "energy": model._energy_key,
            "forces": "direct head" if model._nc_forces else "gradient of the energy",
            "uncertainty": "on" if self._calculator.supports_uncertainty else "off",
            "rotational_average": "off",
            "compiled": "TorchScript",
            "neighbour_list": "nvalchemi" if on_gpu else "vesin",
            "neighbour_skin": model.parameters["neighbor_skin"],
            "cutoff": self.model.requested_neighbor_lists()[0].cutoff,
            "dtype": str(model._dtype).removeprefix("torch."),
            "charge_and_spin": "not taken",
            "uncertainty_threshold": model.parameters["uncertainty_threshold"],
            "stress": "computed with the forces"
            if model.parameters["do_gradients_with_energy"]
            else "only computed in a periodic cell",
        }

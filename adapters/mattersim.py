# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = [
#   "mattersim==1.2.3",
#   "torch==2.13.0",
#   "ase==3.29.0",
#   "numpy==2.4.6",
# ]
#
# [tool.uv]
# exclude-newer = "2026-11-15T00:00:00Z"
# exclude-newer-package = { torch = false }
# override-dependencies = [
#   "aiohttp; sys_platform == 'never'",
#   "atomate2; sys_platform == 'never'",
#   "azure-identity; sys_platform == 'never'",
#   "azure-storage-blob; sys_platform == 'never'",
#   "bibtexparser; sys_platform == 'never'",
#   "emmet-core; sys_platform == 'never'",
#   "lxml; sys_platform == 'never'",
#   "matplotlib; sys_platform == 'never'",
#   "mp-api; sys_platform == 'never'",
#   "palettable; sys_platform == 'never'",
#   "pandas; sys_platform == 'never'",
#   "phono3py; sys_platform == 'never'",
#   "phonopy; sys_platform == 'never'",
#   "plotly; sys_platform == 'never'",
#   "pydantic; sys_platform == 'never'",
#   "seekpath; sys_platform == 'never'",
#   "spglib; sys_platform == 'never'",
#   "torchaudio; sys_platform == 'never'",
#   "torchvision; sys_platform == 'never'",
#   "wandb; sys_platform == 'never'",
# ]
#
# [tool.pesbench]
# family = "MatterSim"
# kind = "mlip"
# made-for = "crystals"
# devices = ["cpu", "cuda"]
# dtypes = ["float32"]
# periodic = true
# stress = true
# download-mb = 290  # with a CPU build of torch
# cuda-dependencies = []  # a CUDA build of torch brings what it needs
#
# [tool.pesbench.knobs]
# tf32 = { values = ["off", "on"], devices = ["cuda"] }
# stress = ["on", "off"]  # upstream computes it by default
#
# [tool.pesbench.theory]
# functional = "PBE+U"
# basis = "-"
# dispersion = "none"
# source = "Yang et al., arXiv:2405.04967; Matbench Discovery"
#
# [tool.pesbench.methods.mattersim-v1-5m]
# label = "MatterSim v1.0.0 5M"
# paper = "mattersim-v1-5m"
# parameters = 4549142
# random-weights = true
# memory-mb = 600  # 525 measured with random weights; the released file is larger by 55
# note = "In the vacuum box that MatterSim puts around a molecule; neutral singlets only."
# [tool.pesbench.methods.mattersim-v1-5m.checkpoint]
# file = "mattersim-v1.0.0-5M.pth"
# licence = "MIT"
# url = "https://raw.githubusercontent.com/microsoft/mattersim/296630372948fd35613939d14d3f97daa27cefda/pretrained_models/mattersim-v1.0.0-5M.pth"
# # Upstream publishes neither. They do not come from a file of ours: several unrelated public repositories pin
# # this hash.
# bytes = 91176875
# sha256 = "e3df9fa708725e3d453140646c7d1838324b347a3d1214cf1440522146f872b5"
#
# [tool.pesbench.methods.mattersim-v1-1m]
# label = "MatterSim v1.0.0 1M"
# default = false
# parameters = 890246  # 890034 in its training log, plus the buffers that also count for the 5M model
# random-weights = true
# memory-mb = 500
# note = "In the vacuum box that MatterSim puts around a molecule; neutral singlets only."
# [tool.pesbench.methods.mattersim-v1-1m.checkpoint]
# file = "mattersim-v1.0.0-1M.pth"
# licence = "MIT"
# url = "https://raw.githubusercontent.com/microsoft/mattersim/296630372948fd35613939d14d3f97daa27cefda/pretrained_models/mattersim-v1.0.0-1M.pth"
# ///
"""MatterSim's pretrained models, not compiled."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.adapter import TorchAdapter, by_molecule

# No hyper-parameters are published: these give the parameter counts of the released models. The cutoffs (which do
# not change the count) are the defaults of the package.
ARCHITECTURES = {
    "mattersim-v1-5m": {"num_blocks": 4, "units": 256, "max_l": 4, "max_n": 4},
    "mattersim-v1-1m": {"num_blocks": 3, "units": 128, "max_l": 4, "max_n": 4},
}


class MatterSim(TorchAdapter):
    """MatterSim's ASE calculator, by default with the stress; it computes in float32 only."""

    def load(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> Any:
        """Return MatterSim's ASE calculator (eV, Angstrom) of `checkpoint`."""
        if checkpoint is None:
            raise ValueError(f"{method} needs its checkpoint file; MatterSim would fetch one without checking it")
        # its import makes a folder in the home folder, so a folder of the worker takes that place
        os.environ["HOME"] = tempfile.gettempdir()
        import torch
        from mattersim.forcefield import MatterSimCalculator, Potential

        self.set_up_torch(device, threads)
        path = str(checkpoint.resolve())  # a bare name would make MatterSim look in its own cache
        potential = Potential.from_checkpoint(load_path=path, device=device, load_training_state=False)
        # It loads partial files: a missing parameter would keep its random initial value.
        stored = torch.load(path, map_location="cpu", weights_only=True)["model"]
        missing = [name for name, _ in potential.model.named_parameters() if name not in stored]
        if missing:
            raise ValueError(f"{checkpoint.name} lacks {len(missing)} parameters of MatterSim, such as {missing[0]}")
        self.model = potential.model
        if self.knobs.get("tf32") == "on":  # its constructor switches TF32 off, and from_checkpoint passes nothing on
            torch.backends.cuda.matmul.allow_tf32 = True
        self._stress = self.knobs.get("stress", "on") == "on"
        return MatterSimCalculator(potential=potential, device=device, compute_stress=self._stress)

    def script(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> str:
        """Return how a plain script makes MatterSim's calculator, and a periodic box."""
        tf32 = "torch.backends.cuda.matmul.allow_tf32 = True" if self.knobs.get("tf32") == "on" else ""
        return f"""\
from mattersim.forcefield import MatterSimCalculator, Potential
{self.torch_lines(device, threads)}
potential = Potential.from_checkpoint(
    load_path={checkpoint and str(checkpoint.resolve())!r}, device={device!r}, load_training_state=False
)
{tf32}
calculator = MatterSimCalculator(
    potential=potential, device={device!r}, compute_stress={self.knobs.get("stress", "on") == "on"}
)


def prepare(atoms):
    \"\"\"Put the molecule into the periodic cube that MatterSim would otherwise make in each call.\"\"\"
    if atoms.pbc.any():
        return
    cutoffs = potential.model.model_args
    vacuum = 5 * max(cutoffs["cutoff"], cutoffs["threebody_cutoff"])
    atoms.cell = np.eye(3) * (np.ptp(atoms.positions, axis=0).max() + vacuum)
    atoms.pbc = True
"""

    def make_random(self, method: str, path: Path, seed: int) -> None:
        """Write `method` with random weights to `path`, as MatterSim saves a model at the start of training."""
        import torch
        from mattersim.forcefield import Potential
        from mattersim.forcefield.m3gnet.m3gnet import M3Gnet

        torch.manual_seed(seed)
        model = M3Gnet(**ARCHITECTURES[method], cutoff=5.0, threebody_cutoff=4.0, max_z=94, device="cpu")
        Potential(model, device="cpu").save(str(path.resolve()))

    def prepare(self, atoms: Any) -> Any:
        """Return `atoms` in the periodic box that MatterSim would otherwise put around them in each call.

        Raises ValueError for an element that the model does not cover.
        """
        import numpy as np

        arguments = self.model.model_args
        unknown = sorted(number for number in set(atoms.numbers.tolist()) if number > arguments["max_z"])
        if unknown:
            raise ValueError(f"MatterSim does not know the element with the atomic number {unknown[0]}")
        if atoms.pbc.any():
            return atoms
        atoms = atoms.copy()
        vacuum = 5 * max(arguments["cutoff"], arguments["threebody_cutoff"])
        atoms.cell = np.eye(3) * (np.ptp(atoms.positions, axis=0).max() + vacuum)
        atoms.pbc = True
        return atoms

    def batched(self, calculator: Any, structures: Sequence[Any]) -> list[tuple[float, Any]]:
        """Return energy and forces of each structure from one batch of MatterSim's data loader."""
        from mattersim.datasets.utils.build import build_dataloader
        from mattersim.forcefield.potential import batch_to_dict

        potential, arguments = calculator.potential, self.model.model_args
        loader = build_dataloader(
            list(structures),
            cutoff=arguments["cutoff"],
            threebody_cutoff=arguments["threebody_cutoff"],
            batch_size=len(structures),
            model_type=potential.model_name,
            only_inference=True,
        )
        graphs = batch_to_dict(next(iter(loader)), device=calculator.device)
        found = potential.forward(graphs, include_forces=True, include_stresses=False)
        energies = found["total_energy"].detach().cpu().flatten().tolist()
        return by_molecule(energies, found["forces"].detach().cpu().numpy(), structures)

    def count_parameters(self) -> int:
        """Return the number of parameters, counted like the published number.

        That is Matbench Discovery's: the trained parameters (4,548,930 of the 5M model), plus the buffers with the
        scale and shift of each element and the constants of the radial basis (212), without those of the spherical
        one.
        """
        return sum(tensor.numel() for name, tensor in self.model.state_dict().items() if name != "sbf.coef")

    def settings(self) -> dict[str, Any]:
        """Return the precision and the graph in use; cutoffs in Angstrom."""
        return {
            **super().settings(),  # MatterSim switches TF32 off
            "kernel": "torch",
            "compiled": False,
            "cutoff": self.model.model_args["cutoff"],
            "threebody_cutoff": self.model.model_args["threebody_cutoff"],
            "charge_and_spin": "not taken",
            "stress": "computed with the forces" if self._stress else "off",
        }

# /// script
# requires-python = ">=3.11,<3.13"  # dm-tree 0.1.8 has no wheels for later versions
# dependencies = [
#   "orb-models==0.5.5",
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
# ]
#
# [tool.pesbench]
# family = "Orb"
# kind = "mlip"
# devices = ["cpu", "cuda"]
# dtypes = ["float32", "float64"]
# periodic = true
# stress = true
# download-mb = 320  # with a CPU build of torch
# cuda-dependencies = []  # a CUDA build of torch brings what it needs
#
# [tool.pesbench.knobs]
# tf32 = { values = ["on", "off"], devices = ["cuda"] }  # upstream's default, in float32
# compile = ["on", "off"]  # torch.compile with dynamic shapes, on a CPU too; it needs a compiler
# edge-method = { values = ["knn_scipy", "knn_brute_force"], devices = ["cpu"] }
#
# [tool.pesbench.methods.orb-v3-conservative-inf-omat]
# label = "Orb-v3 conservative inf OMat"
# made-for = "crystals"
# paper = "orb-v3"
# parameters = 25510582
# note = "The Orb-v3 model that upstream recommends first; the paper does not say which it measured."
# random-weights = true
# memory-mb = 700
# [tool.pesbench.methods.orb-v3-conservative-inf-omat.checkpoint]
# file = "orb-v3-conservative-inf-omat-20250404.ckpt"
# licence = "Apache-2.0"
# url = "https://orbitalmaterials-public-models.s3.us-west-1.amazonaws.com/forcefields/orb-v3/orb-v3-conservative-inf-omat-20250404.ckpt"
# [tool.pesbench.methods.orb-v3-conservative-inf-omat.theory]
# functional = "PBE+U"
# basis = "-"
# dispersion = "none"
# source = "Rhodes et al., arXiv:2504.06231; OMat24: arXiv:2410.12771"
#
# [tool.pesbench.methods.orb-v3-direct-20-omat]
# label = "Orb-v3 direct 20 OMat"
# made-for = "crystals"
# parameters = 25644479
# note = "Forces are predicted directly, not derived from the energy; at most 20 neighbours."
# default = false
# conservative = false
# random-weights = true
# memory-mb = 700
# [tool.pesbench.methods.orb-v3-direct-20-omat.checkpoint]
# file = "orb-v3-direct-20-omat-20250404.ckpt"
# licence = "Apache-2.0"
# url = "https://orbitalmaterials-public-models.s3.us-west-1.amazonaws.com/forcefields/orb-v3/orb-v3-direct-20-omat-20250404.ckpt"
# [tool.pesbench.methods.orb-v3-direct-20-omat.theory]
# functional = "PBE+U"
# basis = "-"
# dispersion = "none"
# source = "Rhodes et al., arXiv:2504.06231; OMat24: arXiv:2410.12771"
#
# [tool.pesbench.methods.orb-v3-conservative-omol]
# stress = false
# label = "OrbMol conservative (orb-v3-conservative-omol)"
# made-for = "molecules"
# parameters = 25839670
# note = "Takes charge and spin multiplicity."
# default = false
# charge = true
# spin = true
# random-weights = true
# memory-mb = 700
# [tool.pesbench.methods.orb-v3-conservative-omol.checkpoint]
# file = "orb-v3-conservative-omol-20250820.ckpt"
# licence = "Apache-2.0"
# url = "https://orbitalmaterials-public-models.s3.us-west-1.amazonaws.com/forcefields/orb-v3-conservative-omol-20250820.ckpt"
# [tool.pesbench.methods.orb-v3-conservative-omol.theory]
# functional = "wB97M-V"
# basis = "def2-TZVPD"
# dispersion = "VV10"
# source = "orb-models' MODELS.md; OMol25: Levine et al., arXiv:2505.08762"
#
# [tool.pesbench.methods.orb-d3-xs-v2]
# label = "Orb-d3-xs-v2"
# made-for = "crystals"
# parameters = 9443981
# note = """
# Forces are predicted directly, not derived from the energy, and turn with the molecule only to within 0.3 eV/Å; at \
# most 20 neighbours. Its labels contain D3 dispersion."""
# default = false
# conservative = false
# rotation-tolerance = 0.6
# memory-mb = 600
# [tool.pesbench.methods.orb-d3-xs-v2.checkpoint]
# file = "orb-d3-xs-v2-20241011.ckpt"
# licence = "Apache-2.0"
# url = "https://orbitalmaterials-public-models.s3.us-west-1.amazonaws.com/forcefields/orb-d3-xs-v2-20241011.ckpt"
# # of the real file; upstream publishes neither
# bytes = 37823734
# sha256 = "623f2fe8c1a3993325df101081c919ef62fdf11fa4fa9b47e21bea4cec36eb56"
# [tool.pesbench.methods.orb-d3-xs-v2.theory]
# functional = "PBE+U"
# basis = "-"
# dispersion = "D3"
# source = "orb-models' MODELS.md: MPTraj and Alexandria, D3 in the labels; the damping was not confirmed"
# ///
"""Orb models, compiled as upstream's loaders do by default."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.adapter import TorchAdapter, as_arguments, by_molecule, charge_and_spin, refuse_ions

PRECISIONS = {"float32": "float32-high", "float64": "float64"}  # "high" is upstream's default: TF32 on a GPU
WITHOUT_TF32 = {**PRECISIONS, "float32": "float32-highest"}
ARCHITECTURES: dict[str, tuple[str, dict[str, bool]]] = {  # the arguments in upstream's function for each model
    "orb-v3-conservative-inf-omat": ("orb_v3_conservative_architecture", {}),
    "orb-v3-direct-20-omat": ("orb_v3_direct_architecture", {}),
    "orb-v3-conservative-omol": (
        "orb_v3_conservative_architecture",
        {"has_charge_spin_cond": True, "has_stress": False},
    ),
}
OLD_HEADS = {"graph_head.": "heads.energy.", "node_head.": "heads.forces."}
"""The names in checkpoints of Orb-v2, which upstream converts, and the names of today."""


class Orb(TorchAdapter):
    """Orb's ASE calculator; stress, rotational gradient and confidence come with the forces and stay on."""

    def load(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> Any:
        """Return Orb's ASE calculator (eV, Angstrom) of `checkpoint`."""
        if checkpoint is None:
            raise ValueError(f"{method} needs its checkpoint file; Orb would fetch one without checking it")
        import cached_path
        from orb_models.forcefield.calculator import ORBCalculator
        from orb_models.forcefield.pretrained import ORB_PRETRAINED_MODELS

        self.set_up_torch(device, threads)
        checkpoint = checkpoint.resolve()
        # Even for a local file, cached_path makes its cache folder, by default in the home directory.
        cached_path.set_cache_dir(checkpoint.parent)
        with warnings.catch_warnings():
            # upstream warns that it sets torch's default precision, which settings() reports
            warnings.filterwarnings("ignore", message="Setting global torch default dtype", category=UserWarning)
            warnings.filterwarnings("ignore", message="Consider passing 'precision", category=UserWarning)
            self.model = ORB_PRETRAINED_MODELS[method](
                weights_path=str(checkpoint), device=device, **self._options(device, dtype)
            )
        _refuse_missing_heads(self.model, checkpoint)
        # None: upstream chooses by the device
        self._calculator = ORBCalculator(self.model, device=device, edge_method=self.knobs.get("edge-method"))
        return self._calculator

    def script(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> str:
        """Return how a plain script makes Orb's calculator."""
        return f"""\
from orb_models.forcefield import pretrained
from orb_models.forcefield.calculator import ORBCalculator
{self.torch_lines(device, threads)}
model = pretrained.ORB_PRETRAINED_MODELS[{method!r}](
    weights_path={str(checkpoint)!r},
    device={device!r},
{as_arguments(self._options(device, dtype))}
)
calculator = ORBCalculator(model, device={device!r}, edge_method={self.knobs.get("edge-method")!r})
"""

    def _options(self, device: str, dtype: str) -> dict[str, Any]:
        """Return the arguments of upstream's function for a model that the knobs decide about."""
        return {
            "precision": (WITHOUT_TF32 if self.knobs.get("tf32") == "off" else PRECISIONS)[dtype],
            "compile": self.compiles(device),
        }

    def make_random(self, method: str, path: Path, seed: int) -> None:
        """Write the state dict of upstream's architecture with upstream's initial weights (and element energies)."""
        import torch
        from orb_models.forcefield import pretrained

        torch.manual_seed(seed)
        name, options = ARCHITECTURES[method]
        torch.save(getattr(pretrained, name)(device="cpu", **options).state_dict(), path)

    def prepare(self, atoms: Any) -> Any:
        """Return a copy with charge and spin multiplicity where the model takes them.

        Otherwise it raises ValueError for an ion. This depends on the checkpoint, which may be the user's own.
        """
        atoms = atoms.copy()
        if self._takes_charge:
            atoms.info["charge"], atoms.info["spin"] = charge_and_spin(atoms)
        else:
            refuse_ions(atoms, "this Orb model")
        return atoms

    def batched(self, calculator: Any, structures: Sequence[Any]) -> list[tuple[float, Any]]:
        """Return energy and forces of each structure from one graph, as orb-models' README puts several together."""
        found = self._predict(calculator, structures)
        forces = found[self.model.grad_forces_name if calculator.conservative else "forces"].detach().cpu().numpy()
        return by_molecule(found["energy"].detach().cpu().flatten().tolist(), forces, structures)

    def uncertainty(self, calculator: Any, atoms: Any) -> tuple[None, Any]:
        """Return no uncertainty of the energy, and that of the force on each atom from the confidence head of Orb-v3.

        The head gives the probabilities of bins of the mean absolute error over the three components of a force. A
        standard deviation of the vector comes from their mean as for normal errors, alike in all directions: (n,),
        eV/Angstrom. It never exceeds the last bin, and is None for Orb-v2, which has no such head.
        """
        if "confidence" not in self.model.heads:
            return None, None
        import numpy as np

        edges = self.model.heads["confidence"].bin_edges.detach().cpu().double().numpy()
        bins = self._predict(calculator, [atoms])["confidence"].detach().cpu().double().numpy()
        return None, bins @ ((edges[1:] + edges[:-1]) / 2) * np.sqrt(3 * np.pi / 2)

    def _predict(self, calculator: Any, structures: Sequence[Any]) -> dict[str, Any]:
        """Return all that the model predicts for one graph of `structures`, made as the calculator makes its own."""
        from orb_models.forcefield.atomic_system import ase_atoms_to_atom_graphs
        from orb_models.forcefield.base import batch_graphs

        graphs = [
            ase_atoms_to_atom_graphs(
                atoms,
                system_config=calculator.system_config,
                max_num_neighbors=calculator.max_num_neighbors,
                edge_method=calculator.edge_method,
                half_supercell=calculator.half_supercell,
                device=calculator.device,
            )
            for atoms in structures
        ]
        return self.model.predict(batch_graphs(graphs).to(calculator.device))

    def settings(self) -> dict[str, Any]:
        """Return what really runs: precision, compilation, charge and spin, graph; the cutoff in Angstrom."""
        calculator = self._calculator
        return {
            **super().settings(),
            "kernel": "PyTorch",
            "compiled": self.compiled(bool(self.model.is_compiled())),
            "edge_method": calculator.edge_method or "upstream's choice",
            "forces": "gradient of the energy" if calculator.conservative else "direct",
            "charge_and_spin": "of the structure, else 0 and 1" if self._takes_charge else "not taken",
            "cutoff": calculator.system_config.radius,
            "max_neighbours": calculator.max_num_neighbors or calculator.system_config.max_num_neighbors,
            # every model of a release before 0.5.5 has it
            "stress": "computed with the forces" if getattr(self.model, "has_stress", True) else "none",
        }

    @property
    def _takes_charge(self) -> bool:
        return getattr(self._calculator, "expects_charge_and_spin", False)  # no model did before orb-models 0.5.5


def _refuse_missing_heads(model: Any, checkpoint: Path) -> None:
    """Raise ValueError where `checkpoint` lacks energy or force weights: upstream would leave them random."""
    import torch

    found = set(torch.load(checkpoint, map_location="meta", weights_only=True))
    for old, new in OLD_HEADS.items():
        found |= {new + name.removeprefix(old) for name in found if name.startswith(old)}
    needed = {name for name in model.state_dict() if name.startswith((*OLD_HEADS.values(),))}
    missing = sorted(needed - found)
    if missing:
        raise ValueError(f"{checkpoint.name} lacks weights of this Orb model, among them {missing[0]}")

# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "chgnet==0.4.2",
#   "torch==2.13.0",
#   "ase==3.29.0",
#   "numpy==2.4.6",
# ]
#
# [tool.uv]
# exclude-newer = "2026-11-15T00:00:00Z"
# exclude-newer-package = { torch = false }
# override-dependencies = [
#   "bibtexparser; sys_platform == 'never'",
#   "cython; sys_platform == 'never'",
#   "joblib; sys_platform == 'never'",
#   "pandas; sys_platform == 'never'",
#   "plotly; sys_platform == 'never'",
#   "requests; sys_platform == 'never'",
#   "uncertainties; sys_platform == 'never'",
# ]
#
# [tool.pesbench]
# family = "CHGNet"
# kind = "mlip"
# made-for = "crystals"
# devices = ["cpu", "cuda"]
# dtypes = ["float32"]
# periodic = true
# stress = true
# download-mb = 300  # with a CPU build of torch
# cuda-dependencies = []  # a CUDA build of torch brings what it needs
#
# [tool.pesbench.knobs]
# tf32 = { values = ["off", "on"], devices = ["cuda"] }
#
# # Why force-tolerance: the forces are the energy's derivative, but the energy bends sharply. Central differences along
# # a unit vector of all coordinates are off by 0.01 eV/Å with steps of 0.03 Å, and by 0.001, float32's noise, with ten
# # times smaller ones.
#
# [tool.pesbench.methods."chgnet-0.3.0"]
# label = "CHGNet 0.3.0"
# parameters = 412525
# default = false
# memory-mb = 550
# force-tolerance = 0.03
# note = """
# For crystals, not molecules; in a periodic cube that leaves 20 Å between a molecule and its images, beyond the \
# cutoff of 6 Å. Stress and magnetic moments are computed too and cannot be switched off."""
# [tool.pesbench.methods."chgnet-0.3.0".checkpoint]
# file = "chgnet_0.3.0_e29f68s314m37.pth.tar"
# licence = "BSD-3-Clause (modified BSD)"
# bytes = 4863221
# sha256 = "d14ab7c0f093efe64b60a7bcd540bca10e74fb7f46c86108a079af60524659d1"
# shipped = true
# [tool.pesbench.methods."chgnet-0.3.0".theory]
# functional = "PBE+U"
# basis = "-"
# dispersion = "none"
# source = "Deng et al., Nat. Mach. Intell. 5, 1031 (2023): MPtrj, PBE and PBE+U"
#
# [tool.pesbench.methods.chgnet-r2scan]
# label = "CHGNet r2SCAN"
# parameters = 412525
# default = false
# memory-mb = 550
# force-tolerance = 0.03
# note = """
# Version 0.3.0 trained further on r2SCAN. For crystals, not molecules; in a periodic cube that leaves 20 Å between \
# a molecule and its images, beyond the cutoff of 6 Å."""
# [tool.pesbench.methods.chgnet-r2scan.checkpoint]
# file = "chgnet_r2scan_transfer_learning_e15f36s161m23.pth.tar"
# licence = "BSD-3-Clause (modified BSD)"
# bytes = 4872387
# sha256 = "8eba3db0f35a2788bb3ae22885ad340591e27996f213c6643af522a633b50dad"
# shipped = true
# [tool.pesbench.methods.chgnet-r2scan.theory]
# functional = "r2SCAN"
# basis = "-"
# dispersion = "none"
# source = "chgnet 0.4.2's README of the model: transferred from 0.3.0 to MP-r2SCAN"
# ///
"""CHGNet, a potential for crystals, here with a molecule in a large periodic box."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.adapter import TorchAdapter, shipped_checkpoint

MODELS = {"chgnet-0.3.0": "0.3.0", "chgnet-r2scan": "r2scan"}  # the names in chgnet, and its folders
VACUUM = 20.0  # Angstrom between a molecule and its images; more than the cutoff, so that it may change its shape


class Chgnet(TorchAdapter):
    """CHGNet's ASE calculator; stress and magnetic moments come with the forces and cannot be switched off."""

    def load(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> Any:
        """Return CHGNet's ASE calculator (eV, Angstrom) of the file that the package ships."""
        if checkpoint is not None:
            raise ValueError("CHGNet takes no other checkpoint than those of its package")
        import chgnet
        from chgnet.model.dynamics import CHGNetCalculator
        from chgnet.model.model import CHGNet

        self.set_up_torch(device, threads)
        name = MODELS[method]
        (shipped,) = (Path(chgnet.__file__).parent / "pretrained" / name).glob("*.pth.tar")
        shipped_checkpoint(__file__, method, shipped)
        self.model = CHGNet.load(model_name=name, use_device=device, verbose=False)
        return CHGNetCalculator(self.model, use_device=device)

    def script(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> str:
        """Return how a plain script makes CHGNet's calculator, and a periodic cube."""
        return f"""\
from chgnet.model.dynamics import CHGNetCalculator
from chgnet.model.model import CHGNet
{self.torch_lines(device, threads)}
model = CHGNet.load(model_name={MODELS[method]!r}, use_device={device!r}, verbose=False)
calculator = CHGNetCalculator(model, use_device={device!r})


def prepare(atoms):
    \"\"\"Put the molecule, which CHGNet takes only in a periodic cell, into a cube.\"\"\"
    if atoms.pbc.any():
        return
    radius = np.linalg.norm(atoms.positions - atoms.positions.mean(axis=0), axis=1).max()
    atoms.set_cell([2 * radius + {VACUUM:g}] * 3)
    atoms.pbc = True
"""

    def prepare(self, atoms: Any) -> Any:
        """Return a copy in a periodic cube, whose edge is the molecule's diameter plus :data:`VACUUM`.

        The diameter is twice the distance of the outermost atom from the centre, which no rotation changes. A periodic
        system stays as it is.
        """
        if atoms.pbc.any():
            return atoms
        atoms = atoms.copy()
        from_centre = atoms.positions - atoms.positions.mean(axis=0)
        atoms.set_cell([2 * float((from_centre**2).sum(axis=1).max()) ** 0.5 + VACUUM] * 3)
        atoms.pbc = True
        return atoms

    def settings(self) -> dict[str, Any]:
        """Return what really runs; lengths in Angstrom."""
        graph = self.model.graph_converter
        return {
            **super().settings(),
            "kernel": "PyTorch",
            "graph": graph.algorithm,
            "cutoff": graph.atom_graph_cutoff,
            "angle_cutoff": graph.bond_graph_cutoff,
            "box": f"periodic cube, the molecule's diameter + {VACUUM:g} Å",
            "charge_and_spin": "not taken",
            "dispersion": "none added",
            "stress": "computed with the forces",
            "magnetic_moments": "computed with the forces",
        }

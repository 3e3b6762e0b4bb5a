# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "torchani==2.0",
#   "setuptools==80.10.2",  # torchani imports pkg_resources, which later ones have no more
#   "torch==2.13.0",
#   "ase==3.29.0",
#   "numpy==2.4.6",
# ]
#
# [tool.uv]
# exclude-newer = "2026-11-15T00:00:00Z"
# exclude-newer-package = { torch = false }
# override-dependencies = ["matplotlib; sys_platform == 'never'"]
#
# [tool.pesbench]
# family = "ANI"
# kind = "mlip"
# made-for = "molecules"
# devices = ["cpu", "cuda"]
# dtypes = ["float64", "float32"]
# periodic = true
# stress = true
# download-mb = 260  # with a CPU build of torch
# cuda-dependencies = []  # a CUDA build of torch brings what it needs
# elements = ["H", "C", "N", "O"]  # torchani leaves out atoms of others without a word
#
# [tool.pesbench.knobs]
# tf32 = { values = ["off", "on"], devices = ["cuda"] }
#
# # Later releases of torchani do not ship the networks. They are folders; the hashes are over names and bytes.
#
# [tool.pesbench.methods.ani-1ccx]
# label = "ANI-1ccx"
# parameters = 2613280  # 8 x 326660
# memory-mb = 400
# note = "The mean of eight networks. H, C, N and O in neutral singlets; not for bonds that break."
# [tool.pesbench.methods.ani-1ccx.checkpoint]
# file = "ani-1ccx_8x"
# licence = "MIT"
# bytes = 33829014
# sha256 = "0063f4eb3db55a52e8a675732a3e28eafcef2041961e26c873be492cb1be8eb3"
# shipped = true
# [tool.pesbench.methods.ani-1ccx.theory]
# functional = "CCSD(T)"
# basis = "CBS (extrapolated)"
# dispersion = "none"
# source = "Smith et al., Nat. Commun. 10, 2903 (2019): DLPNO-CCSD(T), transfer-learned from ANI-1x"
#
# [tool.pesbench.methods.ani-1x]
# label = "ANI-1x"
# parameters = 2613280
# default = false
# memory-mb = 400
# note = "The mean of eight networks. H, C, N and O in neutral singlets; not for bonds that break."
# [tool.pesbench.methods.ani-1x.checkpoint]
# file = "ani-1x_8x"
# licence = "MIT"
# bytes = 23381247
# sha256 = "f874729e46dbb1715a620da6868bcac23690651900e6d6a0127689821b73246a"
# shipped = true
# [tool.pesbench.methods.ani-1x.theory]
# functional = "wB97X"
# basis = "6-31G(d)"
# dispersion = "none"
# source = "Smith et al., J. Chem. Phys. 148, 241733 (2018)"
# ///
"""ANI-1ccx and ANI-1x, ensembles of eight networks for organic molecules, with TorchANI."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.adapter import TorchAdapter, shipped_checkpoint

MODELS = {"ani-1ccx": ("ANI1ccx", "ani-1ccx_8x"), "ani-1x": ("ANI1x", "ani-1x_8x")}
"""The class in torchani, and the folder of its networks."""


class Ani(TorchAdapter):
    """TorchANI's ASE calculator: energy and forces of the ensemble's mean, without its CUDA extension."""

    def load(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> Any:
        """Return TorchANI's ASE calculator (eV, Angstrom) of the networks that the package ships."""
        if checkpoint is not None:
            raise ValueError("TorchANI's models take no other checkpoint than those of its package")
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="pkg_resources is deprecated", category=UserWarning)
            import torchani
        import torch

        # about ASE's cell, at the first call
        warnings.filterwarnings("ignore", message="Creating a tensor from a list of numpy.ndarrays is extremely slow")
        self.set_up_torch(device, threads)
        model, networks = MODELS[method]
        shipped_checkpoint(__file__, method, Path(torchani.__file__).parent / "resources" / networks)
        self.model = _model(getattr(torchani.models, model))
        self.model.to(device=self.device, dtype=getattr(torch, dtype))
        calculator = self.model.ase()
        if calculator.dtype != getattr(torch, dtype):  # before 1.1 it has a dtype of its own
            raise ValueError(f"this release of torchani computes in {calculator.dtype}, not in {dtype}")
        return calculator

    def script(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> str:
        """Return how a plain script makes TorchANI's calculator."""
        return f"""\
import torchani
{self.torch_lines(device, threads)}
model = torchani.models.{MODELS[method][0]}(periodic_table_index=True)
calculator = model.to(device={device!r}, dtype=torch.{dtype}).ase()
"""

    def batched(self, calculator: Any, structures: Sequence[Any]) -> list[tuple[float, Any]]:
        """Return energy and forces of each structure; TorchANI's models take several, filled up with the element -1."""
        import torch
        from ase.units import Hartree
        from torch.nn.utils.rnn import pad_sequence

        numbers = [self._species(atoms) for atoms in structures]
        positions = [torch.tensor(atoms.positions, dtype=calculator.dtype) for atoms in structures]
        species = pad_sequence(numbers, batch_first=True, padding_value=-1)
        coordinates = pad_sequence(positions, batch_first=True).to(self.device).requires_grad_()
        energies = Hartree * self.model((species, coordinates)).energies
        forces = -torch.autograd.grad(energies.sum(), coordinates)[0].cpu().numpy()
        return [
            (energy, found[: len(atoms)])
            for energy, found, atoms in zip(energies.tolist(), forces, structures, strict=True)
        ]

    def uncertainty(self, calculator: Any, atoms: Any) -> tuple[float, Any]:
        """Return the standard deviations over the eight networks, with n - 1 in the denominator.

        That of the energy in eV, and per atom that of the force: (n,), eV/Angstrom, the norm over its components.
        """
        import torch
        from ase.units import Hartree

        numbers = torch.tensor(atoms.numbers, dtype=torch.long, device=self.device)[None]
        positions = torch.tensor(atoms.positions, dtype=calculator.dtype, device=self.device)[None].requires_grad_()
        features = self.model.aev_computer(self.model.species_converter((numbers, positions)))
        # without the energies of single atoms, which are the same for all networks
        energies = [network(features).energies[0] for network in self.model.neural_networks]
        gradients = [torch.autograd.grad(energy, positions, retain_graph=True)[0][0] for energy in energies]
        of_energy = Hartree * torch.stack(energies).detach().std(correction=1)
        of_forces = Hartree * torch.stack(gradients).std(dim=0, correction=1).norm(dim=1)
        return of_energy.item(), of_forces.cpu().numpy()

    def _species(self, atoms: Any) -> Any:
        """Return the elements as the model takes them, (n,): atomic numbers, or before torchani 2.0 its own indices."""
        import torch

        if _by_number(self.model):
            return torch.tensor(atoms.numbers, dtype=torch.long, device=self.device)
        return self.model.species_to_tensor(atoms.get_chemical_symbols()).to(self.device)

    def settings(self) -> dict[str, Any]:
        """Return what really runs; cutoffs in Angstrom."""
        return {
            **super().settings(),
            **(
                {}
                if _by_number(self.model)
                else {"elements": "indices; the calculator of this release passes no atomic numbers"}
            ),
            "networks": len(self.model),
            "kernel": "PyTorch",
            "cutoff": self.model.aev_computer.Rcr,
            "angular_cutoff": self.model.aev_computer.Rca,
            "charge_and_spin": "not taken",
            "dispersion": "none added",
            "stress": "off",
        }


def _model(make: Any) -> Any:
    """Return a model that takes atomic numbers, where torchani's calculator passes them; before 2.0 it passes indices.

    The model of 1.2 can take numbers, too. With indices from the calculator, it would take carbon for hydrogen.
    """
    try:
        model = make(periodic_table_index=True)
    except TypeError:
        return make()
    return model if hasattr(model.ase(), "periodic_table_index") else make()


def _by_number(model: Any) -> bool:
    return getattr(model, "periodic_table_index", False)

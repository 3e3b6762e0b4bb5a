# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "so3krates-torch==0.2.1",
#   "torch==2.13.0",
#   "ase==3.29.0",
#   "numpy==2.4.6",
# ]
#
# [tool.uv]
# exclude-newer = "2026-11-15T00:00:00Z"
# exclude-newer-package = { torch = false }
#
# [tool.pesbench]
# family = "SO3LR"
# kind = "mlip"
# made-for = "molecules"
# devices = ["cpu", "cuda"]
# dtypes = ["float32", "float64"]  # upstream takes that of the checkpoint, float32
# periodic = true
# download-mb = 350  # with a CPU build of torch
# cuda-dependencies = []  # a CUDA build of torch brings what it needs
# charge = true
# spin = true
# elements = ["H", "C", "N", "O", "F", "P", "S", "Cl"]
#
# [tool.pesbench.knobs]
# tf32 = { values = ["off", "on"], devices = ["cuda"] }
#
# [tool.pesbench.theory]
# functional = "PBE0"
# basis = "-"
# dispersion = "MBD"
# source = "Kabylda et al., J. Am. Chem. Soc. (2025), doi:10.1021/jacs.5c09558; the basis was not confirmed"
#
# [tool.pesbench.methods.so3lr]
# label = "SO3LR (PBE0+MBD)"
# parameters = 529852
# memory-mb = 600
# note = "For molecules; long-range terms up to 12 Å. Only differences of its energies mean anything."
# [tool.pesbench.methods.so3lr.checkpoint]
# file = "so3lr.model"
# licence = "MIT"
# bytes = 2201911
# sha256 = "b5145564911ff983ed076ccb2bca5ce63454b74c9c8291092695463f1e6732be"
# shipped = true
# ///
"""SO3LR, a potential for molecules with long-range terms, from the package so3krates-torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.adapter import TorchAdapter, by_molecule, charge_and_spin, shipped_checkpoint


class So3lr(TorchAdapter):
    """SO3LR's ASE calculator with its defaults: stress off, long-range cutoff 12 Angstrom."""

    def load(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> Any:
        """Return SO3LR's ASE calculator (eV, Angstrom) of the file that the package ships."""
        if checkpoint is not None:
            raise ValueError("SO3LR's calculator takes no other checkpoint than the one of its package")
        import so3krates_torch
        from so3krates_torch.calculator.so3 import SO3LRCalculator

        self.set_up_torch(device, threads)
        shipped = Path(so3krates_torch.__file__).parent / "pretrained" / "so3lr" / "so3lr.model"
        shipped_checkpoint(__file__, method, shipped)
        self._calculator = SO3LRCalculator(device=device, default_dtype=dtype)
        (self.model,) = self._calculator.models
        return self._calculator

    def script(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> str:
        """Return how a plain script makes SO3LR's calculator."""
        charge, spin = charge_and_spin(self.reference)
        return f"""\
from so3krates_torch.calculator.so3 import SO3LRCalculator
{self.torch_lines(device, threads)}
calculator = SO3LRCalculator(device={device!r}, default_dtype={dtype!r})


def prepare(atoms):
    \"\"\"Say the total charge, and the total spin S.\"\"\"
    atoms.info = {{"charge": {charge}, "total_spin": {(spin - 1) / 2:g}}}
"""

    def prepare(self, atoms: Any) -> Any:
        """Return a copy with what upstream reads: the total charge and the total spin S, not the multiplicity."""
        charge, spin = charge_and_spin(atoms)
        atoms = atoms.copy()
        atoms.info = {"charge": charge, "total_spin": (spin - 1) / 2}
        return atoms

    def batched(self, calculator: Any, structures: Sequence[Any]) -> list[tuple[float, Any]]:
        """Return energy and forces of each structure from one graph, put together as for a training batch."""
        from so3krates_torch.data.atomic_data import AtomicData
        from so3krates_torch.data.utils import config_from_atoms
        from so3krates_torch.tools.torch_geometric.dataloader import DataLoader

        calculator.key_specification.update(arrays_keys={calculator.charges_key: "Qs"})
        graphs = [
            AtomicData.from_config(
                config_from_atoms(atoms, key_specification=calculator.key_specification),
                z_table=calculator.z_table,
                cutoff=calculator.r_max,
                cutoff_lr=calculator.r_max_lr,
            )
            for atoms in structures
        ]
        batch = next(iter(DataLoader(dataset=graphs, batch_size=len(graphs), shuffle=False))).to(self.device)
        found = self.model(batch.to_dict(), compute_stress=False)
        forces = found["forces"].detach().cpu().numpy()
        return by_molecule(found["energy"].detach().cpu().flatten().tolist(), forces, structures)

    def settings(self) -> dict[str, Any]:
        """Return what really runs; cutoffs in Angstrom."""
        return {
            **super().settings(),
            "cutoff": self._calculator.r_max,
            "long_range_cutoff": self._calculator.r_max_lr,
            "charge_and_spin": "of the structure",
            "dispersion": "many-body, in the model",
            "stress": "off",
        }

# /// script
# requires-python = ">=3.11"
# dependencies = ["ase==3.29.0", "numpy==2.4.6"]
#
# [tool.uv]
# exclude-newer = "2026-11-15T00:00:00Z"
#
# [tool.pesbench]
# family = "from 0.1"
# kind = "mlip"
# devices = ["cpu", "cuda"]
# download-mb = 60
# cuda-dependencies = []
#
# [tool.pesbench.methods.old-springs]
# label = "springs of 2025"
# parameters = 2
# [tool.pesbench.methods.old-springs.checkpoint]
# file = "from_0_1.txt"
# licence = "MIT"
# bytes = 8
# sha256 = "ce006a8f0682f391fb7b6c8f997ca3388b3c4f3f6e7cf687be1524e7c5f61e8f"
# shipped = true
# ///
"""An adapter file as version 0.1 had them. Not to be brought up to date: such files lie at users' places."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from bench.adapter import Adapter, read_header, refuse_ions

SHIPPED = b"4.0 1.2\n"


class OldSprings(Adapter):
    """Springs of one stiffness and one length between all atoms."""

    def load(self, method: str, device: str, dtype: str, threads: int, checkpoint: Path | None) -> Any:
        """Return the calculator, after a look at the hash in the header of this file."""
        known = read_header(__file__).methods[method].checkpoint
        if known is None or hashlib.sha256(SHIPPED).hexdigest() != known.sha256:
            raise ValueError("the shipped checkpoint is another one")
        self._parameters = [float(word) for word in SHIPPED.split()]
        self._device = device
        return _calculator(*self._parameters)

    def synchronize(self) -> None:
        """Nothing to wait for on a CPU."""
        assert self._device == "cpu"

    def prepare(self, atoms: Any) -> Any:
        """Return a copy that says its charge; one other than zero is a ValueError."""
        refuse_ions(atoms, "old springs")
        atoms = atoms.copy()
        atoms.info["charge"] = int(atoms.info.get("charge", 0))
        return atoms

    def count_parameters(self) -> int:
        """Return the number of parameters."""
        return len(self._parameters)

    def settings(self) -> dict[str, Any]:
        """Return what runs."""
        return {"parameter_dtypes": ["float64"], "device": self._device, "threads": 1}

    def peak_device_memory(self) -> int | None:
        """Return None: it runs on a CPU."""
        return None


def _calculator(stiffness: float, length: float) -> Any:
    import numpy as np
    from ase.calculators.calculator import Calculator, all_changes

    class Springs(Calculator):
        implemented_properties = ("energy", "forces")

        def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
            super().calculate(atoms, properties, system_changes)
            vectors = atoms.get_all_distances(vector=True)
            distances = np.linalg.norm(vectors, axis=-1) + np.eye(len(atoms)) * length
            stretch = distances - length
            self.results = {
                "energy": 0.25 * stiffness * float((stretch**2).sum()),
                "forces": ((stiffness * stretch / distances)[..., None] * vectors).sum(axis=1),
            }

    return Springs()

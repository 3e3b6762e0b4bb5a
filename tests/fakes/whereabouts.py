# /// script
# requires-python = ">=3.11"
# dependencies = ["ase==3.29.0", "numpy==2.4.6", "scipy==1.17.1"]
#
# [tool.uv]
# exclude-newer = "2026-11-15T00:00:00Z"
#
# [tool.pesbench]
# family = "whereabouts"
# kind = "force-field"
# download-mb = 60
#
# [tool.pesbench.methods.whereabouts]
# label = "a well for each atom, as stiff as its checkpoint says"
# [tool.pesbench.methods.whereabouts.checkpoint]
# file = "stiffness.txt"
# sha256 = "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"
# licence = "none"
# ///
"""A method that tells which files its process has in use."""

import sys
from pathlib import Path

from bench.adapter import Adapter


class Whereabouts(Adapter):
    """A harmonic well for each atom."""

    def load(self, method, device, dtype, threads, checkpoint):
        """Return the calculator, and remember where the checkpoint was."""
        self.checkpoint = checkpoint
        return wells(self, float(checkpoint.read_text()))

    def settings(self):
        """Return the checkpoint's path, and the files that were imported or are mapped into memory."""
        files = {module.__file__ for module in [*sys.modules.values()] if getattr(module, "__file__", None)}
        lines = Path("/proc/self/maps").read_text().splitlines()
        files |= {line.split(maxsplit=5)[5] for line in lines if "/" in line}
        return {"checkpoint": str(self.checkpoint), "files": files, "path": sys.path}


def wells(adapter, stiffness):
    """Return an ASE calculator of wells around the reference (eV, Angstrom)."""
    from ase.calculators.calculator import Calculator, all_changes

    class Wells(Calculator):
        implemented_properties = ("energy", "forces")

        def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
            super().calculate(atoms, properties, system_changes)
            away = atoms.positions - adapter.reference.positions
            self.results = {"energy": 0.5 * stiffness * float((away**2).sum()), "forces": -stiffness * away}

    return Wells()

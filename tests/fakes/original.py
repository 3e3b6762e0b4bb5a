# /// script
# requires-python = ">=3.11"
# dependencies = ["ase==3.29.0", "numpy==2.4.6", "scipy==1.17.1"]
#
# [tool.uv]
# exclude-newer = "2026-11-15T00:00:00Z"
#
# [tool.pesbench]
# family = "originals"
# kind = "mlip"
# download-mb = 60
#
# [tool.pesbench.theory]
# functional = "PBE"
# basis = "-"
# dispersion = "none"
# source = "none"
#
# [tool.pesbench.methods.original]
# label = "an original"
# random-weights = true
# [tool.pesbench.methods.original.checkpoint]
# file = "original.json"
# licence = "MIT"
# url = "https://example.org/original.json"
# bytes = 11
# sha256 = "86840ead41984e899fad79ffa186cf2c7d8ce1e249325dfa96280112a1278aa9"
# ///
"""A method whose checkpoint other engines compute, too: springs that hold each atom where the reference has it."""

import json
import time

from bench.adapter import Adapter

PAUSE = 0.04


class Original(Adapter):
    """Springs of the checkpoint's strength, with a pause."""

    def load(self, method, device, dtype, threads, checkpoint):
        """Return the calculator."""
        return springs(json.loads(checkpoint.read_text())["k"], PAUSE)

    def make_random(self, method, path, seed):
        """Write other springs."""
        path.write_text(json.dumps({"k": 2.0 + seed}))


def springs(strength, pause):
    """Return a calculator that pulls each atom to the middle."""
    from ase.calculators.calculator import Calculator, all_changes

    class Springs(Calculator):
        implemented_properties = ("energy", "forces")

        def calculate(self, atoms=None, properties=None, system_changes=all_changes):
            super().calculate(atoms, properties, system_changes)
            time.sleep(pause)
            away = self.atoms.positions - self.atoms.positions.mean(axis=0)
            self.results = {"energy": 0.5 * strength * float((away**2).sum()), "forces": -strength * away}

    return Springs()

# /// script
# requires-python = ">=3.11"
# dependencies = ["ase==3.29.0", "numpy==2.4.6", "scipy==1.17.1"]
#
# [tool.uv]
# exclude-newer = "2026-11-15T00:00:00Z"
#
# [tool.pesbench]
# family = "tunable fakes"
# kind = "force-field"
# dtypes = ["float64", "float32"]
# download-mb = 60
#
# [tool.pesbench.knobs]
# speed = ["plain", "fast"]
#
# [tool.pesbench.methods.tunable]
# label = "a pause per call"
# [tool.pesbench.methods.tunable.knobs]
# kernel = ["right", "wrong", "broken"]
# [tool.pesbench.methods.steady]
# label = "knobs that change nothing"
# dtypes = ["float64"]
# [tool.pesbench.methods.untunable]
# label = "a single setting"
# dtypes = ["float64"]
# [tool.pesbench.methods.untunable.knobs]
# speed = { values = ["plain", "fast"], devices = ["cuda"] }
# ///
"""A method whose knobs have planted effects: pauses of known length, a wrong energy, a failure."""

import time

from bench.adapter import Adapter

PAUSES = {"plain": 0.02, "fast": 0.01}
DTYPES = {"float64": 1.0, "float32": 0.7}
THREADS = {1: 1.0, 2: 1.5}


class Tunable(Adapter):
    """A harmonic well for each atom, with a pause."""

    def load(self, method, device, dtype, threads, checkpoint):
        """Return the calculator; a broken kernel fails, and the fast setting takes longer to start."""
        if self.knobs.get("kernel") == "broken":
            raise RuntimeError("this kernel needs another device")
        if self.knobs.get("speed") == "fast" and method == "tunable":
            time.sleep(1.0)
        pause = PAUSES[self.knobs.get("speed", "plain")] * DTYPES[dtype] * THREADS.get(threads, 1.0)
        wrong = self.knobs.get("kernel") == "wrong"
        if method == "steady":
            pause = PAUSES["plain"]
        elif wrong:
            pause /= 10
        return wells(self, pause, 0.5 if wrong else 0.0)

    def settings(self):
        """Return what really runs."""
        return {"kernel": self.knobs.get("kernel")}


def wells(adapter, pause, shift):
    """Return an ASE calculator (eV, Angstrom) that waits for `pause` seconds."""
    from ase.calculators.calculator import Calculator, all_changes

    class Wells(Calculator):
        implemented_properties = ("energy", "forces")

        def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
            super().calculate(atoms, properties, system_changes)
            time.sleep(pause)
            away = atoms.positions - adapter.reference.positions
            self.results = {"energy": float((away**2).sum()) + shift, "forces": -2 * away}

    return Wells()

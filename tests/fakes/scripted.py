# /// script
# requires-python = ">=3.11"
# dependencies = ["ase==3.29.0", "numpy==2.4.6", "scipy==1.17.1"]
#
# [tool.uv]
# exclude-newer = "2026-11-15T00:00:00Z"
#
# [tool.pesbench]
# family = "scripted"
# kind = "force-field"
# download-mb = 60
#
# [tool.pesbench.methods.slower-than-its-script]
# [tool.pesbench.methods.another-than-its-script]
# ///
"""Methods whose plain script takes another time than their row, by a known factor, or does something else."""

from bench.adapter import Adapter

CALL = {"slower-than-its-script": 0.1, "another-than-its-script": 0.01}
"""Seconds of a force call in the harness."""
PLAIN = """
import os
import time

from ase.calculators.calculator import Calculator, all_changes

SECONDS = {own} if "OMP_NUM_THREADS" in os.environ else {shell}


class Pull(Calculator):
    implemented_properties = ("energy", "forces")

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        time.sleep(SECONDS)
        super().calculate(atoms, properties, system_changes)
        away = atoms.positions - reference.positions - {shift}
        self.results = {{"energy": float((away**2).sum()) / 2, "forces": -away}}


calculator = Pull()
"""


class Scripted(Adapter):
    """A harmonic pull back to the reference."""

    def load(self, method, device, dtype, threads, checkpoint):
        """Return the calculator."""
        scope = {"reference": self.reference}
        exec(PLAIN.format(own=CALL[method], shell=CALL[method], shift=0.0), scope)
        return scope["calculator"]

    def script(self, method, device, dtype, threads, checkpoint):
        """Return a script that takes half of the time, and in a shell a quarter; or one that goes further."""
        other = method == "another-than-its-script"
        return PLAIN.format(own=CALL[method] / 2, shell=CALL[method] / 4, shift=5.0 if other else 0.0)

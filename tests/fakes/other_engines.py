# /// script
# requires-python = ">=3.11"
# dependencies = ["ase==3.29.0", "numpy==2.4.6", "scipy==1.17.1"]
#
# [tool.uv]
# exclude-newer = "2026-11-15T00:00:00Z"
#
# [tool.pesbench]
# family = "other engines"
# kind = "mlip"
# download-mb = 60
#
# [tool.pesbench.conversion]
# command = ["-c", """
# import json, os, signal, sys
# checkpoint, converted, what = sys.argv[1:]
# if what == "fails":
#     sys.exit("the block 'gate' is not supported")
# if what == "dies":
#     os.kill(os.getpid(), signal.SIGILL)
# strength = json.load(open(checkpoint))["k"]
# if what != "nothing":
#     json.dump({"k": strength * (1.01 if what == "wrong" else 1.0)}, open(converted, "w"))
# """, "{checkpoint}", "{converted}"]
# file = "springs.json"
#
# [tool.pesbench.methods."original@fast"]
# engine-of = "original"
# label = "fast springs"
# convert = ["right"]
# [tool.pesbench.methods."original@listed"]
# engine-of = "original"
# label = "fast springs that keep a list"
# convert = ["right"]
# [tool.pesbench.methods."original@driven"]
# engine-of = "original"
# label = "springs with a driver of their own"
# convert = ["right"]
# [tool.pesbench.methods."original@wrong"]
# engine-of = "original"
# label = "wrong springs"
# convert = ["wrong"]
# [tool.pesbench.methods."original@admitted"]
# engine-of = "original"
# label = "springs that are known to be a little off"
# convert = ["wrong"]
# energy-limit = 10.0
# force-limit = 10.0
# limit-reason = "they are stiffer"
# [tool.pesbench.methods."original@unsupported"]
# engine-of = "original"
# label = "springs that cannot be converted"
# convert = ["fails"]
# [tool.pesbench.methods."original@illegal"]
# engine-of = "original"
# label = "springs whose converter dies"
# convert = ["dies"]
# [tool.pesbench.methods."original@silent"]
# engine-of = "original"
# label = "springs that are not written"
# convert = ["nothing"]
# [tool.pesbench.methods."original@avx"]
# engine-of = "original"
# label = "springs for another processor"
# convert = ["right"]
# ///
"""Engines of the method `original`: a faster one, two that change the answers, and some that fail."""

import json
import os
import signal
import time

from bench.adapter import Adapter

PAUSES = {"original@admitted": 0.02, "original@listed": 0.02, "original@driven": 0.04}
PAUSE = 0.01
SKIN = 0.5  # Angstrom
NEW_LIST = 0.03  # seconds
OF_A_DRIVER = 0.1  # seconds


class OtherEngine(Adapter):
    """The springs of a converted file."""

    def load(self, method, device, dtype, threads, checkpoint):
        """Return the calculator; one has instructions that no processor has."""
        import numpy as np
        from ase.calculators.calculator import Calculator, all_changes

        strength = json.loads(checkpoint.read_text())["k"]
        if method == "original@avx":
            os.kill(os.getpid(), signal.SIGILL)

        class Springs(Calculator):
            implemented_properties = ("energy", "forces")
            lists = 0
            listed = None

            def is_listed(self):
                """Return whether the list still holds: no atom has moved by half of the skin."""
                if method != "original@listed" or self.listed is None or len(self.listed) != len(self.atoms):
                    return False
                return np.linalg.norm(self.atoms.positions - self.listed, axis=1).max() < SKIN / 2

            def calculate(self, atoms=None, properties=None, system_changes=all_changes):
                super().calculate(atoms, properties, system_changes)
                time.sleep(PAUSES.get(method, PAUSE))
                away = self.atoms.positions - self.atoms.positions.mean(axis=0)
                if not self.is_listed():
                    self.lists += 1
                    self.listed = self.atoms.positions.copy()
                    time.sleep(NEW_LIST if method == "original@listed" else 0.0)
                self.results = {"energy": 0.5 * strength * float((away**2).sum()), "forces": -strength * away}

        self.drives = method == "original@driven"
        self.skin = SKIN if method == "original@listed" else 0.0
        return Springs()

    def new_structure(self, calculator, atoms):
        """Return the calculator without its list."""
        calculator.listed = None
        return super().new_structure(calculator, atoms)

    def driver(self, calculator, atoms, timed):
        """Return a slow integrator of one engine's own; the others have none."""
        if not self.drives:
            return None
        forces = timed(calculator.get_forces)

        def step():
            time.sleep(OF_A_DRIVER)
            atoms.positions += 1e-3
            forces(atoms)

        return "slow driver", step

    def edges(self, calculator):
        """Return a planted number."""
        return 12

    def rebuilds(self, calculator):
        """Return the number of lists: one makes them where atoms have moved, the others in each call."""
        return calculator.lists

    def settings(self):
        """Return what really runs."""
        return {"cutoff": 3.0, "neighbor_skin": self.skin}

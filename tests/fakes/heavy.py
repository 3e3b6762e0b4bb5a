# /// script
# requires-python = ">=3.11"
# dependencies = ["ase==3.29.0", "numpy==2.4.6", "scipy==1.17.1"]
#
# [tool.uv]
# exclude-newer = "2026-11-15T00:00:00Z"
#
# [tool.pesbench]
# family = "heavy"
# kind = "force-field"
# download-mb = 60
#
# [tool.pesbench.methods.light]
# [tool.pesbench.methods.holds]
# [tool.pesbench.methods.held-for-a-moment]
# [tool.pesbench.methods.maps]
# [tool.pesbench.methods.maps-in-vain]
# [tool.pesbench.methods.has-a-helper]
# [tool.pesbench.methods.calls-a-program]
# [tool.pesbench.methods.starts-slowly]
# [tool.pesbench.methods.starts-once]
# ///
"""Methods that need a known memory, or a known time until their first force call ends."""

import mmap
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ase.calculators.calculator import Calculator, all_changes

from bench.adapter import Adapter

SIZE = 300 << 20
"""Bytes."""
LOAD, FIRST = 0.8, 1.2
"""Seconds that `starts-slowly` and `starts-once` take."""
PROGRAM = f"import sys; held = b'x' * {SIZE}; print('ready', flush=True); sys.stdin.read()"


class Pull(Calculator):
    """A harmonic pull back to the reference, whose first call takes its time."""

    implemented_properties = ("energy", "forces")

    def __init__(self, reference, first):
        super().__init__()
        self.reference, self.first = reference, first

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        """Wait once, and compute."""
        time.sleep(self.first)
        self.first = 0.0
        super().calculate(atoms, properties, system_changes)
        away = atoms.positions - self.reference.positions
        self.results = {"energy": float((away**2).sum()) / 2, "forces": -away}


class Heavy(Adapter):
    """What needs memory or time does so when it is loaded."""

    def load(self, method, device, dtype, threads, checkpoint):
        """Return the calculator."""
        getattr(self, "_" + method.replace("-", "_"), lambda: None)()
        return Pull(self.reference, FIRST if method.startswith("starts") else 0.0)

    def _holds(self):
        self.held = b"x" * SIZE

    def _held_for_a_moment(self):
        len(b"x" * SIZE)

    def _maps(self):
        self._map()
        for start in range(0, SIZE, mmap.PAGESIZE):
            self.mapped[start]

    def _maps_in_vain(self):
        self._map()

    def _map(self):
        with tempfile.TemporaryFile() as file:
            file.truncate(SIZE)
            self.mapped = mmap.mmap(file.fileno(), SIZE)

    def _has_a_helper(self):
        self.helper = subprocess.Popen([sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.helper.stdout.readline()

    def _calls_a_program(self):
        subprocess.run([sys.executable, "-c", PROGRAM], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)

    def _starts_slowly(self):
        time.sleep(LOAD)

    def _starts_once(self):
        here = Path(__file__).with_name("started")
        if here.exists():
            raise RuntimeError("it starts only once")
        here.touch()
        self._starts_slowly()

"""Adapters that do what no adapter should: one entry each, a body for its force call or its loading."""

from __future__ import annotations

HEADER = """# /// script
# requires-python = ">=3.11"
# dependencies = ["ase==3.29.0", "numpy==2.4.6", "scipy==1.17.1"]
#
# [tool.uv]
# exclude-newer = "2026-11-15T00:00:00Z"
#
# [tool.pesbench]
# family = "zoo"
# kind = "force-field"
# download-mb = 60
#
{methods}
# ///
"""
METHOD = """# [tool.pesbench.methods.{name}]
# elements = ["H", "C"]
"""
CODE = '''
"""Hostile adapters, for drills only."""

import numpy as np
from ase.calculators.calculator import Calculator, all_changes

from bench.adapter import Adapter


class Springs(Calculator):
    """A tame spring between each atom and its place, and what the method does besides."""

    implemented_properties = ["energy", "forces"]

    def __init__(self, adapter):
        super().__init__()
        self.adapter = adapter
        self.calls = 0

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        self.calls += 1
        away = self.atoms.positions - self.adapter.reference.positions
        energy, forces = float((away**2).sum()), -2 * away
        energy, forces = self.adapter.spoil(self, energy, forces)
        self.results = {"energy": energy, "forces": forces}


class Zoo(Adapter):
    def load(self, method, device, dtype, threads, checkpoint):
        self.method = method
        if method in LOADING:
            exec(LOADING[method], {"self": self, "np": np})
        return Springs(self)

    def spoil(self, calculator, energy, forces):
        if self.method in LOADING or calculator.calls < 8:
            return energy, forces
        names = {"self": self, "np": np, "calls": calculator.calls, "atoms": calculator.atoms}
        names |= {"energy": energy, "forces": forces}
        exec(CALLING[self.method], names)
        return names["energy"], names["forces"]
'''
LOADING = {
    "exits-0": "import os; os._exit(0)",
    "exits-politely": "import sys; sys.exit(0)",
    "aborts": "import os; os.abort()",
    "raises-unprintable": "class Bad(Exception):\n def __str__(self): raise RuntimeError('no')\nraise Bad()",
    "raises-base": "raise BaseException('not even an Exception')",
    "raises-megabytes": "raise ValueError('x' * 5_000_000)",
    "raises-surrogates": "raise ValueError('caf\\udce9 \\x00 \\x1b[2J')",
    "recursion": "def f(): return f()\nf()",
    "imports-nothing": "import a_package_that_is_not_there",
    "closes-descriptors": "import os; os.closerange(3, 64)",
    "closes-standard-streams": "import os; [os.close(n) for n in (0, 1, 2)]",
    "replaces-streams": "import sys; sys.stdout = sys.stderr = sys.stdin = None",
    "changes-folder": "import os, tempfile; os.chdir(tempfile.mkdtemp()); os.rmdir(os.getcwd())",
    "changes-environment": "import os; os.environ.clear()",
    "ignores-signals": "import signal; [signal.signal(n, signal.SIG_IGN) for n in (2, 15)]",
    "hoards-threads": "import threading, time\n"
    "for _ in range(200): threading.Thread(target=time.sleep, args=(600,)).start()",
    "hoards-files": "self.files = [open('/dev/null') for _ in range(400)]",
    "leaves-children": "import subprocess\nfor _ in range(3): subprocess.Popen(['sleep', '600'])",
    "becomes-a-daemon": "import os\nif os.fork(): os._exit(0)\nos.setsid()",
    "forks": "import os\nif os.fork() == 0: os._exit(1)",
    "lowers-limits": "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (8, 8))",
    "patches-time": "import time; time.perf_counter_ns = lambda: 0",
    "patches-json": "import json; json.dumps = lambda *a, **k: 'not json'",
    "prints-megabytes": "import sys\nfor _ in range(50): print('x' * 100_000); print('y' * 100_000, file=sys.stderr)",
    "writes-records": 'print(\'{"record": "relaxation", "method": "toy"}\', flush=True)',
    "sleeps-forever": "import time; time.sleep(3600)",
    "stops-itself": "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)",
}
"""What a method does while it is loaded."""
CALLING = {
    "nan-energy": "energy = float('nan')",
    "infinite-forces": "forces = forces * np.inf",
    "one-nan": "forces = forces.copy(); forces[3, 1] = np.nan",
    "text-energy": "energy = 'minus five'",
    "no-energy": "energy = None",
    "complex-forces": "forces = forces + 1j",
    "flat-forces": "forces = forces.ravel()",
    "one-atom-less": "forces = forces[:-1]",
    "objects": "forces = forces.astype(object)",
    "array-energy": "energy = np.array([energy, energy])",
    "mutates-atoms": "atoms.positions += 0.1",
    "loses-atoms": "del atoms[0]",
    "raises-keyboard-interrupt": "raise KeyboardInterrupt",
    "raises-system-exit": "raise SystemExit('enough')",
    "raises-memory-error": "raise MemoryError",
    "segmentation-fault": "import ctypes; ctypes.string_at(0)",
    "killed": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "eats-memory": "self.hoard = [bytearray(64 << 20) for _ in range(200)]",
    "hangs-in-a-call": "import time; time.sleep(3600)",
}
"""What a method does in a force call, from the eighth on."""
TAME = {"closes-descriptors", "replaces-streams", "changes-environment", "ignores-signals", "hoards-files"}
"""Those that may well be measured all the same; the others, too, may fail or not, but never harm a neighbour."""


def source() -> str:
    """Return the adapter file of the whole zoo."""
    methods = "".join(METHOD.format(name=name) for name in (*LOADING, *CALLING)).rstrip("\n")
    return HEADER.format(methods=methods) + CODE + f"\n\nLOADING = {LOADING!r}\nCALLING = {CALLING!r}\n"

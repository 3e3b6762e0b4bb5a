# /// script
# requires-python = ">=3.11"
# dependencies = ["ase==3.29.0", "numpy==2.4.6", "scipy==1.17.1"]
#
# [tool.uv]
# exclude-newer = "2026-11-15T00:00:00Z"
#
# [tool.pesbench]
# family = "fakes"
# kind = "force-field"
# download-mb = 60
#
# [tool.pesbench.methods.toy]
# label = "springs between all atoms"
# [tool.pesbench.methods.toy-reference]
# level = "toy"
# theory = { functional = "springs", basis = "-", dispersion = "none", source = "made up" }
# [tool.pesbench.methods.toy-native]
# native = true
# [tool.pesbench.methods.always-fails]
# [tool.pesbench.methods.fails-to-load]
# [tool.pesbench.methods.hangs]
# [tool.pesbench.methods.dies]
# [tool.pesbench.methods.dies-at-once]
# [tool.pesbench.methods.returns-nan]
# [tool.pesbench.methods.allocates]
# [tool.pesbench.methods.slow]
# [tool.pesbench.methods.slow-to-step]
# label = "7 ms a call, and 13 ms more in BFGS"
# [tool.pesbench.methods.direct]
# label = "springs and a force that no energy has"
# conservative = false
# [tool.pesbench.methods.flies-apart]
# [tool.pesbench.methods.dies-while-it-moves]
# [tool.pesbench.methods.exits-quietly]
# [tool.pesbench.methods.leaves-quietly]
# [tool.pesbench.methods.hostile-words]
# [tool.pesbench.methods.odd-settings]
# [tool.pesbench.methods.bad-settings]
# [tool.pesbench.methods.tells-all]
# [tool.pesbench.methods.moves-atoms]
# [tool.pesbench.methods.never-the-same]
# [tool.pesbench.methods.batches]
# [tool.pesbench.methods.wrong-batch]
# [tool.pesbench.methods.dies-in-a-batch]
# [tool.pesbench.methods.sleeps]
# [tool.pesbench.methods.waits-in-line]
# [tool.pesbench.methods.batches-at-random]
# random-weights = true
# parameters = 153
# checkpoint = { file = "springs.json", licence = "none", gated = "https://example.org/ask" }
# [tool.pesbench.methods.only-hydrogen]
# elements = ["H"]
# [tool.pesbench.methods.needs-weights]
# checkpoint = { file = "no-such-file.ckpt", licence = "none" }
# [tool.pesbench.methods.architecture]
# random-weights = true
# parameters = 153
# checkpoint = { file = "springs.json", licence = "none", gated = "https://example.org/ask" }
# [tool.pesbench.methods.wrong-architecture]
# random-weights = true
# parameters = 1000
# checkpoint = { file = "springs.json", licence = "none" }
# [tool.pesbench.methods.grows]
# label = "1 ms + 2 us N^1.5"
# [tool.pesbench.methods.grows-faster]
# label = "10 ms + 0.05 us N^1.8"
# [tool.pesbench.methods.cliff]
# label = "three times slower from 576 atoms on"
# [tool.pesbench.methods.dies-when-large]
# [tool.pesbench.methods.fails-when-large]
# [tool.pesbench.methods.takes-20]
# label = "20 ms"
# [tool.pesbench.methods.takes-21]
# label = "21 ms"
# [tool.pesbench.methods.remembers]
# label = "20 ms a small step from the last call, 200 ms elsewhere"
# [tool.pesbench.methods.better-asleep]
# memory-mb = 1
# [tool.pesbench.methods.better-spinning]
# memory-mb = 1
# [tool.pesbench.methods.bursts]
# [tool.pesbench.methods.only-cuda]
# devices = ["cuda"]
# ///
"""Methods that do one thing wrong each, and two that are right; measured through the same path as real ones."""

import fcntl
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from bench.adapter import Adapter

# Milliseconds of a force call by the number of atoms.
TIMES = {
    "grows": lambda n: 1 + 0.002 * n**1.5,
    "grows-faster": lambda n: 10 + 0.00005 * n**1.8,
    "takes-20": lambda n: 20.0,
    "takes-21": lambda n: 21.0,
    "cliff": lambda n: (1 + 0.002 * n**1.5) * (3 if n >= 576 else 1),
}
BATCHED = ("batches", "wrong-batch", "dies-in-a-batch", "batches-at-random")
PER_CALL, PER_MOLECULE = 0.008, 0.002
"""Seconds that a call of these methods takes, and what each molecule adds to it."""
NAP = 0.04
NEAR_CALL, FAR_CALL, NEAR = 0.020, 0.500, 0.05
"""Seconds of a call near the last one and elsewhere; what is near, Angstrom (root mean square over coordinates)."""
PLAIN = """
from ase.calculators.calculator import Calculator, all_changes


class Springs(Calculator):
    implemented_properties = ("energy", "forces")

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        vectors = atoms.get_all_distances(vector=True)
        lengths = np.linalg.norm(vectors, axis=-1) + np.eye(len(atoms))
        stretch = np.where(np.eye(len(atoms)), 0.0, lengths - reference.get_all_distances())
        forces = (5.0 * stretch / lengths)[..., None] * vectors
        self.results = {"energy": float(0.25 * 5.0 * (stretch**2).sum()), "forces": forces.sum(axis=1)}


def relax(atoms, max_steps):
    for step in range(1, max_steps + 1):
        forces = calculator.get_forces(atoms)
        atoms.positions += 0.01 * forces
        if (forces**2).sum(axis=1).max() < 0.05**2:
            break
    return step


calculator = Springs()
"""
CALL, UPDATE = 0.007, 0.040
"""Seconds that a call of the method slow-to-step takes, and that it adds to each step of BFGS."""

HIT, WORK, BUSY = 10, 0.003, "import time\nend = time.time() + 30\nwhile time.time() < end: pass"
"""Of the method bursts: the fresh start that other processes disturb, seconds of a call, and what they do."""


class Fakes(Adapter):
    """Springs between all pairs of atoms at their distances in the reference, and ways to go wrong."""

    def load(self, method, device, dtype, threads, checkpoint):
        """Return the calculator; what goes wrong later begins with the second structure."""
        if method == "fails-to-load":
            raise RuntimeError("these weights are for another model")
        if method == "dies-at-once":
            os.kill(os.getpid(), signal.SIGSEGV)
        self.method = method
        self.starts = self.calls = 0
        self.last = None
        self.neighbours = []
        self.stiffness = json.loads(checkpoint.read_text()) if checkpoint else None
        if method == "slow-to-step":
            slow_down_bfgs()
        return spinning(TIMES[method]) if method in TIMES else springs(self)

    def script(self, method, device, dtype, threads, checkpoint):
        """Return the springs of the right ones in plain words; the others have none."""
        return PLAIN if method in ("toy", "toy-native", "architecture") else None

    def make_random(self, method, path, seed):
        """Write random spring constants, one for each pair of 18 atoms."""
        draw = random.Random(seed)
        path.write_text(json.dumps([draw.uniform(4, 6) for _ in range(153)]))

    def count_parameters(self):
        """Return the number of spring constants that were loaded."""
        return len(self.stiffness) if self.stiffness else None

    def new_structure(self, calculator, atoms):
        """Count the fresh starts: the warm-up makes three, an answer one, a structure two (its final call is one)."""
        self.starts += 1
        self.calls = 0
        self.last = None
        self.given = atoms
        calculator.reset()
        return calculator

    def settings(self):
        """Return plain settings, such as can plainly be kept, or such as cannot."""
        import numpy as np

        if self.method == "odd-settings":
            return {"cutoff": np.float32(4.5), "species": {"H", "C"}, "sizes": np.arange(3), "name": "caf\udce9"}
        if self.method == "tells-all":
            return dict(os.environ)
        if self.method == "bad-settings":
            return {"cutoff": 4.5, "model": self}
        return {}

    def native_relax(self, calculator, atoms, max_steps):
        """Return a relaxation by steepest descent."""
        return SteepestDescent(calculator, atoms)

    def batched(self, calculator, structures):
        """Return energies and forces; the fourth molecule's are wrong for one method, and another dies of eight."""
        if self.method not in BATCHED:
            return None
        if self.method == "dies-in-a-batch" and len(structures) == 8:
            os.kill(os.getpid(), signal.SIGSEGV)
        time.sleep(PER_CALL + PER_MOLECULE * len(structures))
        found = [surface(self.reference, atoms) for atoms in structures]
        if self.method == "wrong-batch" and len(found) > 3:
            found[3] = (found[3][0] + 0.5, found[3][1])
        return found

    def cost(self, atoms):
        """Take the time that a single call of this method takes."""
        if self.method in BATCHED:
            time.sleep(PER_CALL + PER_MOLECULE)
        if self.method == "slow-to-step":
            time.sleep(CALL)
        if self.method == "bursts":
            self.burst(self.starts == HIT)
            spin(WORK)
        if self.method == "sleeps":
            time.sleep(NAP)
        if self.method.startswith("better-"):
            asleep = os.environ.get("OMP_WAIT_POLICY") == "PASSIVE"
            time.sleep(0.02 if asleep == self.method.endswith("asleep") else 0.06)
        if self.method == "remembers":
            last, self.last = self.last, atoms.positions.copy()
            near = last is not None and ((last - self.last) ** 2).mean() < NEAR**2
            time.sleep(NEAR_CALL if near else FAR_CALL)
        if self.method == "waits-in-line":  # all processes of this method share one lock
            with Path(__file__).open() as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                time.sleep(NAP)

    def burst(self, on):
        """Let other processes have most of this one's core, or let them go."""
        if on and not self.neighbours:
            cores = os.sched_getaffinity(0)
            os.sched_setaffinity(0, {min(cores)})  # the neighbours inherit it
            self.neighbours = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(4)]
            self.cores = cores
        elif not on and self.neighbours:
            for one in self.neighbours:
                one.kill()
                one.wait()
            self.neighbours = []
            os.sched_setaffinity(0, self.cores)

    def misbehave(self, energy, forces):
        """Do what this method does wrong, from the second structure of the data set on."""
        if self.method == "flies-apart":
            return energy, -forces
        self.calls += 1
        if self.method == "dies-while-it-moves" and self.calls > 100:
            os.kill(os.getpid(), signal.SIGSEGV)
        if self.method.endswith("-when-large") and len(forces) > 100:
            if self.method == "dies-when-large":
                os.kill(os.getpid(), signal.SIGKILL)
            raise RuntimeError("the neighbour list is full")
        if self.starts < 7:
            return energy, forces
        if self.method == "always-fails":
            raise RuntimeError("the matrix is singular")
        if self.method == "tells-all":
            print(dict(os.environ), file=sys.stderr)
            raise RuntimeError(" ".join(os.environ.values()))
        if self.method == "hangs":
            time.sleep(3600)
        if self.method == "dies":
            os.kill(os.getpid(), signal.SIGSEGV)
        if self.method == "returns-nan":
            return float("nan"), forces
        if self.method == "allocates":
            self.hoard = [bytearray(os.urandom(1 << 20) * 64) for _ in range(1000)]
        if self.method == "slow":
            time.sleep(0.05)
        if self.method == "exits-quietly":
            raise SystemExit(0)
        if self.method == "leaves-quietly":
            os._exit(0)
        if self.method == "hostile-words":
            raise RuntimeError("caf\udce9 \x1b[2J\x1b[31mred\x00\nsecond line")
        if self.method == "never-the-same":
            return energy + random.random(), forces
        return energy, forces


def spin(seconds):
    """Take some time."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def slow_down_bfgs():
    """Let each step of ASE's BFGS take longer, in this process."""
    from ase.optimize import BFGS

    step = BFGS.step

    def slow_step(self, *arguments):
        time.sleep(UPDATE)
        return step(self, *arguments)

    BFGS.step = slow_step


def spinning(milliseconds):
    """Return a calculator without forces whose calls take a planned time, by the number of atoms."""
    import numpy as np
    from ase.calculators.calculator import Calculator, all_changes

    class Spinning(Calculator):
        implemented_properties = ("energy", "forces")

        def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
            end = time.perf_counter() + 1e-3 * milliseconds(len(atoms))
            super().calculate(atoms, properties, system_changes)
            self.results = {"energy": 0.0, "forces": np.zeros((len(atoms), 3))}
            # other processes can have the core meanwhile; the last tenth is not slept, for whoever wakes up late
            time.sleep(max(0.0, 0.9 * (end - time.perf_counter()) - 1e-3))
            while time.perf_counter() < end:
                pass

    return Spinning()


def surface(reference, atoms):
    """Return energy and forces of the springs (eV, Angstrom)."""
    import numpy as np

    vectors = atoms.get_all_distances(vector=True)
    lengths = np.linalg.norm(vectors, axis=-1) + np.eye(len(atoms))
    stretch = np.where(np.eye(len(atoms)), 0.0, lengths - reference.get_all_distances())
    forces = (5.0 * stretch / lengths)[..., None] * vectors
    return float(0.25 * 5.0 * (stretch**2).sum()), forces.sum(axis=1)


def springs(adapter):
    """Return an ASE calculator of springs (eV, Angstrom)."""
    import numpy as np
    from ase.calculators.calculator import Calculator, all_changes

    class Springs(Calculator):
        implemented_properties = ("energy", "forces")

        def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
            super().calculate(atoms, properties, system_changes)
            adapter.cost(atoms)
            energy, forces = adapter.misbehave(*surface(adapter.reference, atoms))
            if adapter.method == "direct":
                forces = forces + 0.004 * np.cross((0, 0, 1), atoms.positions - atoms.positions.mean(axis=0))
            self.results = {"energy": energy, "forces": forces}
            if adapter.method == "moves-atoms":
                adapter.given.info["touched"] = True

    return Springs()


class SteepestDescent:
    """The plainest native optimiser: down the force until it is small."""

    criterion = "largest force below 0.05 eV/Angstrom"

    def __init__(self, calculator, atoms):
        self.calculator = calculator
        self.atoms = atoms.copy()

    def step(self):
        """Go one step down."""
        forces = self.calculator.get_forces(self.atoms)
        self.atoms.positions += 0.01 * forces
        return bool((forces**2).sum(axis=1).max() < 0.05**2)

    def finish(self, atoms):
        """Hand the coordinates over."""
        atoms.positions = self.atoms.positions

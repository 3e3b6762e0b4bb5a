"""Two methods whose force calls take 20 and 21 ms by their own clock, in turns, with a spinning neighbour.

    .venv/bin/python tests/studies/planted.py [--neighbours 1] [--rounds 4] [--budget 24]

Right are 20 and 21 ms and what an optimiser's step takes besides, and a ratio of 1.05. A call waits until its time is
over, so a neighbour on the other core cannot change it; what it can change is the harness around it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ADAPTER = '''# /// script
# requires-python = ">=3.11"
# dependencies = ["ase==3.29.0", "numpy==2.4.6", "scipy==1.17.1"]
#
# [tool.uv]
# exclude-newer = "2026-11-15T00:00:00Z"
#
# [tool.pesbench]
# family = "planted"
# kind = "force-field"
# download-mb = 60
#
# [tool.pesbench.methods.takes-20-ms]
# [tool.pesbench.methods.takes-21-ms]
# ///
"""A harmonic pull that takes a known time."""

import time

from ase.calculators.calculator import Calculator, all_changes

from bench.adapter import Adapter


class Pull(Calculator):
    """Energy and forces of springs to the reference, after a known time."""

    implemented_properties = ("energy", "forces")

    def __init__(self, reference, seconds):
        super().__init__()
        self.reference, self.seconds = reference, seconds

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        end = time.perf_counter() + self.seconds
        super().calculate(atoms, properties, system_changes)
        away = atoms.positions - self.reference.positions
        self.results = {"energy": float((away**2).sum()), "forces": -2 * away}
        while time.perf_counter() < end:
            pass


class Planted(Adapter):
    """Loads either."""

    def load(self, method, device, dtype, threads, checkpoint):
        return Pull(self.reference, float(method.split("-")[1]) / 1000)
'''


def main() -> None:
    """Measure both, and print what the table says."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--neighbours", type=int, default=1, help="processes that spin meanwhile")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--budget", type=float, default=24.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        adapter = Path(folder) / "planted.py"
        adapter.write_text(ADAPTER)
        spinning = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(options.neighbours)]
        try:
            found = measured(adapter, Path(folder), options.rounds, options.budget)
        finally:
            for process in spinning:
                process.kill()
    for row in found["rows"]:
        print(row["method"], row["ms_per_step"], "times slower", row["relative"], flush=True)


def measured(adapter: Path, folder: Path, rounds: int, budget: float) -> dict:
    """Return the table of a run of both methods."""
    pesbench = [sys.executable, "-m", "bench.cli"]
    options = ["--structures", "naphthalene-gfn2", "--threads", "1", "--rounds", str(rounds), "--budget", str(budget)]
    run = [*pesbench, "run", "--adapter", str(adapter), "--methods", "takes-20-ms,takes-21-ms", *options]
    run += ["--relative-to", "takes-20-ms", "--no-page", "--output", str(folder / "runs")]
    subprocess.run(run, check=True, stdout=subprocess.DEVNULL)
    (made,) = (folder / "runs").iterdir()
    table = [*pesbench, "table", str(made), "--relative-to", "takes-20-ms", "--json"]
    return json.loads(subprocess.run(table, check=True, capture_output=True, text=True).stdout)


if __name__ == "__main__":
    main()

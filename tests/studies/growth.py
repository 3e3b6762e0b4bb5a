"""A planted law, t = 1 ms + 2 us N^1.5, measured again and again: is it found, and is the largest size predicted?

A force call also takes what ASE does before and after the calculator's own work. A plain loop measures this beside.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "fakes"))
import fakes

from bench.data.structures import GFN2, load_dataset

RUN = (
    *("run", "--adapter", fakes.__file__, "--methods", "grows", "--protocols", "scaling", "--max-atoms", "1152"),
    *("--structures", "naphthalene-gfn2", "--threads", "1", "--no-repeats", "--budget", "none"),
)


def ase_overhead(calls: int = 300) -> float:
    """Return the milliseconds of a force call of one molecule in a plain ASE loop, beyond those planted; the median."""
    planted = fakes.TIMES["grows"]
    calculator, atoms = fakes.spinning(planted), load_dataset(GFN2).reference.copy()
    start, random, took = atoms.positions.copy(), np.random.default_rng(0), []
    for _ in range(calls):
        atoms.positions = start + random.normal(0.0, 0.01, start.shape)
        before = perf_counter()
        calculator.get_forces(atoms)
        calculator.get_potential_energy(atoms)
        took.append(perf_counter() - before)
    return float(1e3 * np.median(took) - planted(len(atoms)))


def main() -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20)
    count = parser.parse_args().count
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(count):
            subprocess.run(
                [sys.executable, "-m", "bench.cli", *RUN, "--output", folder], check=True, capture_output=True
            )
            shown = ("table", folder, "--protocols", "scaling", "--format", "json")
            done = subprocess.run(
                [sys.executable, "-m", "bench.cli", *shown], check=True, capture_output=True, text=True
            )
            rows += json.loads(done.stdout)["rows"]
            law, held = rows[-1]["law"], rows[-1]["held_out"]
            print(
                json.dumps(
                    {
                        "floor_ms": law["floor_ms"]["estimate"],
                        "exponent": law["exponent"]["estimate"],
                        "predicted_ms": held["predicted_ms"],
                        "measured_ms": held["measured_ms"],
                        "inside": held["inside"],
                    }
                ),
                flush=True,
            )
    laws, beyond = [row["law"] for row in rows], ase_overhead()
    print(
        json.dumps(
            {
                "repeats": count,
                "inside": sum(row["held_out"]["inside"] for row in rows),
                "worst_exponent": max(abs(law["exponent"]["estimate"] - 1.5) for law in laws),
                "ase_overhead_ms": beyond,
                "highest_floor_ms": max(law["floor_ms"]["estimate"] for law in laws),
                "worst_floor_share": max(abs(law["floor_ms"]["estimate"] / (1.0 + beyond) - 1.0) for law in laws),
            }
        )
    )


if __name__ == "__main__":
    main()

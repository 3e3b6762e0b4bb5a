"""How large are the errors of the reference labels themselves? The same level on a finer grid, and without fitting.

The variants are copies of the adapter, computed by the verb `pesbench reference` like the labels: a quarter of an hour.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from bench import paths
from bench.data.references import read_labels
from bench.protocols.accuracy.force_errors import force_errors

ADAPTER = paths.adapters_dir() / "pyscf_dft.py"
FITTED, COARSE = "self.density_fitting = True", "self.grid_level = 2"
VARIANTS = {
    "usual": [],
    "grid-5": [(COARSE, "self.grid_level = 5")],
    "unfitted": [(FITTED, "self.density_fitting = False")],
}


def main() -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--level", default="pbe0-def2-svp")
    parser.add_argument("--count", type=int, default=3, help="structures")
    options = parser.parse_args()
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, changes in VARIANTS.items():
            found[name] = _labels(Path(folder), name, changes, options)
    usual = found.pop("usual")
    for name, labels in found.items():
        common = sorted(set(labels.forces) & set(usual.forces))
        pairs = [np.array([one.forces[i] for i in common]) for one in (usual, labels)]
        errors = force_errors(*pairs, *([one.energies[i] for i in common] for one in (usual, labels)))
        largest = 1000 * float(np.abs(pairs[0] - pairs[1]).max())
        energy = f"{errors.energy_mae.estimate:.3f} meV" if errors.energy_mae else "not compared"
        print(
            f"usual beside {name}, {len(common)} structures: force MAE {errors.force_mae.estimate:.3f}, "
            f"largest {largest:.3f} meV/Angstrom; energy MAE {energy}"
        )


def _labels(folder: Path, name: str, changes: list[tuple[str, str]], options: argparse.Namespace):
    text = ADAPTER.read_text()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    # all methods of the copy need names of their own
    level = f"{options.level}-{name}"
    text = text.replace("reference-", f"reference-{name}-").replace("methods.pbe0", f"methods.{name}-pbe0")
    text = text.replace(f'level = "{options.level}"', f'level = "{level}"')
    path = folder / f"{name}.py"
    path.write_text(text)
    subprocess.run(
        [
            *(sys.executable, "-m", "bench.cli", "reference", "--level", level, "--adapter", path, "--no-minimum"),
            *("--structures", "naphthalene-gfn2", "--limit", str(options.count), "--output", folder),
        ],
        check=True,
        env={**os.environ, "PESBENCH_CACHE": str(folder)},
    )
    return read_labels(next(folder.glob(f"*/{level}.jsonl")))


if __name__ == "__main__":
    main()

"""What a wrong gradient does to dynamics: real methods beside copies of them whose forces were exchanged.

UFF as Open Babel has it, and with forces that are the differences of its own energy; GFN2-xTB, and with a force added
that no energy has, as a model might that predicts forces directly.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from bench import paths

EXACT = '''

def _exact(calculator):
    """Take forces from central differences of the energy."""
    import numpy as np

    calculate = calculator.calculate

    def exact(atoms=None, properties=None, system_changes=("positions",)):
        moved = atoms.copy()

        def energy(index, displacement):
            moved.positions[index] += displacement
            calculate(moved, ["energy"], system_changes)
            moved.positions[index] -= displacement
            return calculator.results["energy"]

        forces = np.zeros((len(atoms), 3))
        for index in np.ndindex(*forces.shape):
            forces[index] = (energy(index, -1e-3) - energy(index, 1e-3)) / 2e-3
        calculate(atoms, properties, system_changes)
        calculator.results["forces"] = forces

    calculator.calculate = exact
    return calculator


_load = UFF.load
UFF.load = lambda self, *arguments: _exact(_load(self, *arguments))
'''

DIRECT = '''

def _direct(calculator, reference):
    """Add a force that is linear in the displacements, with an antisymmetric matrix, and pulls the molecule nowhere."""
    import numpy as np

    count = len(reference)
    skew = np.random.default_rng(0).normal(0, 0.05, (3 * count, 3 * count))
    kept = np.eye(3 * count) - np.kron(np.ones((count, count)) / count, np.eye(3))
    skew = kept @ (skew - skew.T) @ kept
    calculate = calculator.calculate

    def direct(atoms=None, *arguments, **named):
        calculate(atoms, *arguments, **named)
        added = skew @ (atoms.positions - reference.positions).ravel()
        calculator.results["forces"] = calculator.results["forces"] + added.reshape(-1, 3)

    calculator.calculate = direct
    return calculator


_load = {adapter}.load
{adapter}.load = lambda self, method, *rest: _direct(
    _load(self, method.removesuffix("-direct"), *rest), self.reference
)
'''


def doctored(name: str, ending: str, label: str, code: str, folder: Path) -> Path:
    """Write a copy of an adapter whose methods have another name, another label and other forces."""
    text = (paths.ADAPTERS / f"{name}.py").read_text()
    lines = [
        line.replace("]", f"-{ending}]", 1) if line.startswith("# [tool.pesbench.methods.") else line
        for line in text.replace('# label = "', f'# label = "{label}: ').splitlines()
    ]
    path = folder / f"{name}_{ending}.py"
    path.write_text("\n".join(lines) + "\n" + code)
    return path


def main() -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--duration", default="5", help="ps")
    parser.add_argument("--seeds", default="3")
    parser.add_argument("--budget", default="300", help="seconds for each of the four")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = (
            doctored("uff", "exact", "exact gradient", EXACT, Path(folder)),
            doctored("xtb", "direct", "no derivative", DIRECT.format(adapter="XTB"), Path(folder)),
        )
        subprocess.run(
            [
                *(sys.executable, "-m", "bench.cli", "run", "--protocols", "md", "--ensembles", "nve"),
                *("--methods", "uff-ase,uff-ase-exact,gfn2-xtb,gfn2-xtb-direct", "--threads", "1"),
                *("--duration", options.duration, "--limit", options.seeds, "--budget", options.budget),
                *(word for file in files for word in ("--adapter", str(file))),
            ],
            check=True,
        )


if __name__ == "__main__":
    main()

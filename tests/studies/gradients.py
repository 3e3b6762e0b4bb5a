"""What a wrong gradient does to dynamics: real methods beside copies of them whose forces were exchanged.

UFF as Open Babel has it, and with forces that are the differences of its own energy; GFN2-xTB, and with forces added
that no energy has, as a model might that predicts forces directly: one that stays where it is when the molecule
turns, and several of different sizes that turn with it.
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
    """Add a force that is linear in the displacements, with an antisymmetric matrix, and pulls the molecule nowhere.

    It does not turn with the molecule.
    """
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


_load = XTB.load
XTB.load = lambda self, method, *rest: _direct(_load(self, method.removesuffix("-direct"), *rest), self.reference)
'''

SKEW = '''

def _skewed(calculator, reference, size):
    """Add a force that is linear in the displacements, with an antisymmetric matrix of entries of `size` eV/A^2.

    It turns with the molecule, and neither pulls nor turns it.
    """
    import numpy as np

    count = len(reference)
    skew = np.random.default_rng(0).normal(0, size / 2**0.5, (3 * count, 3 * count))
    skew = skew - skew.T
    shape = reference.positions - reference.positions.mean(axis=0)
    calculate = calculator.calculate

    def skewed(atoms=None, *arguments, **named):
        calculate(atoms, *arguments, **named)
        centred = atoms.positions - atoms.positions.mean(axis=0)
        left, _, right = np.linalg.svd(shape.T @ centred)  # Kabsch: the turn that takes the reference to the molecule
        turn = left @ np.diag([1, 1, np.sign(np.linalg.det(left @ right))]) @ right
        added = (skew @ (centred @ turn.T - shape).ravel()).reshape(-1, 3) @ turn
        motions = [np.tile(axis, (count, 1)) for axis in np.eye(3)] + [np.cross(axis, centred) for axis in np.eye(3)]
        rigid, _ = np.linalg.qr(np.reshape(motions, (6, -1)).T)
        added = added.ravel() - rigid @ (rigid.T @ added.ravel())
        calculator.results["forces"] = calculator.results["forces"] + added.reshape(-1, 3)

    calculator.calculate = skewed
    return calculator


_load = XTB.load
XTB.load = lambda self, method, *rest: _skewed(
    _load(self, method.removesuffix("-{ending}"), *rest), self.reference, {size}
)
'''


def doctored(name: str, ending: str, label: str, code: str, folder: Path) -> Path:
    """Write a copy of an adapter whose methods have another name, another label and other forces."""
    text = (paths.adapters_dir() / f"{name}.py").read_text()
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
    parser.add_argument("--budget", default="300", help="seconds for each method")
    parser.add_argument("--skew", type=float, nargs="*", default=(0.1, 0.03, 0.01), help="sizes, eV/Angstrom^2")
    parser.add_argument("--only-skew", action="store_true", help="leave out all but GFN2-xTB and these")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files, methods = [], ["gfn2-xtb"]
        if not options.only_skew:
            files.append(doctored("uff", "exact", "exact gradient", EXACT, folder))
            files.append(doctored("xtb", "direct", "no derivative", DIRECT, folder))
            methods += ["uff-ase", "uff-ase-exact", "gfn2-xtb-direct"]
        for size in options.skew:
            ending = f"skew{round(1000 * size)}"
            code = SKEW.replace("{ending}", ending).replace("{size}", str(size))
            files.append(doctored("xtb", ending, f"skew {size:g}", code, folder))
            methods.append(f"gfn2-xtb-{ending}")
        subprocess.run(
            [
                *(sys.executable, "-m", "bench.cli", "run", "--protocols", "md", "--ensembles", "nve"),
                *("--methods", ",".join(methods), "--threads", "1"),
                *("--duration", options.duration, "--limit", options.seeds, "--budget", options.budget),
                *(word for file in files for word in ("--adapter", str(file))),
            ],
            check=True,
        )


if __name__ == "__main__":
    main()

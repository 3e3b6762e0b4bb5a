"""How far from the basis limit is a reference level? Benzene's bonds and its two breathing modes in growing basis sets.

It computes the adapter's own level, with other basis sets, in PySCF's environment: minutes up to triple zeta, half an
hour for QZVP. Each force call is kept in a file, so that it can be stopped and goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

PROJECT = Path(__file__).resolve().parents[2]
ADAPTER = PROJECT / "adapters" / "pyscf_dft.py"
BASES = ("def2-svp", "def2-tzvp", "def2-tzvpp", "def2-qzvp")
START = np.array([1.397357, 2.488342])  # Angstrom, distances of carbon and hydrogen from the centre
STIFFNESS = np.array([[472.0, -193.0], [-193.0, 199.0]])  # eV/Angstrom^2, of PBE/def2-TZVPP
STEP = 0.004  # Angstrom
CLOSE = 0.003  # eV/Angstrom, the sum over six atoms: 0.02 mAngstrom
MASSES = 6 * np.array([12.011, 1.008])  # u
CM1 = 521.47  # of the root of eV/(Angstrom^2 u)
ANGLES = np.arange(6) * np.pi / 3
RADIAL = np.stack([np.cos(ANGLES), np.sin(ANGLES), np.zeros(6)], axis=1)


class Benzene:
    """The radial forces on carbon and hydrogen in a hexagon, eV/Angstrom."""

    def __init__(self, level: str, basis: str, lines: Path) -> None:
        self.name = f"{level} {basis}"
        self.level, self.basis, self.lines = level, basis, lines
        self.known: dict[tuple[float, ...], np.ndarray] = {}
        for line in lines.read_text().splitlines() if lines.exists() else ():
            one = json.loads(line)
            if one["name"] == self.name:
                self.known[tuple(one["radii"])] = np.array(one["forces"])
        self.calculator = None

    def forces(self, radii: np.ndarray) -> np.ndarray:
        """Return the sums over the six carbon and over the six hydrogen atoms."""
        key = tuple(np.round(radii, 6).tolist())
        if key not in self.known:
            self.known[key] = self._compute(key)
            with self.lines.open("a") as file:
                file.write(json.dumps({"name": self.name, "radii": key, "forces": self.known[key].tolist()}) + "\n")
        return self.known[key]

    def _compute(self, radii: tuple[float, ...]) -> np.ndarray:
        from ase import Atoms

        atoms = Atoms("C6H6", np.concatenate([radii[0] * RADIAL, radii[1] * RADIAL]))
        if self.calculator is None:
            from bench.measure.loading import load_adapter

            adapter = load_adapter(ADAPTER)
            adapter.reference = atoms
            adapter.load(f"reference-{self.level}", "cpu", "float64", 1, None)
            adapter.basis = self.basis
            self.calculator = adapter.new_structure(None, atoms)
        atoms.calc = self.calculator
        along = (atoms.get_forces().reshape(2, 6, 3) * RADIAL).sum(axis=(1, 2))
        print(f"{self.name}: {radii} {along}", file=sys.stderr, flush=True)
        return along


def minimum(benzene: Benzene, radii: np.ndarray) -> np.ndarray:
    """Return the radii at the minimum, Angstrom, by Newton's method with the force constants of one basis for all."""
    while np.abs(benzene.forces(radii)).max() > CLOSE:
        radii = np.round(radii + np.linalg.solve(STIFFNESS, benzene.forces(radii)), 6)
    return radii


def breathing(benzene: Benzene, radii: np.ndarray) -> np.ndarray:
    """Return the wavenumbers of the two modes that keep the hexagon, cm-1."""
    columns = [(benzene.forces(radii - move) - benzene.forces(radii + move)) / (2 * STEP) for move in STEP * np.eye(2)]
    stiffness = (np.array(columns) + np.array(columns).T) / 2
    return CM1 * np.sqrt(np.linalg.eigvalsh(stiffness / np.sqrt(np.outer(MASSES, MASSES))))


def study(level: str, bases: list[str], lines: Path) -> None:
    """Print bonds and modes in each basis."""
    radii, found = START, {}
    for basis in bases:
        benzene = Benzene(level, basis, lines)
        radii = minimum(benzene, radii)
        found[basis] = benzene, radii
        bonds = 1000 * np.array([radii[0], radii[1] - radii[0]])
        print(f"{level} with {basis}: C-C {bonds[0]:.2f}, C-H {bonds[1]:.2f} mAngstrom", flush=True)
    for basis, (benzene, radii) in found.items():
        modes = breathing(benzene, radii)
        print(f"{level} with {basis}: breathing {modes[0]:.1f} and {modes[1]:.1f} cm-1", flush=True)


def main() -> None:
    """Run the study in PySCF's environment."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--level", default="pbe-def2-tzvpp", help="whose functional and settings are used")
    parser.add_argument("--bases", default=",".join(BASES))
    parser.add_argument("--lines", type=Path, default=Path("basis_limit.jsonl"), help="where force calls are kept")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        study(options.level, options.bases.split(","), options.lines)
        return
    from bench.environments import environments
    from bench.environments.header import read_header

    python = environments.prepare(read_header(ADAPTER)).python
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    subprocess.run(
        [python, __file__, *sys.argv[1:], "--inside"],
        check=True,
        env={**os.environ, "PYTHONPATH": str(PROJECT), **one},
    )


if __name__ == "__main__":
    main()

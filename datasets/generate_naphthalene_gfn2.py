# /// script
# requires-python = ">=3.11"
# dependencies = ["ase==3.29.0", "numpy==2.4.6", "tblite==0.8.0"]
#
# [tool.uv]
# exclude-newer = "2026-11-01T00:00:00Z"
# ///
"""Regenerate naphthalene.xyz and naphthalene-gfn2.extxyz beside this file: about 7 CPU minutes.

    OMP_NUM_THREADS=1 uv run --script datasets/generate_naphthalene_gfn2.py

101 naphthalene structures from GFN2-xTB dynamics in MD17's ensemble: linear and angular momentum are zero
and the kinetic energy is 500 K over all 3N = 54 velocities, which is 562.5 K over the 48 internal degrees of
freedom.

The dynamics is Langevin's (BAOAB splitting; B. Leimkuhler, C. Matthews, J. Chem. Phys. 138, 174102 (2013)),
with the random momenta projected so that both total momenta stay zero. A thermostat that only rescales
velocities would keep them zero too, but it leaves the exchange of energy between the vibrations to their
anharmonic coupling, and 25 ps need not suffice for that; here each vibration is thermalised by itself.

The seed fixes the random numbers, not the trajectory: rounding differs between processors and the dynamics is
chaotic, so another machine makes another sample of the same ensemble. The committed file is the data set.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from ase import Atoms, units
from ase.optimize import BFGS
from tblite.ase import TBLite

HERE = Path(__file__).resolve().parent
SEED = 20260
FRAMES = 101
TIME_STEP = 0.5 * units.fs
SPACING = 500  # steps between frames: 250 fs, more than a period of the slowest vibration (about 170 cm^-1)
EQUILIBRATION = 10_000  # steps from the minimum to the first frame: 5 ps, 25 times 1/FRICTION
FRICTION = 5.0 / (1000 * units.fs)  # so that frames forget each other; the ensemble does not depend on it
TEMPERATURE = 500.0 * 54 / 48  # K, over the internal degrees of freedom

# MD17's atom order: around both rings (C4 and C9 are shared), then each hydrogen in the order of its carbon.
# One unit of x is half the width of a hexagon, one of y its edge.
CARBON_X = (-1, -2, -2, -1, 0, 1, 2, 2, 1, 0)
CARBON_Y = (1, 0.5, -0.5, -1, -0.5, -1, -0.5, 0.5, 1, 0.5)
BEARS_HYDROGEN = (0, 1, 2, 3, 5, 6, 7, 8)


def ideal_naphthalene() -> Atoms:
    """Return two regular fused hexagons (C-C 1.40, C-H 1.09 Angstrom) at z = 0, in MD17's atom order."""
    carbons = 1.40 * np.array([(np.sqrt(3) / 2 * x, y, 0.0) for x, y in zip(CARBON_X, CARBON_Y, strict=True)])
    hydrogens = []
    for c in BEARS_HYDROGEN:
        distance = np.linalg.norm(carbons - carbons[c], axis=1)
        outward = carbons[c] - carbons[(distance > 0.1) & (distance < 1.5)].mean(axis=0)
        hydrogens.append(carbons[c] + 1.09 * outward / np.linalg.norm(outward))
    return Atoms("C10H8", positions=np.vstack([carbons, hydrogens]))


def rigid_motions(atoms: Atoms) -> np.ndarray:
    """Return an orthonormal basis (3N, 6) of the mass-weighted translations and rotations."""
    root_mass = np.sqrt(atoms.get_masses())[:, None]
    arms = atoms.positions - atoms.get_center_of_mass()
    motions = [np.broadcast_to(axis, arms.shape) for axis in np.eye(3)]
    motions += [np.cross(axis, arms) for axis in np.eye(3)]
    basis, _ = np.linalg.qr(np.stack([(root_mass * motion).ravel() for motion in motions], axis=1))
    return basis


def thermal_momenta(atoms: Atoms, rng: np.random.Generator) -> np.ndarray:
    """Draw Maxwell-Boltzmann momenta (N, 3) at TEMPERATURE with zero linear and angular momentum."""
    noise = rng.standard_normal(3 * len(atoms))
    basis = rigid_motions(atoms)
    noise -= basis @ (basis.T @ noise)
    scale = np.sqrt(atoms.get_masses() * units.kB * TEMPERATURE)[:, None]
    return scale * noise.reshape(-1, 3)


def remove_rigid_motion(atoms: Atoms) -> None:
    """Project both total momenta out of the momenta; the kinetic energy is not rescaled."""
    root_mass = np.sqrt(atoms.get_masses())[:, None]
    weighted = (atoms.get_momenta() / root_mass).ravel()
    basis = rigid_motions(atoms)
    weighted -= basis @ (basis.T @ weighted)
    atoms.set_momenta(root_mass * weighted.reshape(-1, 3))


def run(atoms: Atoms, steps: int, rng: np.random.Generator) -> None:
    """Advance `atoms` by `steps` of BAOAB Langevin dynamics with zero linear and angular momentum."""
    keep = np.exp(-FRICTION * TIME_STEP)
    masses = atoms.get_masses()[:, None]
    momenta, forces = atoms.get_momenta(), atoms.get_forces()
    for _ in range(steps):
        momenta = momenta + 0.5 * TIME_STEP * forces
        atoms.positions += 0.5 * TIME_STEP * momenta / masses
        momenta = keep * momenta + np.sqrt(1 - keep**2) * thermal_momenta(atoms, rng)
        atoms.positions += 0.5 * TIME_STEP * momenta / masses
        forces = atoms.get_forces()
        momenta = momenta + 0.5 * TIME_STEP * forces
    atoms.set_momenta(momenta)


def line(symbol: str, *rows: np.ndarray) -> str:
    """Return one atom's line: its symbol and numbers to six decimals."""
    # adding zero turns a rounded -0.0 into 0.0
    return " ".join([symbol, *(f"{round(value, 6) + 0.0:.6f}" for row in rows for value in row)])


def extxyz(atoms: Atoms, index: int, time_fs: float) -> str:
    """Return one frame as extended XYZ; energy and forces are those of the rounded positions."""
    atoms = atoms.copy()
    atoms.positions = atoms.positions.round(6)
    atoms.calc = TBLite(method="GFN2-xTB", verbosity=0)
    forces, momenta = atoms.get_forces(), atoms.get_momenta()
    header = (
        "Properties=species:S:1:pos:R:3:momenta:R:3:forces:R:3 "
        f'energy={atoms.get_potential_energy():.6f} frame={index} time_fs={time_fs:g} pbc="F F F"'
    )
    if index == 0:
        header += f' made_by="{Path(__file__).name}, GFN2-xTB (tblite 0.8.0), seed {SEED}, licence CC0-1.0"'
    rows = zip(atoms.symbols, atoms.positions, momenta, forces, strict=True)
    return "\n".join([str(len(atoms)), header, *(line(*row) for row in rows)]) + "\n"


def main() -> None:
    """Write both files and print how far the momenta drifted."""
    rng = np.random.default_rng(SEED)
    atoms = ideal_naphthalene()
    atoms.calc = TBLite(method="GFN2-xTB", verbosity=0)
    BFGS(atoms, logfile=None).run(fmax=1e-4, steps=500)
    atoms.positions -= atoms.positions.mean(axis=0)
    comment = "naphthalene, D2h minimum of GFN2-xTB (tblite 0.8.0), MD17's atom order; Angstrom; CC0-1.0"
    rows = [line(symbol, position) for symbol, position in zip(atoms.symbols, atoms.positions, strict=True)]
    (HERE / "naphthalene.xyz").write_text("\n".join([str(len(atoms)), comment, *rows]) + "\n")

    atoms.set_momenta(thermal_momenta(atoms, rng))
    frames, drift = [], 0.0
    for index in range(FRAMES):
        run(atoms, EQUILIBRATION if index == 0 else SPACING, rng)
        drift = max(drift, float(np.abs(atoms.get_angular_momentum()).max()))
        # each step conserves both momenta but for the error of the forces; what gathered is taken away here
        remove_rigid_motion(atoms)
        time_fs = (EQUILIBRATION + index * SPACING) * TIME_STEP / units.fs
        frames.append(extxyz(atoms, index, time_fs))
        print(f"frame {index:3d}  {2 * atoms.get_kinetic_energy() / (48 * units.kB):6.1f} K", flush=True)
    (HERE / "naphthalene-gfn2.extxyz").write_text("".join(frames))
    print(f"largest angular momentum before its removal: {drift:.1e} Angstrom (eV u)^1/2")


if __name__ == "__main__":
    main()

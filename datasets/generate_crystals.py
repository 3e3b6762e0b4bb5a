# /// script
# requires-python = ">=3.11"
# dependencies = ["ase==3.29.0", "numpy==2.4.6"]
#
# [tool.uv]
# exclude-newer = "2026-11-15T00:00:00Z"
# ///
"""Regenerate crystals.extxyz beside this file, or in the folder that is named: a second.

    uv run --script datasets/generate_crystals.py [FOLDER]

16 periodic structures: four metals, three salts, four semiconductors, two oxides, a molecular crystal, and two slabs,
periodic along x and y, whose lower half is fixed. The atoms are moved at random by 0.05 Angstrom (standard deviation
of each coordinate) with a fixed seed, so that there is something to relax; the cell and the fixed atoms are not. A
primitive cell of one atom has nothing to relax, whatever is done to it, so every cell has two atoms or more.

The lattice constants are experimental, at room temperature: for the inorganic crystals those of R. W. G. Wyckoff,
Crystal Structures, 2nd edition, Interscience, New York, volume 1 (1963), rounded to 0.001 Angstrom; for urea those of
J. E. Worsham, H. A. Levy, S. W. Peterson, Acta Cryst. 10, 319 (1957). The internal coordinate of ZnO is that of K.
Kihara and G. Donnay, "Anharmonic thermal vibrations in ZnO" (1985), entry 9004179 of the COD: with Wyckoff's, 0.345,
one of the four bonds is 0.25 Angstrom shorter than the others. Urea's fractional coordinates were measured by neutrons
at 12 K (S. Swaminathan, B. M. Craven, R. K. McMullan, Acta Cryst. B 40, 300 (1984), UREAXX12 in the CSD).
"""

from __future__ import annotations

import sys

import ase
from ase import Atoms
from ase.build import bulk, fcc111, surface
from ase.constraints import FixAtoms
from ase.spacegroup import crystal
from write import extxyz, save

SEED = 20263
FILE = "crystals.extxyz"
RATTLE = 0.05  # Angstrom
VACUUM = 7.5  # Angstrom, on either side of a slab
COPPER, MAGNESIA = 3.615, 4.211  # Angstrom: of the crystals and of their slabs


def rutile() -> Atoms:
    """Return TiO2 (P4_2/mnm)."""
    lattice = [4.594, 4.594, 2.958, 90, 90, 90]
    return crystal(["Ti", "O"], [(0, 0, 0), (0.305, 0.305, 0)], spacegroup=136, cellpar=lattice)


def urea() -> Atoms:
    """Return CO(NH2)2 (P-42_1m): two molecules, each held by eight hydrogen bonds."""
    sites = [
        ("C", (0, 0.5, 0.3260)),
        ("O", (0, 0.5, 0.5953)),
        ("N", (0.1459, 0.6459, 0.1766)),
        ("H", (0.2575, 0.7575, 0.2827)),
        ("H", (0.1441, 0.6441, -0.0380)),
    ]
    symbols, positions = zip(*sites, strict=True)
    return crystal(symbols, positions, spacegroup=113, cellpar=[5.661, 5.661, 4.712, 90, 90, 90])


def copper_slab() -> Atoms:
    """Return four layers of Cu(111), 2 x 2, with the lower two fixed."""
    slab = fcc111("Cu", (2, 2, 4), a=COPPER, vacuum=VACUUM)
    return lower_half_fixed(slab)


def magnesia_slab() -> Atoms:
    """Return four layers of MgO(001) with the lower two fixed."""
    slab = surface(bulk("MgO", "rocksalt", a=MAGNESIA, cubic=True), (0, 0, 1), layers=2, vacuum=VACUUM)
    slab.pbc = (True, True, False)
    return lower_half_fixed(slab)


def lower_half_fixed(slab: Atoms) -> Atoms:
    """Return the slab with the atoms below its middle fixed."""
    heights = slab.positions[:, 2]
    slab.set_constraint(FixAtoms(mask=heights < (heights.min() + heights.max()) / 2))
    return slab


def structures() -> dict[str, Atoms]:
    """Return the ideal structures; lengths in Angstrom."""
    return {
        "aluminium": bulk("Al", "fcc", a=4.050, cubic=True),
        "copper": bulk("Cu", "fcc", a=COPPER, cubic=True),
        "tungsten": bulk("W", "bcc", a=3.165, cubic=True),
        "magnesium": bulk("Mg", "hcp", a=3.209, c=5.210),
        "sodium-chloride": bulk("NaCl", "rocksalt", a=5.641, cubic=True),
        "caesium-chloride": bulk("CsCl", "cesiumchloride", a=4.123, cubic=True),
        "calcium-fluoride": bulk("CaF2", "fluorite", a=5.463, cubic=True),
        "diamond": bulk("C", "diamond", a=3.567, cubic=True),
        "silicon": bulk("Si", "diamond", a=5.431, cubic=True),
        "gallium-arsenide": bulk("GaAs", "zincblende", a=5.653, cubic=True),
        "zinc-oxide": bulk("ZnO", "wurtzite", a=3.250, c=5.207, u=0.382),
        "magnesium-oxide": bulk("MgO", "rocksalt", a=MAGNESIA, cubic=True),
        "titanium-dioxide": rutile(),
        "urea": urea(),
        "copper-slab": copper_slab(),
        "magnesium-oxide-slab": magnesia_slab(),
    }


def main() -> None:
    """Write the file."""
    made_by = f"generate_crystals.py, ASE {ase.__version__}, seed {SEED}, licence CC0-1.0"
    texts = []
    for number, (name, atoms) in enumerate(structures().items()):
        # rattle obeys FixAtoms; each structure has random numbers of its own
        atoms.rattle(stdev=RATTLE, seed=SEED + number)
        texts.append(extxyz(atoms, name, charge=0, spin=1, made_by=made_by if number == 0 else ""))
    save(texts, FILE, sys.argv[1:])
    print(f"{FILE}: {len(texts)} structures")


if __name__ == "__main__":
    main()

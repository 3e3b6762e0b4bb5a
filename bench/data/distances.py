"""Distances between atoms, for molecules and cells of any size (a stub until the branch with the real one is in)."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from ase.data import covalent_radii
from ase.neighborlist import neighbor_list


def closest_pair(atoms: Atoms) -> tuple[int, int, float, float] | None:
    """Return the pair that is closest for its radii: its atoms, distance, and that over the sum of the radii."""
    radii = covalent_radii[atoms.numbers]
    i, j, d = neighbor_list("ijd", atoms, 1.0 * (radii + 0.3))
    if not len(i):
        return None
    ratio = d / (radii[i] + radii[j])
    k = int(np.argmin(ratio))
    return int(i[k]), int(j[k]), float(d[k]), float(ratio[k])

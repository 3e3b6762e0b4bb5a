"""Bonds that a relaxation made or broke: a molecule that reacted, or collapsed, is not a relaxed molecule."""

from __future__ import annotations

import numpy as np
from ase.data import covalent_radii

BONDED, APART = 1.25, 1.55
"""In sums of covalent radii (Cordero et al., Dalton Trans. 2832 (2008)): nearer is a bond, farther is none. Between
them nothing is decided, so that a stretched bond or a short contact counts as no change."""


def changed_bonds(numbers: np.ndarray, before: np.ndarray, after: np.ndarray) -> int | None:
    """Return how many pairs of atoms of a molecule were bonded before and are apart after, or the other way round.

    None where a position is not finite. `numbers` are atomic numbers, (n,); `before` and `after` (n, 3) in Angstrom.
    """
    if not np.isfinite(after).all():
        return None
    radii = covalent_radii[numbers]
    one, other = np.triu_indices(len(radii), k=1)
    sums = radii[one] + radii[other]
    then, now = (np.linalg.norm(xyz[one] - xyz[other], axis=1) / sums for xyz in (before, after))
    return int(((then < BONDED) & (now > APART) | (then > APART) & (now < BONDED)).sum())

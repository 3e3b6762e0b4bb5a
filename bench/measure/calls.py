"""What a force call is, in every protocol: energy and forces a small step from the method's last geometry.

In a relaxation or in dynamics, a molecule has always been seen a moment ago, so a method may go on from what it keeps:
an SCF from its density, a model from its list of neighbours. A relaxation and a replayed path go their own ways; the
protocols that have no way make such steps around a structure. The first call at a structure has nothing to go on from
and is counted in none of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

STEP = 0.01
"""Of each coordinate from one geometry to the next (root mean square), Angstrom. On the way of naphthalene at 500 K to
its minimum, BFGS with GFN2-xTB makes steps of 0.006, at first of 0.01 to 0.02, and a replayed path has 0.011."""
VISIT = 10
"""Calls at a structure before the next one, the first included: as many as a replayed path has by default."""


class Steps:
    """Steps of `atoms` around where they are now, drawn from `random`: each geometry is new, and none drifts away."""

    def __init__(self, atoms: Any, random: np.random.Generator) -> None:
        self.atoms = atoms
        self.start = atoms.positions.copy()
        self.random = random

    def make(self) -> None:
        """Move the atoms to the next geometry."""
        # the difference of two such displacements has the standard deviation STEP
        self.atoms.positions = self.start + self.random.normal(0.0, STEP / np.sqrt(2), self.start.shape)

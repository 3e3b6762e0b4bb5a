"""Derivatives of forces by differences."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

STEP = 0.01  # Angstrom

Forces = Callable[[np.ndarray], np.ndarray]
"""From positions, (n, 3) in Angstrom, to forces, (n, 3) in eV/Angstrom."""


class TimeIsUp(Exception):
    """Raised before a force call that would come too late."""


def jacobian(forces: Forces, positions: np.ndarray, step: float = STEP) -> np.ndarray:
    """Return the derivatives of the forces by central differences.

    Parameters
    ----------
    forces : callable
    positions : ndarray, shape (n, 3)
        Angstrom.
    step : float
        Angstrom, in either direction.

    Returns
    -------
    ndarray, shape (3n, 3n)
        Row i, column j: how force component i changes with coordinate j, eV/Angstrom^2. Takes 6n force calls.
    """
    columns = []
    for j in range(positions.size):
        unit = np.zeros(positions.size)
        unit[j] = step
        displacement = unit.reshape(positions.shape)
        columns.append((forces(positions + displacement) - forces(positions - displacement)).ravel() / (2 * step))
    return np.array(columns).T

"""The symmetry species of the vibrations of a planar molecule of point group D2h.

Experiments name a fundamental by its species and its place in it. The axes are the usual ones for naphthalene (IUPAC;
R. S. Mulliken, J. Chem. Phys. 23, 1997 (1955)): x out of the plane, y along the long axis, z along the short one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# by the mirrors (yz, xz, xy), which turn x, y and z around, under which a mode changes its sign
_NAMES = {
    (False, False, False): "ag",
    (True, True, True): "au",
    (True, True, False): "b1g",
    (False, False, True): "b1u",
    (True, False, True): "b2g",
    (False, True, False): "b2u",
    (False, True, True): "b3g",
    (True, False, False): "b3u",
}
_CLOSE = 0.05  # Angstrom: how far an atom may be from the image of another
_PURE = 0.9  # how much of a mode must have the parity


def species(numbers: np.ndarray, positions: np.ndarray, modes: np.ndarray) -> list[str | None] | None:
    """Return the species of each mode.

    Parameters
    ----------
    numbers : ndarray, shape (n,)
    positions : ndarray, shape (n, 3)
        Angstrom.
    modes : ndarray, shape (3n, m)
        Mass-weighted, orthonormal.

    Returns
    -------
    list of str or None
        A mode without a clear parity has None, as degenerate modes may. None instead of a list for a molecule that is
        not planar or has another symmetry.
    """
    centred = positions - positions.mean(axis=0)
    extents, axes = np.linalg.eigh(centred.T @ centred)
    if extents[0] > len(numbers) * _CLOSE**2:
        return None
    own = centred @ axes[:, [0, 2, 1]]  # x has the smallest extent, y the largest
    turned = np.einsum("nam,ab->nbm", modes.reshape(len(numbers), 3, -1), axes[:, [0, 2, 1]])
    parities = []
    for axis in range(3):
        mirror = np.ones(3)
        mirror[axis] = -1
        images = _images(numbers, own, own * mirror)
        if images is None:
            return None
        reflected = np.empty_like(turned)
        reflected[images] = turned * mirror[None, :, None]
        parities.append((reflected * turned).sum(axis=(0, 1)))
    return [
        _NAMES[bool(yz < 0), bool(xz < 0), bool(xy < 0)] if min(abs(yz), abs(xz), abs(xy)) > _PURE else None
        for yz, xz, xy in zip(*parities, strict=True)
    ]


def numbered(names: Sequence[str | None], wavenumbers: np.ndarray) -> dict[tuple[str, int], int]:
    """Return the mode for each species and place in it, the highest wavenumber first."""
    found: dict[tuple[str, int], int] = {}
    for name in {one for one in names if one}:
        mine = sorted((i for i, one in enumerate(names) if one == name), key=lambda i: -wavenumbers[i])
        found |= {(name, place): i for place, i in enumerate(mine)}
    return found


def _images(numbers: np.ndarray, positions: np.ndarray, mirrored: np.ndarray) -> np.ndarray | None:
    """Return the atom on which each mirrored atom falls; None where there is none."""
    distances = np.linalg.norm(mirrored[:, None] - positions[None], axis=-1)
    nearest = distances.argmin(axis=1)
    fits = distances.min(axis=1) < 2 * _CLOSE
    return nearest if fits.all() and (numbers[nearest] == numbers).all() else None

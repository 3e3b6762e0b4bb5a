"""Which components of the strain are relaxed with a cell."""

from __future__ import annotations

from collections.abc import Sequence

ALONG = 1e-6
"""Angstrom: a component of a cell vector that is smaller is none."""


def relaxed_components(cell: Sequence[Sequence[float]], pbc: Sequence[bool]) -> list[bool]:
    """Return the components in Voigt's order: all of a bulk, and those between the periodic directions of the others.

    The periodic vectors of a slab or a wire lie in a plane of coordinates or along an axis, which was checked before.
    """
    if all(pbc):
        return [True] * 6
    periodic = [vector for vector, one in zip(cell, pbc, strict=True) if one]
    x, y, z = (any(abs(vector[axis]) > ALONG for vector in periodic) for axis in range(3))
    return [x, y, z, y and z, x and z, x and y]

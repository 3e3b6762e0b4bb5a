"""Detects changes of the atoms in a force call; none are allowed."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np


def contents(atoms: Any) -> dict[str, Any]:
    """Return a copy of the contents of an ase.Atoms, by name."""
    known = {"cell": atoms.cell.array, "pbc": atoms.pbc, "constraints": len(atoms.constraints)}
    info = {f"info[{key!r}]": value for key, value in atoms.info.items()}
    return copy.deepcopy({**known, **atoms.arrays, **info})


def changed(before: dict[str, Any], atoms: Any) -> list[str]:
    """Return the names of the contents that differ from `before`, a result of :func:`contents`."""
    after = contents(atoms)
    return sorted(key for key in {*before, *after} if not _same(before.get(key), after.get(key)))


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return np.array_equal(np.asarray(one), np.asarray(other))
    return bool(one == other)

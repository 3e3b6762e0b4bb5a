"""A stub until the branch with the real reader is in."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import ase.io
import numpy as np
from ase import Atoms


@dataclasses.dataclass(frozen=True)
class Labels:
    """Labels."""

    energy: float | None
    forces: np.ndarray | None
    stress: np.ndarray | None
    source: str


@dataclasses.dataclass(frozen=True)
class Frame:
    """A frame."""

    atoms: Atoms
    charge: int | None
    spin: int | None
    where: str
    name: str
    file: str
    labels: Labels | None


@dataclasses.dataclass(frozen=True)
class Contents:
    """What was read."""

    frames: tuple[Frame, ...]
    unused: tuple[str, ...]
    notes: tuple[str, ...]


def read(
    sources: Sequence[str | Path],
    *,
    charge: int | None = None,
    spin: int | None = None,
    energy_key: str | None = None,
    forces_key: str | None = None,
    stress_key: str | None = None,
) -> Contents:
    """Read."""
    frames = []
    for source in sources:
        path = Path(source)
        for k, image in enumerate(ase.io.read(path, ":", do_not_split_by_at_sign=True)):
            atoms = Atoms(image.numbers, image.positions, cell=image.cell, pbc=image.pbc, constraint=image.constraints)
            if image.has("masses"):
                atoms.set_masses(image.get_masses())
            info = image.info
            name = str(info.get("name", path.stem))
            frames.append(
                Frame(
                    atoms,
                    info.get("charge", charge),
                    info.get("spin", spin),
                    f"frame {k} of {path.name}",
                    name,
                    path.name,
                    None,
                )
            )
    return Contents(tuple(frames), (), ())

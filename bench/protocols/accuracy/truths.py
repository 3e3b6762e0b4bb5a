"""What methods are compared with, as frozen values: reference levels of theory, and experiment."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

EXPERIMENT = "experiment"


@dataclasses.dataclass(frozen=True)
class LevelMinimum:
    """A level's own minimum of the molecule, and the Hessian there."""

    positions: np.ndarray
    """(n, 3) in Angstrom."""
    hessian: np.ndarray | None
    """(3n, 3n) in eV/Angstrom^2; None where only the geometry is known."""
    fmax: float | None = None
    """Largest force on an atom, eV/Angstrom; None where it is not known."""
    source: str = ""
    """Of the Hessian: ``native`` or ``central differences``."""


@dataclasses.dataclass(frozen=True)
class Level:
    """A reference level of theory."""

    name: str
    theory: Mapping[str, str]
    energies: Mapping[int, float] = dataclasses.field(default_factory=dict)
    """eV, by structure; empty where the data set has no labels."""
    forces: Mapping[int, np.ndarray] = dataclasses.field(default_factory=dict)
    """(n, 3) in eV/Angstrom, by structure."""
    minimum: LevelMinimum | None = None
    control: bool = False
    """Labels of others at the same theory as another level: they check that level, and methods are not compared."""

    @property
    def has_hessian(self) -> bool:
        """Whether it has a minimum with its force constants."""
        return self.minimum is not None and self.minimum.hessian is not None

    @property
    def label(self) -> str:
        """Its name for people: ``PBE0/def2-SVP``."""
        if not self.theory:
            return "the file's labels"
        text = f"{self.theory['functional']}/{self.theory['basis']}"
        return f"{text} ({self.name})" if self.control else text


@dataclasses.dataclass(frozen=True)
class Bond:
    """A unique bond of the molecule as measured."""

    name: str
    pairs: tuple[tuple[int, int], ...]
    """The pairs of atoms that symmetry makes equivalent."""
    length: float
    """Angstrom."""


@dataclasses.dataclass(frozen=True)
class Fundamental:
    """A measured fundamental."""

    species: str
    """Its symmetry species in D2h: ``b1u``."""
    place: int
    """Its place among the modes of this species, from 0, the highest first."""
    wavenumber: float
    """cm-1."""


@dataclasses.dataclass(frozen=True)
class Experiment:
    """What was measured in the gas phase."""

    bonds: tuple[Bond, ...]
    fundamentals: tuple[Fundamental, ...]
    sources: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Truths:
    """All that the methods of a run are compared with at a system."""

    numbers: np.ndarray
    """(n,) atomic numbers."""
    masses: np.ndarray
    """(n,) in u."""
    levels: tuple[Level, ...] = ()
    experiment: Experiment | None = None
    missing: str = ""
    """What could not be compared and why, in a sentence; empty where nothing is missing."""
    system: str = ""
    """The name of the system, where the run has several; else empty."""
    frames: tuple[int, ...] = ()
    """Its structures, where the run has several systems; else empty."""
    free: np.ndarray | None = None
    """(n,) whether an atom moves; None: all do. The forces of `levels` are those on atoms that move."""

    @property
    def fixed(self) -> bool:
        """Whether some atoms do not move."""
        return self.free is not None

    def moving(self, values: np.ndarray) -> np.ndarray:
        """Return what `values`, (n, ...), say of the atoms that move."""
        return values if self.free is None else values[self.free]

    def has(self, structure: int) -> bool:
        """Return whether a structure is one of the system."""
        return not self.frames or structure in self.frames

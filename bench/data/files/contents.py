"""What a reader finds in files, and what the harness gets of it."""

from __future__ import annotations

import collections
import dataclasses
from typing import Any

import numpy as np
from ase import Atoms


@dataclasses.dataclass(frozen=True)
class Labels:
    """Reference values of one frame, as its file has them."""

    energy: float | None
    """eV"""
    forces: np.ndarray | None
    """(n, 3), eV/Angstrom"""
    source: str
    """The names under which the file has them, such as "REF_energy, REF_forces"."""


@dataclasses.dataclass(frozen=True)
class Frame:
    """One structure of a file."""

    atoms: Atoms
    """Numbers, positions (Angstrom), cell, pbc, at most one FixAtoms, and masses where the file gives others than the
    standard ones; without calculator, info and other arrays."""
    charge: int | None
    """In elementary charges; None: the file does not state it."""
    spin: int | None
    """The multiplicity 2S+1; None: the file does not state it."""
    where: str
    """Its name in messages, such as "frame 3 of mine.xyz"."""
    name: str
    """The title of its record, else the file's stem, with the frame's number where the file has several."""
    file: str
    labels: Labels | None


@dataclasses.dataclass(frozen=True)
class Contents:
    """All frames of all sources, and what was not used of them."""

    frames: tuple[Frame, ...]
    unused: tuple[str, ...]
    """One phrase for each kind of thing, with how often it is there."""
    notes: tuple[str, ...]
    """Sentences on how something was understood."""


@dataclasses.dataclass
class Record:
    """One structure as a reader finds it, before the rule of :mod:`bench.data.files.account` is applied to it."""

    atoms: Atoms
    """Numbers, positions, cell, pbc, constraints, and all columns of the file as arrays."""
    where: str
    file: str
    name: str = ""
    """The title; empty where the record has none."""
    said: dict[str, Any] = dataclasses.field(default_factory=dict)
    """Each key of the file that belongs to the whole structure, with its value."""
    results: dict[str, Any] = dataclasses.field(default_factory=dict)
    """Energy, forces and others under ASE's names and in its units."""
    needs: tuple[str, ...] = ()
    """Which of "charge" and "spin" the user must state where the file does not; else a missing one means neutral, or
    the lowest multiplicity."""
    unread: str = ""
    """Why: the beginning of a sentence."""


@dataclasses.dataclass
class Ledger:
    """Counts what was not used, and keeps the notes, each of them once."""

    counts: collections.Counter[tuple[str, str]] = dataclasses.field(default_factory=collections.Counter)
    notes: dict[str, None] = dataclasses.field(default_factory=dict)

    def unused(self, what: str, file: str) -> None:
        """Count one frame of a file in which something was not used."""
        self.counts[what, file] += 1

    def note(self, sentence: str) -> None:
        """Keep a sentence."""
        self.notes[sentence] = None

    def phrases(self) -> tuple[str, ...]:
        """Return one phrase for each kind of thing, over all files."""
        files: dict[str, dict[str, int]] = {}
        for (what, file), count in self.counts.items():
            files.setdefault(what, {})[file] = count
        return tuple(f"{what} ({_times(of)})" for what, of in files.items())


def _times(counts: dict[str, int]) -> str:
    total = sum(counts.values())
    frames = f"{total} frame{'s' if total > 1 else ''} of "
    return frames + (next(iter(counts)) if len(counts) == 1 else f"{len(counts)} files")

"""Fingerprints: the answers of a method at a few fixed structures, and whether they are still the same.

A time means something only together with the answer that it produced. A silent change of precision, head or version
shows here, not in the milliseconds.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from ase.data import covalent_radii

from bench.analysis.methods import MeasuredMethod
from bench.analysis.times import Key
from bench.core.description import Description
from bench.core.records import CONVERGED

SAME, CHANGED = "same", "CHANGED"
BOND = 1.3
"""Two atoms are bonded in the reference molecule below this times the sum of their covalent radii."""


@dataclasses.dataclass(frozen=True)
class Relaxed:
    """A relaxed structure: its energy (eV) and the lengths of its bonds (Angstrom)."""

    energy: float
    bonds: tuple[float, ...]


@dataclasses.dataclass(frozen=True)
class Fingerprint:
    """The answers of a method at fixed structures of a data set."""

    method: str
    kind: str
    dataset: str
    """Its digest."""
    weights: str
    dtype: str
    checkpoint: str | None
    """SHA-256 of the weights."""
    criterion: str
    """Optimiser and criterion of the relaxed structures."""
    energies: Mapping[int, float]
    """eV, by structure."""
    forces: Mapping[int, Any]
    """(n, 3) in eV/Angstrom, by structure."""
    relaxed: Mapping[int, Relaxed]
    tf32: bool = False
    """Whether products were rounded to TF32."""


@dataclasses.dataclass(frozen=True)
class Tolerance:
    """How much two answers of the same method may differ."""

    energy: float
    """eV, in addition to the rounding error of an energy of that size."""
    force: float
    """eV/Angstrom."""
    resolution: float
    """Relative spacing of the floating-point numbers in which energies are computed."""


TOLERANCES = {
    # the last digits of a converged SCF depend on the machine
    "dft": Tolerance(2e-4, 5e-3, 2e-16),
    "float64": Tolerance(1e-5, 1e-4, 2e-16),
    "float32": Tolerance(1e-3, 2e-3, 1.2e-7),
    # the order of sums on a GPU changes from call to call, and TF32 rounds to ten bits what follows: Orb differed by
    # 3e-3 eV and 3e-3 eV/Angstrom on an H100
    "tf32": Tolerance(5e-3, 1e-2, 1.2e-7),
}
RELAXED_ENERGY = 5e-3
"""eV. Two relaxations to 0.05 eV/Angstrom end this close to each other, even if rounding differs on the way."""
BOND_LENGTH = 0.01
"""Angstrom."""


def fingerprints(
    description: Description,
    methods: Iterable[MeasuredMethod],
    answers: pd.DataFrame,
    structures: pd.DataFrame,
    bonds: Callable[[int], np.ndarray],
) -> dict[Key, Fingerprint]:
    """Return the fingerprint of each method and device of a run that gave an answer.

    Parameters
    ----------
    description : Description
    methods : iterable of MeasuredMethod
    structures : DataFrame
        One row per relaxation, with its final energy (eV) and positions (n, 3; Angstrom).
    answers : DataFrame
        One row per answer: method, device, structure, energy in eV, forces (n, 3) in eV/Angstrom.
    bonds : callable
        Returns the bonded pairs of a structure's system, shape (bonds, 2): see :func:`bonds_of`.
    """
    found = {}
    for one in methods:
        key = one.key
        mine = answers[(answers["method"] == key[0]) & (answers["device"] == key[1])]
        if mine.empty:
            continue
        kept = structures[
            (structures["method"] == key[0])
            & (structures["device"] == key[1])
            & (structures["status"] == CONVERGED)
            & structures["structure"].isin(mine["structure"])
        ].drop_duplicates("structure")
        found[key] = Fingerprint(
            method=key[0],
            kind=one.kind,
            dataset=description.dataset.digest,
            weights=str(one.weights),
            dtype=str(one.dtype),
            checkpoint=(one.checkpoint or {}).get("sha256"),
            criterion=f"{one.optimizer}, fmax {description.settings.fmax:g}"
            + (", with the cell" if description.settings.relax_cell else ""),
            energies={int(row["structure"]): float(row["energy"]) for row in mine.to_dict("records")},
            forces={int(row["structure"]): np.asarray(row["forces"], dtype=float) for row in mine.to_dict("records")},
            relaxed={
                int(row["structure"]): Relaxed(
                    float(row["energy"]), lengths(row["positions"], bonds(int(row["structure"])))
                )
                for row in kept.to_dict("records")
                if row["positions"] is not None
            },
            tf32=one.tf32,
        )
    return found


def bonds_of(numbers: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Return the bonded pairs of a molecule, shape (bonds, 2); `positions` (n, 3) in Angstrom."""
    radii = covalent_radii[numbers]
    near = np.linalg.norm(positions[:, None] - positions[None], axis=-1) < BOND * (radii[:, None] + radii[None])
    return np.argwhere(np.triu(near, 1))


def lengths(positions: Any, pairs: np.ndarray) -> tuple[float, ...]:
    """Return the distances of the pairs in a geometry, Angstrom."""
    xyz = np.asarray(positions, dtype=float)
    return tuple(float(x) for x in np.linalg.norm(xyz[pairs[:, 0]] - xyz[pairs[:, 1]], axis=1))


def tolerance(kind: str, dtype: str, tf32: bool = False) -> Tolerance:
    """Return the tolerance for a method of this kind and precision."""
    if kind == "dft":
        return TOLERANCES["dft"]
    if dtype == "float64":
        return TOLERANCES["float64"]
    return TOLERANCES["tf32" if tf32 else "float32"]


@dataclasses.dataclass(frozen=True)
class Deviation:
    """How far the answers of two fingerprints are apart, and how far they may be: the largest over the structures."""

    energy: float
    """eV."""
    force: float
    """eV/Angstrom, of a component."""
    energy_allowed: float
    force_allowed: float
    structures: int
    """The number of common structures."""

    @property
    def words(self) -> list[str]:
        """What is beyond the tolerance; empty where nothing is."""
        found = [] if self.energy <= self.energy_allowed else [f"energies by up to {self.energy:.2g} eV"]
        return found if self.force <= self.force_allowed else [*found, f"forces by up to {self.force:.2g} eV/Å"]


def deviation(
    new: Fingerprint, old: Fingerprint, energy_limit: float = 0.0, force_limit: float = 0.0
) -> Deviation | None:
    """Return how far the energies and forces of `new` are from those of `old`.

    A limit, in eV per atom or eV/Angstrom, admits more than the tolerance. None where they cannot be compared: another
    data set, no common structure, real weights on one side only.
    """
    common = sorted(set(new.energies) & set(old.energies))
    if new.dataset != old.dataset or not common or new.weights != old.weights:
        return None
    wide = tolerance(new.kind, new.dtype if new.dtype == "float32" else old.dtype, new.tf32 or old.tf32)
    return Deviation(
        energy=max(abs(new.energies[i] - old.energies[i]) for i in common),
        force=max(_apart(new.forces[i], old.forces[i]) for i in common),
        energy_allowed=max(
            wide.energy + 4 * wide.resolution * max(abs(old.energies[i]) for i in common),
            energy_limit * min(len(old.forces[i]) for i in common),
        ),
        force_allowed=max(wide.force, force_limit),
        structures=len(common),
    )


def differences(
    new: Fingerprint, old: Fingerprint, energy_limit: float = 0.0, force_limit: float = 0.0
) -> list[str] | None:
    """Return in words where the answers of `new` and `old` differ; empty where they are the same.

    None where they cannot be compared; see :func:`deviation`, also for the limits.
    """
    apart = deviation(new, old, energy_limit, force_limit)
    if apart is None:
        return None
    found = []
    if new.checkpoint != old.checkpoint and new.checkpoint and old.checkpoint:
        found.append(f"other weights (SHA-256 {new.checkpoint[:12]} instead of {old.checkpoint[:12]})")
    if new.dtype != old.dtype:
        found.append(f"{new.dtype} instead of {old.dtype}")
    found += apart.words
    if new.criterion == old.criterion:
        found += _relaxed(new, old)
    return found


def _apart(new: Any, old: Any) -> float:
    one, other = np.asarray(new, dtype=float), np.asarray(old, dtype=float)
    return float(np.abs(one - other).max()) if one.shape == other.shape else float("inf")


def _relaxed(new: Fingerprint, old: Fingerprint) -> list[str]:
    common = set(new.relaxed) & set(old.relaxed)
    found = []
    energy = max((abs(new.relaxed[i].energy - old.relaxed[i].energy) for i in common), default=0.0)
    if not energy <= RELAXED_ENERGY:
        found.append(f"relaxed energies by up to {energy:.2g} eV")
    bond = max((_apart(new.relaxed[i].bonds, old.relaxed[i].bonds) for i in common), default=0.0)
    if not bond <= BOND_LENGTH:
        found.append(f"relaxed bonds by up to {bond:.2g} Å")
    return found

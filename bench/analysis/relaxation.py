"""Sums up the relaxations of one method on one device: counts and geometries."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd

from bench.analysis import fidelity, per_molecule
from bench.analysis.times import SYSTEM
from bench.core.records import CONVERGED, FAILED, STEP_CAP


@dataclasses.dataclass(frozen=True, kw_only=True)
class RelaxationFigures:
    """What only relaxations have. A new figure is a field here and a line in :func:`figures`."""

    steps_per_structure: float | None = None
    """Mean over systems of that over their structures; those that were cut off count as ones that take more."""
    steps_measured: int = 0
    first_steps: int | None = None
    """Where no relaxation was whole: the most steps that one has. The time is that of the first steps."""
    force_calls_per_step: float | None = None
    fmax_max: float | None = None
    """Largest final force on an atom over the converged relaxations, eV/Angstrom."""
    rmsd_median: float | None = None
    """Median distance of the relaxed geometries from the method's own median geometry, Angstrom."""
    rmsd_max: float | None = None
    rmsd_outliers: int | None = None
    cut: int = 0
    """Structures whose relaxation was only cut off; they count in the time of a molecule as ones that take longer."""
    other_minima: int | None = None
    """Structures that ended at another minimum than the best of their system; None where nothing can be compared."""
    other_minima_mev: float | None = None
    """How much higher these are, median, meV."""
    volume_change: float | None = None
    """By how much the volumes of relaxed cells have grown, as a fraction: the mean over systems of the mean over their
    structures."""


def counts(relaxations: pd.DataFrame, reactions: bool = False) -> dict[str, Any]:
    """Return how many structures ended, and how many of them converged; those that reacted did not, without leave."""
    if not reactions:
        relaxations = relaxations[~per_molecule.changed(relaxations)]
    status = relaxations["status"]
    return {
        "done": int(relaxations.loc[status.isin([CONVERGED, STEP_CAP]), "structure"].nunique()),
        "converged": int(relaxations.loc[status == CONVERGED, "structure"].nunique()),
    }


def figures(relaxations: pd.DataFrame, taken: per_molecule.Steps | None = None) -> RelaxationFigures:
    """Return the figures of the relaxations of one method on one device; `taken` says how many steps these take."""
    status = relaxations["status"]
    converged = relaxations[status == CONVERGED]
    counted = relaxations[status != FAILED]
    called = counted.dropna(subset=["steps", "step_force_calls"])
    fields: dict[str, Any] = {
        "steps_measured": int(counted["steps"].sum()),
        "steps_per_structure": _steps(converged, taken.beyond if taken else None),
        "force_calls_per_step": _ratio(called["step_force_calls"].sum(), called["steps"].sum()),
        "fmax_max": _number(pd.to_numeric(converged["fmax"]).max()),
    }
    distances = np.concatenate([[], *map(_distances, by_system(converged.drop_duplicates("structure")))])
    if len(distances):
        spread = fidelity.summed_up(distances)
        fields |= {"rmsd_median": spread.median, "rmsd_max": spread.max, "rmsd_outliers": spread.outliers}
    return RelaxationFigures(**fields, **per_molecule.other_minima(converged), volume_change=_volume_change(converged))


def _steps(converged: pd.DataFrame, beyond: float | None) -> float | None:
    """Return the mean number of steps; `beyond` is by how much that of all is larger, None where it is not known."""
    each = [float(mine.groupby("structure")["steps"].mean().mean()) for mine in by_system(converged) if len(mine)]
    return float(np.mean(each)) * beyond if each and beyond is not None else None


def calculator_share(relaxations: pd.DataFrame) -> float | None:
    """Return the calculator's share of the steps of one method on one device, 0 to 1; None where none is timed."""
    timed = relaxations[relaxations["status"] != FAILED].dropna(subset=["step_ns", "step_calculator_ns"])
    return _ratio(timed["step_calculator_ns"].sum(), timed["step_ns"].sum())


def _volume_change(converged: pd.DataFrame) -> float | None:
    if "volume_change" not in converged:
        return None
    found = converged.dropna(subset=["volume_change"])
    means = [float(pd.to_numeric(one["volume_change"]).mean()) for one in by_system(found) if len(one)]
    return float(np.mean(means)) if means else None


def by_system(rows: pd.DataFrame) -> list[pd.DataFrame]:
    """Return the rows of each system by themselves."""
    return [mine for _, mine in rows.groupby(SYSTEM)] if SYSTEM in rows else [rows]


def _distances(converged: pd.DataFrame) -> np.ndarray:
    """Return the distance of each relaxed geometry of a system from their median; empty for fewer than two."""
    geometries = [xyz for xyz in converged["positions"] if xyz is not None]
    return fidelity.distances(np.stack(geometries)) if len(geometries) > 1 else np.array([])


def _number(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)


def _ratio(numerator: Any, denominator: Any) -> float | None:
    return float(numerator) / float(denominator) if denominator else None

"""The trajectories of a run directory and their reference: reads the files for the analysis."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from bench.analysis.events import METHODS_DOING, topology
from bench.analysis.methods import MeasuredMethod
from bench.data import rmd17
from bench.data.structures import GFN2, load_dataset
from bench.paths import cache_dir
from bench.protocols.md.body import Body
from bench.protocols.md.distributions import OWN, Reference
from bench.protocols.md.plan import MD
from bench.protocols.md.table import Simulated, Simulations
from bench.results.dataframes import Run


def read(run: Run) -> Simulations | None:
    """Return the simulations of a run, None where none were planned; raises BadInput where a file cannot be read."""
    from ase.io import read as read_atoms

    if MD not in run.description.settings.protocols:
        return None
    undistorted = read_atoms(run.directory / "reference.xyz")
    reference, name = _reference(run, undistorted)
    mine = {method.key: _of(run.trajectories, method) for method in run.measured_methods}
    reasons = {method.key: _refused(method, mine[method.key]) for method in run.measured_methods}
    return Simulations(
        trajectories={
            key: [_simulated(run, row) for row in trajectories.to_dict("records")] for key, trajectories in mine.items()
        },
        symmetries=run.symmetries,
        body=Body.of(undistorted),
        reference=reference,
        reference_name=name,
        refused={key: reason for key, reason in reasons.items() if reason is not None},
    )


def _of(data: pd.DataFrame, method: MeasuredMethod) -> pd.DataFrame:
    return data[(data["method"] == method.method) & (data["device"] == method.device)]


def _simulated(run: Run, row: dict[Any, Any]) -> Simulated:
    names = (
        *("ensemble", "seed", "round", "time_step_fs", "duration_ps", "temperature_k", "temperature_of"),
        *("status", "failure"),
    )
    return Simulated(
        **{name: row[name] for name in names}, content=run.trajectory(row["file"]) if row["file"] else None
    )


def _refused(method: MeasuredMethod, trajectories: pd.DataFrame) -> str | None:
    """Return why a method has no trajectories to show."""
    if (trajectories["steps"] > 0).any() or trajectories["failure"].isin(METHODS_DOING).any():
        return None
    if trajectories["failure"].notna().any():
        failed = trajectories.dropna(subset=["failure"]).iloc[0]
        return f"{failed['failure']}: {failed['message']}"
    if method.weights == "random":
        return "random weights, whose energies mean nothing"
    return str(method.message) if method.failure else "its time ended before anything was simulated"


def _alike(one: Any, other: Any) -> bool:
    """Return whether two molecules have the same atoms in the same order with the same bonds."""
    if len(one) != len(other) or (one.numbers != other.numbers).any():
        return False
    bonds = [topology(atoms.numbers, atoms.positions, atoms.positions[None]).bonds for atoms in (one, other)]
    return np.array_equal(bonds[0], bonds[1])


def _reference(run: Run, undistorted: Any) -> tuple[Reference, str]:
    """Return the reference for the run's molecule, and its description.

    For naphthalene as in MD17, these are MD17's frames if they are here (they are not fetched for this), else the
    embedded set; for another molecule, the run's own structures.
    """
    embedded = load_dataset(GFN2)
    if not _alike(undistorted, embedded.reference):
        from ase.io import read as read_atoms

        frames = np.array([image.positions for image in read_atoms(run.directory / "structures.xyz", ":")])
        return Reference(OWN, undistorted.numbers, frames), f"the {len(frames)} structures of the run"
    try:
        numbers, found = rmd17.frames(cache_dir(), fetch=False)
        frames = np.array([found[index] for index in sorted(found)])  # in the order of time
        return Reference("rMD17", numbers, frames), f"{len(frames)} frames of MD17 (PBE+vdW-TS, 500 K)"
    except rmd17.Unavailable:
        frames = np.array([atoms.positions for atoms in embedded.atoms])
        return (
            Reference(GFN2, embedded.reference.numbers, frames),
            f"the embedded {len(frames)} structures of GFN2-xTB dynamics, because MD17's frames are not here",
        )

"""The trajectories of a run directory and their reference: reads the files for the analysis."""

from __future__ import annotations

from collections.abc import Sequence
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


def read(run: Run) -> tuple[Simulations, ...] | None:
    """Return the simulations of a run, system by system; None where none were planned.

    Raises BadInput where a file cannot be read.
    """
    from ase.io import read as read_atoms

    if MD not in run.description.settings.protocols:
        return None
    references: Any = read_atoms(run.directory / "reference.xyz", ":")
    systems = run.description.dataset.systems
    if len(systems) < 2:
        return (_simulations(run, "", references[0], run.trajectories, run.symmetries, None),)
    starts = run.description.settings.md.starts
    return tuple(
        _simulations(
            run,
            one.name,
            reference,
            run.trajectories[run.trajectories["structure"] == one.frames[0]],
            run.symmetries[run.symmetries["structure"].isin(one.frames)],
            one.frames,
        )
        for one, reference in zip(systems, references, strict=True)
        if one.frames[0] in starts
    )


def _simulations(
    run: Run,
    system: str,
    undistorted: Any,
    trajectories: pd.DataFrame,
    symmetries: pd.DataFrame,
    frames: Sequence[int] | None,
) -> Simulations:
    """Return the simulations of a system; `frames` are its structures, None where it is the only one."""
    reference, name = _reference(run, undistorted) if frames is None else _own(run, undistorted, frames)
    mine = {method.key: _of(trajectories, method) for method in run.measured_methods}
    reasons = {method.key: _refused(method, mine[method.key]) for method in run.measured_methods}
    return Simulations(
        system=system,
        trajectories={key: [_simulated(run, row) for row in found.to_dict("records")] for key, found in mine.items()},
        symmetries=symmetries,
        body=Body.of(undistorted),
        reference=reference,
        reference_name=name,
        refused={key: reason for key, reason in reasons.items() if reason is not None},
    )


def _own(run: Run, undistorted: Any, frames: Sequence[int] | None) -> tuple[Reference, str]:
    """Return the run's own structures as the reference: all, or those of a system."""
    from ase.io import read as read_atoms

    images: Any = read_atoms(run.directory / "structures.xyz", ":")
    positions = np.array([images[one].positions for one in (range(len(images)) if frames is None else frames)])
    return Reference(OWN, undistorted.numbers, positions), _of_the_run(len(positions))


def _of(data: pd.DataFrame, method: MeasuredMethod) -> pd.DataFrame:
    return data[(data["method"] == method.method) & (data["device"] == method.device)]


def _simulated(run: Run, row: dict[Any, Any]) -> Simulated:
    names = (
        *("ensemble", "seed", "round", "time_step_fs", "duration_ps", "temperature_k", "temperature_of"),
        *("status", "failure"),
    )
    return Simulated(
        **{name: row[name] for name in names},
        content=run.trajectory(row["file"]) if row["file"] else None,
        wall_ns=row["wall_ns"],
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
        return _own(run, undistorted, None)
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


def _of_the_run(structures: int) -> str:
    return "the structure of the run" if structures == 1 else f"the {structures} structures of the run"

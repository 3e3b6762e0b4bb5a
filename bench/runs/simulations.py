"""From the trajectories of a run directory to the stability of each method: reads the files that analysis takes in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from bench.analysis.distributions import Reference
from bench.analysis.disturbed import disturbances
from bench.analysis.events import METHODS_DOING, topology
from bench.analysis.simulated import Simulated, StabilityTable
from bench.analysis.stability import stability
from bench.contract.protocol import MD
from bench.data import rmd17
from bench.data.structures import GFN2, load_dataset
from bench.errors import BadInput
from bench.paths import cache_dir
from bench.runs.frames import Run


def stabilities(run: Run) -> StabilityTable:
    """Return the stability of each method and device of a run that simulated; raises BadInput for another."""
    from ase.io import read

    if MD not in run.campaign["settings"]["protocols"]:
        raise BadInput(f"{run.directory.name} has no dynamics; 'pesbench run --protocols relax,md' simulates.")
    undistorted = read(run.directory / "reference.xyz")
    reference, note = _reference(run, undistorted)
    rows = []
    for facts in run.methods.to_dict("records"):
        mine = (run.trajectories["method"] == facts["method"]) & (run.trajectories["device"] == facts["device"])
        examined = (run.symmetries["method"] == facts["method"]) & (run.symmetries["device"] == facts["device"])
        simulated = [_simulated(run, one) for one in run.trajectories[mine].to_dict("records")]
        rows.append(
            stability(
                {
                    **{name: facts[name] for name in ("method", "label", "kind", "device", "weights")},
                    "refused": _refused(facts, run.trajectories[mine]),
                },
                simulated,
                run.symmetries[examined],
                undistorted.positions,
                reference,
            )
        )
    return StabilityTable(run.campaign, tuple(rows), note, reference.planarity, disturbances(run.watched))


def _simulated(run: Run, row: dict[Any, Any]) -> Simulated:
    names = ("ensemble", "seed", "round", "time_step_fs", "duration_ps", "temperature_k", "status", "failure")
    return Simulated(
        **{name: row[name] for name in names}, content=run.trajectory(row["file"]) if row["file"] else None
    )


def _refused(facts: dict[Any, Any], trajectories: pd.DataFrame) -> str | None:
    """Return why a method has nothing to show of its trajectories."""
    if (trajectories["steps"] > 0).any() or trajectories["failure"].isin(METHODS_DOING).any():
        return None
    if trajectories["failure"].notna().any():
        failed = trajectories.dropna(subset=["failure"]).iloc[0]
        return f"{failed['failure']}: {failed['message']}"
    if facts["weights"] == "random":
        return "random weights: what they hold together is no molecule"
    return str(facts["message"]) if pd.notna(facts["failure"]) else "nothing was simulated in the time that it had"


def _alike(one: Any, other: Any) -> bool:
    """Tell whether two molecules have the same atoms in the same order with the same bonds."""
    if len(one) != len(other) or (one.numbers != other.numbers).any():
        return False
    bonds = [topology(atoms.numbers, atoms.positions, atoms.positions[None]).bonds for atoms in (one, other)]
    return np.array_equal(bonds[0], bonds[1])


def _reference(run: Run, undistorted: Any) -> tuple[Reference, str]:
    """Return what the run's molecule is compared with, and its description.

    MD17's frames where it is their naphthalene and they are at hand (they are not fetched for this), else the embedded
    set; for another molecule, the run's own structures.
    """
    embedded = load_dataset(GFN2)
    if not _alike(undistorted, embedded.reference):
        from ase.io import read

        frames = np.array([image.positions for image in read(run.directory / "structures.xyz", ":")])
        return Reference("own", undistorted.numbers, frames), f"the {len(frames)} structures of the run"
    try:
        numbers, found = rmd17.frames(cache_dir(), fetch=False)
        frames = np.array(list(found.values()))
        return Reference("rMD17", numbers, frames), f"{len(frames)} frames of MD17 (PBE+vdW-TS, 500 K)"
    except rmd17.Unavailable:
        frames = np.array([atoms.positions for atoms in embedded.atoms])
        return (
            Reference(GFN2, embedded.reference.numbers, frames),
            f"the embedded {len(frames)} structures of GFN2-xTB dynamics, because MD17's frames are not at hand",
        )

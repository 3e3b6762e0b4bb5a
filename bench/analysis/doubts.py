"""Methods whose times are doubtful, because of what their answers give away at no cost.

A method that answers differently each time does not do the same work each time; one that changes the atoms that it was
given makes the optimiser walk elsewhere. Both are measured all the same, and marked.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bench.analysis.fingerprint import tolerance
from bench.analysis.methods import MeasuredMethod
from bench.analysis.times import Key

_Apart = tuple[float, float]
"""How far two values lie apart, and the larger one's size."""
VARIES, ALTERS = "varies", "alters atoms"
"""How a doubt begins; what follows a colon says by how much, or what."""


def doubts(
    methods: Sequence[MeasuredMethod], answers: pd.DataFrame, structures: pd.DataFrame, replays: pd.DataFrame
) -> dict[Key, tuple[str, ...]]:
    """Return what makes the times of a method on a device doubtful; empty where nothing does.

    The answer that was asked for outside the clock, the first force call of each relaxation and that of each replayed
    path are all about the same geometry: that of the structure.

    Parameters
    ----------
    methods : sequence of MeasuredMethod
    answers : DataFrame
        ``method``, ``device``, ``structure``, ``energy`` (eV), ``forces`` (n, 3; eV/Angstrom) and ``changed``.
    structures, replays : DataFrame
        ``method``, ``device``, ``structure``, ``first_energy`` (eV) and ``first_fmax`` (eV/Angstrom), of all rounds.
    """
    changed = _changed(answers)
    apart = _apart(_first_calls(answers, structures, replays))
    found = {}
    for method in methods:
        said = _varies(method, *apart[method.key]) if method.key in apart else []
        words = [f"{VARIES}: {', '.join(said)}"] if said else []
        if method.key in changed:
            words.append(f"{ALTERS}: {', '.join(changed[method.key])}")
        found[method.key] = tuple(words)
    return found


def _changed(answers: pd.DataFrame) -> dict[Key, tuple[str, ...]]:
    found: dict[Key, dict[str, None]] = {}
    for row in answers.to_dict("records"):
        if row["changed"]:
            found.setdefault((row["method"], row["device"]), {}).update(dict.fromkeys(row["changed"]))
    return {key: tuple(names) for key, names in found.items()}


def _first_calls(answers: pd.DataFrame, structures: pd.DataFrame, replays: pd.DataFrame) -> pd.DataFrame:
    """Return all that was said about the structures as they are in the data set, with ``energy`` and ``fmax``."""
    key = ["method", "device", "structure"]
    told = answers[[*key, "energy"]].assign(fmax=[_largest(forces) for forces in answers["forces"]])
    names = {"first_energy": "energy", "first_fmax": "fmax"}
    calls = [told, *(rows[[*key, *names]].rename(columns=names) for rows in (structures, replays))]
    kept = [rows.astype({"energy": float, "fmax": float}) for rows in calls if len(rows)]
    return pd.concat(kept, ignore_index=True) if kept else pd.DataFrame(columns=[*key, "energy", "fmax"])


def _largest(forces: np.ndarray) -> float:
    return float(np.linalg.norm(np.asarray(forces, dtype=float), axis=1).max())


def _apart(calls: pd.DataFrame) -> dict[Key, tuple[_Apart, _Apart]]:
    """Return, for each method and device, the structures whose energies and largest forces lie furthest apart."""
    found = {}
    for (method, device), rows in calls.groupby(["method", "device"], observed=True):
        by_structure = rows.groupby("structure")[["energy", "fmax"]]
        low, high = by_structure.min(), by_structure.max()
        found[str(method), str(device)] = (_widest(low["energy"], high["energy"]), _widest(low["fmax"], high["fmax"]))
    return found


def _widest(low: pd.Series, high: pd.Series) -> _Apart:
    apart = (high - low).fillna(0.0)
    return float(apart.max()), float(np.nanmax([0.0, *low.abs(), *high.abs()]))


def _varies(method: MeasuredMethod, energies: _Apart, forces: _Apart) -> list[str]:
    """Return in words by how much the answers about the same geometry differ, where the precision cannot be why."""
    # What a baseline grants to another machine is more than one machine needs: its answers have the same last digits
    # but for sums in another order and for SCFs that end elsewhere within their criterion.
    wide = tolerance(method.kind, method.dtype or "")
    found = []
    if energies[0] > wide.energy + 4 * wide.resolution * energies[1]:
        found.append(f"energies by up to {energies[0]:.2g} eV")
    # random weights may give forces of any size, and a sum of large terms loses some of its digits
    if forces[0] > wide.force + 100 * wide.resolution * forces[1]:
        found.append(f"forces by up to {forces[0]:.2g} eV/Å")
    return found

"""Methods whose times are doubtful, as their answers show at no extra cost.

A method that answers differently each time does not do the same work each time; one that changes its atoms leads the
optimiser astray. Both are measured anyway, and marked.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from bench.analysis.fingerprint import tolerance
from bench.analysis.methods import MeasuredMethod
from bench.analysis.times import Key

_Apart = tuple[float, float]
"""The distance between two values, and the size of the larger one."""
VARIES, ALTERS = "varies", "alters atoms"
"""The first word of a doubt; after a colon it says by how much, or what."""


def doubts(
    methods: Sequence[MeasuredMethod],
    answers: pd.DataFrame,
    structures: pd.DataFrame,
    replays: pd.DataFrame,
    fixed: Collection[int] = (),
) -> dict[Key, tuple[str, ...]]:
    """Return the doubts about the times of each method on each device; empty where there are none.

    The untimed answer, the first force call of each relaxation and that of each replayed path all have the same
    geometry: that of the structure.

    Parameters
    ----------
    methods : sequence of MeasuredMethod
    answers : DataFrame
        ``method``, ``device``, ``structure``, ``energy`` (eV), ``forces`` (n, 3; eV/Angstrom) and ``changed``.
    structures, replays : DataFrame
        ``method``, ``device``, ``structure``, ``first_energy`` (eV) and ``first_fmax`` (eV/Angstrom), of all rounds.
    fixed : collection of int
        Structures with atoms that do not move; their largest force is on the others, which an answer does not tell.
    """
    changed = _changed(answers)
    apart = _apart(_first_calls(answers[~answers["structure"].isin(fixed)], structures, replays))
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
    """Return all answers at the geometries of the data set, with ``energy`` and ``fmax``."""
    key = ["method", "device", "structure"]
    told = answers[[*key, "energy"]].assign(fmax=[_largest(forces) for forces in answers["forces"]])
    names = {"first_energy": "energy", "first_fmax": "fmax"}
    calls = [told, *(rows[[*key, *names]].rename(columns=names) for rows in (structures, replays))]
    kept = [rows.astype({"energy": float, "fmax": float}) for rows in calls if len(rows)]
    return pd.concat(kept, ignore_index=True) if kept else pd.DataFrame(columns=[*key, "energy", "fmax"])


def _largest(forces: np.ndarray) -> float:
    return float(np.linalg.norm(np.asarray(forces, dtype=float), axis=1).max())


def _apart(calls: pd.DataFrame) -> dict[Key, tuple[_Apart, _Apart]]:
    """Return, for each method and device, the largest differences of energies and of largest forces."""
    # grouped once for all methods, because each group takes longer than all that is computed in it
    at_structures = calls.groupby(["method", "device", "structure"], observed=True)[["energy", "fmax"]]
    lows, highs = at_structures.min(), at_structures.max()
    low, high = lows.to_numpy(dtype=float), highs.to_numpy(dtype=float)
    lines: dict[Key, list[int]] = {}
    for line, (method, device, _) in enumerate(lows.index):
        lines.setdefault((str(method), str(device)), []).append(line)
    return {
        key: (_widest(low[mine, 0], high[mine, 0]), _widest(low[mine, 1], high[mine, 1])) for key, mine in lines.items()
    }


def _widest(low: np.ndarray, high: np.ndarray) -> _Apart:
    apart = np.where(np.isnan(high - low), 0.0, high - low)
    return float(apart.max()), float(np.nanmax([0.0, *np.abs(low), *np.abs(high)]))


def _varies(method: MeasuredMethod, energies: _Apart, forces: _Apart) -> list[str]:
    """Return in words how much answers at the same geometry differ, if precision cannot explain it."""
    # A baseline's tolerances for another machine are more than enough for a single one, where only the order of sums
    # and the end of an SCF within its criterion change the last digits.
    wide = tolerance(method.kind, method.dtype or "", method.tf32)
    found = []
    if energies[0] > wide.energy + 4 * wide.resolution * energies[1]:
        found.append(f"energies by up to {energies[0]:.2g} eV")
    # random weights may give forces of any size, and a sum of large terms loses some of its digits
    if forces[0] > wide.force + 100 * wide.resolution * forces[1]:
        found.append(f"forces by up to {forces[0]:.2g} eV/Å")
    return found

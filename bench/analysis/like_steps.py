"""Steps are compared with like steps: the first ones of a relaxation are not like the later ones.

The SCF of a DFT step needs fewer cycles as the geometry settles, so the first steps of a relaxation are dearer than all
of them together, and a time budget cuts the slowest methods' relaxations. So a relaxation that was cut is not taken for
a whole one:

* A method with whole relaxations: the time per step of one that was cut after k steps is divided by what the first k
  steps of its whole ones cost, compared with all their steps.
* A method without a whole relaxation: its time is that of its first steps, and the row says so. In a ratio, the other
  method counts with as many first steps: structure by structure, and at structures that the first one did not reach
  with its usual number.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.analysis.times import SYSTEM, Key, Times, keys_of, per_round, structures_of
from bench.core.records import CENSORED, FAILED

Floats = NDArray[np.float64]
Cell = tuple[int, int]
"""A structure and a round."""


@dataclasses.dataclass(frozen=True)
class StepTimes(Mapping[Key, pd.DataFrame]):
    """Milliseconds per step of each method on each device, by structure and round."""

    times: Times
    cut: Mapping[Key, int] = dataclasses.field(default_factory=dict)
    """Methods without a whole relaxation, with the most steps that one of theirs has."""
    steps: pd.DataFrame | None = None
    """One row per step."""
    system_of: Mapping[int, int] = dataclasses.field(default_factory=dict)
    """The system of each structure; empty where all are of one."""
    walked: frozenset[Key] = frozenset()
    """Methods whose steps went along replayed paths. No path is cut as a relaxation is, and none settles."""

    def __getitem__(self, key: Key) -> pd.DataFrame:
        """Return the times of one method on one device."""
        return self.times[key]

    def __iter__(self) -> Iterator[Key]:
        """Iterate over methods and devices."""
        return iter(self.times)

    def __len__(self) -> int:
        """Return the number of methods and devices."""
        return len(self.times)

    @functools.cached_property
    def _sums(self) -> dict[Key, dict[Cell, Floats]]:
        return {} if self.steps is None else sums(self.steps)

    def first(self, key: Key, counts: Mapping[Cell, int]) -> pd.DataFrame:
        """Return the milliseconds per step of the first steps, `counts` of them, where that many were made."""
        mine = self._sums.get(key, {})
        found = {
            cell: mine[cell][count - 1] / count
            for cell, count in counts.items()
            if cell in mine and 0 < count <= len(mine[cell])
        }
        return _table(found, self.system_of)

    def made(self, key: Key) -> dict[Cell, int]:
        """Return the number of steps of each of its relaxations that count."""
        counted = set(_cells(self.times[key]))
        return {cell: len(total) for cell, total in self._sums.get(key, {}).items() if cell in counted}


def pair(times: Times, one: Key, other: Key, others: Times | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the times of two methods, of like steps.

    Parameters
    ----------
    times : mapping of (method, device) to DataFrame
        Where it is no :class:`StepTimes`, or where no method lacks whole relaxations, the times as they are.
    one, other : (method, device)
        The methods.
    others : mapping, optional
        The times in which the other method is, of another run; its rounds need not be the same.
    """
    others = times if others is None else others
    first, second = times[one], others[other]
    if not isinstance(times, StepTimes) or not isinstance(others, StepTimes):
        return first, second
    if one in times.walked or other in others.walked or (one not in times.cut and other not in others.cut):
        return first, second
    if times.steps is None or others.steps is None:
        return first, second
    mine, theirs = times.made(one), others.made(other)
    if times is others:
        cut = [made for key, made in ((one, mine), (other, theirs)) if key in times.cut]
        most = min(int(np.median(list(made.values()))) if made else 0 for made in cut)
        return (
            times.first(one, {cell: min(count, theirs.get(cell, most)) for cell, count in mine.items()}),
            others.first(other, {cell: min(count, mine.get(cell, most)) for cell, count in theirs.items()}),
        )
    # other rounds: as many steps as any relaxation of the structure has in both runs
    least: dict[int, int] = {}
    for cell, count in (*mine.items(), *theirs.items()):
        least[cell[0]] = min(least.get(cell[0], count), count)
    return (
        times.first(one, {cell: least[cell[0]] for cell in mine}),
        others.first(other, {cell: least[cell[0]] for cell in theirs}),
    )


def step_times(structures: pd.DataFrame, steps: pd.DataFrame | None, times: Times | None = None) -> StepTimes:
    """Return the times per step of all methods.

    Parameters
    ----------
    structures : DataFrame
        One row per relaxation.
    steps : DataFrame, optional
        One row per step; without it, relaxations that were cut are taken as they are.
    times : mapping of (method, device) to DataFrame, optional
        What :func:`bench.analysis.times.per_round` gives for these structures, where it is known already.
    """
    if times is None:
        times = per_round(structures, "step_ns", "steps")
    system_of: dict[int, int] = (
        dict(structures[["structure", SYSTEM]].drop_duplicates().itertuples(index=False, name=None))
        if SYSTEM in structures
        else {}
    )
    counted = structures[structures["status"] != FAILED]
    was_cut = counted["status"] == CENSORED
    some, whole = keys_of(counted[was_cut]), keys_of(counted[~was_cut])
    cut = {
        key: int(counted.loc[(counted["method"] == key[0]) & (counted["device"] == key[1]), "steps"].max())
        for key in some - whole
        if key in times
    }
    if steps is None:
        return StepTimes(times, cut, system_of=system_of)
    corrected = dict(times)
    for key in some & whole & times.keys():
        of_key = (counted["method"] == key[0]) & (counted["device"] == key[1])
        cells = counted.loc[of_key & was_cut, ["structure", "round"]]
        own = steps[(steps["method"] == key[0]) & (steps["device"] == key[1])]
        corrected[key] = _as_whole(times[key], sums(own).get(key, {}), list(cells.itertuples(index=False, name=None)))
    return StepTimes(corrected, cut, steps, system_of)


def _as_whole(times: pd.DataFrame, totals: Mapping[Cell, Floats], cut: list[Cell]) -> pd.DataFrame:
    """Return times in which those of relaxations that were cut are as if these had been whole."""
    whole = [totals[cell] for cell in _cells(times) if cell in totals and cell not in set(cut)]
    milliseconds = times.to_numpy(dtype=float, copy=True)
    lines = {structure: line for line, structure in enumerate(structures_of(times.index))}
    for structure, number in cut:
        count = len(totals.get((structure, number), ()))
        longer = [total for total in whole if len(total) >= count]
        if count and longer and structure in lines and number in times.columns:
            dearer = [np.log(total[count - 1] / count) - np.log(total[-1] / len(total)) for total in longer]
            milliseconds[lines[structure], times.columns.get_loc(number)] *= np.exp(-np.mean(dearer))
    return pd.DataFrame(milliseconds, index=times.index, columns=times.columns)


def sums(steps: pd.DataFrame) -> dict[Key, dict[Cell, Floats]]:
    """Return for each relaxation the milliseconds of its first steps: of one, of two, and so on.

    Parameters
    ----------
    steps : DataFrame
        One row per step; step 0 is the force call before the first one, and does not count. A native optimiser tells
        only the time of the whole step.
    """
    names = ["method", "device", "structure", "round"]
    wanted = steps[steps["step"] > 0].sort_values([*names, "step"], kind="stable")
    milliseconds = 1e-6 * (wanted["calculator_ns"].fillna(0) + wanted["optimizer_ns"].fillna(0)).to_numpy(dtype=float)
    starts = np.flatnonzero(wanted["step"].to_numpy() == 1)
    found: dict[Key, dict[Cell, Floats]] = {}
    heads = wanted.iloc[starts][names].itertuples(index=False, name=None)
    for (method, device, structure, number), each in zip(heads, np.split(milliseconds, starts)[1:], strict=True):
        total = np.cumsum(each)
        if len(total) and total[0] > 0:
            found.setdefault((str(method), str(device)), {})[int(structure), int(number)] = total
    return found


def _cells(times: pd.DataFrame) -> list[Cell]:
    """Return the structures and rounds that have a time."""
    lines, columns = np.nonzero(times.notna().to_numpy())
    structures = structures_of(times.index[lines])
    return list(zip(structures, times.columns[columns].astype(int), strict=True))


def _table(values: Mapping[Cell, float], system_of: Mapping[int, int]) -> pd.DataFrame:
    found = pd.DataFrame([(*cell, value) for cell, value in values.items()], columns=["structure", "round", "ms"])
    if not system_of:
        return found.pivot_table(index="structure", columns="round", values="ms")
    found[SYSTEM] = found["structure"].map(dict(system_of))
    return found.pivot_table(index=[SYSTEM, "structure"], columns="round", values="ms")

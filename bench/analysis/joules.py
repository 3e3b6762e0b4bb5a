"""Joules per step, per force call and per relaxed molecule: the mean power of a round's work times the clock's times.

A counter says little about a single structure: it advances in steps, and it also counts what lies between two
structures, which the clock leaves out. So the counters give one power for each round of a method, over all its work
there, and the times give the rest.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Iterable, Mapping
from typing import Any, NamedTuple

import pandas as pd

from bench.analysis.statistics import Estimate
from bench.analysis.times import by_structure, mean_time, per_round, systems_of, with_steps
from bench.core.device import CPU, Device, is_accelerator
from bench.core.protocol import RELAX, REPLAY
from bench.core.records import CONVERGED, FAILED

LEAST_SECONDS = 5.0
"""A round with less work has no power: the two ends of the block would count too much."""
LEAST_SHARE = 0.5
"""Nor has one where less than this share of the time lies within the clock: its power is that of something else."""
SHORT, OVERHEAD, STILL = "short", "overhead", "still"
"""Why a round has no power: it is too short, it is mostly not the method's own work, or the counter stood still."""

BLOCKS = (
    *("method", "device", "round", "part", "seconds", "work_s"),
    *("cpu_joules", "cpu_idle_watts", "device_joules", "device_idle_watts"),
)
_KEY = ["method", "device", "round"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class JouleFigures:
    """What is known of the energy. Net: less the power of the idle machine, measured before the campaign."""

    joules_per_step: Estimate | None = None
    joules_per_step_net: Estimate | None = None
    joules_per_call: Estimate | None = None
    """Under ``replay``: the force call's part of a step."""
    joules_per_call_net: Estimate | None = None
    joules_per_molecule: Estimate | None = None
    """From the structure to the converged geometry."""
    joules_per_molecule_net: Estimate | None = None
    watts: float | None = None
    """Mean power while the method worked."""
    idle_watts: float | None = None
    joules_of: tuple[str, ...] = ()
    """The kinds of devices whose counters are in these figures."""
    no_joules: str | None = None
    """Why there are none although there is a counter: :data:`SHORT`, :data:`OVERHEAD` or :data:`STILL`."""


def _with_power(rows: pd.DataFrame, blocks: pd.DataFrame, part: str) -> pd.DataFrame | None:
    """Return the rows of one method on one device with the power of their round.

    They get the other columns of :func:`powers`, which are missing values in a round without a block. None where no
    round has one.
    """
    if blocks.empty:
        return None
    keys = pd.MultiIndex.from_frame(rows[_KEY])
    mine = blocks[(blocks["part"] == part) & pd.MultiIndex.from_frame(blocks[_KEY]).isin(keys)]
    if mine.empty:
        return None
    found = powers(mine).set_index(_KEY).reindex(keys)
    return rows.assign(**{name: found[name].to_numpy() for name in found.columns})


def powers(blocks: pd.DataFrame) -> pd.DataFrame:
    """Return the power of each block.

    Parameters
    ----------
    blocks : DataFrame
        One row per method, device, round and part: the fields of a ``joules`` record.

    Returns
    -------
    DataFrame
        ``method``, ``device``, ``round``, and the fields of :class:`_Power`, in watts.
    """
    rows = blocks.to_dict("records")
    # where a round lacks the CPU's counter, the accelerator is taken alone in all rounds, so that they agree
    alone = {(row["method"], row["device"]) for row in rows if pd.isna(row["cpu_joules"])}
    found = [(*(row[name] for name in _KEY), *_power(row, (row["method"], row["device"]) in alone)) for row in rows]
    return pd.DataFrame(found, columns=[*_KEY, *_Power._fields], dtype=object)


class _Power(NamedTuple):
    """The power of a block: of the CPU's packages or, for an accelerator, of both together where both have counters."""

    watts: float | None = None
    """Joules over seconds; None where `no_watts` says why, or where a counter was lost."""
    idle: float | None = None
    with_cpu: bool = True
    no_watts: str | None = None


def _power(block: Mapping[Hashable, Any], alone: bool) -> _Power:
    counters = [*(() if alone else ("cpu",)), *(("device",) if is_accelerator(block["device"]) else ())]
    joules, idle = (_total(block[f"{name}_{what}"] for name in counters) for what in ("joules", "idle_watts"))
    seconds = block["seconds"]
    if joules is None:
        return _Power()
    if seconds < LEAST_SECONDS:
        return _Power(no_watts=SHORT)
    if block["work_s"] < LEAST_SHARE * seconds:
        return _Power(no_watts=OVERHEAD)
    if joules <= 0:
        return _Power(no_watts=STILL)
    return _Power(joules / seconds, idle, with_cpu=not alone)


def _total(values: Iterable[Any]) -> float | None:
    """Return a sum; None where there is nothing to add, or a value is missing."""
    found = list(values)
    return None if not found or any(map(pd.isna, found)) else float(sum(found))


def relaxed(rows: pd.DataFrame, blocks: pd.DataFrame, beyond: float | None = 1.0) -> JouleFigures:
    """Return the figures of relaxations of one method on one device; `blocks` as for :func:`powers`.

    ``joules_per_step`` is the geometric mean over structures of power times time per step (J), as for the time itself.
    ``joules_per_molecule`` is the arithmetic mean of power times the time of a converged relaxation (J), in which each
    system counts alike, with the relative interval of the geometric mean: many molecules take their number times that.
    Where others were cut off, it is multiplied by :attr:`bench.analysis.per_molecule.Steps.beyond`.
    """
    powered = _with_power(rows, blocks, RELAX)
    if powered is None:
        return JouleFigures()
    converged = powered[powered["status"] == CONVERGED]
    whole = {} if beyond is None else _of_molecules(converged, beyond)
    return JouleFigures(**_power_fields(powered), **_both("joules_per_step", powered, "step_ns", "steps"), **whole)


def _of_molecules(converged: pd.DataFrame, beyond: float) -> dict[str, Any]:
    converged = converged.assign(whole=converged["wall_ns"] - converged["harness_ns"], one=1)
    found = _both("joules_per_molecule", converged, "whole", "one", arithmetic=True)
    return {name: each and each.scaled(beyond) for name, each in found.items()}


def replayed(rows: pd.DataFrame, blocks: pd.DataFrame) -> JouleFigures:
    """Return the figures of replayed paths of one method on one device; `blocks` as for :func:`powers`."""
    powered = _with_power(rows, blocks, REPLAY)
    if powered is None:
        return JouleFigures()
    return JouleFigures(
        **_power_fields(powered),
        **_both("joules_per_call", powered, "calculator_ns", "force_calls"),
        **(_both("joules_per_step", powered, "step_ns", "force_calls") if with_steps(powered) else {}),
    )


def _power_fields(rows: pd.DataFrame) -> dict[str, Any]:
    counted = rows[rows["watts"].notna() & (rows["status"] != FAILED)]
    if counted.empty:
        reasons = rows["no_watts"].dropna()
        return {"no_joules": None if reasons.empty else str(reasons.mode().iloc[0])}
    rounds = counted.drop_duplicates("round")
    kind = Device.parse(str(counted["device"].iloc[0])).kind
    of = (*((CPU,) if rounds["with_cpu"].all() else ()), *((kind.name,) if kind.accelerator else ()))
    idle = rounds["idle"].astype(float)
    return {
        "watts": float(rounds["watts"].astype(float).mean()),
        "idle_watts": None if idle.isna().any() else float(idle.mean()),
        "joules_of": of,
    }


def _both(name: str, rows: pd.DataFrame, time: str, count: str, arithmetic: bool = False) -> dict[str, Any]:
    """Return a figure gross and net; the net one is missing where some round took no more than idle power."""
    gross = rows["watts"].astype(float)
    net = gross - rows["idle"].astype(float)
    idle_is_known = not (net.isna() & gross.notna()).any()
    return {
        name: _joules(rows, gross, time, count, arithmetic),
        f"{name}_net": _joules(rows, net, time, count, arithmetic) if idle_is_known and not (net <= 0).any() else None,
    }


def _joules(rows: pd.DataFrame, watts: pd.Series, time: str, count: str, arithmetic: bool) -> Estimate | None:
    nanojoules = pd.to_numeric(rows[time], errors="coerce").astype(float) * watts
    times = per_round(rows.assign(nanojoules=nanojoules), "nanojoules", count)
    if not times:
        return None
    (found,) = times.values()
    estimate = mean_time(found).scaled(1e-3)  # per_round turns nanojoules into millijoules
    if not arithmetic:
        return estimate
    joules, systems = by_structure(found), systems_of(found.index)
    each = joules.mean() if systems is None else joules.groupby(systems).mean().mean()
    return estimate.scaled(1e-3 * float(each) / estimate.estimate)

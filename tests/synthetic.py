"""Campaigns made by hand, with the answer known: what ``bench.load`` would give for a run."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.spatial.transform import Rotation

from bench.analysis.measurements import Measurements
from bench.analysis.methods import MeasuredMethod
from bench.core.description import DataSetFacts, Description, Machine, ParallelSpeed
from bench.core.settings import Settings

NAPHTHALENE = np.array(
    [(x, y, 0.0) for x in (-2.4, -1.2, 0.0, 1.2, 2.4) for y in (-0.7, 0.7)]
    + [(x, y, 0.0) for x in (-3.4, -1.2, 1.2, 3.4) for y in (-1.3, 2.5)]
)
"""Angstrom; near enough to naphthalene to be no symmetric top, which is all that is asked of it."""


def campaign(count: int = 101, settings: dict[str, Any] | None = None, **changes: Any) -> Description:
    """Return what a ``campaign.json`` says; `settings` are changes to its settings."""
    described = Description(
        run_id="20261122-105712",
        created="2026-11-22T10:57:12+00:00",
        pesbench="0.1.0",
        commit="8bc89d6f0a1b2c3d4e5f",
        dirty=False,
        settings=Settings(methods=(), **{"rounds": 3, "threads": 1, **(settings or {})}),
        machine=Machine(
            cpu="Intel Xeon Processor (SapphireRapids)",
            cores=2,
            logical_cores=2,
            memory_bytes=24 * 2**30,
            os="Debian GNU/Linux 12",
            python="3.11.7",
            parallel_speed=ParallelSpeed(2, 1.07),
        ),
        dataset=DataSetFacts(
            name="naphthalene-md17",
            description="rMD17, CC0",
            digest="sha256:0123456789abcdef",
            formula="C10H8",
            count=count,
            total=101,
        ),
    )
    return dataclasses.replace(described, **changes)


def method(name: str, device: str = "cpu", kind: str = "mlip", **changes: Any) -> MeasuredMethod:
    """Return what is known of a method on a device."""
    fields = {
        "method": name,
        "device": device,
        "label": name,
        "family": name.split("-")[0],
        "kind": kind,
        "weights": "pretrained" if kind == "mlip" else "none",
        "dtype": "float32" if kind == "mlip" else "float64",
        "threads": 1,
        "parameters": 842_000 if kind == "mlip" else None,
        "optimizer": "BFGS",
        "cold_start_s": 6.2,
        "peak_memory_bytes": 900 * 2**20,
        "peak_device_memory_bytes": None if device == "cpu" else 700 * 2**20,
        "checkpoint": {"file": f"{name}.model", "sha256": "0123456789abcdef", "known_by": "header"},
        "environment": {"python": "3.11.7"},
    }
    return MeasuredMethod(**(fields | changes))


def measurements(
    methods: Sequence[MeasuredMethod],
    relaxed: Sequence[pd.DataFrame] = (),
    replayed: Sequence[pd.DataFrame] = (),
    description: Description | None = None,
    **changes: Any,
) -> Measurements:
    """Return what a campaign measured."""
    made = Measurements(description or campaign(), tuple(methods), **changes)
    return dataclasses.replace(
        made,
        structures=pd.concat(relaxed, ignore_index=True) if relaxed else made.structures,
        replays=pd.concat(replayed, ignore_index=True) if replayed else made.replays,
    )


def relaxations(
    name: str,
    ms: float,
    device: str = "cpu",
    count: int = 101,
    rounds: int = 3,
    native: bool = False,
    noise: float = 0.05,
    **changes: Any,
) -> pd.DataFrame:
    """Return relaxations whose geometric mean over structures is `ms` per step, exactly.

    Structures differ by 15 % in a way that all methods share, and by `noise` in a way that they do not.
    """
    logs = _logs(name, ms, device, count, noise)
    steps = 40 + np.arange(count) % 7
    rows = []
    for number in range(rounds):
        step_ns = np.exp(logs + 0.01 * (number - (rounds - 1) / 2)) * steps * 1e6
        rows.append(
            pd.DataFrame(
                {
                    "method": name,
                    "device": device,
                    "round": number,
                    "structure": np.arange(count),
                    "optimizer": "native" if native else "BFGS",
                    "status": "converged",
                    "failure": None,
                    "message": None,
                    "steps": steps,
                    "force_calls": None if native else steps + 1,
                    "energy": -10.0,
                    "fmax": 0.04,
                    "wall_ns": step_ns * 1.1,
                    "step_ns": step_ns,
                    "step_calculator_ns": None if native else 0.9 * step_ns,
                    "calculator_ns": None if native else 0.9 * step_ns * (steps + 1) / steps,
                    "step_force_calls": None if native else steps,
                    "harness_ns": 5000.0 * steps,
                    "first_energy": None if native else -8.0,
                    "first_fmax": None if native else 2.0,
                    "positions": list(relaxed(count)),
                    "bonds_changed": 0,
                }
                | changes
            )
        )
    return pd.concat(rows, ignore_index=True)


def replays(
    name: str,
    ms: float,
    device: str = "cpu",
    count: int = 101,
    rounds: int = 3,
    points: int = 10,
    noise: float = 0.05,
    update: float | None = None,
    **changes: Any,
) -> pd.DataFrame:
    """Return replayed paths whose geometric mean over structures is `ms` per force call, exactly.

    The optimiser's update takes `update` times a call; None: there is none.
    """
    logs = _logs(name, ms, device, count, noise)
    rows = []
    for number in range(rounds):
        nanoseconds = np.exp(logs + 0.01 * (number - (rounds - 1) / 2)) * points * 1e6
        fields = {
            "method": name,
            "device": device,
            "round": number,
            "structure": np.arange(count),
            "status": "converged",
            "failure": None,
            "message": None,
            "force_calls": points,
            "calculator_ns": nanoseconds,
            "step_ns": np.nan if update is None else (1 + update) * nanoseconds,
            "first_energy": -8.0,
            "first_fmax": 2.0,
            "wall_ns": 1.1 * nanoseconds,
        }
        rows.append(pd.DataFrame(fields | changes))
    return pd.concat(rows, ignore_index=True)


def _logs(name: str, ms: float, device: str, count: int, noise: float) -> np.ndarray:
    shared = np.random.default_rng(7).normal(0.0, 0.15, count)
    own = np.random.default_rng(sum(map(ord, name + device))).normal(0.0, noise, count)
    return np.log(ms) + shared - shared.mean() + own - own.mean()


def relaxed(count: int, seed: int = 1, scatter: float = 0.01) -> np.ndarray:
    """Return copies of one molecule, turned and shifted at random and scattered by `scatter` Angstrom."""
    rng = np.random.default_rng(seed)
    return np.stack(
        [
            (NAPHTHALENE + rng.normal(0.0, scatter, NAPHTHALENE.shape)) @ rotation(rng) + rng.normal(size=3)
            for _ in range(count)
        ]
    )


def rotation(rng: np.random.Generator) -> np.ndarray:
    """Return a random proper rotation."""
    return Rotation.random(random_state=rng).as_matrix()


def steps_of(structures: pd.DataFrame, spread: float = 0.1) -> pd.DataFrame:
    """Return the steps of the relaxations, their times spread about each relaxation's mean."""
    rng = np.random.default_rng(3)
    relaxed = []
    for row in structures.itertuples():
        n = int(row.steps) + 1
        factor = np.exp(rng.normal(0.0, spread, n))
        relaxed.append(
            pd.DataFrame(
                {
                    "method": row.method,
                    "device": row.device,
                    "round": row.round,
                    "structure": row.structure,
                    "step": np.arange(n),
                    "calculator_ns": 0.9 * row.step_ns / row.steps * factor,
                    "optimizer_ns": 0.1 * row.step_ns / row.steps * factor,
                    "harness_ns": 5000.0,
                    "force_calls": 1,
                    "energy": -10.0,
                    "fmax": 0.04,
                }
            )
        )
    return pd.concat(relaxed, ignore_index=True)

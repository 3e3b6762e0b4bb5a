"""A run directory as pandas data frames: what analysis takes in."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.contract import trajectory_file
from bench.contract.records import Record, Relaxation, Replay, Started, Symmetry, Trajectory, Watched
from bench.errors import BadInput
from bench.runs import store
from bench.runs.store import no_collector


@dataclasses.dataclass(frozen=True)
class Run:
    """A run as pandas data frames, whose columns ``docs/format.md`` describes.

    `methods` has a row for each method and device, `structures` one for each relaxation, `steps` one for each step
    of each relaxation (step 0 is the force call before the first step), `replays` one for each replayed path, and
    `watched` one for each round of a method, with what disturbed it.
    Times are nanoseconds.
    """

    directory: Path
    contents: store.Contents

    @property
    def campaign(self) -> dict[str, Any]:
        """What was planned, on what machine, over which data set."""
        return self.contents.campaign

    @functools.cached_property
    def structures(self) -> pd.DataFrame:
        """One row for each structure, method, device and round."""
        with no_collector():
            rows = [_structure_row(record) for record in self.contents.relaxations]
            return pd.DataFrame(rows, columns=_STRUCTURE_COLUMNS)

    @functools.cached_property
    def steps(self) -> pd.DataFrame:
        """One row for each step."""
        relaxations = self.contents.relaxations
        lengths = np.array([len(record.trace["optimizer_ns"]) for record in relaxations], dtype=int)
        frame = {
            name: np.repeat(np.array([getattr(record, name) for record in relaxations], dtype=object), lengths)
            for name in ("method", "device")
        }
        for name in ("round", "structure"):
            frame[name] = np.repeat(np.array([getattr(record, name) for record in relaxations], dtype=int), lengths)
        frame["step"] = np.concatenate([np.arange(length) for length in lengths]) if len(lengths) else np.array([], int)
        for name in ("calculator_ns", "optimizer_ns", "harness_ns", "force_calls", "energy", "fmax"):
            column: list[Any] = []
            for record, length in zip(relaxations, lengths, strict=True):
                column.extend(record.trace.get(name) or (None,) * length)
            frame[name] = np.array(column, dtype=float)
        return pd.DataFrame(frame).astype({"method": "category", "device": "category"})

    @functools.cached_property
    def replays(self) -> pd.DataFrame:
        """One row for each replayed path."""
        rows = [
            (
                *(record.method, record.device, record.round, record.structure, record.status),
                *_failure(record),
                *(len(record.calculator_ns), sum(record.calculator_ns), record.wall_ns),
            )
            for record in self.contents.replays
        ]
        return pd.DataFrame(rows, columns=_REPLAY_COLUMNS)

    @functools.cached_property
    def watched(self) -> pd.DataFrame:
        """One row for each method, device and round that was watched."""
        rows = [dataclasses.asdict(record) for record in self.contents.watched]
        return pd.DataFrame(rows, columns=[field.name for field in dataclasses.fields(Watched)])

    @functools.cached_property
    def answers(self) -> pd.DataFrame:
        """One row for each structure of a fingerprint: energy in eV, forces (n, 3) in eV/Angstrom."""
        rows = [(a.method, a.device, a.structure, a.energy, np.array(a.forces)) for a in self.contents.answers]
        return pd.DataFrame(rows, columns=["method", "device", "structure", "energy", "forces"])

    @functools.cached_property
    def symmetries(self) -> pd.DataFrame:
        """One row for each structure whose forces were examined."""
        return _plain(self.contents.symmetries, Symmetry)

    @functools.cached_property
    def trajectories(self) -> pd.DataFrame:
        """One row for each trajectory; its energies and frames are read by :meth:`trajectory`."""
        return _plain(self.contents.trajectories, Trajectory)

    def trajectory(self, file: str) -> trajectory_file.Content:
        """Read the file of a trajectory, as its row names it; BadInput where it cannot be read."""
        try:
            return trajectory_file.read(self.directory / file)
        except (OSError, ValueError) as error:
            raise BadInput(f"{self.directory / file} cannot be read ({error}); the run is not whole.") from None

    @functools.cached_property
    def methods(self) -> pd.DataFrame:
        """One row for each method and device that the campaign planned."""
        return pd.DataFrame(
            [
                self._method_row(method, device)
                for device in self.campaign["settings"]["devices"]
                for method in self.campaign["methods"]
            ]
        )

    def _method_row(self, name: str, device: str) -> dict[str, Any]:
        def mine(records: list[Any]) -> list[Any]:
            return [record for record in records if record.method == name and record.device == device]

        facts = self.campaign["methods"][name]
        started = mine(self.contents.started)
        finished = mine(self.contents.finished)
        stopped = mine(self.contents.not_measured)
        last = started[-1] if started else None
        memory = [record.peak_memory_bytes for record in finished if record.peak_memory_bytes is not None]
        device_memory = [
            record.peak_device_memory_bytes for record in finished if record.peak_device_memory_bytes is not None
        ]
        return {
            "method": name,
            "device": device,
            **{key: facts[key] for key in ("label", "family", "kind", "paper", "note")},
            "optimizer": "native" if facts["native"] else self.campaign["settings"]["optimizer"],
            "weights": last.weights if last else None,
            "dtype": last.dtype if last else facts["dtype"],
            "threads": last.threads if last else self.campaign["settings"]["threads"],
            "parameters": last.parameters if last and last.parameters else facts["parameters"],
            "settings": last.settings if last else {},
            "tuned": facts.get("tuned") or [],
            "threads_found": _threads(last) if last else None,
            "checkpoint": last.checkpoint if last else None,
            "environment": last.environment if last else {},
            "cold_start_s": float(np.median([_cold_start(record) for record in started])) if started else None,
            "warm_up_calls": max((record.warm_up_calls or 0 for record in started), default=None),
            "settled": all(record.settled is not False for record in started) if started else None,
            "peak_memory_bytes": max(memory, default=None),
            "peak_device_memory_bytes": max(device_memory, default=None),
            "failure": stopped[-1].failure.kind if stopped else None,
            "message": stopped[-1].failure.message if stopped else None,
        }


def _plain(records: Sequence[Symmetry | Trajectory], kind: type[Record]) -> pd.DataFrame:
    """Return the fields of records as columns, with the class and the text of a failure."""
    names = [field.name for field in dataclasses.fields(kind) if field.name != "failure"]
    rows = [[*(getattr(record, name) for name in names), *_failure(record)] for record in records]
    return pd.DataFrame(rows, columns=[*names, "failure", "message"], dtype=object)  # so that None stays None


def _failure(record: Replay | Symmetry | Trajectory) -> tuple[str | None, str | None]:
    return (record.failure.kind, record.failure.message) if record.failure else (None, None)


def _cold_start(record: Started) -> float:
    return (record.import_ns + record.load_ns + (record.first_call_ns or 0)) / 1e9


def _threads(record: Started) -> int | None:
    """Return the threads of the widest OpenMP pool in a worker; its BLAS has one by design."""
    return max((pool["num_threads"] for pool in record.thread_pools if pool.get("user_api") == "openmp"), default=None)


_REPLAY_COLUMNS = [
    *("method", "device", "round", "structure", "status", "failure", "message"),
    *("force_calls", "calculator_ns", "wall_ns"),
]
_STRUCTURE_COLUMNS = [
    *("method", "device", "round", "structure", "optimizer", "status", "failure", "message", "steps"),
    *("force_calls", "energy", "fmax", "wall_ns", "step_ns", "step_calculator_ns", "step_force_calls"),
    *("calculator_ns", "harness_ns", "positions"),
]


def _structure_row(record: Relaxation) -> tuple[Any, ...]:
    trace = record.trace
    calculator = trace.get("calculator_ns")
    step_calculator = sum(calculator[1:]) if calculator else None
    return (
        record.method,
        record.device,
        record.round,
        record.structure,
        record.optimizer,
        record.status,
        record.failure.kind if record.failure else None,
        record.failure.message if record.failure else None,
        record.steps,
        record.force_calls,
        record.energy,
        record.fmax,
        record.wall_ns,
        sum(trace["optimizer_ns"][1:]) + (step_calculator or 0),
        step_calculator,
        sum(trace["force_calls"][1:]) if "force_calls" in trace else None,
        sum(calculator) if calculator else None,
        sum(trace["harness_ns"]),
        np.array(record.positions) if record.positions else None,
    )


def load(run: str | Path | None = None) -> Run:
    """Read a run (its id, its directory, or None for the newest) into data frames.

    >>> run = load("20261122-101500")          # doctest: +SKIP
    >>> run.steps.groupby("method").calculator_ns.median()  # doctest: +SKIP
    """
    directory = store.find(run)
    return Run(directory, store.read(directory))

"""A run directory as pandas data frames, the input of the analysis."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.analysis.measurements import ANSWERS, REPLAYS, STRUCTURES, Measurements
from bench.analysis.methods import MeasuredMethod, measured_methods
from bench.analysis.times import SYSTEM
from bench.core.description import Description, SystemFacts
from bench.core.failure import Failure
from bench.core.joules import Joules
from bench.core.records import CENSORED, Record, Watched
from bench.errors import BadInput
from bench.protocols.md import trajectory_file
from bench.protocols.md.record import Symmetry, Trajectory
from bench.protocols.relax.record import Relaxation
from bench.protocols.replay.record import Replay
from bench.results import store
from bench.results.store import no_collector


@dataclasses.dataclass(frozen=True)
class Run:
    """A run as pandas data frames, whose columns ``docs/format.md`` describes.

    `methods` has a row for each method and device, `systems` one for each system, `structures` one for each relaxation,
    `steps` one for each step of each relaxation (step 0 is the force call before the first step), `replays` one for
    each replayed path, and `watched` one for each round of a method, with what disturbed it.
    Times are nanoseconds, energies eV, lengths Angstrom. They are single measurements: means with intervals are in
    ``pesbench table --format csv``.
    """

    directory: Path
    contents: store.Contents

    @property
    def description(self) -> Description:
        """The plan, the machine and the data set."""
        return self.contents.description

    @functools.cached_property
    def structures(self) -> pd.DataFrame:
        """One row for each structure, method, device and round."""
        with no_collector():
            rows = [_structure_row(record) for record in self.contents.relaxations]
            return self._with_systems(pd.DataFrame(rows, columns=list(STRUCTURES)))

    @functools.cached_property
    def systems(self) -> pd.DataFrame:
        """One row for each system, by its number: that in the column ``system`` of `structures` and `replays`."""
        facts = [dataclasses.asdict(one) for one in self.description.dataset.systems]
        names = [field.name for field in dataclasses.fields(SystemFacts)]
        return pd.DataFrame(facts, columns=names).rename_axis(SYSTEM)

    def _with_systems(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return rows with the number of each structure's system, where there are several."""
        system_of = self.description.dataset.system_of
        return rows.assign(**{SYSTEM: rows["structure"].map(system_of).astype(int)}) if system_of else rows

    @functools.cached_property
    def steps(self) -> pd.DataFrame:
        """One row for each step."""
        relaxations = self.contents.relaxations
        lengths = np.array([len(record.trace["optimizer_ns"]) for record in relaxations], dtype=int)
        columns = {
            name: np.repeat(np.array([getattr(record, name) for record in relaxations], dtype=object), lengths)
            for name in ("method", "device")
        }
        for name in ("round", "structure"):
            columns[name] = np.repeat(np.array([getattr(record, name) for record in relaxations], dtype=int), lengths)
        columns["step"] = (
            np.concatenate([np.arange(length) for length in lengths]) if len(lengths) else np.array([], int)
        )
        for name in ("calculator_ns", "optimizer_ns", "harness_ns", "force_calls", "energy", "fmax"):
            column: list[Any] = []
            for record, length in zip(relaxations, lengths, strict=True):
                column.extend(record.trace.get(name) or (None,) * length)
            columns[name] = np.array(column, dtype=float)
        return pd.DataFrame(columns).astype({"method": "category", "device": "category"})

    @functools.cached_property
    def replays(self) -> pd.DataFrame:
        """One row for each replayed path."""
        rows = [
            (
                *(record.method, record.device, record.round, record.structure, record.status),
                *_failure(record),
                # the first call at a structure has nothing to go on from, like the one before a relaxation's first step
                *(len(record.calculator_ns[1:]), sum(record.calculator_ns[1:]), _step_ns(record)),
                *(_first(record.energies), _first(record.fmax), record.wall_ns),
                *(record.waited_ns, record.stolen_ns, record.visit),
            )
            for record in self.contents.replays
        ]
        return self._with_systems(pd.DataFrame(rows, columns=list(REPLAYS)))

    @functools.cached_property
    def watched(self) -> pd.DataFrame:
        """One row for each method, device and round that was watched."""
        rows = [dataclasses.asdict(record) for record in self.contents.watched]
        return pd.DataFrame(rows, columns=[field.name for field in dataclasses.fields(Watched)])

    @functools.cached_property
    def answers(self) -> pd.DataFrame:
        """One row for each structure of a fingerprint: energy in eV, forces (n, 3) in eV/Angstrom, and ``changed``."""
        rows = [
            (one.method, one.device, one.structure, one.energy, np.array(one.forces), tuple(one.changed))
            for one in self.contents.answers
        ]
        return pd.DataFrame(rows, columns=list(ANSWERS))

    @functools.cached_property
    def symmetries(self) -> pd.DataFrame:
        """One row for each structure whose forces were examined."""
        return self.of(Symmetry)

    @functools.cached_property
    def trajectories(self) -> pd.DataFrame:
        """One row for each trajectory; its energies and frames are read by :meth:`trajectory`."""
        return self.of(Trajectory)

    @functools.cached_property
    def joules(self) -> pd.DataFrame:
        """One row for each part of a round of a method whose energy was counted."""
        return self.of(Joules)

    def of(self, kind: type[Record]) -> pd.DataFrame:
        """Return one row for each record of a kind: its fields, and the class and text of its failure."""
        names = [field.name for field in dataclasses.fields(kind) if field.name != "failure"]
        rows = [[*(getattr(one, name) for name in names), *_failure(one)] for one in self.contents.of(kind)]
        return pd.DataFrame(rows, columns=[*names, "failure", "message"], dtype=object)  # so that None stays None

    def trajectory(self, file: str) -> trajectory_file.Content:
        """Read the file of a trajectory, named in its row; raises BadInput where it cannot be read."""
        try:
            return trajectory_file.read(self.directory / file)
        except (OSError, ValueError) as error:
            raise BadInput(f"{self.directory / file} cannot be read ({error}); the run is incomplete.") from None

    @functools.cached_property
    def measured_methods(self) -> tuple[MeasuredMethod, ...]:
        """What is known of each method on each device that the campaign planned."""
        return measured_methods(self.description, self.contents.records)

    @functools.cached_property
    def methods(self) -> pd.DataFrame:
        """One row for each method and device that the campaign planned."""
        names = [field.name for field in dataclasses.fields(MeasuredMethod)]
        return pd.DataFrame([vars(method) for method in self.measured_methods], columns=names)

    def measurements(self, read: Mapping[str, Any] | None = None) -> Measurements:
        """Return the input of the analysis; `read` has by protocol what its ``read.py`` found."""
        return Measurements(
            description=self.description,
            methods=self.measured_methods,
            structures=self.structures,
            replays=self.replays,
            answers=self.answers,
            # steps are needed only where like steps must be found
            steps=self.steps if (self.structures["status"] == CENSORED).any() else None,
            watched=self.watched,
            joules=self.joules,
            read=read or {},
            records=self.contents.records,
            damaged=self.contents.damaged,
        )


def _failure(record: Record) -> tuple[str | None, str | None]:
    failure: Failure | None = getattr(record, "failure", None)
    return (failure.kind, failure.message) if failure else (None, None)


def _step_ns(record: Replay) -> float:
    """Return the time of all steps, each an update and the force call after it; NaN where only calls were made."""
    calls = record.calculator_ns[1:]
    return float(sum(calls) + sum(record.optimizer_ns[: len(calls)])) if record.optimizer_ns else np.nan


def _first(values: Sequence[float | None]) -> float | None:
    return values[0] if values else None


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
        *_failure(record),
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
        _first(trace.get("energy", ())),
        # of a relaxed cell it is that of atoms and cell, which no other force call tells
        _first(trace.get("fmax", ())) if record.cell is None else None,
        np.array(record.positions) if record.positions else None,
        record.waited_ns,
        record.stolen_ns,
        record.visit,
        record.bonds_changed,
        record.volume_change,
    )


def load(run: str | Path | None = None, say: Callable[[str], None] = lambda line: None) -> Run:
    """Read a run (its id, its name, its directory, or None for the newest with results) into data frames.

    `say` is called with a sentence on newer runs without results, and on the damaged lines of its records. Raises
    BadInput where there is no such run, or it cannot be read.

    >>> run = load("20261122-101500")          # doctest: +SKIP
    >>> run.structures.groupby("method").steps.mean()  # doctest: +SKIP
    """
    directory = store.find(run, say=say)
    contents = store.read(directory)
    if contents.damage:
        say(f"{directory.name}: {contents.damage}")
    return Run(directory, contents)

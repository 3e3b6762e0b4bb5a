"""The results of a campaign, the input of the analysis: data frames with the columns of ``docs/format.md``."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd

from bench.analysis.joules import BLOCKS
from bench.analysis.methods import MeasuredMethod
from bench.core.description import Description
from bench.core.records import Record

if TYPE_CHECKING:
    from bench.analysis.table import Row
    from bench.analysis.times import Times

T = TypeVar("T")

STRUCTURES = (
    *("method", "device", "round", "structure", "optimizer", "status", "failure", "message", "steps"),
    *("force_calls", "energy", "fmax", "wall_ns", "step_ns", "step_calculator_ns", "step_force_calls"),
    *("calculator_ns", "harness_ns", "first_energy", "first_fmax", "positions", "waited_ns", "stolen_ns", "visit"),
    *("bonds_changed", "volume_change"),
)
REPLAYS = (
    *("method", "device", "round", "structure", "status", "failure", "message"),
    *("force_calls", "calculator_ns", "step_ns", "first_energy", "first_fmax", "wall_ns"),
    *("waited_ns", "stolen_ns", "visit"),
)
ANSWERS = ("method", "device", "structure", "energy", "forces", "changed")


@dataclasses.dataclass(frozen=True)
class Measurements:
    """A campaign and its results. Times are nanoseconds, energies eV, lengths Angstrom."""

    description: Description
    methods: tuple[MeasuredMethod, ...]
    structures: pd.DataFrame = dataclasses.field(default_factory=lambda: pd.DataFrame(columns=list(STRUCTURES)))
    """One row per relaxation."""
    replays: pd.DataFrame = dataclasses.field(default_factory=lambda: pd.DataFrame(columns=list(REPLAYS)))
    """One row per replayed path."""
    answers: pd.DataFrame = dataclasses.field(default_factory=lambda: pd.DataFrame(columns=list(ANSWERS)))
    """One row per untimed force call at a structure of the fingerprint."""
    steps: pd.DataFrame | None = None
    """One row per step; needed only where a relaxation was cut by a time budget."""
    watched: pd.DataFrame | None = None
    """One row per round of a method, with what disturbed it."""
    joules: pd.DataFrame = dataclasses.field(default_factory=lambda: pd.DataFrame(columns=list(BLOCKS)))
    """One row per round and part of a method, with what the energy counters counted."""
    read: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """By protocol, what its ``read.py`` found in the run's files; nothing where it was not measured."""
    records: tuple[Record, ...] = ()
    """All records, for those that have no data frame here."""
    damaged: tuple[int, ...] = ()
    """Lines of the records that could not be read."""
    part_of: tuple[Measurements, int] | None = dataclasses.field(default=None, repr=False, compare=False)
    """The measurements at several systems of which these are those at one, and its number among them."""
    found: dict[str, Any] = dataclasses.field(default_factory=dict, init=False, repr=False, compare=False)
    """What :meth:`once` has computed already; a copy with other records computes it anew."""

    def once(self, name: str, compute: Callable[[], T]) -> T:
        """Return what `compute` returned the first time: several tables show a protocol's figures."""
        if name not in self.found:
            self.found[name] = compute()
        found: T = self.found[name]
        return found


@dataclasses.dataclass(frozen=True)
class Summary:
    """What the records of one protocol give: rows of the table of times, fields of rows, or a separate table."""

    times: Callable[[Measurements], Times] | None = None
    """The times in its rows, by which two runs are compared; None where it has no rows."""
    rows: Callable[[Measurements, Sequence[Row], Times], list[Row]] | None = None
    """Makes its rows from rows that hold only the method and device."""
    own: Callable[[Measurements], Mapping[tuple[str, str], Any]] | None = None
    """What it adds to every row of a method and device, in :attr:`bench.analysis.table.Row.own`."""
    table: Callable[[Measurements], Any] | None = None
    """Its own table, where its records give no rows of the table of times."""

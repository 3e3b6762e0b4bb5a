"""The results of a campaign, the input of the analysis: data frames with the columns of ``docs/format.md``."""

from __future__ import annotations

import dataclasses

import pandas as pd

from bench.analysis.joules import BLOCKS, with_power
from bench.analysis.methods import MeasuredMethod
from bench.analysis.simulated import Simulations
from bench.analysis.truths import Truths
from bench.contract.description import Description
from bench.contract.protocol import RELAX, REPLAY
from bench.contract.records import Record

STRUCTURES = (
    *("method", "device", "round", "structure", "optimizer", "status", "failure", "message", "steps"),
    *("force_calls", "energy", "fmax", "wall_ns", "step_ns", "step_calculator_ns", "step_force_calls"),
    *("calculator_ns", "harness_ns", "first_energy", "first_fmax", "positions", "waited_ns", "stolen_ns", "visit"),
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
    simulations: Simulations | None = None
    truths: Truths | None = None
    """What methods are compared with; None where the accuracy protocol was not measured."""
    records: tuple[Record, ...] = ()
    """All records, for those that have no data frame here."""
    damaged: tuple[int, ...] = ()
    """Lines of the records that could not be read."""

    def with_power(self) -> Measurements:
        """Return a copy in which relaxations and replays have their power; see :mod:`bench.analysis.joules`."""
        return dataclasses.replace(
            self,
            structures=with_power(self.structures, self.joules, RELAX),
            replays=with_power(self.replays, self.joules, REPLAY),
        )

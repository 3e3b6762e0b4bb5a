"""The optimisers of a run as frozen values; :mod:`bench.protocols.optimizers.analyse` makes them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from bench.analysis.disturbed import Disturbance
from bench.analysis.statistics import Estimate
from bench.core.description import Description


@dataclasses.dataclass(frozen=True)
class OptimizerRow:
    """One optimiser with one method on one device."""

    method: str
    label: str
    kind: str
    device: str
    weights: str | None
    optimizer: str
    attempts: int
    """Relaxations that were not cut off by the budget."""
    solved: int
    """Those that ended at the method's best minimum for that structure, with the bonds of the start."""
    cut: int = 0
    """Relaxations that the budget cut off."""
    failures: Mapping[str, int] = dataclasses.field(default_factory=dict)
    """How many failed, by class; ``bonds changed`` and ``step-cap`` are among them."""
    higher: int = 0
    """How many converged to an energy that is higher than that of the best."""
    higher_mev: float | None = None
    """Their median distance from the best, meV for the whole system."""
    ms_per_molecule: Estimate | None = None
    """Of the solved ones, to the campaign's criterion: the force calls and the optimiser's own time."""
    force_calls: float | None = None
    """Of the solved ones, to the campaign's criterion; geometric mean."""
    above_mev: float | None = None
    """How far above the minimum they are when they reach it, median, meV for the whole system."""
    own_share: float | None = None
    """Share of the time that is the optimiser's own, 0 to 1."""
    time_ratio: Estimate | None = None
    """Its time over that of the first optimiser, at structures that both solved; None for the first one itself."""
    calls_ratio: Estimate | None = None
    """The same for force calls."""
    tight_ms_per_molecule: Estimate | None = None
    """To the tight criterion."""
    tight_time_ratio: Estimate | None = None
    """To the tight criterion."""
    tight_fmax: float | None = None
    """The tight criterion, eV/Angstrom."""
    message: str | None = None
    """Why it failed the first time."""

    @property
    def measured(self) -> bool:
        """Whether any relaxation ended."""
        return self.attempts > 0


@dataclasses.dataclass(frozen=True)
class Overall:
    """One optimiser over all methods."""

    optimizer: str
    attempts: int
    solved: int
    time_ratio: Estimate | None
    """Geometric mean over the methods of their ratios to the first optimiser; the interval is over methods."""
    calls_ratio: Estimate | None
    tight_time_ratio: Estimate | None
    best: float | None
    """Share of the problems, each a structure with a method, that it solved and no other solved in less time."""
    within_twice: float | None
    """Share of the problems that it solved in at most twice the least time."""


@dataclasses.dataclass(frozen=True)
class Profile:
    """A performance profile: the share of problems that an optimiser solved within a multiple of the least cost."""

    optimizer: str
    time: tuple[float, ...]
    """The multiples of the least time at which it solved a problem, ascending."""
    calls: tuple[float, ...]
    """The same in force calls."""


@dataclasses.dataclass(frozen=True)
class OptimizersTable:
    """The optimisers of all methods of a run, ready to be rendered."""

    description: Description
    rows: tuple[OptimizerRow, ...]
    overall: tuple[Overall, ...] = ()
    profiles: tuple[Profile, ...] = ()
    problems: int = 0
    """The problems in the profiles: structures with a method at which no optimiser was cut off, and one succeeded."""
    solved: int = 0
    """The problems that any optimiser solved, also those that the budget cut off for another."""
    at_start: int = 0
    """The problems at which the campaign's criterion was met before the first step: nothing was optimised."""
    unmeasured: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Why methods have no row, by label."""
    disturbances: tuple[Disturbance, ...] = ()
    repeats: int = 0
    """Relaxations that were made again because their threads had waited for a core."""
    damaged: tuple[int, ...] = ()
    """Lines of the run's records that could not be read."""

    @property
    def reference(self) -> str:
        """The optimiser with which the others are compared."""
        return self.description.settings.optimizers[0]

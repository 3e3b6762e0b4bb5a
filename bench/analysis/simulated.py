"""What is known of the methods from their simulations, as frozen values; :mod:`bench.analysis.stability` makes them."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from bench.analysis import events
from bench.analysis.distributions import Reference
from bench.analysis.disturbed import Disturbance
from bench.analysis.statistics import Estimate
from bench.analysis.times import Key
from bench.contract.description import Description
from bench.contract.trajectory_file import Content


@dataclasses.dataclass(frozen=True)
class Simulated:
    """One trajectory as recorded."""

    ensemble: str
    seed: int
    round: int
    time_step_fs: float
    duration_ps: float
    temperature_k: float
    status: str
    failure: str | None
    content: Content | None
    """Of its file; None where no step was done."""


@dataclasses.dataclass(frozen=True)
class Simulations:
    """All that a campaign simulated, and what it is compared with."""

    trajectories: Mapping[Key, Sequence[Simulated]]
    symmetries: pd.DataFrame
    """One row a structure whose forces were examined."""
    undistorted: np.ndarray
    """(n, 3) the reference molecule, Angstrom."""
    reference: Reference
    """The frames that bond lengths and distances are compared with."""
    reference_name: str
    """What those are, in words."""
    refused: Mapping[Key, str] = dataclasses.field(default_factory=dict)
    """Why a method has nothing to show of its simulations."""


@dataclasses.dataclass(frozen=True)
class Ensemble:
    """What became of the molecule in one ensemble."""

    name: str
    planned_ps: float
    """Of all seeds together."""
    simulated_ps: float
    """Of all seeds together."""
    outcomes: tuple[events.Outcome, ...]
    """Of each trajectory that says anything."""
    survival: events.Survival | None
    lost: Mapping[str, int]
    """Trajectories that the machine ended, not the method, by class of failure: crash, timeout, out-of-memory."""

    @property
    def kinds(self) -> dict[str, int]:
        """How many trajectories came to which end."""
        return dict(Counter(one.kind for one in self.outcomes))

    @property
    def warned(self) -> int:
        """How many trajectories gave the early warning."""
        return sum(one.warned_ps is not None for one in self.outcomes)

    @property
    def largest(self) -> float | None:
        """Furthest that a bond was from its mean length in the reference, Angstrom."""
        return max((one.largest for one in self.outcomes if one.largest is not None), default=None)


@dataclasses.dataclass(frozen=True)
class Distribution:
    """The distances in a simulation against the reference's, each beside the floor: the noise of so few frames."""

    ensemble: str
    frames: int
    h_error: float
    h_floor: float
    wasserstein: Mapping[str, tuple[float, float]]
    """By class of pairs: distance and floor, Angstrom."""
    planarity: float | None
    """Angstrom."""


@dataclasses.dataclass(frozen=True)
class Stability:
    """What there is to say about one method on one device in MD."""

    method: str
    label: str
    kind: str
    device: str
    weights: str | None = None
    """``pretrained``, or ``none`` where the method has none."""
    refused: str | None = None
    """Why it was not simulated."""
    ensembles: tuple[Ensemble, ...] = ()
    ms_per_step: Estimate | None = None
    ns_per_day: float | None = None
    drift: tuple[float, float] | None = None
    """meV/atom/ps, with its standard error."""
    drift_ratio: float | None = None
    noise: float | None = None
    """meV/atom."""
    noise_exponent: float | None = None
    temperature: float | None = None
    """Of the internal motions, K, at constant energy."""
    expected_temperature: float | None = None
    temperatures: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """Kinetic temperature of each element, K."""
    light_ratio: tuple[float, float | None] | None = None
    """Temperature of the lightest element's atoms over that of the others, with its standard error over seeds."""
    expected_light_ratio: float | None = None
    """The same where there is equipartition."""
    rigid_share: float | None = None
    distribution: Distribution | None = None
    asymmetry: float | None = None
    """Antisymmetric over symmetric part of the forces' Jacobian, median over structures."""
    loop: float | None = None
    """Work around a closed loop over its absolute value, root mean square over structures."""
    rotation: float | None = None
    """Error of the forces on a turned molecule, as a part of their root mean square."""
    net_force: float | None = None
    """eV/Angstrom, the largest."""
    net_torque: float | None = None
    examined: int = 0
    """Structures whose forces were examined."""
    verdict: str | None = None
    reasons: tuple[str, ...] = ()

    @property
    def measured(self) -> bool:
        """Whether anything was simulated."""
        return any(one.simulated_ps > 0 for one in self.ensembles)


@dataclasses.dataclass(frozen=True)
class StabilityTable:
    """The stability of all methods of a run, ready to be rendered."""

    description: Description
    rows: tuple[Stability, ...]
    reference: str
    """What bond lengths and distances are compared with, in words."""
    reference_planarity: float | None
    disturbances: tuple[Disturbance, ...] = ()
    damaged: tuple[int, ...] = ()
    """Lines of the run's records that could not be read."""

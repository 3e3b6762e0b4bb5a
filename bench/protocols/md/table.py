"""The results of the methods' simulations as frozen values; :mod:`bench.protocols.md.analyse` makes them."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence

import pandas as pd

from bench.analysis import events
from bench.analysis.disturbed import Disturbance
from bench.analysis.statistics import Estimate
from bench.analysis.times import Key
from bench.core.description import Description
from bench.core.records import VELOCITIES
from bench.protocols.md.body import Body
from bench.protocols.md.distributions import Reference
from bench.protocols.md.seeds import Mean
from bench.protocols.md.trajectory_file import Content


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
    """The contents of its file; None where no step was made."""
    temperature_of: str = VELOCITIES
    """Of what `temperature_k` is the temperature: see :data:`bench.core.records.TEMPERATURES`."""
    wall_ns: int = 0
    """How long it took, what pesbench did between two steps included."""


@dataclasses.dataclass(frozen=True)
class Simulations:
    """All simulations of a system in a campaign, and their reference."""

    system: str
    """The name of the system, where the run has several; else empty."""
    trajectories: Mapping[Key, Sequence[Simulated]]
    symmetries: pd.DataFrame
    """One row per structure whose forces were examined."""
    body: Body
    """The reference structure."""
    reference: Reference
    """The frames with which distances are compared, and for naphthalene the lengths of its bonds."""
    reference_name: str
    """What those frames are, in words."""
    refused: Mapping[Key, str] = dataclasses.field(default_factory=dict)
    """Why a method has no simulations to show."""


@dataclasses.dataclass(frozen=True)
class Ensemble:
    """The fate of the molecule in one ensemble."""

    name: str
    planned: int
    """Trajectories."""
    planned_ps: float
    """Of all seeds together."""
    simulated_ps: float
    """Of all seeds together."""
    outcomes: tuple[events.Outcome, ...]
    """The fate of each trajectory that counts."""
    survival: events.Survival | None
    lost: Mapping[str, int]
    """Trajectories that the machine ended, not the method, by failure class: crash, timeout, out-of-memory."""
    short: int = 0
    """Trajectories that neither failed nor were lost, and are too short to pass."""

    @property
    def kinds(self) -> dict[str, int]:
        """The number of trajectories by fate."""
        return dict(Counter(one.kind for one in self.outcomes))

    @property
    def warned(self) -> int:
        """How many trajectories gave the early warning."""
        return sum(one.warned_ps is not None for one in self.outcomes)

    @property
    def largest(self) -> float | None:
        """Largest deviation of a bond from its mean length in the reference, Angstrom."""
        return max((one.largest for one in self.outcomes if one.largest is not None), default=None)


@dataclasses.dataclass(frozen=True)
class Distribution:
    """Differences of distances between a simulation and the reference, each with its noise floor."""

    ensemble: str
    frames: int
    h_error: float
    h_floor: float
    wasserstein: Mapping[str, tuple[float, float]]
    """By class of pairs: distance and floor, Angstrom."""
    planarity: float | None
    """Angstrom."""
    trajectories: int = 1
    """How many have frames."""

    @property
    def lower_bound(self) -> bool:
        """Whether the floors are only lower bounds: a single trajectory does not show how trajectories differ."""
        return self.trajectories < 2


@dataclasses.dataclass(frozen=True)
class Stability:
    """The results of one method on one device in md."""

    method: str
    label: str
    kind: str
    device: str
    weights: str | None = None
    """``pretrained``, or ``none`` where the method has none."""
    refused: str | None = None
    """Why it was not simulated."""
    system: str = ""
    """The system, where the run has several; empty for the verdict on all of them."""
    systems: Mapping[str, str | None] = dataclasses.field(default_factory=dict)
    """The verdict by system, in the verdict on all of them."""
    periodic: bool = False
    """Whether it is a crystal, a slab or a wire."""
    ensembles: tuple[Ensemble, ...] = ()
    ms_per_step: Estimate | None = None
    ns_per_day: float | None = None
    budget_s: float | None = None
    """The time for md with which all its trajectories would be done, those of other systems included; None where a
    system has no step that tells."""
    drift: Mean | None = None
    """meV/atom/ps."""
    drift_ratio: float | None = None
    noise: float | None = None
    """meV/atom."""
    noise_exponent: Mean | None = None
    """Power of the time step with which the noise grows, over the seeds."""
    temperature: float | None = None
    """Of the internal motions, K, at constant energy."""
    expected_temperature: float | None = None
    temperatures: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """Kinetic temperature of each element, K."""
    light_ratio: Mean | None = None
    """Temperature of the lightest element over that of the others, over the seeds."""
    expected_light_ratio: float | None = None
    """The same ratio under equipartition."""
    rigid_share: float | None = None
    distribution: Distribution | None = None
    asymmetry: float | None = None
    """Antisymmetric over symmetric part of the forces' Jacobian, median over structures."""
    loop: float | None = None
    """Work around a closed loop over its absolute value, root mean square over structures."""
    rotation: float | None = None
    """Error of the forces on a rotated molecule, as a fraction of their root mean square."""
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
    """One for each method, or for each system and method where the run has several systems."""
    reference: str
    """The reference for distances, and for naphthalene for its bonds, in words."""
    reference_planarity: float | None
    own_minimum: bool = False
    """Whether bonds are compared with each method's own minimum."""
    methods: tuple[Stability, ...] = ()
    """Of several systems, the verdict on each method."""
    disturbances: tuple[Disturbance, ...] = ()
    damaged: tuple[int, ...] = ()
    """Lines of the run's records that could not be read."""

    @property
    def periodic(self) -> bool:
        """Whether all are crystals, slabs or wires."""
        return all(row.periodic for row in self.rows)

    @property
    def mixed(self) -> bool:
        """Whether there are molecules and crystals."""
        return not self.periodic and any(row.periodic for row in self.rows)

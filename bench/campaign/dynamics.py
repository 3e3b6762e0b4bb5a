"""What is simulated: the trajectories of the md protocol, in which round, and for how long."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

from bench.errors import BadInput

ENSEMBLES = ("nve", "nvt")
HALF_STEP_PS = 0.5  # so long is the run at half the time step: fifty vibrations of C-H show the noise of the energy


@dataclasses.dataclass(frozen=True)
class Dynamics:
    """What a user can choose about simulations."""

    ensembles: tuple[str, ...] = ENSEMBLES
    duration_ps: float = 20.0
    """Of a trajectory at constant energy."""
    nvt_duration_ps: float = 30.0
    time_step_fs: float = 0.5
    temperature_k: float = 500.0
    """Over all 3N velocities, as in MD17: 562.5 K over the internal motions of naphthalene."""
    seeds: int = 5

    def __post_init__(self) -> None:
        for name in self.ensembles:
            if name not in ENSEMBLES:
                raise BadInput(f"there is no ensemble {name!r}; use {' or '.join(ENSEMBLES)}.")
        for option, value in (
            ("--duration", self.duration_ps),
            ("--nvt-duration", self.nvt_duration_ps),
            ("--time-step", self.time_step_fs),
            ("--temperature", self.temperature_k),
            ("--limit", self.seeds),
        ):
            if not 0 < value < float("inf"):
                raise BadInput(f"{option} is {value:g}; it has to be a number above zero.")
        if self.time_step_fs > 1000 * min(self.duration_ps, self.nvt_duration_ps):
            raise BadInput("--time-step is longer than the trajectories; it is in femtoseconds, they in picoseconds.")


@dataclasses.dataclass(frozen=True)
class Plan:
    """One trajectory."""

    trajectory: int
    """Its number, from 0."""
    ensemble: str
    seed: int
    time_step_fs: float
    temperature_k: float
    duration_ps: float

    @property
    def steps(self) -> int:
        """How many steps it is to have."""
        return round(1000.0 * self.duration_ps / self.time_step_fs)

    def plain(self) -> dict[str, Any]:
        """Return it as JSON."""
        return dataclasses.asdict(self)


def trajectories(dynamics: Dynamics) -> list[Plan]:
    """Return all trajectories of a campaign, in the order of their numbers.

    Each seed has one in each ensemble. The first seed has another one at constant energy, with half the time step, for
    the part of the energy's noise that the time step makes.
    """
    found: list[Plan] = []

    def add(ensemble: str, seed: int, time_step_fs: float, duration_ps: float) -> None:
        found.append(Plan(len(found), ensemble, seed, time_step_fs, dynamics.temperature_k, duration_ps))

    for seed in range(dynamics.seeds):
        if "nve" in dynamics.ensembles:
            add("nve", seed, dynamics.time_step_fs, dynamics.duration_ps)
            if seed == 0:
                add("nve", seed, dynamics.time_step_fs / 2, min(dynamics.duration_ps, HALF_STEP_PS))
        if "nvt" in dynamics.ensembles:
            add("nvt", seed, dynamics.time_step_fs, dynamics.nvt_duration_ps)
    return found


def in_round(plans: Iterable[Plan], round_number: int, rounds: int) -> list[Plan]:
    """Return the trajectories of a round: seeds go round, so that they are spread over fresh processes."""
    return [plan for plan in plans if plan.seed % rounds == round_number]


def seconds(budget_s: float | None, spent_s: float, now: Sequence[Plan], later: Sequence[Plan]) -> float | None:
    """Return what of a method's budget the trajectories of a round have: their part of the steps that are left."""
    if budget_s is None:
        return None
    steps = sum(plan.steps for plan in now)
    every = steps + sum(plan.steps for plan in later)
    return max(budget_s - spent_s, 0.0) * (steps / every if every else 1.0)

"""The trajectories of the md protocol: which there are, in which round, and for how long."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bench.contract.settings import MdSettings
from bench.contract.task import TrajectoryPlan

HALF_STEP_PS = 0.5  # length of the run at half the time step: fifty C-H vibrations show the noise of the energy


def trajectories(md: MdSettings) -> list[TrajectoryPlan]:
    """Return all trajectories of a campaign, in the order of their numbers.

    Each seed has one in each ensemble. The first seeds, as many as the settings say, have another one at constant
    energy, with half the time step: it shows how much of the energy's noise comes from the time step.
    """
    found: list[TrajectoryPlan] = []

    def add(ensemble: str, seed: int, time_step_fs: float, duration_ps: float) -> None:
        found.append(
            TrajectoryPlan(len(found), ensemble, seed, time_step_fs, md.temperature_k, duration_ps, md.temperature_of)
        )

    for seed in range(md.seeds):
        if "nve" in md.ensembles:
            add("nve", seed, md.time_step_fs, md.duration_ps)
            if seed < md.half_steps:
                add("nve", seed, md.time_step_fs / 2, min(md.duration_ps, HALF_STEP_PS))
        if "nvt" in md.ensembles:
            add("nvt", seed, md.time_step_fs, md.nvt_duration_ps)
    return found


def in_round(plans: Iterable[TrajectoryPlan], round_number: int, rounds: int) -> list[TrajectoryPlan]:
    """Return the trajectories of a round: the rounds share the seeds, so that fresh processes measure them."""
    return [plan for plan in plans if plan.seed % rounds == round_number]


def seconds(
    budget_s: float | None, spent_s: float, now: Sequence[TrajectoryPlan], later: Sequence[TrajectoryPlan]
) -> float | None:
    """Return a round's part of a method's md budget: proportional to its part of the steps that are left."""
    if budget_s is None:
        return None
    steps = sum(plan.steps for plan in now)
    every = steps + sum(plan.steps for plan in later)
    return max(budget_s - spent_s, 0.0) * (steps / every if every else 1.0)

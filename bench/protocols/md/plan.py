"""The md protocol: which trajectories there are, in which round, and for how long."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from bench.core.failure import Failure
from bench.core.plain import to_plain
from bench.core.protocol import Books, Key, Part, Protocol
from bench.core.records import CENSORED, FAILED, INTERNAL, VELOCITIES, Record
from bench.core.task import Allowance, Item, Task
from bench.protocols.md.record import Symmetry, Trajectory

if TYPE_CHECKING:
    from bench.core.settings import MdSettings, Settings

MD, SYMMETRY = "md", "symmetry"
EXAMINED = 5
"""How many structures have their forces examined for symmetry."""
SYMMETRY_SHARE = 0.2
"""The part of a round's time for md that this may take."""
CLEARLY = 1.5
"""A trajectory that was cut off begins again with this many times the time that it had."""
MOST = 1000
"""Trajectories of a system: number k of the one that begins at structure i has the number 1000 i + k."""
HALF_STEP_PS = 0.5  # length of the run at half the time step: fifty C-H vibrations show the noise of the energy


@dataclasses.dataclass(frozen=True)
class TrajectoryPlan:
    """One trajectory of the md protocol."""

    trajectory: int
    """Its number in the campaign, from 0."""
    ensemble: str
    """``nve`` or ``nvt``."""
    seed: int
    time_step_fs: float
    temperature_k: float
    """Of what :attr:`temperature_of` says."""
    duration_ps: float
    temperature_of: str = VELOCITIES
    """One of :data:`bench.core.records.TEMPERATURES`."""
    structure: int = 0
    """The first structure of its system."""

    @property
    def steps(self) -> int:
        """Its planned number of steps."""
        return round(1000.0 * self.duration_ps / self.time_step_fs)

    @property
    def name(self) -> str:
        """Its key among the trajectories of a campaign."""
        of = f"-structure{self.structure}" if self.structure else ""
        return f"{self.ensemble}-{self.time_step_fs:g}fs-seed{self.seed}{of}"


def structure_of(trajectory: int) -> int:
    """Return the structure whose system a trajectory simulates."""
    return trajectory // MOST


def trajectories(md: MdSettings) -> list[TrajectoryPlan]:
    """Return all trajectories of a campaign, in the order of their numbers: system by system.

    Of a system, each seed has one in each ensemble. The first seeds, as many as the settings say, have another one at
    constant energy, with half the time step: it shows how much of the energy's noise comes from the time step.
    """
    return [plan for start in md.starts for plan in _of_system(md, start)]


def _of_system(md: MdSettings, start: int) -> list[TrajectoryPlan]:
    """Return the trajectories of the system whose first structure is `start`."""
    found: list[TrajectoryPlan] = []

    def add(ensemble: str, seed: int, time_step_fs: float, duration_ps: float) -> None:
        number = MOST * start + len(found)
        temperature = (md.temperature_k, duration_ps, md.temperature_of)
        found.append(TrajectoryPlan(number, ensemble, seed, time_step_fs, *temperature, start))

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


def _items(settings: Settings, indices: Sequence[int], round_number: int, cores: int) -> list[Item]:
    """Return the trajectories of a round, and in the first round the structures whose forces are examined.

    Of several systems, these are the first structure of each.
    """
    starts = settings.md.starts
    examined = (indices[:EXAMINED] if len(starts) == 1 else starts) if round_number == 0 else ()
    plans = in_round(trajectories(settings.md), round_number, settings.rounds)
    return [Item(SYMMETRY, index) for index in examined] + [Item(MD, plan.trajectory) for plan in plans]


def _plans(settings: Settings, numbers: Collection[int], cores: int) -> list[TrajectoryPlan]:
    return [plan for plan in trajectories(settings.md) if plan.trajectory in numbers]


def _allowance(books: Books, key: Key, round_number: int, items: Sequence[Item]) -> Allowance:
    """Return the time for a round's trajectories: in proportion to their part of the steps that are left."""
    settings = books.settings
    plans = _taken(books, key[0])
    now = [plan for plan in plans if Item(MD, plan.trajectory) in items]
    later = [
        plan
        for plan in plans
        if (number := plan.seed % settings.rounds) > round_number
        and Item(MD, plan.trajectory) not in books.done.get((*key, number), set())
    ]
    return Allowance(end_s=seconds(settings.budget_s[key[0]], books.spent_on(key, MD), now, later))


def _taken(books: Books, method: str) -> list[TrajectoryPlan]:
    """Return the trajectories of the systems that a method takes: the others need none of its time."""
    return [plan for plan in trajectories(books.settings.md) if books.takes(method, Item(MD, plan.trajectory))]


def _again(books: Books, record: Record) -> bool:
    """Return whether a trajectory that was cut off has clearly more time now; it then starts from the beginning."""
    if not isinstance(record, Trajectory) or record.status != CENSORED:
        return False
    plans = {plan.trajectory: plan for plan in _taken(books, record.method)}
    budget = books.settings.budget_s[record.method]
    part = plans[record.trajectory].steps / sum(plan.steps for plan in plans.values())
    return budget is None or part * budget > CLEARLY * record.wall_ns / 1e9


def _symmetry(task: Task, number: int, failure: Failure) -> Record:
    return Symmetry(**task.key, structure=number, wall_ns=0, failure=failure)


def _trajectory(task: Task, number: int, failure: Failure) -> Record:
    plan = next(one for one in task.plans_of(MD, TrajectoryPlan) if one.trajectory == number)
    return Trajectory(**task.key, **to_plain(plan), status=FAILED, steps=0, wall_ns=0, file=None, failure=failure)


def _simulated(records: Sequence[Trajectory]) -> str:
    picoseconds = sum(record.steps * record.time_step_fs / 1000 for record in records)
    return f"{picoseconds:.3g} ps simulated" if picoseconds else ""


def _heading(settings: Settings) -> str:
    md = settings.md
    lengths = {"nve": md.duration_ps, "nvt": md.nvt_duration_ps}
    each = " and ".join(f"{lengths[name]:g} ps {name.upper()}" for name in md.ensembles)
    return (
        f"md of {each}, {md.time_step_fs:g} fs per step, {temperature(md)}, "
        f"{md.seeds} seed{'s' if md.seeds != 1 else ''}{' for each system' * (len(md.starts) > 1)}"
    )


def temperature(md: MdSettings) -> str:
    """Return a simulation's target temperature, and of what it is the temperature."""
    of = "of the internal motions" if md.temperature_of == INTERNAL else "over all 3N velocities, as in MD17"
    return f"{md.temperature_k:g} K {of}"


PROTOCOL = Protocol(
    MD,
    order=30,
    parts=(
        Part(SYMMETRY, Symmetry, _symmetry, lambda records: "", complete_when_censored=True),
        Part(
            MD,
            Trajectory,
            _trajectory,
            _simulated,
            number="trajectory",
            structure_of=structure_of,
            complete_when_censored=True,
            plans=_plans,
        ),
    ),
    least_atoms=2,
    phase=MD,
    items=_items,
    allowance=_allowance,
    again=_again,
    heading=_heading,
)

"""How long a task takes with a method, and whether that fits: a prediction for the user's own number of molecules."""

from __future__ import annotations

import dataclasses
import math

from bench.analysis.choice import Advised
from bench.analysis.prediction import for_molecules
from bench.analysis.statistics import Estimate

RELAX, MD, SCREEN = TASKS = ("relax", "md", "screen")
MEMORY_SHARE = 0.9
"""Of the free memory, for all processes together."""


@dataclasses.dataclass(frozen=True)
class Wish:
    """What the user wants to do, and what there is to do it with."""

    task: str
    """One of :data:`TASKS`."""
    molecules: int
    within_s: float | None
    """None: however long it takes."""
    threads: int
    """Of a process, as measured."""
    cores: int
    speed: float
    """The work of `cores` processes at once, over that of one alone."""
    free_bytes: int


@dataclasses.dataclass(frozen=True)
class Plan:
    """How a task is done with a method."""

    threads: int
    processes: int
    seconds: Estimate | None
    """Of the whole task; None where it has no end, as md."""
    fits: bool | None
    """Whether it ends in time: None where the interval cannot tell, or where there is no limit."""
    most: float | None
    """What fits into the time: molecules, or picoseconds of md; None where there is no limit."""
    cores_needed: int | None = None
    """The cores with which it would fit, by the estimate; None where it does, where nobody asked, and where a single
    molecule takes longer, however many cores there are."""


def plan(one: Advised, wish: Wish) -> Plan | None:
    """Return the plan of a task with a method; None where the method showed no time for it."""
    if wish.task == MD:
        return _md(one, wish)
    each = one.seconds_per_relaxation
    if each is None or each.high is None or each.low is None:
        return None
    processes, speed = _processes(one, wish)
    start_s = one.start_s or 0.0
    # each process takes its share of the molecules, and the one with the largest share ends last
    share = math.ceil(wish.molecules / processes)
    seconds = for_molecules(each, share * processes, processes, speed, start_s)
    if wish.within_s is None:
        return Plan(wish.threads, processes, seconds, None, None)
    # of one process: a molecule cannot be divided among several
    most = math.floor(max(wish.within_s - start_s, 0.0) / (each.estimate * processes / speed))
    assert seconds.low is not None and seconds.high is not None
    fits = True if seconds.high <= wish.within_s else False if seconds.low > wish.within_s else None
    # further cores are taken to be like these
    needed = math.ceil(wish.molecules / most) * wish.threads if most else None
    return Plan(wish.threads, processes, seconds, fits, float(most * processes), None if fits else needed)


def _processes(one: Advised, wish: Wish) -> tuple[int, float]:
    """Return how many processes work at once, and their speed over that of one."""
    if wish.task != SCREEN:
        return 1, 1.0
    most = max(wish.cores // wish.threads, 1)
    if one.peak_memory_bytes:
        most = min(most, max(int(MEMORY_SHARE * wish.free_bytes / one.peak_memory_bytes), 1))
    processes = max(min(most, wish.molecules), 1)
    # what all cores together do is shared by those that work
    return processes, 1.0 + (processes - 1) * max(wish.speed - 1.0, 0.0) / max(wish.cores - 1, 1)


def _md(one: Advised, wish: Wish) -> Plan | None:
    hours = one.hours_per_ns
    if hours is None:
        return None
    most = None if wish.within_s is None else 1e3 * wish.within_s / 3600 / hours.estimate
    return Plan(wish.threads, 1, None, None, most)

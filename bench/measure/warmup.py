"""When a method is warm: found from the durations of its first calls, not set to a number of them.

TorchScript specialises in its second call, XLA compiles for seconds in its first, some models settle in their fourth:
what they have in common is a call that is slower than those right after it. A machine that slowly gets faster is no
warm-up, for there each call takes about as long as its neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from time import perf_counter_ns
from typing import Any

import numpy as np

from bench.measure.clock import TimedCalculator

LEAST = 5
"""So many calls are made in any case."""
MOST = 20
"""After so many calls a method counts as warm anyway, and the record says that it did not settle."""
STEADY = 3
"""So many calls have to follow the last slow one."""
SLOW = 1.2
"""A call of the first stretch is slow where it takes more than this times the median of the calls after it."""
VERY_SLOW = 2.0
"""A call after an ordinary one is slow only from here on: less than that is noise."""
WINDOW = 10


def warm_up_length(durations: Sequence[float]) -> int:
    """Return how many of the first calls are warm-up.

    Parameters
    ----------
    durations : sequence of float, shape (n,)
        Of the calls in their order, in any unit.

    Returns
    -------
    int
        0 to :data:`MOST`: what is slow after that is no warm-up. Where it is n, nothing has settled yet.
    """
    length = 0
    for i in range(min(len(durations), MOST)):
        after = durations[i + 1 : i + 1 + WINDOW]
        # the last calls have too few behind them to be measured by: the fastest one has to do
        level = median(after) if len(after) >= STEADY else min(durations)
        limit = SLOW if i == length else VERY_SLOW
        if durations[i] > limit * level:
            length = i + 1
    return length


def settled(durations: Sequence[float]) -> bool:
    """Tell whether calls of these durations have settled: enough of them follow the last slow one."""
    return len(durations) >= LEAST and len(durations) - warm_up_length(durations) >= STEADY


def warm_up(adapter: Any, calculator: Any, atoms: Any, seed: int, most_seconds: float = 60.0) -> tuple[int, ...]:
    """Make discarded force calls on slightly displaced copies of `atoms` until they have settled.

    Each call gets fresh coordinates (standard deviation 0.01 Angstrom), so that nothing is served from a
    cache. Returns the duration of each call in nanoseconds, the first one included; it stops after :data:`MOST` calls
    or `most_seconds` even where they have not settled.
    """
    random = np.random.default_rng(seed)
    start_positions = atoms.positions.copy()
    timed = TimedCalculator(calculator, adapter.synchronize)
    durations: list[int] = []
    begin = perf_counter_ns()
    while len(durations) < MOST and not settled(durations):
        atoms.positions = start_positions + random.normal(0.0, 0.01, start_positions.shape)
        before = timed.nanoseconds
        timed.get_forces(atoms)
        timed.check()
        durations.append(timed.nanoseconds - before)
        if perf_counter_ns() - begin > most_seconds * 1e9:
            break
    atoms.positions = start_positions
    return tuple(durations)

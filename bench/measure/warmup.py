"""Decides when a method is warm: from the durations of its first calls, not after a fixed number.

TorchScript specialises in its second call, XLA compiles for seconds in its first, and some models settle in their
fourth. In each case a call is slower than those right after it. A machine that slowly gets faster is not warm-up:
there each call takes about as long as its neighbours.

On a GPU, TorchScript compiles for each of the first few numbers of edges in the graph, and then once for any number;
on an H100, each took 0.2 to 1 s. Small displacements hardly change that number, so the warm-up also expands the
molecule. Otherwise this would happen in steps that are timed.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from time import perf_counter_ns
from typing import Any

import numpy as np

from bench.measure.clock import TimedCalculator, TimedWithStress

LEAST = 5
"""The minimum number of calls."""
MOST = 20
"""After this many calls a method counts as warm anyway, and the record says that it did not settle."""
STEADY = 3
"""This many calls must follow the last slow one."""
SLOW = 1.2
"""A call of the first stretch is slow if it takes more than this times the median of the calls after it."""
VERY_SLOW = 2.0
"""A call after a normal one is slow only above this factor: anything less is noise."""
WINDOW = 10
EXPANSIONS = (1.0, 1.0, 1.03, 1.06, 1.1)
"""Factors of the coordinates in one call after the other, over and over. None is below 1: with more edges than the
molecule has, JAX would pad to a size that it never needs."""


def warm_up_length(durations: Sequence[float]) -> int:
    """Return how many of the first calls are warm-up.

    Parameters
    ----------
    durations : sequence of float, shape (n,)
        Durations of the calls in order, in any unit.

    Returns
    -------
    int
        0 to :data:`MOST`: a slow call after that is not warm-up. If it is n, nothing has settled yet.
    """
    length = 0
    for i in range(min(len(durations), MOST)):
        after = durations[i + 1 : i + 1 + WINDOW]
        # too few calls follow the last ones for a median, so the fastest is used
        level = median(after) if len(after) >= STEADY else min(durations)
        limit = SLOW if i == length else VERY_SLOW
        if durations[i] > limit * level:
            length = i + 1
    return length


def settled(durations: Sequence[float]) -> bool:
    """Return whether calls of these durations have settled: enough of them follow the last slow one."""
    return len(durations) >= LEAST and len(durations) - warm_up_length(durations) >= STEADY


def warm_up(
    adapter: Any, calculator: Any, atoms: Any, seed: int, most_seconds: float = 60.0, stress: bool = False
) -> tuple[int, ...]:
    """Make discarded force calls on slightly displaced and expanded copies of `atoms` until they have settled.

    Each call gets fresh coordinates (standard deviation 0.01 Angstrom), so that no answer comes from a cache, times
    one of :data:`EXPANSIONS`. Returns the duration of each call in nanoseconds, including the first. Even if they have
    not settled, it stops after :data:`MOST` calls, or `most_seconds` after the first one, which may compile for
    minutes. `stress`: the calls that are timed later include the stress.
    """
    random = np.random.default_rng(seed)
    start = atoms.copy()
    timed = (TimedWithStress if stress else TimedCalculator)(calculator, adapter.synchronize)
    durations: list[int] = []
    first_done = 0
    while len(durations) < MOST and not settled(durations):
        _expand(atoms, start, EXPANSIONS[len(durations) % len(EXPANSIONS)])
        atoms.positions += random.normal(0.0, 0.01, atoms.positions.shape)
        before = timed.nanoseconds
        timed.get_forces(atoms)
        timed.check()
        durations.append(timed.nanoseconds - before)
        first_done = first_done or perf_counter_ns()
        if len(durations) > 1 and perf_counter_ns() - first_done > most_seconds * 1e9:
            break
    atoms.cell, atoms.positions = start.cell, start.positions
    return tuple(durations)


def _expand(atoms: Any, start: Any, factor: float) -> None:
    """Set `atoms` to `start` expanded: a molecule about its centre, a crystal with its cell."""
    if start.pbc.any():
        atoms.cell = factor * start.cell
        atoms.positions = factor * start.positions
    else:
        centre = start.positions.mean(axis=0)
        atoms.positions = centre + factor * (start.positions - centre)

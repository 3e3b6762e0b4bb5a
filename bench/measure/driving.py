"""A driver's own share of a step: steps of dynamics, and the force call in each.

The driver is the integrator that the adapter has from upstream, else ASE's velocity Verlet. Both make one force call in
a step and move the atoms by about as much.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from time import perf_counter_ns
from typing import Any

STEPS = 5
"""The first one, in which memory is allocated and code compiled, does not count."""
CALLS = STEPS + 1
"""Force calls of all of it."""
TIME_STEP = 0.5  # fs
TEMPERATURE = 300.0  # K
ASE = "ASE"


class Timed:
    """A model or a calculator whose calls are timed; everything else of it is as it was."""

    def __init__(self, model: Any, synchronize: Callable[[], None]) -> None:
        self._model = model
        self._synchronize = synchronize
        self.nanoseconds = 0

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Call the model."""
        self._synchronize()
        start = perf_counter_ns()
        found = self._model(*arguments, **named)
        self._synchronize()
        self.nanoseconds += perf_counter_ns() - start
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)


def drive(adapter: Any, calculator: Any, atoms: Any, seed: int) -> tuple[str, tuple[int, ...], tuple[int, ...]]:
    """Make steps of dynamics from `atoms`; returns the driver, and nanoseconds of each step and of its force call."""
    from bench.measure.clock import TimedCalculator

    clocks: list[Timed | TimedCalculator] = []

    def timed(model: Any) -> Timed:
        one = Timed(model, adapter.synchronize)
        clocks.append(one)
        return one

    own = adapter.driver(calculator, atoms, timed)
    if own is None:
        clocks[:] = [TimedCalculator(calculator, adapter.synchronize)]
        driver, step = ASE, _verlet(clocks[0], atoms, seed)
    else:
        driver, step = own
    steps, calls = [], []
    gc.collect()
    gc.disable()
    try:
        for _ in range(STEPS):
            before = sum(one.nanoseconds for one in clocks)
            adapter.synchronize()
            start = perf_counter_ns()
            step()
            adapter.synchronize()
            steps.append(perf_counter_ns() - start)
            calls.append(sum(one.nanoseconds for one in clocks) - before)
    finally:
        gc.enable()
    return driver, tuple(steps[1:]), tuple(calls[1:])


def _verlet(calculator: Any, atoms: Any, seed: int) -> Callable[[], None]:
    """Return a function that makes a step of ASE's velocity Verlet."""
    import numpy as np
    from ase import units
    from ase.md.velocitydistribution import MaxwellBoltzmannDistribution
    from ase.md.verlet import VelocityVerlet

    atoms.calc = calculator
    MaxwellBoltzmannDistribution(atoms, temperature_K=TEMPERATURE, rng=np.random.default_rng(seed))
    steps = VelocityVerlet(atoms, timestep=TIME_STEP * units.fs).irun(STEPS + 1)
    next(steps)  # the forces at the start

    def step() -> None:
        next(steps)

    return step

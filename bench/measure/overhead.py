"""The bare relaxation that the harness's own cost is measured against: what a plain ASE script does."""

from __future__ import annotations

import gc
from time import perf_counter_ns
from typing import Any

from bench.measure.relax import OPTIMIZERS


def relax_bare(atoms: Any, calculator: Any, *, optimizer: str, fmax: float, max_steps: int) -> tuple[int, int]:
    """Relax `atoms` without anything of pesbench in between; returns steps and nanoseconds.

    The only favour: no garbage collection in the timed region, as in the harness.
    """
    atoms.calc = calculator
    driver = OPTIMIZERS[optimizer](atoms, logfile=None)
    gc.collect()
    gc.disable()
    start = perf_counter_ns()
    driver.run(fmax=fmax, steps=max_steps)
    nanoseconds = perf_counter_ns() - start
    gc.enable()
    return driver.nsteps, nanoseconds

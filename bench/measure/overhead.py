"""What the harness costs: the same relaxations by a plain ASE script and through the harness, alternating."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from time import perf_counter_ns
from typing import Any

from bench.contract.message import Pair
from bench.measure.relax import OPTIMIZERS
from bench.measure.session import Session


def pairs(session: Session) -> Iterator[Pair]:
    """Relax each structure of a session's task both ways, and yield the times.

    The order alternates, so that a drift favours neither.
    """
    criterion = session.task.criterion
    assert criterion is not None
    for index, structure in session.structures.items():
        for repeat in range(session.task.repeats):
            pair: dict[str, int] = {"structure": index, "repeat": repeat}
            for way in ("bare", "harness") if (index + repeat) % 2 else ("harness", "bare"):
                if way == "bare":
                    atoms, calculator = session.fresh(structure)
                    steps, nanoseconds = relax_bare(
                        atoms, calculator, criterion.optimizer, criterion.fmax, criterion.max_steps
                    )
                else:
                    record = session.relax(index, structure, criterion.max_steps, None)
                    steps, nanoseconds = record.steps, record.wall_ns
                    pair["bookkeeping_ns"] = sum(record.trace["harness_ns"])
                pair |= {f"{way}_ns": nanoseconds, f"{way}_steps": steps}
            yield Pair(**pair)


def relax_bare(atoms: Any, calculator: Any, optimizer: str, fmax: float, max_steps: int) -> tuple[int, int]:
    """Relax `atoms` without pesbench in between; returns steps and nanoseconds.

    The only adjustment: no garbage collection in the timed region, as in the harness.
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

"""What the harness costs inside a worker: the same relaxations bare and through the harness, alternating."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from time import perf_counter_ns
from typing import Any

from bench.core.message import Pair
from bench.core.records import NATIVE
from bench.measure.optimizers import Optimizers
from bench.measure.session import Session
from bench.protocols.relax.record import Relaxation


def pairs(session: Session) -> Iterator[Pair]:
    """Relax each structure of a session's task both ways, and yield the times.

    The order alternates, so that a drift favours neither. A native optimiser is not run bare.
    """
    criterion = session.task.criterion
    assert criterion is not None
    native = session.task.optimizer == NATIVE
    for index, structure in session.structures.items():
        for repeat in range(session.task.repeats):
            pair: dict[str, int] = {"structure": index, "repeat": repeat, "bare_ns": 0, "bare_steps": 0}
            for way in ("bare", "harness") if (index + repeat) % 2 else ("harness", "bare"):
                if way == "bare" and not native:
                    atoms, calculator = session.fresh(structure)
                    steps, nanoseconds = relax_bare(
                        atoms, calculator, criterion.optimizer, criterion.fmax, criterion.max_steps
                    )
                    pair |= {"bare_ns": nanoseconds, "bare_steps": steps}
                elif way == "harness":
                    record = session.relax(index, structure, criterion.max_steps, None)
                    pair |= {"harness_ns": record.wall_ns, "harness_steps": record.steps, "row_ns": _of_steps(record)}
                    pair["bookkeeping_ns"] = sum(record.trace["harness_ns"])
            yield Pair(**pair)


def _of_steps(record: Relaxation) -> int:
    """Return the nanoseconds of a relaxation's steps, as in ms/step; a native optimiser has no calculator's share."""
    calculator = record.trace.get("calculator_ns", ())
    return sum(calculator[1:]) + sum(record.trace["optimizer_ns"][1:])


def relax_bare(atoms: Any, calculator: Any, optimizer: str, fmax: float, max_steps: int) -> tuple[int, int]:
    """Relax `atoms` without pesbench in between; returns steps and nanoseconds.

    The only adjustment: no garbage collection in the timed region, as in the harness.
    """
    atoms.calc = calculator
    driver = Optimizers().make(optimizer, atoms)
    gc.collect()
    gc.disable()
    start = perf_counter_ns()
    driver.run(fmax=fmax, steps=max_steps)
    nanoseconds = perf_counter_ns() - start
    gc.enable()
    return driver.nsteps, nanoseconds

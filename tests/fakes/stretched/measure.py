"""Measures items of the stretched protocol."""

from __future__ import annotations

from time import perf_counter_ns

from bench.protocols.stretched.plan import STRETCHED, Pull
from bench.protocols.stretched.record import Stretched

from bench.core.records import CENSORED, DONE, Record
from bench.core.task import Item
from bench.measure.clock import TimedCalculator
from bench.measure.session import Deadlines, Session


class Measurer:
    """Makes force calls at stretched structures."""

    def __init__(self, session: Session, deadlines: Deadlines) -> None:
        self.session = session
        self.deadlines = deadlines
        self.plans = {plan.structure: plan for plan in session.task.plans_of(STRETCHED, Pull)}

    def measure(self, item: Item) -> Record | None:
        """Measure a structure; the deadline cuts it off."""
        plan, session = self.plans[item.number], self.session
        began = perf_counter_ns()
        atoms, calculator = session.fresh(session.structures[item.number])
        atoms.positions *= plan.factor
        timed = TimedCalculator(calculator, session.adapter.synchronize)
        calls, status, energy = [], DONE, None
        for _ in range(plan.calls):
            if self.deadlines.end is not None and perf_counter_ns() > self.deadlines.end:
                status = CENSORED
                break
            before = timed.nanoseconds
            timed.get_forces(atoms)
            timed.check()
            calls.append(timed.nanoseconds - before)
            energy = timed.energy if energy is None else energy
            atoms.rattle(0.01, seed=len(calls))
        return Stretched(
            **session.task.key,
            structure=item.number,
            status=status,
            factor=plan.factor,
            energy=energy,
            calculator_ns=tuple(calls),
            wall_ns=perf_counter_ns() - began,
        )

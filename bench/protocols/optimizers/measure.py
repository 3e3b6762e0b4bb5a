"""Measures items of the optimizers protocol."""

from __future__ import annotations

import contextlib
from time import perf_counter_ns
from typing import Any

from bench.core.records import Record
from bench.core.task import Item
from bench.measure.session import WARM_UP_STEPS, Deadlines, Session
from bench.protocols.optimizers.plan import OPTIMIZERS, Attempt
from bench.protocols.optimizers.record import Optimization
from bench.protocols.relax.record import Relaxation


class Measurer:
    """Relaxes a structure with an optimiser."""

    def __init__(self, session: Session, deadlines: Deadlines) -> None:
        self.session = session
        self.deadlines = deadlines
        self.plans = {one.attempt: one for one in session.task.plans_of(OPTIMIZERS, Attempt)}
        self.warm: set[tuple[int, str]] = set()

    def measure(self, item: Item) -> Record | None:
        """Relax the structure of an attempt, after a few discarded steps where the optimiser meets a system first."""
        plan = self.plans[item.number]
        session, criterion = self.session, self.session.task.criterion
        assert criterion is not None
        structure = session.structures[plan.structure]
        begun = perf_counter_ns()
        self._warm_up(plan, structure)
        found = session.relax(
            plan.structure, structure, criterion.max_steps, self.deadlines.end, plan.optimizer, plan.tight_fmax
        )
        return _of(found, plan, criterion.fmax, perf_counter_ns() - begun)

    def _warm_up(self, plan: Attempt, structure: object) -> None:
        """Let an optimiser import and compile what it needs: some compile for each number of coordinates."""
        key = (self.session.system_of(plan.structure), plan.optimizer)
        if key in self.warm or not self.session.task.subject.warm_up:
            return
        self.warm.add(key)
        with contextlib.suppress(Exception):  # the measurement reports the same error
            self.session.relax(-1, structure, WARM_UP_STEPS, self.deadlines.end, plan.optimizer)


def _of(found: Relaxation, plan: Attempt, fmax: float, wall_ns: int) -> Optimization:
    """Return the record of an attempt: its times are sums, entry 0 of the trace included."""
    return Optimization(
        method=found.method,
        device=found.device,
        round=found.round,
        attempt=plan.attempt,
        structure=plan.structure,
        optimizer=plan.optimizer,
        status=found.status,
        tight_fmax=plan.tight_fmax,
        steps=found.steps,
        force_calls=found.force_calls,
        energy=found.energy,
        fmax=found.fmax,
        positions=found.positions,
        calculator_ns=sum(found.trace.get("calculator_ns", ())),
        optimizer_ns=sum(found.trace["optimizer_ns"]),
        **_at_fmax(found, fmax),
        wall_ns=wall_ns,
        bonds_changed=found.bonds_changed,
        failure=found.failure,
    )


def _at_fmax(found: Relaxation, fmax: float) -> dict[str, Any]:
    """Return what a relaxation had taken when its largest force was first below `fmax`, eV/Angstrom."""
    trace = found.trace
    for step, force in enumerate(trace.get("fmax", ())):
        if force is not None and force < fmax:
            return {
                "calls_at_fmax": sum(trace["force_calls"][: step + 1]),
                "calculator_ns_at_fmax": sum(trace["calculator_ns"][: step + 1]),
                "optimizer_ns_at_fmax": sum(trace["optimizer_ns"][: step + 1]),
                "energy_at_fmax": trace["energy"][step],
            }
    return {}

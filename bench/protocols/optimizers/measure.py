"""Measures items of the optimizers protocol."""

from __future__ import annotations

import contextlib
import dataclasses
import signal
from time import perf_counter_ns
from typing import Any

from bench.core.records import FAILED, Record
from bench.core.task import Item
from bench.measure.optimizers import NoOptimizer
from bench.measure.queue import IN_VAIN, REVISITS_SHARE
from bench.measure.relax import relax
from bench.measure.session import WARM_UP_STEPS, Deadlines, Session
from bench.measure.waiting import Waiting
from bench.protocols.optimizers.plan import OPTIMIZERS, Attempt
from bench.protocols.optimizers.record import Optimization
from bench.protocols.relax.record import Relaxation

LEAST_PATIENCE_S = 120.0
PATIENCE_STEPS = 100
"""An optimiser that makes no step for so long, or for as long as this many of its longest steps, has got stuck: some
line searches never end where energies are rounded."""


class Stuck(NoOptimizer):
    """An optimiser makes no step any more."""


class Patience:
    """Ends an optimiser that makes no step any more, by an alarm: it may never come back by itself."""

    def __init__(self) -> None:
        self.seconds = LEAST_PATIENCE_S
        self._last = perf_counter_ns()

    def __enter__(self) -> Patience:
        self._before = signal.signal(signal.SIGALRM, self._ring)
        self._last = perf_counter_ns()
        signal.setitimer(signal.ITIMER_REAL, self.seconds)
        return self

    def __exit__(self, *error: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, self._before)

    def step(self) -> None:
        """Wait anew after a step."""
        now = perf_counter_ns()
        self.seconds = max(self.seconds, PATIENCE_STEPS * (now - self._last) / 1e9)
        self._last = now
        signal.setitimer(signal.ITIMER_REAL, self.seconds)

    def _ring(self, number: int, frame: object) -> None:
        raise Stuck(f"the optimiser made no step for {self.seconds:.0f} s")


Waited = tuple[Relaxation, int | None, int | None, float]
"""A relaxation, how long its threads waited and how long the host withheld their cores, and the share of both."""


class Repeats:
    """Decides what is relaxed again, as :mod:`bench.measure.queue` does for structures."""

    def __init__(self, allowed: bool) -> None:
        self.allowed = allowed
        self.made = self.in_vain = self.attempts = 0

    def wanted(self, disturbed: bool) -> bool:
        """Return whether an attempt is made again, which was `disturbed` or not."""
        self.attempts += 1
        return disturbed and self.allowed and self.in_vain < IN_VAIN and self.made < 1 + REVISITS_SHARE * self.attempts

    def take_note(self, disturbed: bool) -> None:
        """Take note of how a repeat went."""
        self.made += 1
        self.in_vain = self.in_vain + 1 if disturbed else 0


class Measurer:
    """Relaxes a structure with an optimiser; at once again where its threads waited long for a core.

    Which of the two counts is decided by the waiting alone, never by how fast they were.
    """

    def __init__(self, session: Session, deadlines: Deadlines) -> None:
        self.session = session
        self.deadlines = deadlines
        self.plans = {one.attempt: one for one in session.task.plans_of(OPTIMIZERS, Attempt)}
        self.warm: set[tuple[int, str]] = set()
        self.waiting = Waiting()
        self.repeats = Repeats(session.task.revisits)

    def measure(self, item: Item) -> Record | None:
        """Relax the structure of an attempt, after a few discarded steps where the optimiser meets a system first."""
        plan = self.plans[item.number]
        criterion = self.session.task.criterion
        assert criterion is not None
        begun = perf_counter_ns()
        key = (self.session.system_of(plan.structure), plan.optimizer)
        if key not in self.warm and self.session.task.subject.warm_up:
            # some import and compile at their first steps, for each number of coordinates
            self.warm.add(key)
            self._relaxed(plan, WARM_UP_STEPS)
        tries = [self._watched(plan, criterion.max_steps)]
        again = self.repeats.wanted(self.waiting.was_long())
        if again and tries[0][0].status != FAILED:
            second = self._watched(plan, criterion.max_steps)
            self.repeats.take_note(self.waiting.was_long())
            if second[0].status == tries[0][0].status:  # not one that the budget has cut off meanwhile
                tries.append(second)
        kept, waited_ns, stolen_ns, _ = min(tries, key=lambda one: one[3])
        found = _of(kept, plan, criterion.fmax, perf_counter_ns() - begun)
        return dataclasses.replace(found, waited_ns=waited_ns, stolen_ns=stolen_ns, visits=len(tries))

    def _watched(self, plan: Attempt, max_steps: int) -> Waited:
        """Relax a structure, and return how long it waited meanwhile."""
        waiting = self.waiting
        waiting.begin()
        found = self._relaxed(plan, max_steps)
        waiting.stop()
        lost = (waiting.waited_ns or 0) + (waiting.stolen_ns or 0)
        return found, waiting.waited_ns, waiting.stolen_ns, lost / max(waiting.measured_ns, 1)

    def _relaxed(self, plan: Attempt, max_steps: int) -> Relaxation:
        session = self.session
        structure = session.structures[plan.structure]
        session.optimizers.check(plan.optimizer, structure)
        atoms, calculator = session.fresh(structure)
        alive = session.beat(plan.attempt)
        # a method that is not warmed up takes minutes for a call: there only the silence of the worker counts
        with Patience() if session.task.subject.warm_up else contextlib.nullcontext() as patience:

            def beat(steps: int) -> None:
                alive(steps)
                if patience is not None:
                    patience.step()

            return relax(
                session.adapter,
                calculator,
                atoms,
                key={**session.task.key, "structure": plan.structure},
                optimizer=plan.optimizer,
                fmax=plan.tight_fmax,
                max_steps=max_steps,
                deadline_ns=self.deadlines.end,
                beat=beat,
                make=session.optimizers.make,
                periodic=bool(structure.pbc.any()),
                relax_cell=session.relaxes_cell(structure),
            )


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
        cell=found.cell,
        volume_change=found.volume_change,
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

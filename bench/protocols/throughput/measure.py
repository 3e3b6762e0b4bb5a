"""The throughput protocol: how fast many molecules are computed and relaxed, singly, in batches, and in processes.

A point is a way with its size. It has two blocks of work: force calls, then relaxations; random weights have only the
first. Singly, a molecule is called some times in a row, in small steps, as everywhere (:mod:`bench.measure.calls`). The
force calls of a batch take turns with single ones, so that the gain is a ratio of the
same seconds.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
from collections.abc import Callable, Sequence
from time import perf_counter_ns
from typing import Any

import numpy as np

from bench.core.failure import Failure
from bench.core.plain import to_plain
from bench.core.records import CENSORED, CONVERGED, DONE, FAILED
from bench.core.task import Allowance, Item
from bench.measure import process
from bench.measure.batches import OPTIMIZER, WrongBatch, check, compute, probe_of, relax_together
from bench.measure.calls import VISIT, Steps
from bench.measure.clock import TimedCalculator, no_collector
from bench.measure.derivatives import TimeIsUp
from bench.measure.relax import classify
from bench.measure.session import Deadlines, Session
from bench.protocols.throughput.plan import THROUGHPUT, PointPlan, structure_of
from bench.protocols.throughput.record import BATCH, PROCESSES, Throughput

UNLIMITED_S = 20.0
"""The time of a point where the campaign has no time limit."""
TURN_NS = 50_000_000
"""A turn is one call, or as many as take this long: shorter turns would meet cold caches each time."""
LEAST_BATCHES = 7
"""Calls of a batch that a point needs: two checks, two for warm-up, one on the clock, two for relaxations."""
WARM_UP, STEADY = (2, 5), 1.2
"""A batch has at least two discarded calls, and up to five while each is faster than the one before by this factor."""
CHECKS_SHARE = 0.25
"""Of a point's time, for the single calls with which batches are compared."""
LONGEST_SHARE = 1 / 3
"""Of the phase, for the relaxation that is under way when the time of the first point is over."""
MEMORY_SHARE = 0.8
"""Of the free memory, for the next batch."""


class _Ended(Exception):
    """The series cannot go on; an expected outcome."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure


class Measurer:
    """Measures the points of one worker, system by system; systems share its time equally."""

    def __init__(self, session: Session, deadlines: Deadlines) -> None:
        self.session = session
        self.deadlines = deadlines
        self.plans = session.task.plans_of(THROUGHPUT, PointPlan)
        self.left = len({plan.structure for plan in self.plans})
        """Systems that are still to come."""
        self.system: int | None = None
        self.points: Points

    def measure(self, item: Item) -> Throughput | None:
        """Return the record of a point; None where its series ended before it, or a paced worker was told to end."""
        start = structure_of(item.number)
        if start != self.system:
            self.system = start
            plans = [plan for plan in self.plans if plan.structure == start]
            self.points = Points(self.session, self._share(), plans)
        return self.points.measure(item)

    def _share(self) -> Deadlines:
        """Return the next system's part of the time that is left."""
        left, self.left = self.left, self.left - 1
        if left == 1 or self.deadlines.end is None:
            return self.deadlines
        seconds = max(self.deadlines.end - perf_counter_ns(), 0) * 1e-9
        return Deadlines(Allowance(end_s=seconds / left))


class Points:
    """Measures the points of one system, which share its time equally."""

    def __init__(self, session: Session, deadlines: Deadlines, plans: Sequence[PointPlan]) -> None:
        self.session = session
        self.deadlines = deadlines
        self.plans = {plan.point: plan for plan in plans}
        self.relaxes = session.task.told.weights != "random"
        self.random = np.random.default_rng([session.task.subject.seed, session.task.round])
        numbers = session.of_this_system()
        self.probe = probe_of(session, numbers)
        # rounds begin at different structures, so that together they relax more of them
        first = session.task.round * len(numbers) // 3 % len(numbers)
        self.order = numbers[first:] + numbers[:first]
        self.geometries = itertools.cycle(self.order)
        self.visited: tuple[Steps, TimedCalculator] | None = None
        """The structure at which single calls are made."""
        self.left = 0
        """How many more of them are made there."""
        self.over = False
        """Whether the series of batches has ended."""
        self.batch_s: float | None = None
        """Seconds per molecule in the last batch."""
        self.setup_s = 0.0
        """Seconds that the last batch took before it was timed: some compile each new size."""
        self.memory_before = 0

    def measure(self, item: Item) -> Throughput | None:
        """Return the record of a point; None where its series ended before it, or a paced worker was told to end."""
        plan = self.plans[item.number]
        if plan.way == BATCH and self.over:
            return None
        begin = perf_counter_ns()
        found: dict[str, Any] = {}
        status, failure = DONE, None
        try:
            if plan.way == PROCESSES:
                if not self._one_of_several(plan, found):
                    return None
            elif plan.way == BATCH:
                self._batch(plan, found)
            else:
                self._one_after_another(plan, found)
        except TimeIsUp:
            status = CENSORED
        except _Ended as ended:
            status, failure = FAILED, ended.failure
        except WrongBatch as wrong:
            status, failure = FAILED, Failure("batch", str(wrong))
            found |= {"energy_difference": wrong.energy, "force_difference": wrong.force}
        except Exception as error:
            status, failure = FAILED, classify(error)
        if plan.way == BATCH and status != DONE:
            self.over = True
        memory = {
            "peak_memory_bytes": process.peak_memory(),
            "peak_device_memory_bytes": self.session.adapter.peak_device_memory(),
        }
        fields = memory | found | ({"failure": failure} if failure else {})
        return Throughput(
            **self.session.task.key, **to_plain(plan), **fields, status=status, wall_ns=perf_counter_ns() - begin
        )

    def _one_after_another(self, plan: PointPlan, found: dict[str, Any]) -> None:
        begin = perf_counter_ns()
        # without batches, the other points of this worker need no time
        unit = self._unit_ns() if self._batches else int(LONGEST_SHARE * self._seconds() * 1e9)
        self._force_calls(begin + (unit // 2 if self.relaxes else unit), plan.point, found)
        if self.relaxes:
            longest = None
            if self.deadlines.seconds is not None:
                longest = begin + max(2 * unit, int(LONGEST_SHARE * self.deadlines.seconds * 1e9))
            self._relaxations(begin + unit, longest, found)

    def _one_of_several(self, plan: PointPlan, found: dict[str, Any]) -> bool:
        """Measure when the other processes do; returns False where it is told to end."""
        pace = self.session.pace
        assert pace is not None
        if not pace.may_go_on():
            return False
        unit = int(self._seconds() * 1e9)
        self._force_calls(perf_counter_ns() + (unit // 2 if self.relaxes else unit), plan.point, found)
        if self.relaxes:
            if not pace.may_go_on():
                return False
            # cut off at the same time in all of them: the last one would otherwise have the cores for itself
            until = perf_counter_ns() + unit // 2
            self._relaxations(until, until, found)
        return True

    def _batch(self, plan: PointPlan, found: dict[str, Any]) -> None:
        if not self._batches:
            raise _Ended(Failure("no-batch", "its adapter computes no batches"))
        begin, size = perf_counter_ns(), plan.size
        single_s = self._single() * 1e-9 if self.batch_s is None else self.batch_s
        seconds = max(LEAST_BATCHES * size * single_s, self.setup_s)
        if self.deadlines.end is not None and begin + int(seconds * 1e9) > self.deadlines.end:
            raise TimeIsUp
        self._refuse_memory(size)
        until = begin + self._unit_ns()
        known = int(CHECKS_SHARE * self._unit_ns() * 1e-9 / single_s)
        known = min(max(known, 2), len(self.probe.structures))
        first = check(self.probe, size, known)
        self._warm_up(size)
        now = perf_counter_ns()
        self.setup_s = (now - begin) * 1e-9
        self._in_turn(size, now + max(until - now, 0) // (2 if self.relaxes else 1), plan.point, found)
        self.batch_s = sum(found["force_ns"]) * 1e-9 / sum(found["force_calls"])
        if self.relaxes and self.session.task.optimizer == OPTIMIZER:
            self._relax_batch(size, until, plan.point, found)
        # again, with others in each place, because the first check cannot see what is kept from the batch before it
        second = check(self.probe, size, known, shift=1)
        for name, values in zip(
            ("energy_difference", "force_difference"), zip(first, second, strict=True), strict=True
        ):
            found[name] = max(values)

    def _force_calls(self, until_ns: int, point: int, found: dict[str, Any]) -> None:
        beat, calls, nanoseconds = self.session.beat(point), 0, 0
        self.visited = None  # what used the calculator meanwhile has put an end to that visit
        with no_collector():
            while not calls or perf_counter_ns() < until_ns:
                nanoseconds += self._single()
                calls += 1
                beat(calls)
        found |= {"force_calls": (calls,), "force_ns": (nanoseconds,)}

    def _in_turn(self, size: int, until_ns: int, point: int, found: dict[str, Any]) -> None:
        """Let a batch and single calls take turns; the latter have at least a quarter of the former's time."""
        beat = self.session.beat(point)
        batches = batch_ns = singles = single_ns = 0
        self.visited = None
        with no_collector():
            while not batches or perf_counter_ns() < until_ns:
                calls, turn = _turn(lambda: self._one_batch(size), TURN_NS)
                batches, batch_ns = batches + calls, batch_ns + turn
                calls, turn = _turn(self._single, max(TURN_NS, turn // 4))
                singles, single_ns = singles + calls, single_ns + turn
                beat(batches)
        found |= {"force_calls": (batches * size,), "force_ns": (batch_ns,)}
        found |= {"single_calls": singles, "single_ns": single_ns}

    def _relax_batch(self, size: int, until_ns: int, point: int, found: dict[str, Any]) -> None:
        """Relax in batches; a relaxation that fails does not take the figures of force calls away."""
        queue = (self.session.structures[number] for number in itertools.cycle(self.order))
        try:
            with no_collector():
                found |= relax_together(self.session, size, queue, until_ns, self.session.beat(point))
        except Exception as error:
            failure = classify(error)
            if failure.kind == "out-of-memory":
                raise
            found["failure"] = failure

    def _relaxations(self, until_ns: int, cut_ns: int | None, found: dict[str, Any]) -> None:
        """Relax one structure after another; none begins after `until_ns`, and the last is cut off at `cut_ns`."""
        session = self.session
        assert session.task.criterion is not None
        ended: dict[str, list[int | None]] = {"structure": [], "force_calls": [], "converged": []}
        calls: int | None = 0
        nanoseconds = 0
        for number in self.order:
            record = session.relax(number, session.structures[number], session.task.criterion.max_steps, cut_ns)
            if record.status == FAILED:
                found["failure"] = record.failure
                return
            nanoseconds += sum(sum(record.trace.get(name, ())) for name in ("calculator_ns", "optimizer_ns"))
            calls = None if calls is None or record.force_calls is None else calls + record.force_calls
            if record.status != CENSORED:
                values = (number, record.force_calls, int(record.status == CONVERGED))
                for column, value in zip(ended.values(), values, strict=True):
                    column.append(value)
            if perf_counter_ns() >= until_ns:
                break
        found |= {
            "relax_calls": (calls,),
            "relax_ns": (nanoseconds,),
            "relaxed": (ended["converged"].count(1),),
            "ended": {name: tuple(column) for name, column in ended.items()},
        }

    def _single(self) -> int:
        """Make a force call a small step from the last one; returns its nanoseconds."""
        if self.visited is None or self.left == 0:
            self.visited = self._visit()
            self.left = VISIT - 1
        self.left -= 1
        return _call(*self.visited)

    def _visit(self) -> tuple[Steps, TimedCalculator]:
        """Go to the next structure and make the first call there, which does not count."""
        atoms, calculator = self.session.fresh(self.session.structures[next(self.geometries)])
        visited = Steps(atoms, self.random), TimedCalculator(calculator, self.session.adapter.synchronize)
        _call(*visited)
        return visited

    def _one_batch(self, size: int) -> int:
        """Compute a batch of fresh geometries; returns its nanoseconds."""
        session = self.session
        given = [session.adapter.prepare(session.structures[next(self.geometries)].copy()) for _ in range(size)]
        for atoms in given:
            Steps(atoms, self.random).make()
        session.adapter.synchronize()
        start = perf_counter_ns()
        compute(session.adapter, session.calculator, given)
        session.adapter.synchronize()
        return perf_counter_ns() - start

    def _warm_up(self, size: int) -> None:
        """Make discarded calls: a new size may be compiled, and settles as a method does after its start."""
        durations: list[int] = []
        least, most = WARM_UP
        while len(durations) < least or (len(durations) < most and durations[-1] < durations[-2] / STEADY):
            durations.append(self._one_batch(size))

    @functools.cached_property
    def _batches(self) -> bool:
        """Whether the adapter computes batches; one that fails is tried again on the clock, and says why."""
        atoms, calculator = self.session.fresh(self.session.structures[self.order[0]])
        with contextlib.suppress(Exception):
            return self.session.adapter.batched(calculator, [atoms]) is not None
        return True

    def _refuse_memory(self, size: int) -> None:
        """End the series where the next batch would need more memory than is free: twice what the last one added."""
        peak, free = process.peak_memory(), process.free_memory()
        if size == 1:
            self.memory_before = peak
        added = peak - self.memory_before
        if self.memory_before and free is not None and added > MEMORY_SHARE * free:
            raise _Ended(
                Failure(
                    "out-of-memory",
                    f"a batch of {size} would need about {added / 1e9:.1f} GB more; {free / 1e9:.1f} GB are free",
                )
            )

    def _seconds(self) -> float:
        """Return the time of the phase, or what it is without a limit."""
        return UNLIMITED_S * len(self.plans) if self.deadlines.seconds is None else self.deadlines.seconds

    def _unit_ns(self) -> int:
        """Return the time of one point."""
        points = sum(plan.way != PROCESSES for plan in self.plans.values())
        return int(self._seconds() / max(points, 1) * 1e9)


def _call(steps: Steps, timed: TimedCalculator) -> int:
    """Make a step and a force call; returns the nanoseconds of the call."""
    before = timed.nanoseconds
    steps.make()
    timed.get_forces(steps.atoms)
    timed.check()
    return timed.nanoseconds - before


def _turn(call: Callable[[], int], nanoseconds: int) -> tuple[int, int]:
    """Make calls until they have taken `nanoseconds`, at least one; returns their number and time."""
    calls = total = 0
    while not calls or total < nanoseconds:
        total += call()
        calls += 1
    return calls, total

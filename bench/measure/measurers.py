"""How each protocol measures an item: one entry per protocol, made anew for each phase of a worker."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter_ns
from typing import Protocol

import numpy as np

from bench.contract.protocol import ACCURACY, MD, RELAX, REPLAY, SCALING, SYMMETRY, THROUGHPUT, VIBRATIONS
from bench.contract.records import DONE, Record
from bench.contract.sizes import Size
from bench.contract.task import Item
from bench.measure.accuracy import SHARE as SINGLE_POINTS_SHARE
from bench.measure.accuracy import TIMED, single_point, vibrations
from bench.measure.md import Relaxed, left_for, simulate
from bench.measure.replay import STEPPED, replay, warm_up
from bench.measure.scaling import Forecast, measure_size
from bench.measure.session import Deadlines, Session, after
from bench.measure.symmetry import SHARE, examine
from bench.measure.throughput import ThroughputMeasurer


class Measurer(Protocol):
    """Measures the items of one protocol."""

    def __init__(self, session: Session, deadlines: Deadlines) -> None:
        """Prepare for the items of a phase that begins now."""

    def measure(self, item: Item) -> Record | None:
        """Return the record of an item; None where a paced worker was told to end. An exception counts as a failure."""


class RelaxMeasurer:
    """Relaxes each structure."""

    def __init__(self, session: Session, deadlines: Deadlines) -> None:
        self.session = session
        self.deadlines = deadlines

    def measure(self, item: Item) -> Record | None:
        """Relax a structure."""
        assert self.session.task.criterion is not None
        structure = self.session.structures[item.number]
        return self.session.relax(item.number, structure, self.session.task.criterion.max_steps, self.deadlines.end)


class ReplayMeasurer:
    """Makes steps along the path from each structure to the reference molecule; in turns of calls, calls alone."""

    def __init__(self, session: Session, deadlines: Deadlines) -> None:
        self.session = session
        self.deadlines = deadlines
        self.paths = {one.index: np.array(one.path) for one in session.task.structures if one.path is not None}
        self.optimizer = STEPPED.get(session.task.optimizer)
        if self.optimizer is not None:
            warm_up(self.optimizer, session.adapter.reference)

    def measure(self, item: Item) -> Record | None:
        """Replay the path of a structure."""
        session = self.session
        atoms, calculator = session.fresh(session.structures[item.number])
        record = replay(
            session.adapter,
            calculator,
            atoms,
            self.paths[item.number],
            key={**session.task.key, "structure": item.number},
            optimizer=None if session.pace and session.pace.by_calls else self.optimizer,
            deadline_ns=self.deadlines.end,
            beat=session.beat(item.number),
            may_go_on=session.pace.may_go_on if session.pace else lambda: True,
        )
        return record if record.calculator_ns or record.failure else None


class MdMeasurer:
    """Examines the forces of structures for their symmetries, and simulates trajectories.

    Both share the time of the phase: the symmetries get a fifth of it, and each trajectory gets a part of the rest in
    proportion to its number of steps.
    """

    def __init__(self, session: Session, deadlines: Deadlines) -> None:
        self.session = session
        self.deadlines = deadlines
        self.soon = after(None if deadlines.seconds is None else SHARE * deadlines.seconds)
        self.start = Relaxed(session.adapter, session.calculator, deadlines.end, session.beat(-1))
        self.plans = {plan.trajectory: plan for plan in session.task.trajectories}
        self.left = [self.plans[item.number] for item in session.task.of_parts(MD)]

    def measure(self, item: Item) -> Record | None:
        """Examine a structure, or simulate a trajectory."""
        session = self.session
        if item.part == SYMMETRY:
            return examine(
                session.adapter,
                session.calculator,
                session.structures[item.number],
                key={**session.task.key, "structure": item.number},
                deadline_ns=self.soon,
                beat=session.beat(item.number),
            )
        assert session.task.folder is not None
        deadline = left_for(self.left, self.deadlines.end)
        return simulate(
            session.adapter,
            session.calculator,
            self.start,
            self.left.pop(0),
            Path(session.task.folder),
            key=session.task.key,
            deadline_ns=deadline,
            beat=session.beat(item.number),
        )


class AccuracyMeasurer:
    """Asks for energy and forces at structures, then for the minimum and its Hessian.

    The structures get half of the time of the phase, so that a slow method has something of both.
    """

    def __init__(self, session: Session, deadlines: Deadlines) -> None:
        self.session = session
        self.deadlines = deadlines
        self.soon = after(None if deadlines.seconds is None else SINGLE_POINTS_SHARE * deadlines.seconds)
        self.points = 0

    def measure(self, item: Item) -> Record | None:
        """Measure a single point, None where its time is up (the first is always measured), or the vibrations."""
        session = self.session
        if item.part == VIBRATIONS:
            atoms, calculator = session.fresh(session.adapter.reference)
            return vibrations(
                session.adapter,
                calculator,
                atoms,
                key={**session.task.key, "molecule": item.number},
                deadline_ns=self.deadlines.end,
                beat=session.beat(-1),
            )
        if self.points and self.soon is not None and perf_counter_ns() > self.soon:
            return None
        self.points += 1
        atoms, calculator = session.fresh(session.structures[item.number])
        session.beat(item.number)(0)
        return single_point(
            session.adapter,
            calculator,
            atoms,
            key={**session.task.key, "structure": item.number},
            seed=session.task.subject.seed + item.number if self.points <= TIMED else None,
        )


class ScalingMeasurer:
    """Makes force calls at one size after the other, until the time or the memory would not suffice for the next."""

    def __init__(self, session: Session, deadlines: Deadlines) -> None:
        self.session = session
        self.deadlines = deadlines
        self.forecast = Forecast()
        self.ended = False

    def measure(self, item: Item) -> Record | None:
        """Measure a size, or tell why not; None for those after the end of the series."""
        if self.ended:
            return None
        session = self.session
        if not self.forecast.points:  # a resumed series: its two last sizes tell how the time grows
            for number in range(max(0, item.number - 2), item.number):
                self.forecast.add(self._size(number))
        record = self._size(item.number)
        self.forecast.add(record)
        self.ended = record.status != DONE
        session.beat(item.number)(len(record.calculator_ns))
        return record

    def _size(self, number: int) -> Size:
        session = self.session
        return measure_size(
            session.adapter,
            session.calculator,
            session.sizes[number],
            self.forecast,
            key={**session.task.key, "size": number},
            seed=session.task.subject.seed + 1000 * session.task.round + number,
            deadline_ns=self.deadlines.end,
            beat=session.beat(number),
        )


MEASURERS: dict[str, type[Measurer]] = {
    RELAX: RelaxMeasurer,
    REPLAY: ReplayMeasurer,
    MD: MdMeasurer,
    ACCURACY: AccuracyMeasurer,
    SCALING: ScalingMeasurer,
    THROUGHPUT: ThroughputMeasurer,
}

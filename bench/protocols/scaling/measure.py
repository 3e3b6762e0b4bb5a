"""The scaling protocol: force calls at one size of a series of systems, and whether the next size would fit."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from time import perf_counter_ns
from typing import Any

import numpy as np

from bench.core.records import CENSORED, DONE, FAILED, Record
from bench.core.task import Item
from bench.measure import process
from bench.measure.calls import Steps
from bench.measure.clock import TimedCalculator, no_collector
from bench.measure.relax import classify
from bench.measure.session import Deadlines, Session
from bench.protocols.scaling.record import MEMORY, TIME, Size

FEWEST, MOST = 3, 15  # force calls that count
ENOUGH_NS = 2_000_000_000  # after so long, the fewest suffice
STEEPEST = 3.5  # power of the number of atoms that is assumed before two sizes are known; canonical DFT has 3
MEMORY_SHARE = 0.9  # of what is free: an estimate of the growth is not exact


class Forecast:
    """What the sizes so far say about the next one: it grows like a power of the number of atoms, as it just did."""

    def __init__(self) -> None:
        self.points: list[Size] = []

    def add(self, point: Size) -> None:
        """Take up the next larger size."""
        if point.status == DONE:
            self.points.append(point)

    def nanoseconds(self, atoms: int) -> int | None:
        """Return how long a system of so many atoms will take, set-up and fewest calls; None before the first size."""
        if not self.points:
            return None
        return round(self._extrapolate([_least_ns(point) for point in self.points], atoms))

    def memory(self, atoms: int) -> int:
        """Return how much more memory it will need than the process ever had, in bytes."""
        peaks = [point.peak_memory_bytes or 0 for point in self.points]
        if len(peaks) < 3:
            return 0
        # the first size holds the model; what comes on top grows with the system
        beyond = [peak - peaks[0] for peak in peaks[1:]]
        if beyond[-1] <= 0:
            return 0
        return max(0, round(self._extrapolate([max(1, one) for one in beyond], atoms)) - beyond[-1])

    def _extrapolate(self, values: list[int], atoms: int) -> float:
        last = self.points[-1].atoms
        power = STEEPEST
        if len(values) > 1:
            ratio = last / self.points[-2].atoms
            power = float(np.clip(np.log(values[-1] / values[-2]) / np.log(ratio), 1.0, STEEPEST))
        return values[-1] * (atoms / last) ** power


def _least_ns(point: Size) -> int:
    assert point.setup_ns is not None and point.first_ns is not None
    return point.setup_ns + point.first_ns + FEWEST * round(float(np.mean(point.calculator_ns)))


def measure_size(
    adapter: Any,
    calculator: Any,
    system: Any,
    forecast: Forecast,
    *,
    key: dict[str, Any],
    seed: int,
    deadline_ns: int | None = None,
    beat: Callable[[int], None] = lambda calls: None,
) -> Size:
    """Make force calls of `system` (ase.Atoms), small steps apart, and return the record.

    The first call does not count: it may compile or allocate, and has no call to go on from. Then follow 3 to 15 calls,
    fewer where they are long. Where `forecast` says that set-up and fewest calls will not end before `deadline_ns` (a
    reading of perf_counter_ns), or that the memory will not suffice, nothing is begun. After it no further call begins.
    `key` holds the record's method, device, round and size.
    """
    begin = perf_counter_ns()
    timed = TimedCalculator(calculator, adapter.synchronize)
    found: dict[str, Any] = {"setup_ns": None, "first_ns": None, "edges": None, "ended_by": None, "predicted_ns": None}
    calls: list[int] = []
    failure = None
    expected, free = forecast.nanoseconds(len(system)), process.free_memory()
    if expected is not None and deadline_ns is not None and begin + expected > deadline_ns:
        status, found["ended_by"], found["predicted_ns"] = CENSORED, TIME, expected
    elif free is not None and forecast.memory(len(system)) > MEMORY_SHARE * free:
        status, found["ended_by"] = CENSORED, MEMORY
    else:
        try:
            adapter.reference = system
            calculator = adapter.new_system(calculator, system)
            atoms = adapter.prepare(system.copy())
            timed.calculator = adapter.new_structure(calculator, atoms)
            adapter.synchronize()
            found["setup_ns"] = perf_counter_ns() - begin
            steps = Steps(atoms, np.random.default_rng(seed))
            with no_collector():
                for number in itertools.count():
                    steps.make()
                    before = timed.nanoseconds
                    timed.get_forces(atoms)
                    timed.check()
                    took = timed.nanoseconds - before
                    if number == 0:
                        found["first_ns"] = took
                    else:
                        calls.append(took)
                    beat(number)
                    if len(calls) >= MOST or (len(calls) >= FEWEST and sum(calls) > ENOUGH_NS):
                        break
                    if deadline_ns is not None and perf_counter_ns() > deadline_ns:
                        break
            found["edges"] = adapter.edges(timed.calculator)
            status = DONE if len(calls) >= FEWEST else CENSORED
            if status == CENSORED:
                found["ended_by"] = TIME
                found["predicted_ns"] = found["setup_ns"] + (1 + FEWEST) * found["first_ns"]
        except Exception as error:
            status, failure = FAILED, classify(error)
    return Size(
        **key,
        **found,
        atoms=len(system),
        status=status,
        calculator_ns=tuple(calls),
        peak_memory_bytes=process.peak_memory(),
        peak_device_memory_bytes=adapter.peak_device_memory(),
        wall_ns=perf_counter_ns() - begin,
        failure=failure,
    )


class Measurer:
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

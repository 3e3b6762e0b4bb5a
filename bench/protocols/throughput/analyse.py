"""How many force calls and relaxed molecules a second each method manages: one frozen value per method and device.

Rates of a round are sums over its processes of work over time; their mean over rounds is geometric, and its interval is
that of the rounds (:mod:`bench.analysis.statistics`).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from bench.analysis.disturbed import disturbances
from bench.analysis.measurements import Measurements, Summary
from bench.analysis.methods import MeasuredMethod
from bench.analysis.model import estimate, mean_of, scatter_of
from bench.analysis.statistics import ONE_PROCESS, Estimate
from bench.core.description import SystemFacts
from bench.core.kind import rank
from bench.core.records import CENSORED, DONE, FAILED
from bench.protocols.throughput.record import BATCH, PROCESSES, SINGLE, Throughput
from bench.protocols.throughput.table import (
    CRASH,
    FAILURE,
    LARGEST,
    MEMORY,
    REFUSED,
    TIME,
    Point,
    Series,
    ThroughputRow,
    ThroughputTable,
    WholeSet,
)

_ENDS = {"out-of-memory": MEMORY, "batch": REFUSED, "crash": CRASH, "timeout": CRASH}
"""What ended a series, by the class of the failure."""
_ENDED = ("structure", "force_calls", "converged")
_LARGEST = ("peak_memory_bytes", "peak_device_memory_bytes", "energy_difference", "force_difference")


@dataclasses.dataclass(frozen=True)
class Molecules:
    """The force calls of relaxations that were not cut off."""

    calls: Mapping[int, float]
    """By structure, the mean over its relaxations."""
    converged: float
    """The sum over structures of the share of its relaxations that converged."""

    @property
    def per_molecule(self) -> float | None:
        """Force calls per relaxed molecule; None where none converged."""
        return sum(self.calls.values()) / self.converged if self.converged else None


def throughput_table(measurements: Measurements) -> ThroughputTable:
    """Return the throughput of all methods of a campaign, light kinds first, and within a kind fast methods first.

    Of several systems, system by system.
    """
    systems = measurements.description.dataset.systems
    if len(systems) < 2:
        rows = _sorted(_row(method, measurements) for method in measurements.methods)
    else:
        rows = [row for one in systems for row in _at(one, measurements)]
    watched = measurements.watched
    return ThroughputTable(
        description=measurements.description,
        rows=tuple(rows),
        whole=tuple(whole_sets(rows)) if len(systems) > 1 else (),
        disturbances=disturbances(watched) if watched is not None else (),
        damaged=measurements.damaged,
    )


def _sorted(rows: Iterable[ThroughputRow]) -> list[ThroughputRow]:
    return sorted(rows, key=lambda row: (rank(row.kind), -(row.best.rate if row.best else 0.0), row.method, row.device))


def _at(system: SystemFacts, measurements: Measurements) -> list[ThroughputRow]:
    """Return the rows of the methods that take a system; none where it was not to be measured."""
    described = measurements.description.methods
    measured = {one.structure for one in measurements.records if isinstance(one, Throughput)}
    if measurements.description.settings.limit is not None and system.frames[0] not in measured:
        return []  # --limit left it out
    takes = [one for one in measurements.methods if system.name not in described[one.method].left_out]
    return _sorted(_row(method, measurements, system) for method in takes)


def whole_sets(rows: Sequence[ThroughputRow]) -> Iterator[WholeSet]:
    """Yield, for each method, the relaxed molecules an hour of a set with equally many molecules of each system.

    It is the number of systems over the sum of their times for a molecule: the harmonic mean of their rates. Systems
    without a relaxed molecule are left out, which their number shows.
    """
    keys = dict.fromkeys((row.method, row.device) for row in rows)
    for key in keys:
        mine = [row for row in rows if (row.method, row.device) == key]
        singly = [row.single.relaxed_per_s for row in mine if row.single and row.single.relaxed_per_s]
        rates = [[one.relaxed_per_s for one in row.ways if one.relaxed_per_s] for row in mine]
        best = [max(each, key=lambda rate: rate.estimate) for each in rates if each]
        if best:
            first = mine[0]
            yield WholeSet(
                *(first.method, first.label, first.kind, first.device, first.weights),
                systems=len(best),
                singly_per_hour=_per_hour(singly) if len(singly) == len(best) else None,
                best_per_hour=_per_hour(best),
            )


def _per_hour(rates: Sequence[Estimate]) -> Estimate:
    """Return the harmonic mean of rates, per hour.

    Its interval is that of all rates at their ends at once: the systems of a method are measured by the same processes.
    """

    def mean(values: Sequence[float]) -> float:
        return 3600.0 * len(values) / sum(1.0 / value for value in values)

    ends = [
        None if None in values else mean([value for value in values if value is not None])
        for values in ([one.low for one in rates], [one.high for one in rates])
    ]
    return Estimate(mean([one.estimate for one in rates]), ends[0], ends[1], len(rates), "systems")


def _row(method: MeasuredMethod, measurements: Measurements, system: SystemFacts | None = None) -> ThroughputRow:
    """Return the row of a method at a system; None: at the only one."""
    records = [
        one
        for one in measurements.records
        if isinstance(one, Throughput)
        and (one.method, one.device) == method.key
        and (system is None or one.structure == system.frames[0])
    ]
    found = ThroughputRow(
        method=method.method,
        label=method.label,
        kind=method.kind,
        device=method.device,
        weights=method.weights,
        system=system.name if system else "",
    )
    done = [one for one in records if one.status == DONE]
    if not done:
        failure = next((one.failure for one in records if one.failure), None)
        why = f"{failure.kind}: {failure.message}" if failure else "its time ended before anything was measured"
        return dataclasses.replace(found, refused=method.message or why)
    singles = single_rates(done)
    relaxations = molecules(done)
    by_way = {way: [one for one in records if one.way == way] for way in (SINGLE, BATCH, PROCESSES)}
    points = {way: _points(mine, singles, relaxations) for way, mine in by_way.items()}
    batch = series(points[BATCH], by_way[BATCH])
    return dataclasses.replace(
        found,
        single=next((one for one in points[SINGLE] if one.rounds), None),
        batch=batch,
        processes=series(points[PROCESSES], by_way[PROCESSES]),
        half_gain_batch=half_gain(one for one in batch.points if one.rounds == batch.best.rounds)
        if batch and batch.best
        else None,
        calls_per_molecule=relaxations.per_molecule,
        molecules=len(relaxations.calls),
        no_relaxations=_no_relaxations(method, done, points[SINGLE]),
    )


def _no_relaxations(method: MeasuredMethod, done: Sequence[Throughput], singly: Sequence[Point]) -> str | None:
    failure = next((one.failure for one in done if one.failure), None)
    if failure is not None:
        return f"{failure.kind}: {failure.message}"
    lacking = method.weights != "random" and not any(one.relaxed_per_s for one in singly)
    return "no relaxation converged in the time" if lacking else None


def single_rates(records: Iterable[Throughput]) -> dict[int, float]:
    """Return the single force calls a second in each round: of the first point, and of those in turn with batches."""
    calls: dict[int, int] = {}
    nanoseconds: dict[int, int] = {}
    for one in records:
        alone = one.way == SINGLE
        calls[one.round] = calls.get(one.round, 0) + one.single_calls + (sum(one.force_calls) if alone else 0)
        nanoseconds[one.round] = nanoseconds.get(one.round, 0) + one.single_ns + (sum(one.force_ns) if alone else 0)
    return {number: 1e9 * calls[number] / nanoseconds[number] for number in calls if nanoseconds[number]}


def molecules(records: Iterable[Throughput]) -> Molecules:
    """Return the force calls of the relaxations that were not cut off, one after another or in several processes.

    Those of batches do not count: what ends within the time of a block are the short ones.
    """
    calls: dict[int, list[int]] = {}
    converged: dict[int, list[int]] = {}
    for one in records:
        for structure, number, state in zip(*(one.ended.get(name, ()) for name in _ENDED), strict=True):
            if number is not None:
                calls.setdefault(structure, []).append(number)
                converged.setdefault(structure, []).append(state)
    means = {structure: float(np.mean(numbers)) for structure, numbers in calls.items()}
    return Molecules(means, float(sum(np.mean(states) for states in converged.values())))


def _points(records: Sequence[Throughput], singles: Mapping[int, float], relaxations: Molecules) -> tuple[Point, ...]:
    by_size: dict[tuple[int, int], list[Throughput]] = {}
    for one in records:
        by_size.setdefault((one.size, one.threads), []).append(one)
    return tuple(_point(by_size[key], singles, relaxations) for key in sorted(by_size))


def _point(records: Sequence[Throughput], singles: Mapping[int, float], relaxations: Molecules) -> Point:
    done = [one for one in records if one.status == DONE]
    one = records[0]
    failure = next((each.failure for each in records if each.status == FAILED and each.failure), None)
    rates = {each.round: _per_second(each.force_calls, each.force_ns) for each in done}
    if one.way == SINGLE:
        rates = {number: singles[number] for number in rates}
    return Point(
        way=one.way,
        size=one.size,
        threads=one.threads,
        rounds=len(done),
        force_calls_per_s=over_rounds(list(rates.values())),
        relaxed_per_s=relaxed_per_second(done, relaxations),
        gain=over_rounds(_gains(done, rates, singles)),
        **{name: _largest(records, name) for name in _LARGEST},
        failure=f"{failure.kind}: {failure.message}" if failure else None,
    )


def _largest(records: Iterable[Throughput], name: str) -> Any:
    return max((value for one in records if (value := getattr(one, name)) is not None), default=None)


def _gains(done: Iterable[Throughput], rates: Mapping[int, float], singles: Mapping[int, float]) -> list[float]:
    """Return the gain of each round: over the single calls in turn with a batch, or over those of the round."""
    found = []
    for one in done:
        single = _per_second((one.single_calls,), (one.single_ns,)) if one.way == BATCH else singles.get(one.round, 0.0)
        if single and one.way != SINGLE:
            found.append(rates[one.round] / single)
    return found


def _per_second(work: Iterable[int | None], nanoseconds: Iterable[int]) -> float:
    """Return the sum over processes of work over time; 0 where some is not known."""
    pairs = list(zip(work, nanoseconds, strict=True))
    if any(amount is None or not time for amount, time in pairs):
        return 0.0
    return sum(1e9 * (amount or 0) / time for amount, time in pairs)


def over_rounds(values: Sequence[float]) -> Estimate | None:
    """Return the geometric mean of one value per round; its interval is Student's t over the rounds."""
    values = [value for value in values if value > 0]
    return mean_of(values, "rounds") if values else None


def relaxed_per_second(done: Sequence[Throughput], relaxations: Molecules) -> Estimate | None:
    """Return the molecules that are relaxed a second.

    Force calls a second in relaxations (with the optimiser's time), over the force calls per relaxed molecule C. A
    block of some seconds ends few molecules of a large batch, but all of them make force calls in it. The interval has
    the scatter of the rounds and that of C over structures. A native optimiser counts no
    force calls, so its converged molecules are divided by the time.
    """
    if any(calls is None for one in done for calls in one.relax_calls):
        return _counted([_per_second(one.relaxed, one.relax_ns) for one in done if one.relax_ns])
    rates = [rate for one in done if one.relax_ns and (rate := _per_second(one.relax_calls, one.relax_ns)) > 0]
    per_molecule = relaxations.per_molecule
    if not rates or per_molecule is None:
        return None
    calls = np.log(list(relaxations.calls.values()))
    logs = np.log(rates)
    # the mean of 1/C over structures is geometric, and what counts is the sum of force calls over that of molecules
    parts = [scatter_of(one) for one in (logs, calls) if len(one) > 1]
    return estimate(
        float(logs.mean()) - math.log(per_molecule),
        parts if len(rates) > 1 else None,
        n=len(calls),
        over="structures" if len(calls) > 1 else "rounds",
        rounds=len(rates),
        lacks=None if len(rates) > 1 else ONE_PROCESS,
    )


def _counted(rates: Sequence[float]) -> Estimate | None:
    """Return the mean of rates of molecules by round.

    A round in which none ended counts, and has no logarithm: the mean is then arithmetic, without an interval.
    """
    if all(rates) or not any(rates):
        return over_rounds(rates)
    return Estimate(float(np.mean(rates)), None, None, len(rates), None, len(rates))


def series(points: Sequence[Point], records: Sequence[Throughput]) -> Series | None:
    """Return the points of one way, the best of them, and what ended their series."""
    if not records or all(one.failure is not None and one.failure.kind == "no-batch" for one in records):
        return None
    ended, why = _end(records)
    most = max(one.rounds for one in points)
    reached = [one for one in points if one.rounds == most and one.force_calls_per_s]
    best = None if ended == REFUSED else max(reached, key=lambda one: one.rate, default=None)
    return Series(tuple(points), best, ended, why)


def _end(records: Sequence[Throughput]) -> tuple[str, str | None]:
    """Return what ended a series: a wrong batch in any round, else what ended the round that got furthest."""
    for one in records:
        if one.failure is not None and _ENDS.get(one.failure.kind) == REFUSED:
            return REFUSED, one.failure.message
    rounds: dict[int, list[Throughput]] = {}
    for one in records:
        rounds.setdefault(one.round, []).append(one)
    furthest = max(rounds.values(), key=lambda mine: sum(one.status == DONE for one in mine))
    last = max(furthest, key=lambda one: one.size)
    if last.status == CENSORED:
        return TIME, None
    if last.failure is not None and last.status == FAILED:
        return _ENDS.get(last.failure.kind, FAILURE), last.failure.message
    return LARGEST, None


def half_gain(points: Iterable[Point]) -> float | None:
    """Return the batch at which half of the largest gain over single calls is reached.

    Interpolated in the logarithm of the size. For a batch that takes a + b n, it is near a/b, the size at which half of
    the largest rate is reached (Hockney and Jesshope, Parallel Computers, 1981), if the series goes on far enough.
    None where no batch is faster than single calls.
    """
    gains = [(one.size, one.gain.estimate) for one in points if one.gain is not None]
    most = max((gain for _, gain in gains), default=0.0)
    if most <= 1.0:
        return None
    half = (1.0 + most) / 2
    before = (1, 1.0)
    for size, gain in sorted(gains):
        if gain >= half:
            part = (half - before[1]) / (gain - before[1]) if gain > before[1] else 0.0
            return float(before[0] * (size / before[0]) ** max(part, 0.0))
        before = (size, gain)
    return None


SUMMARY = Summary(table=throughput_table)

"""How each method of a run grows with size: the law, a size that it never saw, and where its series ended."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np

from bench.analysis.measurements import Measurements, Summary
from bench.analysis.methods import MeasuredMethod
from bench.analysis.model import mean_of
from bench.analysis.statistics import Estimate
from bench.core.description import Description
from bench.core.records import DONE
from bench.protocols.scaling.crossings import Crossing, crossing
from bench.protocols.scaling.growth import FEWEST_SIZES, Law, fit
from bench.protocols.scaling.record import Size

COMPLETE = "end of series"


@dataclasses.dataclass(frozen=True)
class Point:
    """One size."""

    atoms: int
    ms_per_call: Estimate
    """Geometric mean over the rounds; its interval is their scatter."""
    rounds: int
    peak_memory_bytes: int | None
    """The largest resident set of the process up to this size."""
    peak_device_memory_bytes: int | None
    edges_per_atom: float | None


@dataclasses.dataclass(frozen=True)
class HeldOut:
    """The largest size that all rounds measured: no fit saw it."""

    atoms: int
    predicted: Estimate
    """Milliseconds, with the interval of a prediction."""
    measured_ms: float

    @property
    def inside(self) -> bool:
        """Whether the measurement lies in the interval of the prediction."""
        low, high = self.predicted.low, self.predicted.high
        return low is not None and high is not None and low <= self.measured_ms <= high


@dataclasses.dataclass(frozen=True)
class Growth:
    """The growth of one method on one device."""

    method: str
    label: str
    kind: str
    device: str
    weights: str | None
    points: tuple[Point, ...] = ()
    law: Law | None = None
    held_out: HeldOut | None = None
    largest_atoms: int | None = None
    """The largest size that was measured; larger ones may be possible."""
    ended_by: str = ""
    """``time``, ``memory``, the class of a failure, or ``end of series``."""
    message: str = ""
    """The text of the failure."""
    refused: str | None = None
    """Why there is nothing."""

    @property
    def measured(self) -> bool:
        """Whether there is anything to show."""
        return bool(self.points)


@dataclasses.dataclass(frozen=True)
class Overtaking:
    """From some size on, one method is faster than another."""

    device: str
    faster: str
    """The label of the method that is faster for larger systems."""
    slower: str
    at: Crossing


@dataclasses.dataclass(frozen=True)
class ScalingTable:
    """The growth of all methods of a campaign."""

    description: Description
    rows: tuple[Growth, ...]
    crossings: tuple[Overtaking, ...]
    damaged: tuple[int, ...] = ()


def scaling_table(measurements: Measurements) -> ScalingTable:
    """Return the growth of all methods of a campaign, and where their laws cross."""
    rows = tuple(_growth(method, measurements) for method in measurements.methods)
    return ScalingTable(measurements.description, rows, tuple(crossings(rows)), measurements.damaged)


def crossings(rows: Sequence[Growth]) -> list[Overtaking]:
    """Return where the laws of two methods on one device cross, from the smallest size on."""
    found = []
    for one, other in itertools.combinations([row for row in rows if row.law is not None], 2):
        assert one.law is not None and other.law is not None
        at = crossing(one.law, other.law) if one.device == other.device else None
        if at is not None:
            faster, slower = (one, other) if at.first_is_faster else (other, one)
            found.append(Overtaking(one.device, faster.label, slower.label, at))
    return sorted(found, key=lambda one: one.at.atoms.estimate)


def _growth(method: MeasuredMethod, measurements: Measurements) -> Growth:
    records = [one for one in measurements.records if isinstance(one, Size) and (one.method, one.device) == method.key]
    found = Growth(method.method, method.label, method.kind, method.device, method.weights)
    done = [one for one in records if _is_timed(one)]
    ends = [one for one in records if one.status != DONE]
    if not done:
        failure = next((one.failure for one in ends if one.failure), None)
        why = method.message if method.failure else f"{failure.kind}: {failure.message}" if failure else ""
        ended = ends[0].ended_by if ends else None
        return dataclasses.replace(found, refused=why or (f"not enough {ended}" if ended else "its time ended first"))
    points = tuple(_point([one for one in done if one.atoms == atoms]) for atoms in sorted({d.atoms for d in done}))
    complete = done[-1].atoms == (measurements.description.settings.sizes or (0,))[-1]
    end = ends[-1] if ends else None
    law, held_out = _law(done)
    return dataclasses.replace(
        found,
        points=points,
        law=law,
        held_out=held_out,
        largest_atoms=points[-1].atoms,
        ended_by=_end(end) or (COMPLETE if complete else "time"),
        message=end.failure.message if end is not None and end.failure else "",
    )


def _end(record: Size | None) -> str:
    if record is None:
        return ""
    return record.failure.kind if record.failure else record.ended_by or ""


def _point(records: Sequence[Size]) -> Point:
    """Return one size from its records, one for each round."""
    edges = [one.edges / one.atoms for one in records if one.edges is not None]

    def largest(name: str) -> int | None:
        return max((value for one in records if (value := getattr(one, name)) is not None), default=None)

    return Point(
        atoms=records[0].atoms,
        ms_per_call=mean_of([_milliseconds(one) for one in records], "rounds"),
        rounds=len(records),
        peak_memory_bytes=largest("peak_memory_bytes"),
        peak_device_memory_bytes=largest("peak_device_memory_bytes"),
        edges_per_atom=float(np.mean(edges)) if edges else None,
    )


def _is_timed(record: Size) -> bool:
    """Return whether a size was measured; a damaged record may be of no atoms, or of no time."""
    return record.status == DONE and record.atoms > 0 and bool(record.calculator_ns) and _milliseconds(record) > 0


def _milliseconds(record: Size) -> float:
    """Return the mean of a round's force calls, as for the calls of a relaxation or of a replayed path."""
    return float(np.mean(record.calculator_ns)) * 1e-6


def _law(records: Sequence[Size]) -> tuple[Law | None, HeldOut | None]:
    """Return the law, fitted without the largest size that all rounds measured, and the prediction for that size."""
    rounds = sorted({one.round for one in records})
    times = {(one.round, one.atoms): _milliseconds(one) for one in records}
    atoms = [n for n in sorted({one.atoms for one in records}) if all((number, n) in times for number in rounds)]
    table = np.array([[times[number, n] for n in atoms] for number in rounds])
    if len(atoms) <= FEWEST_SIZES:
        return fit(atoms, table, rounds), None
    law = fit(atoms[:-1], table[:, :-1], rounds)
    assert law is not None
    measured = float(np.exp(np.log(table[:, -1]).mean()))
    return law, HeldOut(atoms[-1], law.predict(atoms[-1]), measured)


SUMMARY = Summary(table=scaling_table)

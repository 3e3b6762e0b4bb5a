"""The protocols: what can be done with a method and timed. One entry each, whose name is the key everywhere.

The worker measures by it (:mod:`bench.measure.measurers`), the analysis sums it up (:mod:`bench.analysis.summaries`),
the report shows it (:mod:`bench.report.shown`); a test compares their keys with those of :data:`PROTOCOLS`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from bench.contract.failure import Failure
from bench.contract.plain import to_plain
from bench.contract.records import (
    FAILED,
    Record,
    Relaxation,
    Replay,
    SinglePoint,
    Symmetry,
    Trajectory,
    Vibrations,
)
from bench.contract.sizes import Size
from bench.contract.task import Item, Task
from bench.contract.throughput import Throughput

STRUCTURES = "structures"
"""The phase in which a worker goes from structure to structure."""
MD = "md"
RELAX, REPLAY = "relax", "replay"
SYMMETRY = "symmetry"
ACCURACY = "accuracy"
SINGLE_POINT, VIBRATIONS = "single-point", "vibrations"
SCALING = "scaling"
SIZE = "size"
THROUGHPUT = "throughput"


@dataclasses.dataclass(frozen=True)
class Part:
    """One sort of item: usually a protocol has only one, with its own name."""

    name: str
    record: type[Record]
    """The record that each of its items becomes."""
    lost: Callable[[Task, int, Failure], Record]
    """Makes the record of an item that only failed."""
    number: str = "structure"
    """The record's field with the item's number."""
    complete_when_censored: bool = False
    """Whether a resumed run skips an item that the budget cut off."""
    series: bool = False
    """Whether its items are a series that ends at the first one that is not done."""


@dataclasses.dataclass(frozen=True)
class Protocol:
    """A way to measure a method."""

    name: str
    """Its name after ``--protocols``."""
    parts: tuple[Part, ...]
    phase: str
    """When a worker does it, and which budget it uses: a method has its full budget for each phase."""
    random_weights: bool = False
    """Whether a model with random weights may enter: its speed is faithful, and everything else is meaningless."""


def _relaxation(task: Task, number: int, failure: Failure) -> Record:
    return Relaxation(
        **task.key,
        structure=number,
        optimizer=task.optimizer,
        status=FAILED,
        steps=0,
        force_calls=None,
        energy=None,
        fmax=None,
        positions=None,
        wall_ns=0,
        trace={"optimizer_ns": (), "harness_ns": ()},
        failure=failure,
    )


def _replay(task: Task, number: int, failure: Failure) -> Record:
    return Replay(
        **task.key,
        structure=number,
        status=FAILED,
        calculator_ns=(),
        energies=(),
        fmax=(),
        wall_ns=0,
        failure=failure,
    )


def _symmetry(task: Task, number: int, failure: Failure) -> Record:
    return Symmetry(**task.key, structure=number, wall_ns=0, failure=failure)


def _trajectory(task: Task, number: int, failure: Failure) -> Record:
    plan = next(one for one in task.trajectories if one.trajectory == number)
    return Trajectory(**task.key, **to_plain(plan), status=FAILED, steps=0, wall_ns=0, file=None, failure=failure)


def _single_point(task: Task, number: int, failure: Failure) -> Record:
    return SinglePoint(
        **task.key,
        structure=number,
        status=FAILED,
        energy=None,
        forces=None,
        calculator_ns=0,
        wall_ns=0,
        failure=failure,
    )


def _vibrations(task: Task, number: int, failure: Failure) -> Record:
    return Vibrations(
        **task.key,
        molecule=number,
        status=FAILED,
        steps=0,
        energy=None,
        fmax=None,
        positions=None,
        hessian=None,
        source="",
        force_calls=None,
        hessian_ns=0,
        wall_ns=0,
        failure=failure,
    )


def _size(task: Task, number: int, failure: Failure) -> Record:
    atoms = next(len(one.molecule.numbers) for one in task.sizes if one.index == number)
    return Size(
        **task.key,
        size=number,
        atoms=atoms,
        status=FAILED,
        setup_ns=None,
        first_ns=None,
        calculator_ns=(),
        peak_memory_bytes=None,
        peak_device_memory_bytes=None,
        wall_ns=0,
        failure=failure,
    )


def _throughput(task: Task, number: int, failure: Failure) -> Record:
    plan = next(one for one in task.points if one.point == number)
    return Throughput(**task.key, **to_plain(plan), status=FAILED, wall_ns=0, failure=failure)


PROTOCOLS: dict[str, Protocol] = {
    protocol.name: protocol
    for protocol in (
        Protocol(RELAX, (Part(RELAX, Relaxation, _relaxation),), STRUCTURES),
        Protocol(REPLAY, (Part(REPLAY, Replay, _replay),), STRUCTURES, random_weights=True),
        Protocol(
            MD,
            (
                Part(SYMMETRY, Symmetry, _symmetry, complete_when_censored=True),
                Part(MD, Trajectory, _trajectory, number="trajectory", complete_when_censored=True),
            ),
            MD,
        ),
        Protocol(
            ACCURACY,
            (
                Part(SINGLE_POINT, SinglePoint, _single_point),
                Part(VIBRATIONS, Vibrations, _vibrations, number="molecule"),
            ),
            ACCURACY,
        ),
        Protocol(
            THROUGHPUT,
            (Part(THROUGHPUT, Throughput, _throughput, number="point"),),
            THROUGHPUT,
            random_weights=True,
        ),
        # last: it leaves the adapter set up for another system
        Protocol(
            SCALING,
            (Part(SIZE, Size, _size, number="size", complete_when_censored=True, series=True),),
            SCALING,
            random_weights=True,
        ),
    )
}
PARTS: dict[str, Part] = {part.name: part for protocol in PROTOCOLS.values() for part in protocol.parts}
PHASES: tuple[str, ...] = tuple(dict.fromkeys(protocol.phase for protocol in PROTOCOLS.values()))
"""In the order of a worker."""
PROTOCOL_OF: dict[str, str] = {part.name: protocol.name for protocol in PROTOCOLS.values() for part in protocol.parts}
"""The protocol of each part."""
_PART_OF: dict[type[Record], Part] = {part.record: part for part in PARTS.values()}


def lost(task: Task, item: Item, failure: Failure) -> Record:
    """Return the record of an item that could not be measured, with the cause: a dead worker or an exception."""
    return PARTS[item.part].lost(task, item.number, failure)


def item_of(record: Record) -> Item | None:
    """Return the item whose result a record is; None for a record of another kind."""
    part = _PART_OF.get(type(record))
    return None if part is None else Item(part.name, getattr(record, part.number))


def phase_of(part: str) -> str:
    """Return the phase in which items of a part are measured."""
    return PROTOCOLS[PROTOCOL_OF[part]].phase


def phases(protocols: tuple[str, ...]) -> tuple[str, ...]:
    """Return the phases of some protocols, in order."""
    wanted = {PROTOCOLS[name].phase for name in protocols}
    return tuple(phase for phase in PHASES if phase in wanted)

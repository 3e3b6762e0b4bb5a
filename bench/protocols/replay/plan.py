"""The replay protocol: steps along a fixed path from each structure, the same for every method."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench.core.failure import Failure
from bench.core.protocol import REPLAY, STRUCTURES, Part, Protocol, speed
from bench.core.records import FAILED, Record
from bench.core.task import Task
from bench.protocols.replay.record import Replay

if TYPE_CHECKING:
    from bench.core.settings import Settings


def _lost(task: Task, number: int, failure: Failure) -> Record:
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


def _progress(records: Sequence[Replay]) -> str:
    what = "step" if any(one.optimizer_ns for one in records) else "force call"
    nanoseconds = sum(sum(one.calculator_ns) + sum(one.optimizer_ns) for one in records)
    return speed(what, sum(len(one.calculator_ns) for one in records), nanoseconds)


def _heading(settings: Settings) -> str:
    points = settings.replay_points
    return f"replay of {points} point{'s' if points != 1 else ''} from each structure"


PROTOCOL = Protocol(
    REPLAY,
    order=20,
    parts=(Part(REPLAY, Replay, _lost, _progress),),
    phase=STRUCTURES,
    random_weights=True,
    merges=True,
    heading=_heading,
)

"""The relax protocol: each structure is optimised."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench.core.failure import Failure
from bench.core.protocol import RELAX, STRUCTURES, Part, Protocol, speed
from bench.core.records import FAILED, Record
from bench.core.task import Task
from bench.protocols.relax.record import Relaxation

if TYPE_CHECKING:
    from bench.core.settings import Settings

WITH_CELL = " · cells of periodic systems relax, too: a force call includes the stress"


def _lost(task: Task, number: int, failure: Failure) -> Record:
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


def _progress(records: Sequence[Relaxation]) -> str:
    columns = (one.trace.get(name, ()) for one in records for name in ("calculator_ns", "optimizer_ns"))
    return speed("step", sum(one.steps for one in records), sum(sum(column[1:]) for column in columns))


def _heading(settings: Settings) -> str:
    text = f"relax with {settings.optimizer} · fmax {settings.fmax:g} eV/Å · at most {settings.max_steps} steps"
    return text + WITH_CELL * settings.relax_cell


PROTOCOL = Protocol(
    RELAX, order=10, parts=(Part(RELAX, Relaxation, _lost, _progress),), phase=STRUCTURES, merges=True, heading=_heading
)

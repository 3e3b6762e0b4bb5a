"""The record of an item that could not be measured: what its worker died of, or what it raised before a first step."""

from __future__ import annotations

from collections.abc import Callable

from bench.contract.failure import Failure
from bench.contract.plain import to_plain
from bench.contract.protocol import MD, RELAX, REPLAY, SYMMETRY, Item
from bench.contract.records import FAILED, Record, Relaxation, Replay, Symmetry, Trajectory
from bench.contract.task import Task

NATIVE = "native"
"""Stands for the optimiser of a method that has its own."""


def lost(task: Task, item: Item, failure: Failure) -> Record:
    """Return the record of an item of which nothing is left but the failure."""
    return LOST[item.part](task, item.number, failure)


def optimizer_of(task: Task) -> str:
    """Return the optimiser that relaxes the structures of a task."""
    assert task.criterion is not None
    return NATIVE if task.subject.native else task.criterion.optimizer


def _relaxation(task: Task, number: int, failure: Failure) -> Record:
    return Relaxation(
        **task.key,
        structure=number,
        optimizer=optimizer_of(task),
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


LOST: dict[str, Callable[[Task, int, Failure], Record]] = {
    RELAX: _relaxation,
    REPLAY: _replay,
    SYMMETRY: _symmetry,
    MD: _trajectory,
}

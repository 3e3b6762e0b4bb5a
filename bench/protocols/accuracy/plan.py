"""The accuracy protocol: single points, and the minimum with its Hessian, to be compared with references."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench.core.failure import Failure
from bench.core.protocol import Books, Key, Part, Protocol, speed
from bench.core.records import FAILED, Record
from bench.core.task import Allowance, Item, Task
from bench.protocols.accuracy.record import SinglePoint, Vibrations

if TYPE_CHECKING:
    from bench.core.settings import Settings

ACCURACY = "accuracy"
SINGLE_POINT, VIBRATIONS = "single-point", "vibrations"
SHORT_SECONDS = 10.0
"""Of each method for its single points in a run that names no protocols: enough to tell one error from another."""


def _items(settings: Settings, indices: Sequence[int], round_number: int, cores: int) -> list[Item]:
    """Return the single points and the vibrations, once: a method gives the same answer in every round."""
    if round_number:
        return []
    measured = indices[: settings.limit]
    points = [Item(SINGLE_POINT, index) for index in measured]
    return points + [Item(VIBRATIONS, one) for one in settings.minima if settings.vibrations and one in measured]


def _structure_of(molecule: int) -> int:
    """Return the structure to whose system a worker turns for a minimum: a molecule has the number of its first one."""
    return molecule


def _allowance(books: Books, key: Key, round_number: int, items: Sequence[Item]) -> Allowance:
    """Return all the time that is left: the first round does it all."""
    left = books.left(key, ACCURACY)
    seconds = None if left == math.inf else left
    return Allowance(seconds, seconds)


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


def _progress(records: Sequence[SinglePoint]) -> str:
    timed = [one.calculator_ns for one in records if one.calculator_ns]
    return f"{speed('force call', len(timed), sum(timed))} (accuracy)" if timed else ""


def _heading(settings: Settings) -> str:
    minima = len(settings.minima) if settings.vibrations else 0
    return "accuracy at each structure" + (f" and at the {'minimum' if minima == 1 else 'minima'}" if minima else "")


PROTOCOL = Protocol(
    ACCURACY,
    order=40,
    parts=(
        Part(SINGLE_POINT, SinglePoint, _single_point, _progress),
        Part(VIBRATIONS, Vibrations, _vibrations, lambda records: "", number="molecule", structure_of=_structure_of),
    ),
    phase=ACCURACY,
    once=True,
    items=_items,
    allowance=_allowance,
    heading=_heading,
)

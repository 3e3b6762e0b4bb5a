"""The settings among which a search looks for the fastest: all combinations, those near the default first."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence

from bench.core.candidate import Candidate
from bench.environments import knobs
from bench.environments.header import AT, Method
from bench.errors import BadInput

THREADS = "threads"


def thread_counts(cores: int) -> tuple[int, ...]:
    """Return 1, 2, 4, ... and the number of cores."""
    powers = itertools.takewhile(lambda count: count < cores, (2**i for i in itertools.count()))
    return (*powers, cores)


def candidates(
    method: Method, device: str, threads: Sequence[int], default: int, only: Mapping[str, Sequence[str]]
) -> list[Candidate]:
    """Return all combinations of threads and knobs, the default one first, then those with fewer changes.

    Parameters
    ----------
    method : Method
    device : str
    threads : sequence of int
        The numbers to try.
    default : int
        The number that counts as the default if it is among them; otherwise the first is.
    only : mapping of str to sequence of str
        The values of a knob to try; knobs that it does not name are tried with all their values.

    Raises
    ------
    BadInput
        Where a knob or a value does not exist, or there is nothing to choose.
    """
    for name, values in only.items():
        for value in values:
            knobs.check(method, name, value, device)
    known = knobs.values(method, device)
    choices = {THREADS: [str(count) for count in _first(default, list(dict.fromkeys(threads)))]} | {
        name: [value for value in values if value in only.get(name, values)] for name, values in known.items()
    }
    combinations = [dict(zip(choices, values, strict=True)) for values in itertools.product(*choices.values())]
    if len(combinations) < 2:
        raise BadInput(
            f"there is nothing to tune: {method.name} has only one setting here. It needs several numbers of threads, "
            "dtypes or knobs."
        )
    found = [_candidate(method, one, combinations[0]) for one in combinations]
    return sorted(found, key=lambda one: len(one.changes))  # a stable sort


def _first(value: int, values: list[int]) -> list[int]:
    """Return the values with one of them first."""
    return [value, *(other for other in values if other != value)] if value in values else values


def _candidate(method: Method, one: Mapping[str, str], default: Mapping[str, str]) -> Candidate:
    changes = tuple(f"{name}={value}" for name, value in one.items() if value != default[name])
    return Candidate(
        method=f"{method.name}{AT}{','.join(changes)}" if changes else method.name,
        threads=int(one[THREADS]),
        knobs={name: value for name, value in one.items() if name != THREADS},
        changes=changes,
    )


def version(method: Method, candidate: Candidate, device: str) -> Method:
    """Return the method with the settings of a candidate on a device, under the candidate's name."""
    chosen = knobs.with_knobs(method, candidate.knobs, [device])
    return dataclasses.replace(
        chosen,
        name=candidate.method,
        known_as=method.known_as or method.name,
        label=f"{method.label} [{candidate.label}]" if candidate.changes else method.label,
    )


def is_candidate(name: str) -> bool:
    """Return whether a method's name in a run is that of a candidate other than the default: ``NAME@threads=2``."""
    return "=" in name.rpartition(AT)[2] and AT in name


def pointless(candidate: Candidate, alone: Mapping[str, str]) -> str:
    """Return why a combination need not be tried; empty where it should be.

    `alone` says what is wrong with a change on its own: then it is as wrong together with others.
    """
    return next((f"{change} alone {alone[change]}" for change in candidate.changes if change in alone), "")

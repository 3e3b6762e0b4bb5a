"""Whether two runs are similar enough to compare, and what else differs between them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from bench.analysis.disturbed import Disturbance
from bench.analysis.regression import Comparison
from bench.analysis.statistics import Estimate
from bench.core.description import Description, Machine

WAIT_POLICY = "OMP_WAIT_POLICY"
"""What waiting threads do changes times by a factor of two and more."""
UNLIKE_MACHINE = (("cpu", "CPU"), ("usable_cores", "cores"), ("gpus", "GPUs"))
UNLIKE_SETTINGS = ("threads", "optimizer", "fmax", "max_steps", "replay_points", "knobs")


@dataclasses.dataclass(frozen=True)
class Circumstances:
    """One of two runs: its description, and what makes its times less certain than they look."""

    name: str
    description: Description
    disturbances: tuple[Disturbance, ...] = ()
    unsettled: tuple[str, ...] = ()
    """Labels of the methods whose force calls had not settled when the warm-up ended."""
    damaged: tuple[int, ...] = ()
    """Lines of its records that could not be read."""


@dataclasses.dataclass(frozen=True)
class ComparedRuns:
    """A comparison of two runs, ready to be rendered."""

    old: Circumstances
    new: Circumstances
    comparisons: tuple[Comparison, ...]
    threshold: float
    means: Mapping[str, Estimate | None]
    """Geometric means of the ratios, by protocol."""
    unlike: tuple[str, ...] = ()
    """Why the two should not be compared."""
    explain: tuple[str, ...] = ()
    """What else differs."""


def unlike_machines(old: Machine, new: Machine) -> list[str]:
    """Return in words how two machines differ, whose times are then not those of one; empty where they do not."""
    found = [
        f"{words}: {one} and {other}" for field, words in UNLIKE_MACHINE for one, other in _differing(field, old, new)
    ]
    memory = [one.memory_bytes or 0 for one in (old, new)]
    if max(memory) > 1.1 * min(memory):
        found.append(f"memory: {memory[0] / 2**30:.0f} GiB and {memory[1] / 2**30:.0f} GiB")
    return found


def unlike(old: Description, new: Description) -> list[str]:
    """Return in words why two campaigns cannot be compared; empty where they can."""
    found = unlike_machines(old.machine, new.machine)
    if old.dataset.digest != new.dataset.digest:
        found.append(f"data set: {old.dataset.name} and {new.dataset.name}")
    found += [
        f"{field}: {one} and {other}"
        for field in UNLIKE_SETTINGS
        for one, other in _differing(field, old.settings, new.settings)
    ]
    return found


def unlike_waiting(old: Mapping[str, Mapping[str, str]], new: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return in words whether threads of a method waited in another way; empty where they did not.

    Parameters
    ----------
    old, new : mapping
        The environment variables of each method's workers.
    """
    policies = [{name: found.get(WAIT_POLICY, "not set") for name, found in run.items()} for run in (old, new)]
    differing = {(policies[0][name], policies[1][name]) for name in policies[0].keys() & policies[1].keys()}
    return [f"{WAIT_POLICY}: {one} and {other}" for one, other in sorted(differing) if one != other]


def explain(
    old: Description,
    new: Description,
    versions: Sequence[Mapping[str, Mapping[str, str]]],
    variables: Sequence[Mapping[str, Mapping[str, str]]],
) -> list[str]:
    """Return in words what else differs between two runs.

    Parameters
    ----------
    old, new : Description
    versions, variables : pair of mappings
        The packages' versions and the environment variables of each method's worker, of the old and of the new run.
    """
    found = []
    for field, words in (("commit", "pesbench's commit"), ("pesbench", "pesbench")):
        one, other = (str(getattr(run, field) or "unknown")[:12] for run in (old, new))
        if one != other:
            found.append(f"{words}: {one} and {other}")
    for field in ("os", "governor"):
        found += [f"{field}: {one} and {other}" for one, other in _differing(field, old.machine, new.machine)]
    speeds = [run.machine.parallel_speed.speed for run in (old, new) if run.machine.parallel_speed is not None]
    if len(speeds) == 2 and max(speeds) > 1.2 * min(speeds):
        found.append(f"parallel speed of the machine: {speeds[0]} and {speeds[1]}")
    for field in ("rounds", "seed", "limit"):
        found += [f"--{field}: {one} and {other}" for one, other in _differing(field, old.settings, new.settings)]
    for pair in (versions, variables):
        for method in pair[0]:
            if method in pair[1]:
                found += [f"{method}: {change}" for change in changes(pair[0][method], pair[1][method])]
    return found


def changes(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """Return in words how two mappings, such as the versions of packages, differ."""
    names = sorted({*old, *new} - {"executable"})
    return [
        f"{name} {old.get(name, 'missing')} and {new.get(name, 'missing')}"
        for name in names
        if old.get(name) != new.get(name)
    ]


def _differing(field: str, old: Any, new: Any) -> list[tuple[str, str]]:
    """Return the two values of a field in words; empty where they are the same."""
    one, other = getattr(old, field), getattr(new, field)
    return [] if one == other else [(_words(one), _words(other))]


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        value = [f"{name}={inner}" for name, inner in value.items()]
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)

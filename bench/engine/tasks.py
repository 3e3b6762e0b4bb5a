"""Makes the task of a worker from a method and a campaign's settings."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.core.device import CPU, Device
from bench.core.plain import to_plain
from bench.core.protocol import REPLAY
from bench.core.settings import Settings
from bench.core.task import (
    BUILD_RANDOM,
    CONFORM,
    MEASURE,
    OVERHEAD,
    SCRIPT,
    Allowance,
    Criterion,
    Item,
    Molecule,
    OptimizerFile,
    Promises,
    Structure,
    Subject,
    Task,
    Told,
)
from bench.data.clusters import systems
from bench.data.selection import replay_path
from bench.data.structures import DataSet
from bench.data.systems import System
from bench.engine.coverage import LeftOut
from bench.environments import shell
from bench.environments.environments import Environment
from bench.environments.header import Header, Method
from bench.environments.weights import Weights
from bench.machine.cores import physical_cpus, usable_cores
from bench.protocols import PARTS, PROTOCOL_OF, PROTOCOLS
from bench.protocols.scaling.plan import SIZE

DRIFT = np.array([2.0, 2.0, 1.0]) / 3.0
"""The direction in which a system moves as a whole."""

# recorded with every worker
VARIABLES = (
    "OMP_NUM_THREADS",
    "OMP_WAIT_POLICY",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "KMP_BLOCKTIME",
    "GOMP_SPINCOUNT",
    *shell.BINDING,
    "CUDA_VISIBLE_DEVICES",
    shell.PASS,
)


@dataclasses.dataclass(frozen=True)
class Prepared:
    """A method that is ready to be measured on a device: it has its environment and its weights."""

    method: Method
    header: Header
    device: str
    environment: Environment
    weights: Weights
    left_out: LeftOut = dataclasses.field(default_factory=LeftOut)
    optimizers: tuple[OptimizerFile, ...] = ()
    """Those that the campaign names."""


def measure(
    prepared: Prepared,
    settings: Settings,
    dataset: DataSet,
    items: Sequence[Item],
    round_number: int,
    *,
    allowances: dict[str, Allowance] | None = None,
    answers: Sequence[int] = (),
    drives: Sequence[int] = (),
    folder: Path | None = None,
    paced: bool = False,
    revisits: bool = False,
) -> Task:
    """Return the task that measures `items`; `folder` is where the files of trajectories go."""
    numbers: dict[str, set[int]] = {}
    for part, number in items:
        numbers.setdefault(part, set()).add(number)
    every = any(PROTOCOLS[PROTOCOL_OF[part]].all_structures for part in numbers)
    return dataclasses.replace(
        _task(MEASURE, prepared, settings, dataset),
        round=round_number,
        structures=_structures(
            prepared.method,
            dataset,
            items,
            settings.replay_points,
            prepared.left_out.kept(dataset.order[: settings.limit]) if every else (),
        ),
        items=tuple((item.part, item.number) for item in items),
        allowances=allowances or {},
        answers=tuple(answers),
        drives=tuple(drives),
        plans={
            part: tuple(to_plain(plan) for plan in plans(settings, wanted, usable_cores()))
            for part, wanted in numbers.items()
            if (plans := PARTS[part].plans) is not None
        },
        sizes=_sizes(prepared.method, settings, dataset, [number for part, number in items if part == SIZE]),
        folder=str(folder) if folder else None,
        paced=paced,
        revisits=revisits,
    )


def conform(prepared: Prepared, settings: Settings, dataset: DataSet, indices: Iterable[int]) -> Task:
    """Return the task that checks the method's adapter on some structures."""
    method = prepared.method
    task = _task(CONFORM, prepared, settings, dataset)
    return dataclasses.replace(
        task,
        # nothing is timed, and a method whose first call fails should learn why from a check
        subject=dataclasses.replace(task.subject, warm_up=False),
        structures=_bare_structures(method, dataset, indices),
        promises=Promises(
            conservative=method.conservative,
            force_tolerance=method.force_tolerance,
            rotation_tolerance=method.rotation_tolerance,
            charge=method.charge,
            spin=method.spin,
            periodic=method.periodic,
            stress=method.stress,
        ),
    )


def drifting(task: Task, structures: Collection[int], step: float) -> Task:
    """Return a task in which some replayed structures also move as a whole, by `step` Angstrom from point to point.

    Energies and forces stay as they are; a list of neighbours that is kept for a while has to be made again.
    """

    def moved(one: Structure) -> Structure:
        if one.index not in structures or one.path is None:
            return one
        path = np.array(one.path)
        path += np.arange(len(path))[:, None, None] * step * DRIFT
        return dataclasses.replace(one, path=path.tolist())

    return dataclasses.replace(task, structures=tuple(map(moved, task.structures)))


def overhead(prepared: Prepared, settings: Settings, dataset: DataSet, indices: Iterable[int], repeats: int) -> Task:
    """Return the task that relaxes each structure bare and through the harness, `repeats` times."""
    return dataclasses.replace(
        _task(OVERHEAD, prepared, settings, dataset),
        structures=_bare_structures(prepared.method, dataset, indices),
        repeats=repeats,
    )


def script(prepared: Prepared, settings: Settings, dataset: DataSet, index: int) -> Task:
    """Return the task that tells how a plain script measures a structure."""
    return dataclasses.replace(
        _task(SCRIPT, prepared, settings, dataset),
        structures=_bare_structures(prepared.method, dataset, [index]),
    )


def build_random(method: Method, settings: Settings, output: Path) -> Task:
    """Return the task that writes a checkpoint with random weights."""
    return Task(BUILD_RANDOM, _subject(method, settings, CPU), output=str(output))


def _task(job: str, prepared: Prepared, settings: Settings, dataset: DataSet) -> Task:
    method, header, weights = prepared.method, prepared.header, prepared.weights
    affine = header.thread_control == "affinity"
    return Task(
        job,
        dataclasses.replace(
            _subject(method, settings, prepared.device),
            cpus=tuple(physical_cpus(settings.threads)) if affine else (),
            checkpoint=str(weights.path) if weights.path else None,
            native=method.native,
            warm_up=header.warm_up,
        ),
        told=Told(
            weights=weights.mode,
            parameters=method.parameters,
            checkpoint=weights.facts,
            environment=prepared.environment.facts(),
            variables=VARIABLES,
        ),
        systems=tuple(Molecule.of(one.reference, _state(method, one)) for one in dataset.systems),
        criterion=Criterion(settings.optimizer, settings.fmax, settings.max_steps, settings.relax_cell),
        optimizers=prepared.optimizers,
    )


def _subject(method: Method, settings: Settings, device: str) -> Subject:
    knobs = method.knobs_on(Device.parse(device).kind.name)
    return Subject(
        adapter=str(method.adapter),
        method=method.name,
        known_as=method.known_as or method.name,
        device=device,
        dtype=method.dtypes[0],
        threads=settings.threads,
        seed=settings.seed,
        knobs={name: method.chosen.get(name, knob.values[0]) for name, knob in knobs.items()},
    )


def _structures(
    method: Method, dataset: DataSet, items: Sequence[Item], points: int, others: Sequence[int]
) -> tuple[Structure, ...]:
    """Return the structures of some items, in order, and `others`; a replayed one has a path of `points` geometries."""
    replayed = {number for part, number in items if part == REPLAY}
    return tuple(
        dataclasses.replace(
            one, path=replay_path(dataset.atoms[one.index], dataset.systems[one.system].reference, points).tolist()
        )
        if one.index in replayed
        else one
        for one in _bare_structures(
            method,
            dataset,
            dict.fromkeys([*_at(items), *others]),
        )
    )


def _at(items: Sequence[Item]) -> list[int]:
    """Return the structures of some items, in order."""
    found = (PARTS[part].structure(number) for part, number in items)
    return [one for one in found if one is not None]


def _bare_structures(method: Method, dataset: DataSet, indices: Iterable[int]) -> tuple[Structure, ...]:
    found = []
    for index in indices:
        number = dataset.system_of[index]
        molecule = Molecule.of(dataset.atoms[index], _state(method, dataset.systems[number]))
        found.append(Structure(index, molecule, number))
    return tuple(found)


def _sizes(method: Method, settings: Settings, dataset: DataSet, numbers: Sequence[int]) -> tuple[Structure, ...]:
    """Return the systems of the series up to the largest of `numbers`; smaller ones tell how the time grows."""
    if not numbers:
        return ()
    wanted = systems(dataset.series, settings.sizes[: max(numbers) + 1], settings.periodic)
    return tuple(Structure(n, Molecule.of(one.reference, _state(method, one))) for n, one in enumerate(wanted))


def _state(method: Method, system: System) -> dict[str, Any]:
    """Return the charge and the multiplicity for a method, if its header says that it takes them."""
    told = {"charge": system.charge} if method.charge else {}
    return told | ({"spin": system.spin} if method.spin else {})

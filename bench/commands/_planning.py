"""What ``run`` needs to begin: a plan made of its options, or that of a run to be continued."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bench.commands import _declared, _groups
from bench.commands._values import Budget
from bench.core.description import Description, ParallelSpeed
from bench.core.protocol import RELAX
from bench.core.settings import Settings
from bench.errors import BadInput
from bench.protocols import PROTOCOLS
from bench.protocols.accuracy.plan import ACCURACY, SHORT_SECONDS
from bench.protocols.optimizers.plan import OPTIMIZERS as COMPARED

if TYPE_CHECKING:
    from bench.data.structures import DataSet
    from bench.environments.catalogue import Catalogue
    from bench.environments.header import Method


class Planned(NamedTuple):
    """What is to be measured, and where it is kept."""

    directory: Path
    settings: Settings
    catalogue: Catalogue
    dataset: DataSet
    parallel: ParallelSpeed
    name: str = ""
    """What the user calls the run."""


def protocols(options: Any) -> tuple[tuple[str, ...], dict[str, float]]:
    """Return the protocols, and the seconds of those that a run adds by itself: see :attr:`Settings.phase_s`.

    Who names neither protocols nor structures asks which method to take: that needs errors beside times. --optimizers
    alone means the protocol of that name.
    """
    if options.optimizers is not None and COMPARED not in (options.protocols or (COMPARED,)):
        raise BadInput(f"--optimizers belongs to --protocols {COMPARED}; --optimizer NAME is for relaxations.")
    if options.protocols is not None or options.optimizers is not None:
        return options.protocols or (COMPARED,), {}
    if options.structures or options.relax_cell or options.cluster is not None or options.weights == "random":
        return (RELAX,), {}
    return (RELAX, ACCURACY), {PROTOCOLS[ACCURACY].phase: SHORT_SECONDS}


def refuse_idle(options: Any, protocols: Sequence[str]) -> None:
    """Raise BadInput for an option of a protocol that is not measured: it would change nothing, without a word."""
    for field in _declared.changed(options):
        owner = _groups.OWNERS.get(field.name)
        if owner is not None and owner not in protocols:
            option = _declared.flag(field.name)
            raise BadInput(
                f"{option} belongs to --protocols {owner}, and this run measures {','.join(protocols)}; "
                f"add {owner} to --protocols, or leave out {option}."
            )


def refuse_absent(devices: Sequence[str]) -> None:
    """Raise BadInput where none of the devices that a user named is here: nothing could be measured."""
    from bench.core.device import Device
    from bench.machine import accelerators

    absent = [accelerators.missing(Device.parse(one)) for one in devices]
    if all(absent):
        raise BadInput(f"--device {','.join(devices)}: {'; '.join(filter(None, absent))}.")


def reference(name: str, plan: Planned) -> str:
    """Return the method that --relative-to means; raises BadInput where the plan does not measure it."""
    found = [method.name for method in plan.catalogue.select(name) if method.name in plan.settings.methods]
    if len(found) != 1:
        raise BadInput(f"--relative-to names {name!r}, which is not one of the methods that are measured.")
    return found[0]


def with_own(methods: list[Method], checkpoint: Path | None, catalogue: Catalogue) -> list[Method]:
    """Return the one method with the checkpoint of --checkpoint, if there is one; raises BadInput."""
    if checkpoint is None:
        return methods
    if len(methods) != 1:
        raise BadInput(
            "--checkpoint belongs to one method; name it with --methods, or several files as in --methods "
            "7net-0,7net-0@my.pth."
        )
    (method,) = methods
    if method.checkpoint is None:
        raise BadInput(f"{method.name} takes no checkpoint; leave out --checkpoint.")
    if not checkpoint.exists():
        raise BadInput(f"there is no checkpoint {checkpoint.absolute()}; give its path with --checkpoint.")
    return catalogue.select(f"{method.name}@{checkpoint}")


def _refuse_another_machine(directory: Path, described: Description) -> None:
    """Raise BadInput where a run that measures times was begun on an unlike machine: a mean over both says nothing."""
    from bench.analysis.likeness import unlike_machines
    from bench.machine.provenance import machine

    if not any(PROTOCOLS[name].merges for name in described.settings.protocols):
        return
    if unlike := unlike_machines(described.machine, machine()):
        raise BadInput(
            f"{directory.name} was begun on another machine ({'; '.join(unlike)}), and times of both would enter one "
            "mean; continue it there, or start a new run here."
        )


def begun(run: str, results: Path | None, budget: Budget | None, adapters: Sequence[Path]) -> Planned:
    """Return the plan of a run as it was kept, with another budget and more adapters; raises BadInput."""
    from bench.engine.describing import check_methods, with_own_checkpoints
    from bench.environments.catalogue import Catalogue
    from bench.results import store

    directory = store.find(run, results)
    described = store.describe(directory)
    settings = described.settings
    _refuse_another_machine(directory, described)
    if budget is not None:
        budgets: dict[str, float | None] = dict.fromkeys(settings.methods, budget.seconds)
        settings = dataclasses.replace(settings, budget_s=budgets, total_s=None)
    extra = [*map(Path, described.extra_adapters), *(path.resolve() for path in adapters)]
    catalogue = Catalogue(list(dict.fromkeys(extra)))
    with_own_checkpoints(catalogue, described)
    check_methods(catalogue, settings.methods)
    parallel = described.machine.parallel_speed or ParallelSpeed(1, 1.0)
    return Planned(directory, settings, catalogue, store.stored_dataset(directory, described), parallel)

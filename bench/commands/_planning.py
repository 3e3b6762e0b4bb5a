"""What ``run`` needs to begin: a plan made of its options, or that of a run to be continued."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bench.commands._options import Budget
from bench.core.description import ParallelSpeed
from bench.core.protocol import RELAX
from bench.core.settings import Settings
from bench.errors import BadInput
from bench.protocols import PROTOCOLS
from bench.protocols.accuracy.plan import ACCURACY, SHORT_SECONDS

if TYPE_CHECKING:
    from bench.data.structures import DataSet
    from bench.environments.catalogue import Catalogue


class Plan(NamedTuple):
    """What is to be measured, and where it is kept."""

    directory: Path
    settings: Settings
    catalogue: Catalogue
    dataset: DataSet
    parallel: ParallelSpeed


def protocols(options: Any) -> tuple[tuple[str, ...], dict[str, float]]:
    """Return the protocols, and the seconds of those that a run adds by itself: see :attr:`Settings.phase_s`.

    Who names neither protocols nor structures asks which method to take: that needs errors beside times.
    """
    if options.protocols is not None:
        return options.protocols, {}
    if options.structures or options.cluster is not None or options.weights == "random":
        return (RELAX,), {}
    return (RELAX, ACCURACY), {PROTOCOLS[ACCURACY].phase: SHORT_SECONDS}


def refuse_absent(devices: Sequence[str]) -> None:
    """Raise BadInput where none of the devices that a user named is here: nothing could be measured."""
    from bench.core.device import Device
    from bench.machine import accelerators

    absent = [accelerators.missing(Device.parse(one)) for one in devices]
    if all(absent):
        raise BadInput(f"--device {','.join(devices)}: {'; '.join(filter(None, absent))}.")


def reference(name: str, plan: Plan) -> str:
    """Return the method that --relative-to means; raises BadInput where the plan does not measure it."""
    found = [method.name for method in plan.catalogue.select(name) if method.name in plan.settings.methods]
    if len(found) != 1:
        raise BadInput(f"--relative-to names {name!r}, which is not one of the methods that are measured.")
    return found[0]


def begun(run: str, results: Path | None, budget: Budget | None, adapters: Sequence[Path]) -> Plan:
    """Return the plan of a run as it was kept, with another budget and more adapters; raises BadInput."""
    from bench.engine.describing import check_methods
    from bench.environments.catalogue import Catalogue
    from bench.results import store

    directory = store.find(run, results)
    described = store.describe(directory)
    settings = described.settings
    if budget is not None:
        budgets: dict[str, float | None] = dict.fromkeys(settings.methods, budget.seconds)
        settings = dataclasses.replace(settings, budget_s=budgets, total_s=None)
    extra = [*map(Path, described.extra_adapters), *(path.resolve() for path in adapters)]
    catalogue = Catalogue(list(dict.fromkeys(extra)))
    check_methods(catalogue, settings.methods)
    parallel = described.machine.parallel_speed or ParallelSpeed(1, 1.0)
    return Plan(directory, settings, catalogue, store.stored_dataset(directory, described), parallel)

"""The head of a table: what was measured where, in a few labelled lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bench.analysis.table import Table
from bench.core.description import DataSetFacts, Description, Machine, ParallelSpeed, SystemFacts
from bench.core.settings import Settings
from bench.core.spin import is_lowest
from bench.protocols import PROTOCOLS
from bench.render import numbers

STATED = {
    "machine": ("cpu", "gpus"),
    "settings": ("optimizer", "threads"),
    "dataset": ("name", "count", "total", "fallback"),
}
"""All that the published table says about its measurement; the other lines are left out."""


INCOMPLETE = "incomplete: stopped before its end, or still measured"


def heading(table: Any) -> list[tuple[str, str]]:
    """Return the labelled lines of the head; what the campaign did not record is left out."""
    described = table.description
    published = isinstance(table, Table) and table.is_paper
    found = [
        ("Run", table.title if isinstance(table, Table) and published else _run(described)),
        ("Machine", _machine(described.machine)),
        ("Nodes", _nodes(described)),
        ("Threads", _threads(described.settings, described.machine.parallel_speed)),
        ("Data set", _data_set(described.dataset)),
        ("Not used", "; ".join(described.dataset.unused)),
        ("Protocol", f"relax with {described.settings.optimizer}" if published else _protocols(described.settings)),
    ]
    return [(label, text) for label, text in found if text]


def head_object(table: Table) -> dict[str, Any]:
    """Return the head as the JSON object that scripts rely on."""
    plain = table.description.plain()
    if not table.is_paper:
        return {"source": table.source, **plain}
    stated = {part: {name: plain[part][name] for name in names} for part, names in STATED.items()}
    return {"source": table.source, "run_id": table.description.run_id, "title": table.title, **stated}


def _run(described: Description) -> str:
    parts = [
        described.name or None,
        described.run_id,
        described.created.replace("T", " ")[:16].strip(),
        f"pesbench {described.pesbench}" if described.pesbench else None,
        f"commit {described.commit[:12]}{', changed since' if described.dirty else ''}" if described.commit else None,
        ", ".join(described.tags) or None,
        INCOMPLETE if described.incomplete else None,
    ]
    return " · ".join(part for part in parts if part)


def _machine(machine: Machine) -> str:
    cores, logical = machine.cores, machine.logical_cores
    fewer = machine.usable_cores if machine.usable_cores and cores and machine.usable_cores < cores else None
    parts = [
        machine.cpu,
        f"{cores} cores" + (f" ({logical} logical)" if logical and logical != cores else "") if cores else None,
        f"{fewer} of them usable (affinity, or a container's quota)" if fewer else None,
        numbers.size(machine.memory_bytes) if machine.memory_bytes else None,
        ", ".join(machine.gpus) if machine.gpus else "no GPU",
        machine.os,
        f"Python {machine.python}" if machine.python else None,
        f"beside {machine.beside}: the times are disturbed" if machine.beside else None,
    ]
    return " · ".join(part for part in parts if part)


def _nodes(described: Description) -> str:
    """Return the nodes of a merged run, with the number of rounds of each."""
    rounds: dict[str, int] = {}
    for one in described.nodes:
        name = one.node or one.run_id
        rounds[name] = rounds.get(name, 0) + len(one.rounds)
    return ", ".join(f"{name} ({count} round{'s' if count != 1 else ''})" for name, count in rounds.items())


def _threads(settings: Settings, parallel: ParallelSpeed | None) -> str:
    if parallel is None or parallel.speed is None or parallel.threads == 1:
        return str(settings.threads)
    return (
        f"{settings.threads} ({parallel.threads} threads at once did {parallel.speed:.2f} times the work of one here)"
    )


def _data_set(dataset: DataSetFacts) -> str:
    if not dataset.name:
        return ""
    count, total = dataset.count, dataset.total
    amount = f"{count} of {total}" if total and total != count else f"{count}"
    text = f"{dataset.name}: {amount} structure{'s' * (amount != '1')}"
    if len(dataset.systems) > 1:
        text += f" of {len(dataset.systems)} systems: {some(map(short, dataset.systems))}"
    elif dataset.formula:
        text += f" of {dataset.formula}{_state(dataset)}{_besides(dataset)}"
    if dataset.digest:
        text += f" (SHA-256 {dataset.digest.removeprefix('sha256:')[:12]})"
    return f"{text}; {dataset.description}" if dataset.description else text


def short(system: SystemFacts) -> str:
    """Return a system in a few words: its name, and what is special about it."""
    parts = [*([] if system.name.startswith(system.formula) else [system.formula]), *special(system)]
    return f"{system.name} ({', '.join(parts)})" if parts else system.name


def special(system: SystemFacts) -> list[str]:
    """Return what a system has that a neutral molecule in its lowest spin has not, in words."""
    parts = []
    if system.charge:
        parts.append(f"charge {system.charge:+d}")
    if not is_lowest(system.spin):
        parts.append(f"multiplicity {system.spin}")
    return parts + _besides_state(system)


def _besides_state(system: SystemFacts) -> list[str]:
    parts = []
    if system.periodic:
        parts.append("periodic" if system.periodic == "TTT" else f"periodic {' '.join(system.periodic)}")
    if system.fixed:
        parts.append(f"{system.fixed} atom{'s' if system.fixed != 1 else ''} fixed")
    if system.masses:
        parts.append("masses of its own")
    return parts


def some(names: Iterable[str], most: int = 12) -> str:
    """Return names as a list, the first ones only where there are many."""
    every = list(names)
    return ", ".join(every[:most]) + (f" and {len(every) - most} more" if len(every) > most else "")


def _besides(dataset: DataSetFacts) -> str:
    """Return what the only system has besides charge and multiplicity."""
    return "".join(f", {part}" for part in _besides_state(dataset.systems[0])) if dataset.systems else ""


def _state(dataset: DataSetFacts) -> str:
    """Return charge and multiplicity where they are not those of a neutral molecule in its lowest spin."""
    charge = f", charge {dataset.charge:+d}" if dataset.charge else ""
    return charge + (f", multiplicity {dataset.spin}" if dataset.charge or not is_lowest(dataset.spin) else "")


def _protocols(settings: Settings) -> str:
    rounds = settings.rounds
    more = f" and more, in {settings.total_s / 60:.0f} min" if settings.total_s else ""
    protocols = " · ".join(
        one.heading(settings) or name for name, one in PROTOCOLS.items() if name in settings.protocols
    )
    parts = [
        *dict.fromkeys(protocols.split(" · ")),  # what several of them share is said once
        f"{rounds} round{'s' if rounds != 1 else ''}{more}",
        _budget(settings.budget_s),
    ]
    return " · ".join(part for part in parts if part)


def _budget(budgets: Mapping[str, float | None]) -> str | None:
    """Return how much time each method had; a range where they differ."""
    limits = sorted({budget for budget in budgets.values() if budget is not None})
    if not limits:
        return None
    return f"{limits[0]:g} s per method" if len(limits) == 1 else f"{limits[0]:g} to {limits[-1]:g} s per method"

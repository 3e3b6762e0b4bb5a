"""What a method can take of a data set: what its header rules out is never given to it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

from bench.core.failure import Failure
from bench.core.task import Item
from bench.data.structures import DataSet
from bench.data.systems import System, some
from bench.environments.doctor import cannot_take
from bench.environments.header import Method
from bench.protocols import PARTS

_SHORT = {
    "charge": "takes no charge",
    "spin": "takes no spin",
    "periodic": "takes no periodic systems",
    "stress": "gives no stress",
}

_MOST = 4  # reasons in one sentence


@dataclasses.dataclass(frozen=True)
class LeftOut:
    """What a method's header rules out of a data set."""

    structures: frozenset[int] = frozenset()
    sizes: frozenset[int] = frozenset()
    """Of the scaling protocol's series."""

    def has(self, item: Item) -> bool:
        """Return whether an item is ruled out."""
        part = PARTS[item.part]
        return part.structure(item.number) in self.structures or (part.number == "size" and item.number in self.sizes)

    def kept(self, structures: Iterable[int]) -> list[int]:
        """Return the structures that are not ruled out."""
        return [one for one in structures if one not in self.structures]


def takes(method: Method, system: System, relax_cell: bool = False) -> Failure | None:
    """Return why a method's header rules a system out; None where it does not.

    `relax_cell`: whether the cell of a periodic one is relaxed.
    """
    symbols = system.reference.get_chemical_symbols()
    return cannot_take(method, symbols, system.charge, system.spin, system.periodic, relax_cell)


def reasons(method: Method, systems: Iterable[System], relax_cell: bool = False) -> dict[str, str]:
    """Return the systems that a method's header rules out, by name, with the reason: ``takes no charge``."""
    found = {one.name: takes(method, one, relax_cell) for one in systems}
    return {
        name: _SHORT.get(failure.kind, failure.message.removeprefix(f"{method.name} "))
        for name, failure in found.items()
        if failure is not None
    }


def takes_none(method: Method, dataset: DataSet, relax_cell: bool = False) -> Failure | None:
    """Return why a method can take no system of a data set; None where it takes one."""
    failures = [takes(method, one, relax_cell) for one in dataset.systems]
    first = failures[0] if all(failures) else None
    found = reasons(method, dataset.systems, relax_cell)
    if first is None or len(set(found.values())) < 2:
        return first
    return dataclasses.replace(first, message=f"{method.label} {in_words(found, len(dataset.systems))}")


def in_words(found: Mapping[str, str], count: int) -> str:
    """Return the reasons of :func:`reasons`, each with its systems, of `count` in the set; four at most."""
    names: dict[str, list[str]] = {}
    for name, reason in found.items():
        names.setdefault(reason, []).append(name)
    each = [f"{reason} ({len(of)} of {count} systems: {some(of, 3)})" for reason, of in names.items()]
    return "; ".join(each[:_MOST]) + (f"; and {len(each) - _MOST} more reasons" if len(each) > _MOST else "")


def left_out(method: Method, dataset: DataSet, sizes: Iterable[int], relax_cell: bool = False) -> LeftOut:
    """Return what a method's header rules out; `sizes` are the numbers of atoms of the series that are measured."""
    numbers = {number for number, one in enumerate(dataset.systems) if takes(method, one, relax_cell)}
    measured = set(sizes)
    series = [one for one in dataset.series if len(one.reference) in measured]
    return LeftOut(
        structures=frozenset(index for number in numbers for index in dataset.systems[number].frames),
        sizes=frozenset(number for number, one in enumerate(series) if takes(method, one)),
    )

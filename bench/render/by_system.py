"""The table of times system by system, in each of the formats that people and programs read."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from bench.analysis.by_system import SystemRow, SystemsTable, only_one
from bench.analysis.table import Row
from bench.core.description import DataSetFacts, Description, SystemFacts
from bench.errors import BadInput
from bench.render import numbers
from bench.render.blocks import Block, Column, Formats, Page, estimate_object, filled
from bench.render.blocks import by_method as block
from bench.render.cells import AT_THE_START, BAD, DASH, Cell
from bench.render.circumstances import damaged, disturbed_in_short
from bench.render.heading import heading, some, special

FORMAT = 1


def page(table: SystemsTable) -> Page:
    """Return the whole report: a block a system."""
    labels = {one.row.method: one.row.label for one in table.rows}
    said = [
        disturbed_in_short(table.disturbances, labels),
        damaged(table.damaged),
        *table.description.dataset.notes,
        _without_interval([one.row.time.lacks for one in table.rows if one.row.time is not None]),
    ]
    urgent = [text for text in said if text]
    return Page(heading(table), blocks(table), reasons(table), urgent, urgent)


def _without_interval(lacks: Sequence[str | None]) -> str:
    """Return why times have no interval, for all of them together; empty where all have one."""
    why = list(dict.fromkeys(one for one in lacks if one))
    return f"[–]: {' or '.join(why)} of a system, so no interval and no sure rank." if why else ""


def blocks(table: SystemsTable) -> list[Block]:
    """Return a block for each system, with a line for each method that has a time there or failed."""
    found = []
    for name in dict.fromkeys(one.system.name for one in table.rows):
        mine = [one for one in table.rows if one.system.name == name and not one.refused]
        if mine:
            found.append(_block(mine[0].system, [one.row for one in mine], len({one.row.device for one in mine}) > 1))
    return filled(found)


def facts(description: Description) -> dict[str, SystemFacts]:
    """Return the systems of a run by their names; the only one of a run has the empty name, too."""
    systems = description.dataset.systems or (only_one(description.dataset),)
    return {one.name: one for one in systems} | ({"": systems[0]} if len(systems) == 1 else {})


def chosen(dataset: DataSetFacts, systems: Collection[str] = (), elements: Collection[str] = ()) -> frozenset[str]:
    """Return the names of the systems that are wanted: those of `systems`, of which all elements are in `elements`.

    Each means all where it is empty. Raises BadInput where a name is unknown, or no system is left.
    """
    known = dataset.systems or (only_one(dataset),)
    names = [one.name for one in known]
    unknown = [name for name in systems if name not in names]
    if unknown:
        raise BadInput(f"the run has no system {unknown[0]!r}; it has {some(names)}.")
    found = frozenset(
        one.name
        for one in known
        if (not systems or one.name in systems)
        and (not elements or set(re.findall("[A-Z][a-z]?", one.formula)) <= set(elements))
    )
    if not found:
        raise BadInput(f"the run has no such system of {', '.join(elements)} alone; it has {some(names)}.")
    return found


def blocks_of(
    description: Description, rows: Sequence[Any], name: Callable[[Any], str], *columns: Column
) -> list[Block]:
    """Return a block for each system, with a line for each of the rows there, which have a `system`."""
    known = facts(description)
    return filled(
        [
            block(described(known[one]), [row for row in rows if row.system == one], name, *columns)
            for one in dict.fromkeys(row.system for row in rows)
        ]
    )


def fields_of(system: SystemFacts) -> dict[str, Any]:
    """Return the fields of a line that say which system it is of."""
    names = ("formula", "atoms", "charge", "spin", "periodic")
    return {"system": system.name, **{name: getattr(system, name) for name in names}}


def _block(system: SystemFacts, rows: list[Any], several: bool) -> Block:
    def name(row: Any) -> str:
        return f"{row.name}, {row.on.label}" if several else str(row.name)

    shown: list[Column] = [
        (unit(rows), "", lambda row: _time(row)),
        ("rank", "", lambda row: _rank(row)),
        ("times slower", "", lambda row: _slower(row)),
        ("steps", "", lambda row: numbers.count(row.relaxation.steps_per_structure)),
        ("volume", "change", lambda row: numbers.growth(row.relaxation.volume_change)),
        (f"n/{max((row.total or 0 for row in rows), default=0)}", "", lambda row: numbers.whole(row.done)),
    ]
    return block(described(system), rows, name, *shown)


def unit(rows: Iterable[Row]) -> str:
    """Return the unit of the times of rows: ``ms/call`` where all of them are of force calls alone."""
    timed = [row for row in rows if row.time is not None]
    return "ms/call" if timed and all(row.of_calls for row in timed) else "ms/step"


def _time(row: Any) -> Cell:
    if row.time is None and not row.failures and row.converged and not row.relaxation.steps_measured:
        return AT_THE_START
    if row.time is None:
        return Cell(next(iter(row.failures)), state=BAD) if row.failures else DASH
    return numbers.with_interval(row.time)


def _rank(row: Any) -> Cell:
    if row.rank is None:
        return DASH
    return Cell(str(row.rank.low) if row.rank.low == row.rank.high else f"{row.rank.low}–{row.rank.high}")


def _slower(row: Any) -> Cell:
    return DASH if row.relative is None else numbers.plain(row.relative.estimate)


def described(system: SystemFacts) -> str:
    """Return a system in words: ``water, H2O, 3 atoms``."""
    parts = [system.name] if system.name == system.formula else [system.name, system.formula]
    if system.atoms:  # an older run does not say
        parts.append(f"{system.atoms} atom{'s' if system.atoms != 1 else ''}")
    return ", ".join([*parts, *special(system)])


def reasons(table: SystemsTable) -> list[tuple[str, str]]:
    """Return why methods have no line at a system."""
    found: dict[tuple[str, str], list[str]] = {}
    for one in table.rows:
        if one.refused:
            found.setdefault((one.row.label, one.refused), []).append(one.system.name)
    return [(label, f"{why}: not {', '.join(names)}") for (label, why), names in found.items()]


def _object(one: SystemRow) -> dict[str, Any]:
    row = one.row
    return {
        **fields_of(one.system),
        "method": row.method,
        "label": row.label,
        "device": row.device,
        "protocol": row.protocol,
        "refused": one.refused or None,
        "ms_per_step": estimate_object(row.ms_per_step),
        "calculator_ms_per_call": estimate_object(row.calculator_ms_per_call),
        "relative": estimate_object(row.relative),  # type: ignore[arg-type]
        "steps_per_structure": row.relaxation.steps_per_structure,
        "volume_change": row.relaxation.volume_change,
        "done": row.done,
        "total": row.total,
        "failures": dict(row.failures),
    }


def _rows(table: SystemsTable) -> list[dict[str, Any]]:
    return [_object(one) for one in table.rows]


def _document(table: SystemsTable) -> dict[str, Any]:
    return {"format": FORMAT, "head": table.description.plain(), "rows": _rows(table)}


FORMATS = Formats(page, _rows, _document)
"""How times by system are shown."""

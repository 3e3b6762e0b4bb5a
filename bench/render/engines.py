"""The report on the engines of a method: a table of times and answers, and a sentence about each engine."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from bench.analysis.engines import AtSystem, Engine, ordered, recommended
from bench.analysis.statistics import FEWEST_ROUNDS, Estimate
from bench.render import numbers
from bench.render.blocks import as_json
from bench.render.cells import ABSENT, BAD, DASH, Cell
from bench.render.console import fitting, hidden, labelled, printed, styled, table_of, width_of

MEV = 1e3
COLUMNS = ("engine", "system", "ms/call", "times as fast", "forces, meV/Å", "energy, meV/atom", "driver, ms/step")
LEAST = ("driver, ms/step", "energy, meV/atom", "ms/call", "forces, meV/Å")
"""The columns that a narrow terminal leaves out, the first one first."""
LEAST_NAME = 12
"""Characters of the first column, at least."""
OTHER = "other answers"


@dataclasses.dataclass(frozen=True)
class Report:
    """The contents of the report on engines."""

    title: Sequence[tuple[str, str]]
    """Labelled lines above the table."""
    reference: Engine
    engines: Sequence[Engine]
    weights: str | None
    notes: Sequence[str] = ()


def render(report: Report, json_wanted: bool, width: int | None = None, color: bool = False) -> str:
    """Return the report as text, or as JSON."""
    return _json(report) if json_wanted else _terminal(report, width, color)


def sentence(one: Engine) -> str:
    """Return what an engine gives, in one sentence.

    >>> sentence(Engine("m@e", "e", "E", (), failure="load", message="it has no library"))
    'e was not measured (load): it has no library.'
    """
    speeds = [at for at in one.at if at.speedup is not None]
    if not speeds:
        why = next((at.why for at in one.at if at.why), one.message) or "there was no time for it"
        return f"{one.engine} was not measured ({one.failure or 'no time'}): {why.rstrip('.')}."
    first, *others = [
        f"{numbers.ratio(at.speedup)}{' times as fast' if number == 0 else ''} at {_where(at)}"
        for number, at in enumerate(reversed(speeds))
    ]
    parts = f"{first} and {', '.join(others)}" if others else first
    if one.force_difference is None:
        return f"{one.engine} is {parts}; its answers were not compared."
    apart = f"forces within {numbers.plain(MEV * one.force_difference, 2)} meV/Å"
    if one.same_answers:
        return f"{one.engine} is {parts}; {apart}."
    allowed = max(MEV * at.apart.force_allowed for at in one.at if at.apart)
    energy = numbers.plain(MEV * (one.energy_difference or 0.0), 2)
    return (
        f"{one.engine} gives other answers, so its times are no gain: {apart} (allowed: {allowed:.2g}), energies "
        f"within {energy} meV/atom; it is {parts}."
    )


def advice(report: Report) -> str:
    """Return which engine to take, in one sentence."""
    best = recommended(report.engines)
    if best is None:
        return f"{report.reference.method} as it is: no engine with its answers is certainly faster here."
    return f"{best.method}: 'pesbench run --methods {best.method}' measures it."


def _where(at: AtSystem) -> str:
    return at.system if at.system.startswith(f"{at.atoms} atoms") else f"{at.system} ({at.atoms} atoms)"


def _about(one: Engine) -> list[tuple[str, str]]:
    """Return the labelled lines about an engine, or the reference."""
    name = one.engine or "reference"
    found = []
    if one.cold_start_s is not None:
        converted = f", after the checkpoint was converted once ({numbers.seconds(one.conversion_s)})"
        memory = f"; it had up to {numbers.size(one.peak_memory_bytes)}" if one.peak_memory_bytes else ""
        start = f"its first force call ends {numbers.seconds(one.cold_start_s)} after the start of the process"
        found.append((name, f"{start}{converted if one.conversion_s is not None else ''}{memory}"))
    if one.derivative is not None:
        slope = f"{numbers.plain(MEV * one.derivative, 2)} meV/Å (root mean square of a component)"
        found.append((name, f"its forces differ from the derivative of its energy by {slope}"))
    lists = {key: one.settings[key] for key in ("cutoff", "neighbor_skin") if key in one.settings}
    work = [f"{key.replace('_', ' ')} {value:g} Å" for key, value in lists.items() if value is not None]
    work += [f"at {_where(at)} {at.edges:,} pairs of neighbours" for at in one.at if at.edges is not None]
    work += [
        f"at {_where(at)} a list of neighbours every {1 / at.rebuilds:.1f} calls{_lists_beyond(at)}"
        for at in one.at
        if at.rebuilds is not None and at.rebuilds
    ]
    if any(at.beyond is not None for at in one.at):
        found += [(name, f"where each call needs a new list, it is {_speeds_beyond(one)}")]
    if work:
        found.append((name, "; ".join(work)))
    if one.limits.reason:
        found.append((name, f"its limits are wider, because {one.limits.reason}"))
    return found


def _lists_beyond(at: AtSystem) -> str:
    return f", and every {1 / at.rebuilds_beyond:.1f} beyond the skin" if at.rebuilds_beyond else ""


def _speeds_beyond(one: Engine) -> str:
    first, *others = [
        f"{numbers.ratio(at.beyond)}{' times as fast' if number == 0 else ''} at {_where(at)}"
        for number, at in enumerate(at for at in reversed(one.at) if at.beyond is not None)
    ]
    return f"{first} and {', '.join(others)}" if others else first


def _left_out(report: Report) -> list[tuple[str, str]]:
    """Return why something was not measured, a line a reason."""
    found: dict[tuple[str, str], list[str]] = {}
    for one in (report.reference, *report.engines):
        if any(at.ms is not None for at in one.at):
            for at in one.at:
                if at.why:
                    found.setdefault((one.engine or "reference", at.why), []).append(_where(at))
    return [("not measured", f"{name} at {', '.join(where)}: {why}") for (name, why), where in found.items()]


def _below(report: Report) -> list[tuple[str, str]]:
    engines = ordered(report.engines)
    found = [("in short", sentence(one)) for one in engines]
    found += [("take", advice(report))] if engines else []
    for one in (report.reference, *engines):
        found += _about(one)
    return [*found, *_left_out(report), *(("note", one) for one in (*_notes(report), *report.notes))]


def _notes(report: Report) -> list[str]:
    found = [
        "times as fast is the reference's time over that of the engine, taken in turn, with its 95 % interval "
        f"({FEWEST_ROUNDS} fresh processes or more); forces and energy are the largest differences from the reference.",
    ]
    drivers = dict.fromkeys(at.driver for one in (report.reference, *report.engines) for at in one.at if at.driver)
    if drivers:
        found.append(
            "driver is the time of a step of dynamics (velocity Verlet) without the force call in it, which no other "
            f"column has: the integrator is {_drivers(report, list(drivers))}."
        )
    if any(at.rebuilds is not None for one in report.engines for at in one.at):
        found.append(
            "A list of neighbours with a skin is kept until an atom has moved by half of it, and another "
            "structure mostly needs a new one. The steps between are about those of a relaxation. Beyond the skin, the "
            "whole system moves by 1.1 Å from call to call, so that each timed call makes a new list."
        )
    if report.weights == "random":
        found.append("random weights: the speed is right, the energies mean nothing.")
    return found


def _drivers(report: Report, names: list[str]) -> str:
    """Return whose integrators made the steps."""
    if len(names) == 1:
        return f"{names[0]}'s"
    own = {
        name: [
            one.engine or "reference"
            for one in (report.reference, *report.engines)
            if any(at.driver == name for at in one.at)
        ]
        for name in names
    }
    return ", ".join(f"{name}'s for {' and '.join(methods)}" for name, methods in own.items())


def _rows(one: Engine) -> list[list[str]]:
    apart = OTHER if one.same_answers is False else ""
    name: str = Cell(f"{one.engine} ({apart})", state=BAD) if apart else one.engine or "reference"
    found: list[list[str]] = []
    for at in one.at:
        if at.ms is None:
            continue
        bad = at.apart is not None and not at.apart.same
        differences = (
            [DASH, DASH]
            if at.apart is None
            else [
                Cell(numbers.plain(MEV * at.apart.force, 2), state=BAD if bad else ""),
                Cell(numbers.plain(MEV * at.apart.energy, 2), state=BAD if bad else ""),
            ]
        )
        found.append(
            [
                name if not found else "",
                _where(at),
                numbers.with_interval(at.ms, 3),
                DASH if not one.engine else numbers.ratio(at.speedup),
                *differences,
                DASH if at.driver_ms is None else numbers.with_interval(at.driver_ms, 2),
            ]
        )
    if not found:
        found.append([Cell(name, state=ABSENT), Cell(one.failure or "not measured", state=ABSENT), *[DASH] * 5])
    return found


def _terminal(report: Report, width: int | None, color: bool) -> str:
    width = width_of(width)
    titles = [*COLUMNS[:2], *(title.replace(" ", "\n", 1) for title in COLUMNS[2:])]
    lines = [cells for one in (report.reference, *ordered(report.engines)) for cells in _rows(one)]
    shown = fitting(titles, lines, width, [title.replace(" ", "\n", 1) for title in LEAST], LEAST_NAME)
    grid = table_of(titles, shown, range(2, len(COLUMNS)), LEAST_NAME)
    for cells in lines:
        grid.add_row(*(styled(cells[i]) for i in shown))
    left_out = hidden([title for i, title in enumerate(COLUMNS) if i not in shown])
    parts: list[RenderableType] = [
        labelled(report.title, width),
        Text(),
        grid,
        Text(),
        labelled([*_below(report), *(("note", note) for note in left_out)], width),
    ]
    return printed(parts, width, color)


def _json(report: Report) -> str:
    best = recommended(report.engines)
    document: dict[str, Any] = {
        "format": 1,
        "title": dict(report.title),
        "weights": report.weights,
        "recommended": best.method if best else None,
        "reference": _object(report.reference),
        "engines": [{**_object(one), "sentence": sentence(one)} for one in ordered(report.engines)],
        "notes": [f"{label}: {text}" for label, text in _below(report)],
    }
    return as_json(document)


def _object(one: Engine) -> dict[str, Any]:
    return {
        "engine": one.engine or None,
        "method": one.method,
        "label": one.label,
        "speedup": {str(at.atoms): _estimate(at.speedup) for at in one.at if at.speedup is not None and one.engine},
        "same_answers": one.same_answers,
        "force_difference_mev_per_angstrom": _mev(one.force_difference),
        "energy_difference_mev_per_atom": _mev(one.energy_difference),
        "derivative_difference_mev_per_angstrom": _mev(one.derivative),
        "cold_start_s": one.cold_start_s,
        "conversion_s": one.conversion_s,
        "peak_memory_bytes": one.peak_memory_bytes,
        "failure": one.failure or None,
        "message": one.message or None,
        "limit_reason": one.limits.reason or None,
        "systems": [_system(at) for at in one.at],
        "settings": dict(one.settings),
    }


def _system(at: AtSystem) -> dict[str, Any]:
    apart = at.apart
    return {
        "system": at.system,
        "atoms": at.atoms,
        "ms_per_call": _estimate(at.ms),
        "speedup": _estimate(at.speedup),
        "force_difference_mev_per_angstrom": _mev(apart.force if apart else None),
        "force_allowed_mev_per_angstrom": _mev(apart.force_allowed if apart else None),
        "energy_difference_mev_per_atom": _mev(apart.energy if apart else None),
        "energy_allowed_mev_per_atom": _mev(apart.energy_allowed if apart else None),
        "driver": at.driver or None,
        "driver_ms_per_step": _estimate(at.driver_ms),
        "edges": at.edges,
        "lists_per_call": at.rebuilds,
        "speedup_beyond_skin": _estimate(at.beyond),
        "lists_per_call_beyond_skin": at.rebuilds_beyond,
        "why": at.why or None,
    }


def _estimate(found: Estimate | None) -> dict[str, float | None] | None:
    return None if found is None else {"estimate": found.estimate, "low": found.low, "high": found.high}


def _mev(value: float | None) -> float | None:
    """Return eV as meV; None also for what is no finite number, which JSON has not."""
    return None if value is None or value == float("inf") else MEV * value

"""What the table of growth shows in every format: the laws, whether they hold, crossings, and the times by size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bench.analysis.statistics import Estimate
from bench.core.device import Device
from bench.protocols.scaling.analyse import Growth, Point, ScalingTable
from bench.protocols.scaling.growth import FEWEST_SIZES
from bench.render import numbers
from bench.render.blocks import Block, Column, Formats, Page, by_method, estimate_object, filled
from bench.render.cells import DASH, Cell
from bench.render.circumstances import damaged
from bench.render.heading import heading

FORMAT = 1


def page(table: ScalingTable) -> Page:
    """Return the whole report."""
    return Page(heading(table), blocks(table), _reasons(table), notes(table), urgent(table))


def blocks(table: ScalingTable) -> list[Block]:
    """Return the blocks of the report; empty ones are left out."""
    shown = [row for row in table.rows if row.measured]
    several = len({row.device for row in table.rows}) > 1
    names = {(row.label, row.device): name(row, several) for row in table.rows}

    def block(title: str, *columns: Column) -> Block:
        return by_method(title, shown, lambda row: name(row, several), *columns)

    sizes = sorted({point.atoms for row in shown for point in row.points})
    made = [
        block(
            "How does the cost of a force call grow? t = floor + b N^p",
            ("floor", "ms", lambda row: _of_law(row, "floor_ms")),
            ("exponent", "p", lambda row: _of_law(row, "exponent_estimate")),
            ("per atom", "µs", lambda row: _of_law(row, "us_per_atom")),
            ("twice floor", "atoms", lambda row: _of_law(row, "twice_floor_atoms")),
        ),
        block(
            "Does the law hold? The largest size was held out",
            ("size", "atoms", lambda row: numbers.whole(row.held_out.atoms) if row.held_out else DASH),
            ("predicted", "ms", lambda row: numbers.with_interval(row.held_out.predicted) if row.held_out else DASH),
            ("measured", "ms", lambda row: numbers.with_interval(_held_out(row))),
            ("inside", "", _inside),
        ),
        block(
            "How far did it get?",
            ("largest", "atoms", lambda row: numbers.whole(row.largest_atoms)),
            ("ended by", "", lambda row: row.ended_by),
            ("memory", "peak", lambda row: numbers.size(row.points[-1].peak_memory_bytes)),
            ("device", "memory", lambda row: numbers.size(row.points[-1].peak_device_memory_bytes)),
            ("edges", "per atom", lambda row: numbers.plain(row.points[-1].edges_per_atom)),
        ),
        Block(
            "From which size on is a method faster?",
            (("Faster", ""), ("than", ""), ("from", "atoms"), ("", "")),
            tuple(
                (
                    Cell(names.get((one.faster, one.device), one.faster)),
                    Cell(names.get((one.slower, one.device), one.slower)),
                    _whole(one.at.atoms),
                    Cell("extrapolated" if one.at.extrapolated else ""),
                )
                for one in table.crossings
            ),
        ),
        block("Milliseconds per force call, by number of atoms", *((f"{n:,}", "", _time_at(n)) for n in sizes)),
    ]
    return filled(made)


def name(row: Growth, several: bool) -> str:
    """Return the name of a method, with its device where there are several, and a remark on random weights."""
    label = _on(row.label, row.device, several)
    return f"{label} (random weights)" if row.weights == "random" else label


def _on(label: str, device: str, several: bool) -> str:
    return f"{label} ({Device.parse(device).label})" if several else label


def _of_law(row: Growth, what: str) -> Cell:
    estimate: Estimate | None = getattr(row.law, what, None)
    return _whole(estimate) if what == "twice_floor_atoms" else numbers.with_interval(estimate, 3)


def _whole(estimate: Estimate | None) -> Cell:
    """Return a number of atoms with its interval."""
    if estimate is None:
        return DASH
    if estimate.low is None or estimate.high is None:
        return Cell(f"{estimate.estimate:,.0f} [{DASH}]", estimate.estimate)
    low, middle, high = (f"{one:,.0f}" for one in (estimate.low, estimate.estimate, estimate.high))
    return Cell(f"{middle} [{low}, {high}]", estimate.estimate, estimate.low, estimate.high)


def _held_out(row: Growth) -> Estimate | None:
    held = row.held_out
    return next((one.ms_per_call for one in row.points if held is not None and one.atoms == held.atoms), None)


def _inside(row: Growth) -> str:
    if row.held_out is None:
        return DASH
    return "yes" if row.held_out.inside else "no"


def _time_at(atoms: int) -> Callable[[Growth], Cell]:
    def text(row: Growth) -> Cell:
        return next((numbers.plain(one.ms_per_call.estimate) for one in row.points if one.atoms == atoms), DASH)

    return text


def _reasons(table: ScalingTable) -> list[tuple[str, str]]:
    """Return why a method is missing, has no law, or departs from it."""
    several = len({row.device for row in table.rows}) > 1
    found = []
    for row in table.rows:
        said = []
        if row.refused is not None:
            said.append(f"not measured: {row.refused}")
        elif row.law is None:
            most = max((point.rounds for point in row.points), default=0)
            whole = sum(point.rounds == most for point in row.points)
            said.append(f"no law: {whole} of at least {FEWEST_SIZES} sizes were measured in all rounds")
        elif row.law.misfit is not None and row.law.misfit_at is not None:
            said.append(f"no single law: at {row.law.misfit_at:,} atoms it is {100 * row.law.misfit:.0f} % off")
        held = row.held_out
        if held is not None and not held.inside:
            off = 100 * (held.measured_ms / held.predicted.estimate - 1)
            said.append(
                f"at {held.atoms:,} atoms it takes {abs(off):.0f} % {'more' if off > 0 else 'less'} than its law"
            )
        if row.message:
            said.append(f"ended by {row.ended_by}: {row.message}")
        if said:
            found.append((name(row, several), "; ".join(said)))
    return found


def urgent(table: ScalingTable) -> list[str]:
    """Return the notes without which a reader would take the figures for something else."""
    return [note for note in (f"Systems: {_systems(table)}.", damaged(table.damaged)) if note]


def notes(table: ScalingTable) -> list[str]:
    """Return what a reader must know before trusting the numbers."""
    return [
        f"Systems: {_systems(table)}.",
        "A time is the mean force call of a round, and the geometric mean over rounds; a call is a small step from the "
        "last one. "
        "Floor: the time that does not depend on size; per atom: the rest, at the largest size of the fit. "
        "The formats csv and json have the interval of each time.",
        "Intervals: 95 %, from the misfit of the law or the scatter of the rounds, whichever is larger. The largest "
        f"size is held out to test the fit, except where only {FEWEST_SIZES} were measured.",
        "Ended by time: the next size would not have fitted into the method's budget; the largest size is no limit.",
        *([said] if (said := damaged(table.damaged)) else []),
    ]


def _systems(table: ScalingTable) -> str:
    if table.description.dataset.series:
        return "those of the user's file"
    if table.description.settings.periodic:
        return "supercells of the crystal of naphthalene, periodic"
    return "clusters of 1, 2, 4 ... molecules from the crystal of naphthalene, without a cell"


def row_object(row: Growth) -> dict[str, Any]:
    """Return a method's figures as the JSON object that scripts rely on."""
    law, held = row.law, row.held_out
    return {
        "method": row.method,
        "label": row.label,
        "kind": row.kind,
        "device": row.device,
        "weights": row.weights,
        "refused": row.refused,
        "law": None
        if law is None
        else {
            "floor_ms": estimate_object(law.floor_ms),
            "exponent": estimate_object(law.exponent_estimate),
            "us_per_atom": estimate_object(law.us_per_atom),
            "twice_floor_atoms": estimate_object(law.twice_floor_atoms),
            "fitted_atoms": [law.smallest, law.largest],
            "misfit": law.misfit,
            "misfit_atoms": law.misfit_at,
        },
        "held_out": None
        if held is None
        else {
            "atoms": held.atoms,
            "predicted_ms": estimate_object(held.predicted),
            "measured_ms": held.measured_ms,
            "inside": held.inside,
        },
        "largest_atoms": row.largest_atoms,
        "ended_by": row.ended_by or None,
        "message": row.message or None,
        "points": [_point_object(point) for point in row.points],
    }


def _point_object(point: Point) -> dict[str, Any]:
    return {
        "atoms": point.atoms,
        "ms_per_call": estimate_object(point.ms_per_call),
        "rounds": point.rounds,
        "peak_memory_bytes": point.peak_memory_bytes,
        "peak_device_memory_bytes": point.peak_device_memory_bytes,
        "edges_per_atom": point.edges_per_atom,
    }


def _document(table: ScalingTable) -> dict[str, Any]:
    crossings = [
        {
            "device": one.device,
            "faster": one.faster,
            "slower": one.slower,
            "from_atoms": estimate_object(one.at.atoms),
            "extrapolated": one.at.extrapolated,
        }
        for one in table.crossings
    ]
    return {
        "format": FORMAT,
        "head": table.description.plain(),
        "rows": [row_object(row) for row in table.rows],
        "crossings": crossings,
        "notes": notes(table),
    }


def _rows(table: ScalingTable) -> list[dict[str, Any]]:
    """Return one line for each method and size."""
    return [
        {
            **{name: getattr(row, name) for name in ("method", "label", "kind", "device", "weights")},
            "atoms": point.atoms,
            "ms_per_call": estimate_object(point.ms_per_call),
            **{
                name: getattr(point, name)
                for name in ("rounds", "peak_memory_bytes", "peak_device_memory_bytes", "edges_per_atom")
            },
        }
        for row in table.rows
        for point in row.points
    ]


FORMATS = Formats(page, _rows, _document)

"""What the throughput table shows in every format: narrow blocks of figures, each with a question as its title."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bench.core.device import Device
from bench.protocols.throughput.record import BATCH, PROCESSES
from bench.protocols.throughput.table import (
    LARGEST,
    REFUSED,
    Point,
    Series,
    ThroughputRow,
    ThroughputTable,
    WholeSet,
)
from bench.render import numbers
from bench.render.blocks import Block, Column, Page, by_method, filled
from bench.render.cells import DASH, Cell
from bench.render.circumstances import damaged, disturbed, disturbed_in_short
from bench.render.heading import heading, some

_OF_A_SET = (
    "An hour of the set: as if it had equally many molecules of each system, singly, or at each system in the way that "
    "relaxes most; batches are of one system. Compare methods with the same number of systems."
)


def page(table: ThroughputTable) -> Page:
    """Return the whole report."""
    return Page(heading(table), blocks(table), reasons(table), notes(table), urgent(table))


def blocks(table: ThroughputTable) -> list[Block]:
    """Return the blocks of the report; columns and lines without values are left out, and so are empty blocks."""
    shown = [row for row in table.rows if row.measured]

    def block(title: str, *columns: Column) -> Block:
        return by_method(title, shown, lambda row: name(row, table), *columns)

    sizes = sorted({point.size for row in shown for point in _of(row.batch) if point.gain})
    made = [
        *([_whole(table)] if table.several else []),
        block(
            "How many force calls a second?",
            ("singly", "1/s", lambda row: _calls(row.single)),
            ("in batches", "1/s", lambda row: _calls(_best(row.batch))),
            ("in processes", "1/s", lambda row: _calls(_best(row.processes))),
        ),
        block(
            "How many relaxed molecules a second?",
            ("singly", "1/s", lambda row: _relaxed(row.single)),
            ("in batches", "1/s", lambda row: _relaxed(_best(row.batch))),
            ("in processes", "1/s", lambda row: _relaxed(_best(row.processes))),
            ("calls per", "molecule", lambda row: numbers.count(row.calls_per_molecule)),
        ),
        block(
            "What do batches bring?",
            ("best", "size", lambda row: _size(_best(row.batch))),
            ("gain", "", lambda row: _gain(_best(row.batch))),
            ("half of it", "at", lambda row: numbers.plain(row.half_gain_batch, 2)),
            ("largest", "size", lambda row: _largest(row.batch)),
            ("ended by", "", lambda row: ended(row.batch)),
            ("differs by", "eV, eV/Å", lambda row: _difference(row.batch)),
        ),
        block(
            "What do several processes bring?",
            ("best", "x threads", lambda row: _size(_best(row.processes))),
            ("gain", "", lambda row: _gain(_best(row.processes))),
            ("ended by", "", lambda row: ended(row.processes)),
            ("memory", "of best", lambda row: _memory(_best(row.processes))),
        ),
        block("The gain of a batch of ...", *((str(size), "", _of_size(size, _gain)) for size in sizes)),
        block("The memory with a batch of ...", *((str(size), "", _of_size(size, _memory)) for size in sizes)),
    ]
    return filled(made)


def _whole(table: ThroughputTable) -> Block:
    """Return the block of methods over all systems."""
    several = len({one.device for one in table.whole}) > 1

    def label(one: WholeSet) -> str:
        return f"{one.label} ({Device.parse(one.device).label})" if several else one.label

    return by_method(
        "How many molecules of the set are relaxed in an hour?",
        table.whole,
        label,
        ("singly", "1/h", lambda one: numbers.with_interval(one.singly_per_hour, 3)),
        ("at best", "1/h", lambda one: numbers.with_interval(one.best_per_hour, 3)),
        ("systems", "", lambda one: numbers.whole(one.systems)),
    )


def _of(series: Series | None) -> tuple[Point, ...]:
    return series.points if series else ()


def _best(series: Series | None) -> Point | None:
    return series.best if series else None


def _of_size(size: int, text: Callable[[Point | None], Cell]) -> Callable[[ThroughputRow], Cell]:
    return lambda row: text(next((one for one in _of(row.batch) if one.size == size and one.rounds), None))


def _calls(point: Point | None) -> Cell:
    return numbers.with_interval(point.force_calls_per_s if point else None, 3)


def _relaxed(point: Point | None) -> Cell:
    return numbers.with_interval(point.relaxed_per_s if point else None, 3)


def _gain(point: Point | None) -> Cell:
    return numbers.ratio(point.gain) if point and point.gain else DASH


def _size(point: Point | None) -> Cell:
    """Return the size of a batch, or ``2 x 1``: processes and the threads of each."""
    if point is None:
        return DASH
    size = numbers.fixed(point.size, 0)
    return size if point.way == BATCH else size + f" x {point.threads}"


def _memory(point: Point | None) -> Cell:
    """Return the memory of a point: that of the device where there is one."""
    if point is None:
        return DASH
    return numbers.size(point.peak_device_memory_bytes or point.peak_memory_bytes)


def _largest(series: Series | None) -> Cell:
    return numbers.fixed(max(sizes), 0) if (sizes := [one.size for one in _of(series) if one.rounds]) else DASH


def ended(series: Series | None) -> str:
    """Return what ended a series, in a word."""
    if series is None or series.ended_by is None:
        return DASH
    if series.ended_by == LARGEST and series.points[0].way == PROCESSES:
        return "all cores"
    return series.ended_by


def _difference(series: Series | None) -> Cell:
    energies = [one.energy_difference for one in _of(series) if one.energy_difference is not None]
    forces = [one.force_difference for one in _of(series) if one.force_difference is not None]
    if not energies:
        return DASH
    text = f"{max(energies):.0e}, {max(forces):.0e}".replace("e-0", "e-").replace("0e+00", "0")
    return Cell(text, max(energies))


def name(row: ThroughputRow, table: ThroughputTable) -> str:
    """Return the name of a method and, where there are several, device and system, with a remark on random weights."""
    several = len({one.device for one in table.rows}) > 1
    label = f"{row.label} ({Device.parse(row.device).label})" if several else row.label
    label = f"{label} (random weights)" if row.weights == "random" else label
    return f"{label}, {row.system}" if row.system else label


def reasons(table: ThroughputTable) -> list[tuple[str, str]]:
    """Return why a method, its batches or its relaxations have no figures."""
    found = _left_out(table) if table.several else []
    for row in table.rows:
        title = name(row, table)
        if row.refused is not None:
            found.append((title, f"not measured: {row.refused}"))
            continue
        if row.batch and row.batch.ended_by == REFUSED:
            found.append((title, f"batches refused: {row.batch.why}"))
        elif row.batch and row.batch.why:
            found.append((title, f"batches ended: {row.batch.why}"))
        if row.processes and row.processes.why:
            found.append((title, f"processes ended: {row.processes.why}"))
        if row.no_relaxations:
            found.append((title, f"no relaxed molecules: {row.no_relaxations}"))
    return found


def _left_out(table: ThroughputTable) -> list[tuple[str, str]]:
    """Return which systems a method cannot take."""
    found = []
    for method in table.description.methods.values():
        for why in dict.fromkeys(method.left_out.values()):
            found.append((method.label, f"{why}: not {some(n for n, one in method.left_out.items() if one == why)}"))
    return found


def urgent(table: ThroughputTable) -> list[str]:
    """Return the notes without which a reader would take the figures for something else."""
    short = disturbed_in_short(table.disturbances, {row.method: row.label for row in table.rows})
    return [note for note in (_alone(table), _random(table), short, damaged(table.damaged)) if note]


def _alone(table: ThroughputTable) -> str:
    alone = dict.fromkeys(row.label for row in table.rows if row.measured and row.batch is None)
    return f"The adapter computes no batches: {', '.join(alone)}." if alone else ""


def _random(table: ThroughputTable) -> str:
    random = any(row.weights == "random" for row in table.rows if row.measured)
    return "Random weights give the right speed and meaningless energies: nothing is relaxed." if random else ""


def notes(table: ThroughputTable) -> list[str]:
    """Return what a reader must know before trusting the numbers."""
    settings = table.description.settings
    while_measured = disturbed(table.disturbances, {row.method: row.label for row in table.rows})
    return [
        f"Singly: one molecule after another in one process of {numbers.of(settings.threads, 'thread')}. In batches: "
        "many in one call, in the package's own way. In processes: several at once, each with cores of its own. Each "
        "is the best size by force calls a second; the formats csv and json have all sizes.",
        "Gain: force calls a second over those of single calls, which took turns with the batch, or were in the same "
        "round. Brackets: 95 % interval over rounds, for relaxed molecules also over structures.",
        f"Relaxed, with {settings.optimizer} to {settings.fmax:g} eV/Å: force calls a second in relaxations, with the "
        "optimiser's time, over the force calls that a relaxed molecule takes. In a batch each molecule has its own "
        "optimiser, and when it has converged, the next molecule takes its place.",
        *([_OF_A_SET] if table.several else []),
        "The answers of each batch were compared with those of single calls, before and after it was timed.",
        *([] if settings.optimizer == "BFGS" else [f"{settings.optimizer} cannot relax in batches."]),
        *([said] if (said := _alone(table)) else []),
        *([said] if (said := _random(table)) else []),
        *([while_measured] if while_measured else []),
        *([said] if (said := damaged(table.damaged)) else []),
    ]


def series(table: ThroughputTable) -> dict[str, list[Sequence[Point]]]:
    """Return the panels of the figure by what is counted, each with the points of every method that has a gain.

    A panel in which no method has a gain beyond one molecule or process is left out, unless there is no other.
    """
    rows = [row for row in table.rows if any(point.gain for point in row.points)]
    panels: dict[str, list[Sequence[Point]]] = {
        "molecules in a batch": [row.batch.points if row.batch else () for row in rows],
        "processes": [row.processes.points if row.processes else () for row in rows],
    }
    found = {
        what: points
        for what, points in panels.items()
        if any(one.size > 1 and one.gain is not None for mine in points for one in mine)
    }
    return found or panels


def pictured(table: ThroughputTable) -> str:
    """Return what the figure shows."""
    where = {"molecules in a batch": "batches", "processes": "several processes"}
    shown = [where[what] for what in series(table)]
    over = f"left by {shown[0]}, right by {shown[1]}" if len(shown) > 1 else f"by {shown[0]}"
    return f"Force calls a second over those of single calls, {over}. The tables below have the numbers."

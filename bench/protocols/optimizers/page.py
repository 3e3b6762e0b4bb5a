"""What the table of optimisers shows in every format."""

from __future__ import annotations

from bench.protocols.optimizers.table import OptimizerRow, OptimizersTable, Overall
from bench.render import numbers
from bench.render.blocks import Block, Page, filled
from bench.render.cells import BAD, DASH, Cell
from bench.render.circumstances import damaged, disturbed_in_short
from bench.render.heading import heading


def page(table: OptimizersTable) -> Page:
    """Return the whole report."""
    return Page(heading(table), blocks(table), reasons(table), notes(table), urgent(table))


def blocks(table: OptimizersTable) -> list[Block]:
    """Return a block over all methods, where there are several, and one for each method."""
    made = []
    if len({(row.method, row.device) for row in table.rows}) > 1:
        made.append(_over_all(table))
    for key in dict.fromkeys((row.method, row.device) for row in table.rows):
        made.append(_of_method([row for row in table.rows if (row.method, row.device) == key], table))
    return filled(made)


def _over_all(table: OptimizersTable) -> Block:
    heads = (
        ("Optimiser", ""),
        ("relaxed", ""),
        (f"time / {table.reference}", ""),
        (f"calls / {table.reference}", ""),
        ("fastest", ""),
        ("within 2x", ""),
        ("tight", f"/ {table.reference}"),
    )
    return Block("Which optimiser? All methods", heads, tuple(_overall_line(one) for one in table.overall))


def _overall_line(one: Overall) -> tuple[Cell, ...]:
    return (
        Cell(one.optimizer),
        _relaxed(one.solved, one.attempts),
        numbers.ratio(one.time_ratio),
        numbers.ratio(one.calls_ratio),
        numbers.percent(one.best),
        numbers.percent(one.within_twice),
        numbers.ratio(one.tight_time_ratio),
    )


def _of_method(rows: list[OptimizerRow], table: OptimizersTable) -> Block:
    several = len({row.device for row in table.rows}) > 1
    title = f"{rows[0].label}, {rows[0].device}" if several else rows[0].label
    heads = (
        ("Optimiser", ""),
        ("ms/molecule", ""),
        (f"time / {table.reference}", ""),
        ("calls", ""),
        ("own", "share"),
        ("above", "meV"),
        ("relaxed", ""),
        ("higher", "n, meV"),
        ("failed", ""),
        ("tight", f"/ {table.reference}"),
    )
    return Block(title, heads, tuple(map(_line, rows)))


def _line(row: OptimizerRow) -> tuple[Cell, ...]:
    failed = ", ".join(f"{count} {kind}" for kind, count in row.failures.items())
    return (
        Cell(row.optimizer),
        numbers.with_interval(row.ms_per_molecule, 3),
        numbers.ratio(row.time_ratio),
        numbers.count(row.force_calls),
        numbers.percent(row.own_share),
        DASH if row.above_mev is None else numbers.magnitude(row.above_mev),
        _relaxed(row.solved, row.attempts),
        DASH if row.higher_mev is None else Cell(f"{row.higher}, {numbers.magnitude(row.higher_mev)}", row.higher_mev),
        Cell(failed, state=BAD) if failed else DASH,
        numbers.ratio(row.tight_time_ratio),
    )


def _relaxed(solved: int, attempts: int) -> Cell:
    return Cell(f"{solved}/{attempts}", solved / attempts) if attempts else DASH


def reasons(table: OptimizersTable) -> list[tuple[str, str]]:
    """Return why methods or optimisers have no figures."""
    found = [(label, f"not measured: {why}") for label, why in table.unmeasured.items()]
    seen: dict[tuple[str, str], list[str]] = {}
    for row in table.rows:
        if row.message:
            seen.setdefault((row.optimizer, row.message), []).append(row.label)
    return found + [(optimizer, f"{', '.join(labels)}: {why}") for (optimizer, why), labels in seen.items()]


def urgent(table: OptimizersTable) -> list[str]:
    """Return the notes without which a reader would take the figures for something else."""
    cut = sum(row.cut for row in table.rows)
    dropped = "they do not count" if cut != 1 else "it does not count"
    said = f"The budget cut off {numbers.of(cut, 'relaxation')}; {dropped}." if cut else ""
    short = disturbed_in_short(table.disturbances, {row.method: row.label for row in table.rows})
    return [one for one in (said, _at_start(table), short, damaged(table.damaged)) if one]


def _at_start(table: OptimizersTable) -> str:
    """Return how often there was nothing to relax: such times are those of one force call with every optimiser."""
    count, solved = table.at_start, table.solved
    if not count:
        return ""
    limit = f"{table.description.settings.fmax:g} eV/Å"
    if count == solved:
        return (
            f"All forces were below {limit} at the start, so ms/molecule is the time of one force call and cannot "
            "tell which optimiser is faster; a smaller --fmax can."
        )
    return (
        f"In {count} of {solved} problems all forces were below {limit} at the start: there, ms/molecule is the time "
        "of one force call."
    )


def notes(table: OptimizersTable) -> list[str]:
    """Return what a reader must know before trusting the numbers."""
    settings = table.description.settings
    tight = min((one.tight_fmax for one in table.rows if one.tight_fmax), default=settings.fmax)
    return [
        f"Relaxed: the largest force on an atom falls below {tight:g} eV/Å within {settings.max_steps} steps, the "
        "energy is within 1 meV of the lowest that any optimiser reached from the same start with the same method, and "
        "no bond was made or broken. Higher: converged above that; how many, and the median distance.",
        f"ms/molecule: until the largest force is below {settings.fmax:g} eV/Å, all force calls and the optimiser's "
        "own time, with what it prepares at the start; geometric mean over the relaxed. Own: the optimiser's share of "
        "it. Above: how far above the minimum the system then is, median. Tight: until the force is below "
        f"{tight:g} eV/Å.",
        f"Time / {table.reference}: at structures that both relaxed, one after the other in the same process. "
        "Brackets: 95 % interval over systems, or over structures where there is one system; over methods where all "
        "are taken together. A single process gives no interval of ms/molecule.",
        "Fastest, within 2x: the share of all problems, each a structure with a method, that the optimiser relaxed in "
        "the least time, or in at most twice the least time (Dolan and Moré, Math. Program. 91, 201 (2002)).",
        *_again(table.repeats),
        *urgent(table),
    ]


def _again(repeats: int) -> list[str]:
    if not repeats:
        return []
    what = "relaxation was made" if repeats == 1 else "relaxations were made"
    return [
        f"{repeats} {what} again, because threads had waited for a core; of the two, the one that waited less counts, "
        "whichever was faster."
    ]

"""What the accuracy table shows in every format: no figure without the name of what it is compared with."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bench.analysis.statistics import Estimate
from bench.core.device import Device
from bench.protocols.accuracy.levels import BEYOND, EDGE, SAME, WITHIN
from bench.protocols.accuracy.matching import Deviation, FrequencyErrors
from bench.protocols.accuracy.notes import OTHER, notes, urgent
from bench.protocols.accuracy.table import NO_LABELS, Accuracy, AccuracyTable
from bench.render import numbers
from bench.render.blocks import Block, Column, Page, by_method, filled
from bench.render.cells import DASH, Cell
from bench.render.heading import heading
from bench.render.heading import some as _some

SHORT = {SAME: "same theory", WITHIN: "within", EDGE: "at its edge", BEYOND: "beyond"}
DIRECT = "direct forces"


def page(table: AccuracyTable) -> Page:
    """Return the whole report."""
    return Page(heading(table), blocks(table), reasons(table), notes(table), urgent(table))


def blocks(table: AccuracyTable) -> list[Block]:
    """Return the blocks of the report; columns without values are left out, and so are empty blocks."""
    shown = [row for row in table.rows if row.refused is None]
    each = [row for row in table.each if row.refused is None]
    compared = any(row.vibrations for row in each)
    labelled = [level.name for level in table.levels if any(level.name in row.references for row in shown)]

    def block(title: str, *columns: Column) -> Block:
        return by_method(title, shown, lambda row: name(row, table), *columns)

    def at_each(title: str, *columns: Column) -> Block:
        return by_method(title, each, lambda row: name(row, table), *columns)

    made = [
        block(
            "How far are its forces from the level that matches its own?",
            ("force MAE", "meV/Å", lambda row: numbers.with_interval(row.force_mae)),
            ("against", "", lambda row: table.label(row.nearest) if row.nearest else DASH),
            ("spread of", "theories", _verdict),
            *([("systems", "", _systems)] if table.by_system else []),
            ("n", "", _structures),
        ),
        block(
            "Force MAE against each reference, meV/Å",
            *((*_split(table.label(level)), _force(level)) for level in labelled),
            *([("made for", "", made_for)] if labelled else []),
        ),
        _floor(table),
        block(
            "More on the matching level",
            ("force RMSE", "meV/Å", lambda row: numbers.with_interval(_of(row, "force_rmse"), 3)),
            ("cosine", "", lambda row: _plain(_of(row, "force_cosine"))),
            ("energy MAE", "meV", lambda row: numbers.with_interval(_of(row, "energy_mae"), 3)),
            ("rank corr.", "of energies", lambda row: _plain(_of(row, "energy_rank_correlation"))),
        ),
        *(
            [
                at_each(
                    "And at each system?",
                    ("force MAE", "meV/Å", lambda row: numbers.with_interval(row.force_mae)),
                    ("against", "", lambda row: table.label(row.nearest) if row.nearest else DASH),
                    ("spread of", "theories", lambda row: SHORT.get(row.verdict or "", DASH)),
                    ("energy MAE", "meV", lambda row: numbers.with_interval(_of(row, "energy_mae"), 3)),
                    ("n", "", _structures),
                )
            ]
            if table.by_system
            else []
        ),
        at_each(
            "Does it know its own errors?",
            ("rank corr.", "with the error", lambda row: _uncertain(row, "rank_correlation")),
            ("error /", "uncertainty", lambda row: _uncertain(row, "calibration")),
        ),
        at_each(
            "How far is its relaxed geometry? Bonds, mean absolute error in mÅ",
            ("against", "", lambda row: _judge(row.nearest_geometry_label, row.own_geometry)),
            *((pair, "mÅ", _bond(pair)) for pair in _pairs(table)),
            ("C-C, mÅ", "experiment", lambda row: numbers.plain(row.experimental_bonds, 2)),
            ("RMSD", "mÅ", _rmsd),
            *([("planarity", "Å", _planarity)] if table.planar else []),
        ),
        at_each(
            "How far are its harmonic frequencies? RMSD (largest), cm⁻¹",
            ("against", "", lambda row: _judge(row.nearest_minimum_label, row.own_minimum)),
            ("below", "2000", lambda row: _both(row.frequencies, "below")),
            ("above", "2000", lambda row: _both(row.frequencies, "above")),
            ("scaled, from", "experiment", lambda row: _both(row.experimental_fundamentals, "below")),
            *([("imag.", "", _imaginary)] if compared else []),
            ("mixed", "", _mixed),
        ),
        _minima(table),
        at_each(
            "What does a Hessian cost?",
            ("Hessian", "s", lambda row: numbers.plain(row.harmonic.hessian_seconds, 3) if row.harmonic else DASH),
            ("force", "calls", _calls),
            ("residue", "cm⁻¹", lambda row: numbers.fixed(row.harmonic.residue, 1) if row.harmonic else DASH),
            ("ZPE", "meV", lambda row: numbers.fixed(row.harmonic.zero_point_energy, 0) if row.harmonic else DASH),
            ("fmax", "eV/Å", lambda row: numbers.fixed(row.harmonic.fmax, 4) if row.harmonic else DASH),
            *([] if compared else [("imag.", "", _imaginary)]),
        ),
    ]
    return filled(made)


def _verdict(row: Accuracy) -> str:
    """Return a verdict in short; of several systems, how many have which."""
    counted = [f"{short} {row.verdicts[verdict]}" for verdict, short in SHORT.items() if row.verdicts.get(verdict)]
    return ", ".join(counted) or SHORT.get(row.verdict or "", DASH)


def _floor(table: AccuracyTable) -> Block:
    """Return the differences between references as a lower triangle."""
    names = [level.name for level in table.levels if any(level.name in (p.a, p.b) and p.forces for p in table.floor)]
    known = {frozenset((pair.a, pair.b)): pair.forces for pair in table.floor if pair.forces}
    lines = []
    for i, one in enumerate(names[1:], 1):
        cells = [known.get(frozenset((one, other))) for other in names[:i]]
        texts = [numbers.with_interval(cell.force_mae, 3) if cell else DASH for cell in cells]
        lines.append((Cell(table.label(one)), *texts, *[Cell("")] * (len(names) - 1 - i)))
    return Block(
        "The floor: force MAE between the references themselves, meV/Å",
        (("level", ""), *(_split(table.label(level)) for level in names[:-1])),
        tuple(lines),
    )


def _split(label: str) -> tuple[str, str]:
    functional, _, basis = label.partition("/")
    return functional, basis


def _minima(table: AccuracyTable) -> Block:
    """Return how good the references' own minima and Hessians are."""
    lines = tuple(
        (
            Cell(f"{table.label(one.level)}, {one.system}" if one.system else table.label(one.level)),
            numbers.fixed(one.fmax, 4),
            Cell(one.source) if one.source else DASH,
            numbers.fixed(one.residue, 1),
            numbers.fixed(one.softest, 1),
            numbers.fixed(one.shift, 1),
            numbers.fixed(one.zero_point_energy, 0),
            numbers.fixed(one.scale_factor, 4),
            _both(one.fundamentals, "below"),
        )
        for one in table.minima
    )
    return Block(
        "How good are the references' own minima?",
        (
            *(("level", ""), ("fmax", "eV/Å"), ("Hessian", ""), ("residue", "cm⁻¹"), ("softest", "cm⁻¹")),
            *(("may err by", "cm⁻¹"), ("ZPE", "meV"), ("scale", "factor"), ("scaled, from", "experiment")),
        ),
        lines,
    )


def _judge(label: str | None, own: bool | None) -> str:
    """Return the level by which a minimum is judged, marked where it is not of the method's own functional."""
    return DASH if label is None else label + OTHER * (own is False)


def made_for(row: Accuracy) -> str:
    """Return the method's own level of theory: ``wB97M-V/def2-TZVPD``."""
    if not row.theory:
        return DASH
    functional, basis, dispersion = (row.theory.get(key, "-") for key in ("functional", "basis", "dispersion"))
    if row.kind not in ("mlip", "dft"):  # a parametrisation of its own
        return functional
    text = functional if basis == "-" else f"{functional}/{basis}"
    return text if dispersion in ("none", "-") or dispersion in text else f"{text}+{dispersion}"


def _force(level: str) -> Callable[[Accuracy], Cell]:
    def text(row: Accuracy) -> Cell:
        found = row.references.get(level)
        return numbers.plain(found.force_mae.estimate) if found else DASH

    return text


def _of(row: Accuracy, figure: str) -> Estimate | None:
    """Return a figure against the matching level."""
    return getattr(row.references[row.nearest], figure) if row.nearest else None


def _structures(row: Accuracy) -> Cell:
    return numbers.whole(row.references[row.nearest].structures) if row.nearest else DASH


def _systems(row: Accuracy) -> Cell:
    return numbers.whole(row.references[row.nearest].systems) if row.nearest else DASH


def _plain(value: Estimate | None) -> Cell:
    return numbers.fixed(value.estimate, 3) if value else DASH


def _uncertain(row: Accuracy, figure: str) -> Cell:
    return numbers.with_interval(getattr(row.uncertainty, figure), 3) if row.uncertainty else DASH


def _pairs(table: AccuracyTable) -> list[str]:
    """Return the pairs of elements whose bonds are shown."""
    return list(dict.fromkeys(pair for row in table.each for one in row.geometry.values() for pair in one.bonds.mae))


def _bond(pair: str) -> Callable[[Accuracy], Cell]:
    def text(row: Accuracy) -> Cell:
        found = row.geometry.get(row.nearest_geometry or "")
        return numbers.plain(found.bonds.mae.get(pair), 2) if found else DASH

    return text


def _rmsd(row: Accuracy) -> Cell:
    found = row.geometry.get(row.nearest_geometry or "")
    return numbers.fixed(1000 * found.rmsd, 1) if found else DASH


def _planarity(row: Accuracy) -> Cell:
    return numbers.fixed(row.harmonic.planarity.rms, 3) if row.harmonic else DASH


def _imaginary(row: Accuracy) -> Cell:
    return numbers.whole(row.harmonic.imaginary) if row.harmonic else DASH


def _both(errors: FrequencyErrors | None, part: str) -> Cell:
    found: Deviation | None = getattr(errors, part) if errors else None
    return numbers.fixed(found.rmsd_cm1, 1) + f" ({found.largest_cm1:.0f})" if found else DASH


def _mixed(row: Accuracy) -> Cell:
    found = row.vibrations.get(row.nearest_minimum or "")
    return numbers.whole(found.mixed) if found else DASH


def _calls(row: Accuracy) -> Cell:
    if row.harmonic is None:
        return DASH
    calls = row.harmonic.hessian_calls
    return Cell("native") if calls is None else numbers.whole(calls)


def name(row: Accuracy, table: AccuracyTable) -> str:
    """Return the name of a method and, where there are several, device and system, with a remark on direct forces."""
    several = len({one.device for one in table.rows}) > 1
    remarks = [Device.parse(row.device).label] if several else []
    remarks += [] if row.conservative else [DIRECT]
    label = f"{row.label} ({', '.join(remarks)})" if remarks else row.label
    return f"{label}, {row.system}" if row.system else label


def reasons(table: AccuracyTable) -> list[tuple[str, str]]:
    """Return why a method has no figures, or what its minimum was not; of several systems, with their names."""
    found = []
    asked = not table.description.settings.phase_s  # nobody misses what a run adds by itself
    for row in table.rows:
        if row.weights == "random" and not asked:
            continue
        said = [f"not compared: {row.refused}"] if row.refused is not None else list(_remarks(row))
        found += [(name(row, table), one) for one in said]
        left_out = table.description.methods[row.method].left_out if table.by_system else {}
        for why in dict.fromkeys(left_out.values()):
            found.append((name(row, table), f"{why}: not {_some([n for n, one in left_out.items() if one == why])}"))
        if row.refused is None:
            found += [(name(row, table), one) for one in _at_systems(row, table)]
    return found


def _at_systems(row: Accuracy, table: AccuracyTable) -> list[str]:
    """Return what is to be said of a method at each system, each remark once."""
    systems: dict[str, list[str]] = {}
    for one in table.by_system:
        if (one.method, one.device) == (row.method, row.device):
            refused = one.refused is not None and one.refused != NO_LABELS  # a note tells which have none
            for said in [f"not compared: {one.refused}"] if refused else _remarks(one):
                systems.setdefault(said, []).append(one.system)
    return [f"{said} ({_some(names)})" for said, names in systems.items()]


def _remarks(row: Accuracy) -> Iterator[str]:
    """Yield what is to be said of a row with figures."""
    if row.failures and not row.system:
        text = ", ".join(f"{kind} ({count})" for kind, count in row.failures.items())
        yield f"structures without an answer: {text}"
    if row.no_minimum is not None:
        yield f"no minimum: {row.no_minimum}"
    if row.harmonic and row.harmonic.status != "converged":
        yield f"no minimum: its largest force stayed at {row.harmonic.fmax:.3f} eV/Å"
    if row.harmonic and row.harmonic.imaginary:
        count = row.harmonic.imaginary
        yield f"{count} imaginary mode{'s' if count > 1 else ''}: not a minimum"

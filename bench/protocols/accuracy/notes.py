"""What a reader must know before trusting the accuracy table, in sentences."""

from __future__ import annotations

from bench.analysis.vibrations import IMAGINARY
from bench.protocols.accuracy.levels import STATED, near_limit
from bench.protocols.accuracy.matching import SPLIT
from bench.protocols.accuracy.table import AccuracyTable
from bench.render import numbers
from bench.render.circumstances import damaged

OTHER = "*"
"""Marks a level that has another functional than the method's own."""
GOOD_RESIDUE = 5.0
"""cm⁻¹. A Hessian whose translations and rotations come out above this is mentioned."""


def urgent(table: AccuracyTable) -> list[str]:
    """Return the notes without which a reader would take the errors for something else."""
    return [note for note in (table.missing, _spread(table), damaged(table.damaged)) if note]


def _spread(table: AccuracyTable) -> str:
    stated = " and ".join(STATED)
    if any(row.spread for row in table.by_system):
        return (
            f"Spread of theories: the force MAE between {stated} near the basis limit at a system; a method is judged "
            "at each system that has it, and one within the spread may be as right as they are. Systems with each "
            "verdict are counted: the spread at one tells nothing of an error at another."
        )
    if table.spread is None:
        return (
            f"There are no labels of {stated} near the basis limit for these structures, so it is not known how far "
            "theories differ here."
            if any(row.references for row in table.rows)
            else ""
        )
    names = " and ".join(table.label(level) for level in table.spread.levels)
    return (
        f"Spread of theories: {numbers.plain(table.spread.force_mae)} meV/Å, the force MAE between {names} at "
        f"{len(table.spread.structures)} structures; a method is judged at those that it has, and one within the "
        "spread may be as good as they are. Other levels do not count here."
    )


def _judged(table: AccuracyTable) -> str:
    """Return by what geometries and frequencies are judged."""
    if not any(row.nearest_geometry for row in table.each):
        return ""
    said = (
        "Geometries: against the method's own functional near the basis limit, else the nearest functional there; a "
        "small basis only where the method has the very same. Frequencies: against the nearest functional of all, in "
        "its largest basis, because they depend more on the functional."
    )
    if any(False in (row.own_geometry, row.own_minimum) for row in table.each):
        said += f" {OTHER}: no minimum of the method's own functional; the difference of both theories is in the error."
    near = {level.name for level in table.levels if near_limit(level.theory)}
    judges = {name for row in table.each for name in (row.nearest_geometry, row.nearest_minimum) if name}
    if judges - near:
        said += (
            " A level with a basis below triple zeta has an error of its own, of some 10 mÅ in a bond and some 10 cm⁻¹ "
            "in a wavenumber."
        )
    return said


def _residue(table: AccuracyTable) -> str:
    coarse = [one for one in table.minima if one.residue > GOOD_RESIDUE]
    if not coarse:
        return ""
    names = ", ".join(
        f"{table.label(one.level)}{f' of {one.system}' if one.system else ''} ({one.residue:.0f} cm⁻¹)"
        for one in coarse
    )
    return (
        f"Hessians whose translations or rotations come out above {GOOD_RESIDUE:.0f} cm⁻¹: {names}. May err by: what "
        "an error of that size in the squared wavenumber makes of the softest mode."
    )


def notes(table: AccuracyTable) -> list[str]:
    """Return what a reader must know before trusting the numbers."""
    said = [
        table.missing,
        _spread(table),
        "Matching level: the method's own functional, else the nearest rung of Jacob's ladder, then the basis; not the "
        "one with the smallest error. "
        "Brackets: 95 % intervals over structures."
        if any(row.references for row in table.rows)
        else "",
        _pooled(table),
        _common(table),
        _judged(table),
        _residue(table),
        f"Energies are compared less their mean over the structures{' of a system' if table.by_system else ''}."
        if any(row.references for row in table.rows)
        else "",
        "Frequencies: at the method's own minimum, matched by motion, within symmetry species where the molecule has "
        f"them; {SPLIT:.0f} cm⁻¹ parts the stretches of bonds to hydrogen from the others. Mixed: modes without a "
        "partner of the same motion in the reference."
        if any(row.vibrations for row in table.each)
        else "",
        f"Imaginary: beyond {IMAGINARY:.0f} cm⁻¹. Residue: translations and rotations before they were projected out."
        if any(row.harmonic for row in table.each)
        else "",
        "Experiment has fundamentals: harmonic wavenumbers are compared times the scale factor that fits those of the "
        "method's reference, so that a potential that is too soft gains nothing."
        if any(row.experimental_fundamentals for row in table.each)
        else "",
        *table.experiment,
        damaged(table.damaged),
    ]
    return [note for note in said if note]


def _pooled(table: AccuracyTable) -> str:
    """Return how errors over several systems are made, and what they must not be compared with."""
    if not any(row.references for row in table.rows) or not table.by_system:
        return ""
    errors = [row.references[row.nearest] for row in table.rows if row.nearest]
    said = "Over several systems, each counts the same, whatever its size."
    if any(one.force_mae.over == "systems" for one in errors):
        said += " Where a system has one structure, the interval is that over systems."
    if len({one.systems for one in errors}) > 1:
        said += " Compare methods that have the same number of systems; the others have other molecules in their mean."
    return said


def _common(table: AccuracyTable) -> str:
    """Return at how many structures the references are compared with each other; empty where they are not."""
    counts = sorted(pair.forces.structures for pair in table.floor if pair.forces)
    if not counts:
        return ""
    many = str(counts[0]) if counts[0] == counts[-1] else f"{counts[0]} to {counts[-1]}"
    return f"Two references are compared at the structures that both have: {many}."

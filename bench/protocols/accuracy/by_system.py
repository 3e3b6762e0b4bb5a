"""The accuracy table with a line for each method at each system, in each of the formats."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any

from bench.core.description import SystemFacts
from bench.protocols.accuracy import page as whole
from bench.protocols.accuracy.notes import notes, urgent
from bench.protocols.accuracy.table import Accuracy, AccuracyTable
from bench.render import numbers
from bench.render.blocks import Block, Formats, Page, estimate_object
from bench.render.by_system import blocks_of, facts, fields_of
from bench.render.cells import DASH, Cell
from bench.render.heading import heading

FORMAT = 1


def only(table: AccuracyTable, systems: Collection[str]) -> AccuracyTable:
    """Return a table with the rows of some systems; a run of a single system has no others."""
    rows = tuple(row for row in table.by_system if row.system in systems)
    return dataclasses.replace(table, by_system=rows)


def page(table: AccuracyTable) -> Page:
    """Return the whole report: a block a system."""
    return Page(heading(table), blocks(table), whole.reasons(table), notes(table), urgent(table))


def blocks(table: AccuracyTable) -> list[Block]:
    """Return a block for each system, with a line for each method that was compared there."""
    return blocks_of(
        table.description,
        [row for row in _lines(table) if row.refused is None],
        lambda row: whole.name(dataclasses.replace(row, system=""), table),
        ("force MAE", "meV/Å", lambda row: numbers.with_interval(row.force_mae)),
        ("against", "", lambda row: table.label(row.nearest) if row.nearest else DASH),
        ("spread of", "theories", lambda row: whole.SHORT.get(row.verdict or "", DASH)),
        ("energy MAE", "meV", lambda row: numbers.with_interval(_errors(row, "energy_mae"), 3)),
        ("n", "", lambda row: numbers.whole(row.references[row.nearest].structures) if row.nearest else DASH),
        ("geometry", "RMSD, mÅ", _geometry),
        ("frequencies", "RMSD, cm⁻¹", _frequencies),
        ("minima", "against", _judges),
        ("ms/call", "", lambda row: numbers.with_interval(row.time)),
    )


def _lines(table: AccuracyTable) -> tuple[Accuracy, ...]:
    """Return the rows of one system each: of a run of a single system, all rows."""
    return table.by_system if len(table.description.dataset.systems) > 1 else table.rows


def _errors(row: Accuracy, figure: str) -> Any:
    return getattr(row.references[row.nearest], figure) if row.nearest else None


def _geometry(row: Accuracy) -> Cell:
    found = row.geometry.get(row.nearest_geometry or "")
    return numbers.fixed(1000 * found.rmsd, 1) if found else DASH


def _frequencies(row: Accuracy) -> Cell:
    return numbers.plain(row.frequencies.all.rmsd_cm1 if row.frequencies else None)


def _judges(row: Accuracy) -> str:
    """Return the levels whose minima judge geometry and frequencies, mostly one."""
    labels = dict.fromkeys(one for one in (row.nearest_geometry_label, row.nearest_minimum_label) if one)
    return ", ".join(labels) or DASH


def _object(row: Accuracy, system: SystemFacts) -> dict[str, Any]:
    errors = row.references.get(row.nearest or "")
    geometry = row.geometry.get(row.nearest_geometry or "")
    return {
        **fields_of(system),
        "method": row.method,
        "label": row.label,
        "device": row.device,
        "weights": row.weights,
        "refused": row.refused,
        "reference": row.nearest,
        "verdict": row.verdict,
        "structures": errors.structures if errors else None,
        "force_mae_mev_per_angstrom": estimate_object(errors.force_mae if errors else None),
        "force_rmse_mev_per_angstrom": estimate_object(errors.force_rmse if errors else None),
        "energy_mae_mev": estimate_object(errors.energy_mae if errors else None),
        "geometry_reference": row.nearest_geometry,
        "rmsd_angstrom": geometry.rmsd if geometry else None,
        "frequency_reference": row.nearest_minimum,
        "rmsd_cm1": row.frequencies.all.rmsd_cm1 if row.frequencies else None,
        "ms_per_call": estimate_object(row.time),
    }


def _rows(table: AccuracyTable) -> list[dict[str, Any]]:
    known = facts(table.description)
    return [_object(row, known[row.system]) for row in _lines(table)]


def _document(table: AccuracyTable) -> Mapping[str, Any]:
    return {"format": FORMAT, "head": table.description.plain(), "rows": _rows(table), "notes": notes(table)}


FORMATS = Formats(page, _rows, _document)
"""How accuracy by system is shown."""

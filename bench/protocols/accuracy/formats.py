"""The accuracy table in each of the formats that people and programs read."""

from __future__ import annotations

import dataclasses
from typing import Any

from bench.protocols.accuracy.force_errors import ForceErrors
from bench.protocols.accuracy.matching import FrequencyErrors
from bench.protocols.accuracy.notes import notes
from bench.protocols.accuracy.page import page
from bench.protocols.accuracy.table import Accuracy, AccuracyTable, Floor, ReferenceMinimum, Spread
from bench.protocols.accuracy.truths import EXPERIMENT
from bench.render.blocks import Formats, estimate_object

FORMAT = 1


def row_object(row: Accuracy) -> dict[str, Any]:
    """Return a method's figures as the JSON object that scripts rely on; errors are by the name of the reference."""
    own = row.harmonic
    geometry = {
        level: {
            "cc_bond_mae_mangstrom": one.bonds.mae.get("C-C"),
            "ch_bond_mae_mangstrom": one.bonds.mae.get("C-H"),
            "bond_mae_mangstrom": dict(one.bonds.mae),
            "rmsd_angstrom": one.rmsd,
            "broken_bonds": one.bonds.lost,
        }
        for level, one in row.geometry.items()
    }
    frequencies = {level: _frequencies(one.errors, row) | {"mixed": one.mixed} for level, one in row.vibrations.items()}
    if row.experimental_bonds is not None:
        geometry[EXPERIMENT] = {"cc_bond_mae_mangstrom": row.experimental_bonds}
    if row.experimental_fundamentals is not None:
        frequencies[EXPERIMENT] = _frequencies(row.experimental_fundamentals, row) | {"scale_factor": row.scale_factor}
    return {
        "method": row.method,
        "label": row.label,
        "kind": row.kind,
        "device": row.device,
        "system": row.system or None,
        "weights": row.weights,
        "conservative": row.conservative,
        "theory": dict(row.theory) if row.theory else None,
        "refused": row.refused,
        "no_minimum": row.no_minimum,
        "ms_per_call": estimate_object(row.time),
        "nearest_reference": row.nearest,
        "common_reference": row.common,
        "verdict": row.verdict,
        "verdicts": dict(row.verdicts),
        "spread": _spread(row.spread),
        "nearest_geometry": row.nearest_geometry,
        "nearest_geometry_own_functional": row.own_geometry,
        "nearest_minimum": row.nearest_minimum,
        "nearest_minimum_own_functional": row.own_minimum,
        "stability": row.stability,
        "references": {level: _errors(errors) for level, errors in row.references.items()},
        "geometry": geometry,
        "frequencies": frequencies,
        "minimum": None
        if own is None
        else {
            "status": own.status,
            "fmax": own.fmax,
            "planarity_rms_angstrom": own.planarity.rms,
            "planarity_largest_angstrom": own.planarity.largest,
            "wavenumbers_cm1": list(own.wavenumbers),
            "imaginary": own.imaginary,
            "residue_cm1": own.residue,
            "asymmetry": own.asymmetry,
            "zero_point_energy_mev": own.zero_point_energy,
            "hessian_seconds": own.hessian_seconds,
            "hessian_force_calls": own.hessian_calls,
            "hessian_source": own.source,
        },
        "uncertainty": None
        if row.uncertainty is None
        else {
            "rank_correlation": estimate_object(row.uncertainty.rank_correlation),
            "error_over_uncertainty": estimate_object(row.uncertainty.calibration),
            "structures": row.uncertainty.structures,
        },
        "failures": dict(row.failures),
    }


def _errors(errors: ForceErrors) -> dict[str, Any]:
    return {
        "force_mae_mev_per_angstrom": estimate_object(errors.force_mae),
        "force_rmse_mev_per_angstrom": estimate_object(errors.force_rmse),
        "force_cosine": estimate_object(errors.force_cosine),
        "energy_mae_mev": estimate_object(errors.energy_mae),
        "energy_rank_correlation": estimate_object(errors.energy_rank_correlation),
        "structures": errors.structures,
        "systems": errors.systems,
    }


def _frequencies(errors: FrequencyErrors, row: Accuracy) -> dict[str, Any]:
    found: dict[str, Any] = {
        "rmsd_cm1": errors.all.rmsd_cm1,
        "largest_cm1": errors.all.largest_cm1,
        "modes": errors.all.modes,
        "imaginary": row.harmonic.imaginary if row.harmonic else None,
        "hessian_seconds": row.harmonic.hessian_seconds if row.harmonic else None,
    }
    for name, part in (("below_2000_cm1", errors.below), ("above_2000_cm1", errors.above)):
        found[name] = dataclasses.asdict(part) if part else None
    return found


def _spread(found: Spread | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "force_mae_mev_per_angstrom": found.force_mae,
        "levels": list(found.levels),
        "structures": len(found.structures),
    }


def _minimum(one: ReferenceMinimum) -> dict[str, Any]:
    return {
        "level": one.level,
        "system": one.system or None,
        "fmax": one.fmax,
        "hessian_source": one.source,
        "residue_cm1": one.residue,
        "softest_cm1": one.softest,
        "softest_may_err_by_cm1": one.shift,
        "zero_point_energy_mev": one.zero_point_energy,
        "scale_factor": one.scale_factor,
        "scaled_fundamentals_rmsd_cm1": one.fundamentals.all.rmsd_cm1 if one.fundamentals else None,
    }


def _pair(one: Floor) -> dict[str, Any]:
    return {
        "a": one.a,
        "b": one.b,
        "same_theory": one.same_theory,
        "force_mae_mev_per_angstrom": estimate_object(one.forces.force_mae if one.forces else None),
        "energy_mae_mev": estimate_object(one.forces.energy_mae if one.forces else None),
        "structures": one.forces.structures if one.forces else 0,
        "systems": one.forces.systems if one.forces else 0,
        "frequency_rmsd_cm1": one.frequencies.all.rmsd_cm1 if one.frequencies else None,
        "bond_mae_mangstrom": dict(one.bonds.mae) if one.bonds else None,
    }


def _document(table: AccuracyTable) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "head": table.description.plain(),
        "levels": {
            level.name: {
                "theory": dict(level.theory),
                "structures": len(level.forces),
                "minimum": level.name in {one.level for one in table.minima} or bool(level.minimum),
            }
            for level in table.levels
        },
        "rows": [row_object(row) for row in table.rows],
        "by_system": [row_object(row) for row in table.by_system],
        "floor": [_pair(one) for one in table.floor],
        "spread_mev_per_angstrom": table.spread.force_mae if table.spread else None,
        "spread": _spread(table.spread),
        "minima": [_minimum(one) for one in table.minima],
        "notes": notes(table),
    }


def _rows(table: AccuracyTable) -> list[dict[str, Any]]:
    """Return one line for each method and reference, then those of each system, with :func:`row_object`'s figures."""
    lines = []
    for row in (*table.rows, *table.by_system):
        found = row_object(row)
        minimum = found["minimum"] or {}
        levels = dict.fromkeys([*found["references"], *found["geometry"], *found["frequencies"]])
        for level in levels or [None]:
            fields = {
                name: found[name] for name in ("method", "device", "system", "weights", "conservative", "refused")
            }
            fields |= {f"theory_{key}": (row.theory or {}).get(key) for key in ("functional", "basis", "dispersion")}
            fields |= {"reference": level, "verdict": row.verdict if level and level == row.nearest else None}
            errors = found["references"].get(level, {})
            for figure in ("force_mae_mev_per_angstrom", "force_rmse_mev_per_angstrom", "energy_mae_mev"):
                fields |= {f"{figure}_{part}": errors.get(figure, {}).get(part) for part in ("estimate", "low", "high")}
            geometry, frequencies = found["geometry"].get(level, {}), found["frequencies"].get(level, {})
            fields |= {name: errors.get(name) for name in ("structures", "systems")}
            fields |= {name: geometry.get(name) for name in ("cc_bond_mae_mangstrom", "ch_bond_mae_mangstrom")}
            fields |= {name: frequencies.get(name) for name in ("rmsd_cm1", "largest_cm1", "modes")}
            fields |= {name: minimum.get(name) for name in ("imaginary", "zero_point_energy_mev", "hessian_seconds")}
            lines.append(fields)
    return lines


FORMATS = Formats(page, _rows, _document)

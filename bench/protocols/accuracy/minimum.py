"""Compares a method's own minimum and its vibrations with those of the references, and with experiment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from bench.analysis.fidelity import kabsch_rmsd
from bench.analysis.vibrations import (
    NormalModes,
    harmonic,
    imaginary,
    scale_factor,
    shift,
    zero_point_energy,
)
from bench.protocols.accuracy import geometry, levels, species
from bench.protocols.accuracy.floor import comparable
from bench.protocols.accuracy.matching import FrequencyErrors, compare, frequency_errors
from bench.protocols.accuracy.record import Vibrations
from bench.protocols.accuracy.table import Geometry, Harmonic, ReferenceMinimum
from bench.protocols.accuracy.truths import Level, Truths

_MayJudge = Callable[[Mapping[str, str], Mapping[str, Mapping[str, str]]], list[str]]
"""Which of some levels may judge a method: of the method's theory and those of the levels."""


def at_minimum(
    record: Vibrations,
    truths: Truths,
    minima: Mapping[str, Level],
    normal: Mapping[str, NormalModes],
    theory: Mapping[str, str],
) -> dict[str, Any]:
    """Return the fields of :class:`bench.protocols.accuracy.table.Accuracy` that a minimum and its Hessian give.

    Parameters
    ----------
    record : Vibrations
        With a Hessian.
    truths : Truths
    minima : mapping of str to Level
        The levels that have a minimum, some perhaps without a Hessian.
    normal : mapping of str to NormalModes
        The modes of each that has a Hessian.
    theory : mapping
        The method's own level of theory, which decides on the nearest one.
    """
    positions = np.array(record.positions)
    modes = harmonic(np.array(record.hessian), truths.masses, positions)
    own = Harmonic(
        status=record.status,
        fmax=float(record.fmax or 0.0),
        planarity=geometry.planarity(positions),
        wavenumbers=tuple(modes.wavenumbers.tolist()),
        imaginary=imaginary(modes.wavenumbers),
        residue=modes.residue,
        asymmetry=modes.asymmetry,
        zero_point_energy=zero_point_energy(modes.wavenumbers),
        hessian_seconds=record.hessian_ns / 1e9,
        hessian_calls=record.force_calls,
        source=record.source,
    )
    found: dict[str, Any] = {"harmonic": own}
    if minima:
        found["geometry"] = {
            name: Geometry(
                geometry.bond_errors(truths.numbers, positions, level.minimum.positions),
                kabsch_rmsd(positions, level.minimum.positions),
            )
            for name, level in minima.items()
            if level.minimum is not None
        }
        found["vibrations"] = {
            name: compare(modes, normal[name], truths.masses, positions, level.minimum.positions, truths.numbers)
            for name, level in minima.items()
            if level.minimum is not None and name in normal and comparable(modes, normal[name])
        }
        nearest = _judge(theory, minima, levels.for_minima)
        found |= {"nearest_geometry": nearest, "nearest_geometry_label": minima[nearest].label}
        found["own_geometry"] = _own(theory, minima[nearest])
        if found["vibrations"]:
            nearest = _judge(theory, {name: minima[name] for name in found["vibrations"]}, levels.for_vibrations)
            found |= {"nearest_minimum": nearest, "nearest_minimum_label": minima[nearest].label}
            found["own_minimum"] = _own(theory, minima[nearest])
    if truths.experiment is not None:
        if truths.experiment.bonds:
            unique = [(bond.pairs, bond.length) for bond in truths.experiment.bonds]
            found["experimental_bonds"] = geometry.unique_bonds_error(positions, unique)
        if "nearest_minimum" in found:
            name = found["nearest_minimum"]
            found |= _against_fundamentals(modes, positions, truths, minima[name], normal[name])
    return found


def _judge(theory: Mapping[str, str], minima: Mapping[str, Level], may_judge: _MayJudge) -> str:
    """Return the level by which a method's minimum, or its frequencies, are judged."""
    theories = {name: level.theory for name, level in minima.items()}
    return levels.nearest(theory, {name: theories[name] for name in may_judge(theory, theories)})


def _own(theory: Mapping[str, str], level: Level) -> bool | None:
    return levels.own_functional(theory, level.theory) if levels.is_known(theory) else None


def reference_minimum(level: Level, truths: Truths, modes: NormalModes) -> ReferenceMinimum:
    """Return how good the minimum of a reference level is, and its scale factor."""
    assert level.minimum is not None
    factor = fundamentals = None
    if truths.experiment is not None:
        factor, fundamentals = _scaled(modes, level.minimum.positions, truths)
    real = modes.wavenumbers[modes.wavenumbers > 0]
    softest = float(modes.wavenumbers.min()) if modes.wavenumbers.size else 0.0
    return ReferenceMinimum(
        level=level.name,
        system=truths.system,
        fmax=level.minimum.fmax,
        source=level.minimum.source,
        residue=modes.residue,
        softest=softest,
        shift=shift(modes.residue, float(real.min())) if real.size else 0.0,
        zero_point_energy=zero_point_energy(modes.wavenumbers),
        scale_factor=factor,
        fundamentals=fundamentals,
    )


def _scaled(modes: NormalModes, positions: np.ndarray, truths: Truths) -> tuple[float | None, FrequencyErrors | None]:
    """Return a level's scale factor and what it leaves; None where no mode can be told from the others."""
    both = _fundamentals(modes, positions, truths)
    if both is None:
        return None, None
    factor = scale_factor(*both)
    return factor, frequency_errors(factor * both[0], both[1])


def _against_fundamentals(
    modes: NormalModes, positions: np.ndarray, truths: Truths, level: Level, reference: NormalModes
) -> dict[str, Any]:
    """Compare wavenumbers with measured fundamentals, times the factor of the level by which the method is judged.

    A factor of the method's own would forgive a potential that is too soft, and none would reward it: a method that
    gives the level's own harmonic wavenumbers must be as good as the level.
    """
    assert level.minimum is not None
    both = _fundamentals(modes, positions, truths)
    factor, _ = _scaled(reference, level.minimum.positions, truths)
    if both is None or factor is None:
        return {}
    return {
        "scale_factor": factor,
        "experimental_fundamentals": frequency_errors(factor * both[0], both[1]),
    }


def _fundamentals(modes: NormalModes, positions: np.ndarray, truths: Truths) -> tuple[np.ndarray, np.ndarray] | None:
    """Return harmonic wavenumbers and measured fundamentals, matched by species; None where that is impossible."""
    names = species.species(truths.numbers, positions, modes.modes)
    if names is None or truths.experiment is None:
        return None
    places = species.numbered(names, modes.wavenumbers)
    both = [
        (modes.wavenumbers[places[one.species, one.place]], one.wavenumber)
        for one in truths.experiment.fundamentals
        if (one.species, one.place) in places
    ]
    if not both:
        return None
    ours, measured = np.array(both).T
    return ours, measured

"""Compares a method's own minimum and its vibrations with those of the references, and with experiment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bench.analysis import geometry, levels, species
from bench.analysis.accurate import Geometry, Harmonic
from bench.analysis.fidelity import kabsch_rmsd
from bench.analysis.floor import comparable
from bench.analysis.truths import Experiment, Level, Truths
from bench.analysis.vibrations import (
    FrequencyErrors,
    NormalModes,
    compare,
    frequency_errors,
    harmonic,
    imaginary,
    zero_point_energy,
)
from bench.contract.records import Vibrations


def at_minimum(
    record: Vibrations,
    truths: Truths,
    minima: Mapping[str, Level],
    normal: Mapping[str, NormalModes],
    theory: Mapping[str, str],
) -> dict[str, Any]:
    """Return the fields of :class:`bench.analysis.accurate.Accuracy` that a minimum and its Hessian give.

    Parameters
    ----------
    record : Vibrations
        With a Hessian.
    truths : Truths
    minima : mapping of str to Level
        The levels that have a minimum.
    normal : mapping of str to NormalModes
        The modes of each of them.
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
            name: compare(modes, normal[name], truths.masses, positions, level.minimum.positions)
            for name, level in minima.items()
            if level.minimum is not None and comparable(modes, normal[name])
        }
        if found["vibrations"]:
            compared = {name: minima[name].theory for name in found["vibrations"]}
            nearest = levels.nearest(theory, compared)
            found |= {"nearest_minimum": nearest, "nearest_minimum_label": minima[nearest].label}
    if truths.experiment is not None:
        if truths.experiment.bonds:
            unique = [(bond.pairs, bond.length) for bond in truths.experiment.bonds]
            found["experimental_bonds"] = geometry.unique_bonds_error(positions, unique)
        found["experimental_fundamentals"] = _fundamentals(modes, positions, truths.numbers, truths.experiment)
    return found


def _fundamentals(
    modes: NormalModes, positions: np.ndarray, numbers: np.ndarray, experiment: Experiment
) -> FrequencyErrors | None:
    """Compare harmonic wavenumbers with measured fundamentals, matched by species; None where that is impossible."""
    names = species.species(numbers, positions, modes.modes)
    if names is None:
        return None
    places = species.numbered(names, modes.wavenumbers)
    both = [
        (modes.wavenumbers[places[one.species, one.place]], one.wavenumber)
        for one in experiment.fundamentals
        if (one.species, one.place) in places
    ]
    if not both:
        return None
    ours, measured = np.array(both).T
    return frequency_errors(ours, measured)

"""Errors over several systems: each counts the same, however many atoms and structures it has.

Energies are compared within a system only, less the mean over its structures: those of different compositions have no
common zero.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from bench.analysis.statistics import FEWEST, Estimate
from bench.protocols.accuracy.force_errors import (
    MILLI,
    ForceErrors,
    absolute_errors,
    by_own_mean,
    cosines,
    energy_mae,
    energy_rank_correlation,
    root,
    squared_errors,
)
from bench.protocols.accuracy.intervals import Floats, mean, positive_mean
from bench.protocols.accuracy.truths import Level


class Compared(NamedTuple):
    """A method beside a reference, at s structures of a system of n atoms."""

    forces: Floats
    """(s, n, 3) in eV/Angstrom."""
    reference_forces: Floats
    energies: Floats
    """(s,) in eV."""
    reference_energies: Floats


def compared(
    energies: Mapping[int, float],
    forces: Mapping[int, np.ndarray],
    level: Level,
    structures: Collection[int] | None = None,
) -> Compared | None:
    """Return both at the structures of one system that both have, and that are in `structures`; None where none is."""
    common = sorted(set(forces) & set(level.forces) & set(forces if structures is None else structures))
    if not common:
        return None
    return Compared(
        np.array([forces[i] for i in common]),
        np.array([level.forces[i] for i in common]),
        np.array([energies[i] for i in common]),
        np.array([level.energies[i] for i in common]),
    )


def pooled(systems: Sequence[Compared]) -> ForceErrors:
    """Return the mean of each error over systems; see :mod:`bench.protocols.accuracy.force_errors` for the errors.

    The RMSE is the root of the mean over systems of the mean square. Systems without an energy error, which have a
    single structure, are left out of the mean of that. The rank correlation has no interval.

    Raises
    ------
    ValueError
        See :func:`bench.protocols.accuracy.force_errors.force_errors`.
    """
    pairs = [(one.forces, one.reference_forces) for one in systems]
    angles = [each for pair in pairs if (each := cosines(*pair)).size]
    ranks = [
        found.estimate
        for one in systems
        if (found := energy_rank_correlation(one.energies, one.reference_energies)) is not None
    ]
    return ForceErrors(
        structures=sum(len(one.energies) for one in systems),
        force_mae=positive_mean([absolute_errors(*pair) for pair in pairs]),
        force_rmse=root(positive_mean([squared_errors(*pair) for pair in pairs])),
        force_cosine=mean(angles, least=-1.0, most=1.0) if angles else None,
        energy_mae=_energy_mae(systems),
        energy_rank_correlation=Estimate(float(np.mean(ranks)), None, None, len(ranks), None) if ranks else None,
        systems=len(systems),
    )


def _energy_mae(systems: Sequence[Compared]) -> Estimate | None:
    """Return the mean over systems of the errors of their energies, each less its own mean over the structures."""
    several = [one for one in systems if len(one.energies) > 1]
    if len(several) < 2:
        return energy_mae(several[0].energies, several[0].reference_energies) if several else None
    found = positive_mean([_linearised(one) for one in several])
    if min(len(one.energies) for one in several) < FEWEST:  # two values are as far from their mean, whatever they are
        return Estimate(found.estimate, None, None, found.n, None)
    return found


def _linearised(one: Compared) -> Floats:
    """Return one value for each structure: their mean is the error of the energies, and their scatter that of it.

    The mean that is taken off is estimated from the same structures; to first order, that is a linear term.
    """
    difference = MILLI * (one.energies - one.reference_energies)
    centred = difference - difference.mean()
    return np.asarray(by_own_mean(len(centred)) * (np.abs(centred) - np.sign(centred).mean() * centred))

"""How far a method's forces and energies are from a reference's at the same geometries of one system.

The structures are the sampled unit: components of one structure share its distortion, so every interval is over
structures. Energies are compared less their mean over the structures, since the zero of energy differs between methods.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import ArrayLike

from bench.analysis.statistics import Estimate
from bench.protocols.accuracy.intervals import Chosen, Floats, bootstrapped, mean, positive_mean, spearman

FEWEST_TO_RANK = 3
"""Two structures can only be in the right or in the wrong order."""
MILLI = 1000.0
"""meV in an eV."""


@dataclasses.dataclass(frozen=True)
class ForceErrors:
    """The errors of one method against one reference, at one system or pooled over several."""

    structures: int
    force_mae: Estimate
    """meV/Angstrom."""
    force_rmse: Estimate
    """meV/Angstrom."""
    force_cosine: Estimate | None
    energy_mae: Estimate | None
    """meV per molecule."""
    energy_rank_correlation: Estimate | None
    systems: int = 1


@dataclasses.dataclass(frozen=True)
class UncertaintyQuality:
    """How well a method's own uncertainties tell its true errors."""

    structures: int
    rank_correlation: Estimate | None
    """Spearman's; None where all uncertainties or all errors are equal."""
    calibration: Estimate | None
    """Root mean square error over root mean square uncertainty; None where all uncertainties are zero."""


def force_errors(
    forces: ArrayLike, reference_forces: ArrayLike, energies: ArrayLike, reference_energies: ArrayLike
) -> ForceErrors:
    """Return all errors of a method against a reference.

    Parameters
    ----------
    forces, reference_forces : array_like, shape (s, n, 3)
        eV/Angstrom.
    energies, reference_energies : array_like, shape (s,)
        eV.

    Raises
    ------
    ValueError
        Where the shapes do not fit, a value is not finite, or there is no structure.
    """
    structures = len(_forces(forces, reference_forces)[0])
    if len(_energies(energies, reference_energies)[0]) != structures:
        raise ValueError(f"forces of {structures} structures, but energies of another number")
    return ForceErrors(
        structures=structures,
        force_mae=force_mae(forces, reference_forces),
        force_rmse=force_rmse(forces, reference_forces),
        force_cosine=force_cosine(forces, reference_forces),
        energy_mae=energy_mae(energies, reference_energies),
        energy_rank_correlation=energy_rank_correlation(energies, reference_energies),
    )


def force_mae(forces: ArrayLike, reference: ArrayLike) -> Estimate:
    """Return the mean of |F - F_ref| over components, atoms and structures, meV/Angstrom.

    The interval is that of :func:`~bench.protocols.accuracy.intervals.positive_mean` over structures.

    Parameters
    ----------
    forces, reference : array_like, shape (s, n, 3)
        eV/Angstrom.

    Returns
    -------
    Estimate
        ``low`` and ``high`` are None for a single structure.

    Raises
    ------
    ValueError
        See :func:`force_errors`.
    """
    return positive_mean([absolute_errors(forces, reference)])


def absolute_errors(forces: ArrayLike, reference: ArrayLike) -> Floats:
    """Return the mean of |F - F_ref| over components and atoms of each structure, (s,) in meV/Angstrom."""
    ours, theirs = _forces(forces, reference)
    return np.asarray(MILLI * np.abs(ours - theirs).mean(axis=(1, 2)))


def force_rmse(forces: ArrayLike, reference: ArrayLike) -> Estimate:
    """Return the root of the mean of (F - F_ref)^2 over components, atoms and structures, meV/Angstrom.

    The interval is the root of that of the structures' mean squares: a root keeps the order, and with it the coverage,
    and no resampling is needed.

    Parameters
    ----------
    forces, reference : array_like, shape (s, n, 3)
        eV/Angstrom.

    Returns
    -------
    Estimate
        ``low`` and ``high`` are None for a single structure.

    Raises
    ------
    ValueError
        See :func:`force_errors`.
    """
    return root(positive_mean([squared_errors(forces, reference)]))


def squared_errors(forces: ArrayLike, reference: ArrayLike) -> Floats:
    """Return the mean of (F - F_ref)^2 over components and atoms of each structure, (s,) in (meV/Angstrom)^2."""
    ours, theirs = _forces(forces, reference)
    return np.asarray(((MILLI * (ours - theirs)) ** 2).mean(axis=(1, 2)))


def root(square: Estimate) -> Estimate:
    """Return the root of a mean square, with the roots of the ends of its interval."""
    low, high = (None if end is None else math.sqrt(end) for end in (square.low, square.high))
    return dataclasses.replace(square, estimate=math.sqrt(square.estimate), low=low, high=high)


def force_cosine(forces: ArrayLike, reference: ArrayLike) -> Estimate | None:
    """Return the mean over structures of F.F_ref / (|F| |F_ref|), of all 3n components as one vector.

    The interval is Student's t over the structures, cut at 1 and -1.

    Parameters
    ----------
    forces, reference : array_like, shape (s, n, 3)
        eV/Angstrom.

    Returns
    -------
    Estimate or None
        A structure where one of both has no force at all has no cosine and is left out; None where none is left.

    Raises
    ------
    ValueError
        See :func:`force_errors`.
    """
    found = cosines(forces, reference)
    return mean([found], least=-1.0, most=1.0) if found.size else None


def cosines(forces: ArrayLike, reference: ArrayLike) -> Floats:
    """Return F.F_ref / (|F| |F_ref|) of each structure where both have a force, (k,)."""
    ours, theirs = (each.reshape(len(each), -1) for each in _forces(forces, reference))
    lengths = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    some = lengths > 0
    return np.asarray((ours * theirs).sum(axis=1)[some] / lengths[some])


def energy_mae(energies: ArrayLike, reference: ArrayLike) -> Estimate | None:
    """Return the mean of |d - mean of d| over structures, where d = E - E_ref, in meV per molecule.

    It is multiplied by the root of n / (n - 1): the mean is that of these n structures, so they are nearer to it than
    others, by 29 % for two of them and 5 % for ten.

    The interval is a bootstrap over structures that takes the mean of each resample anew, since the mean is estimated
    from the structures too.

    Parameters
    ----------
    energies, reference : array_like, shape (s,)
        eV.

    Returns
    -------
    Estimate or None
        None for a single structure, where it is zero by construction; no interval for fewer than
        :data:`bench.analysis.statistics.FEWEST`.

    Raises
    ------
    ValueError
        See :func:`force_errors`.
    """
    ours, theirs = _energies(energies, reference)
    if len(ours) < 2:
        return None
    difference = MILLI * (ours - theirs)
    enlarged = by_own_mean(len(ours))

    def centred(chosen: Chosen) -> Floats:
        resampled = difference[chosen]
        return enlarged * np.abs(resampled - resampled.mean(axis=-1, keepdims=True)).mean(axis=-1)

    return bootstrapped(centred, len(ours), least=0.0)


def by_own_mean(structures: int) -> float:
    """Return by how much deviations from the mean of so many structures are to be multiplied."""
    return math.sqrt(structures / (structures - 1))


def energy_rank_correlation(energies: ArrayLike, reference: ArrayLike) -> Estimate | None:
    """Return Spearman's rank correlation of both energies: 1 where the method orders the structures like the reference.

    C. Spearman, Am. J. Psychol. 15, 72 (1904): the correlation of the ranks, equal values sharing their mean rank. The
    interval is a bootstrap over structures.

    Parameters
    ----------
    energies, reference : array_like, shape (s,)
        eV.

    Returns
    -------
    Estimate or None
        None for fewer than :data:`FEWEST_TO_RANK` structures, or where all energies of one of both are equal; no
        interval for fewer than :data:`bench.analysis.statistics.FEWEST`.

    Raises
    ------
    ValueError
        See :func:`force_errors`.
    """
    ours, theirs = _energies(energies, reference)
    if len(ours) < FEWEST_TO_RANK or not (np.ptp(ours) > 0 and np.ptp(theirs) > 0):
        return None
    return bootstrapped(lambda chosen: spearman(ours[chosen], theirs[chosen]), len(ours), least=-1.0, most=1.0)


def uncertainty_quality(predicted: ArrayLike, true_error: ArrayLike) -> UncertaintyQuality:
    """Return how well predicted uncertainties of forces tell the true errors.

    The rank correlation is Spearman's, over all atoms of all structures. It is well below 1 even for perfect
    uncertainties, since each error is one random draw. The calibration is the root mean square error over the root mean
    square uncertainty: 1 if they agree, 2 where errors are twice as large as was claimed. It is the RMSE and RMV of
    Levi, Gispan, Giladi and Fetaya, Sensors 22, 5540 (2022), with all atoms in a single bin. Both intervals resample
    whole structures.

    Parameters
    ----------
    predicted : array_like, shape (s, n)
        Standard deviation of the force vector on each atom, eV/Angstrom: the root of the sum of the variances of its
        three components. That of a single component would make the calibration of a perfect method the root of 3.
    true_error : array_like, shape (s, n)
        |F - F_ref| of each atom, eV/Angstrom.

    Returns
    -------
    UncertaintyQuality
        Without intervals for fewer than :data:`bench.analysis.statistics.FEWEST` structures.

    Raises
    ------
    ValueError
        Where the shapes do not fit, a value is negative or not finite, or there is none.
    """
    sigma, error = _pair(predicted, true_error, 2, "uncertainties")
    if (sigma < 0).any() or (error < 0).any():
        raise ValueError("standard deviations and norms of errors cannot be negative")
    structures = len(sigma)
    variances, squares = (sigma**2).mean(axis=1), (error**2).mean(axis=1)

    def together(values: Floats, chosen: Chosen) -> Floats:
        return values[chosen].reshape(*chosen.shape[:-1], -1)

    def correlation(chosen: Chosen) -> Floats:
        return spearman(together(sigma, chosen), together(error, chosen))

    def calibration(chosen: Chosen) -> Floats:
        return np.sqrt(squares[chosen].mean(axis=-1) / variances[chosen].mean(axis=-1))

    ranked = np.ptp(sigma) > 0 and np.ptp(error) > 0
    return UncertaintyQuality(
        structures=structures,
        rank_correlation=bootstrapped(correlation, structures, least=-1.0, most=1.0) if ranked else None,
        calibration=bootstrapped(calibration, structures, least=0.0) if variances.any() else None,
    )


def _forces(one: ArrayLike, other: ArrayLike) -> tuple[Floats, Floats]:
    return _pair(one, other, 3, "forces")


def _energies(one: ArrayLike, other: ArrayLike) -> tuple[Floats, Floats]:
    return _pair(one, other, 1, "energies")


def _pair(one: ArrayLike, other: ArrayLike, dimensions: int, what: str) -> tuple[Floats, Floats]:
    ours, theirs = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
    if ours.shape != theirs.shape or ours.ndim != dimensions:
        raise ValueError(f"{what} of shapes {ours.shape} and {theirs.shape} cannot be compared")
    if ours.size == 0 or not (np.isfinite(ours).all() and np.isfinite(theirs).all()):
        raise ValueError(f"{what} to be compared must be finite, and there must be some")
    return ours, theirs

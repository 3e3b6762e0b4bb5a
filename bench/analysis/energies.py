"""The quality of a force field from the energies and momenta of a simulation: drift, noise, equipartition."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from ase import units
from ase.data import atomic_masses

from bench.analysis.vibrations import external_motions

SETTLING = 0.1
"""The first part of a trajectory, which is skipped."""
BLOCK_PS = 1.0
"""Length of a block of the bootstrap: five periods of naphthalene's slowest vibration (170 cm^-1)."""
FEWEST_BLOCKS = 10
FEWEST_STEPS = 100
"""Shorter trajectories get no drift."""
_RESAMPLES = 2000


@dataclasses.dataclass(frozen=True)
class Drift:
    """How the total energy of one trajectory changes."""

    slope: float
    """meV/atom/ps."""
    error: float
    """Its standard error, by block bootstrap."""
    ratio: float | None
    """|slope| times the time, over the standard deviation of the kinetic energy: how much the drift matters."""
    noise: float
    """Standard deviation about the slope, meV/atom."""


def settled(length: int) -> slice:
    """Return the part of a series of that length after its first tenth."""
    return slice(math.ceil(SETTLING * length), None)


def drift(total: np.ndarray, kinetic: np.ndarray, time_step_fs: float, atoms: int) -> Drift | None:
    """Return the drift of the total energy after the first tenth; None for fewer than 100 steps.

    The slope is that of least squares over all steps. Its error resamples blocks of the residuals, 1 ps long or a
    tenth of the series where that is shorter, which keeps the correlation of neighbouring steps.

    Parameters
    ----------
    total, kinetic : ndarray, shape (s,)
        eV, at each step.
    time_step_fs : float
    atoms : int
    """
    total, kinetic = total[settled(len(total))], kinetic[settled(len(kinetic))]
    if len(total) < FEWEST_STEPS or not np.isfinite(total).all():
        return None
    times = np.arange(len(total)) * time_step_fs / 1000
    weights = (times - times.mean()) / ((times - times.mean()) ** 2).sum()
    slope = float(weights @ total)
    residuals = total - total.mean() - slope * (times - times.mean())
    unit = 1000 / atoms
    spread = float(kinetic.std())
    return Drift(
        slope=slope * unit,
        error=_bootstrap(weights, residuals, time_step_fs) * unit,
        ratio=abs(slope) * float(times[-1]) / spread if spread > 0 else None,
        noise=float(residuals.std()) * unit,
    )


def _bootstrap(weights: np.ndarray, residuals: np.ndarray, time_step_fs: float) -> float:
    """Return the standard deviation of the slope over resampled blocks of its residuals."""
    length = max(1, min(round(1000 * BLOCK_PS / time_step_fs), len(residuals) // FEWEST_BLOCKS))
    blocks = len(residuals) // length
    # the contribution of block j to the slope in the place of block k
    parts = weights[: blocks * length].reshape(blocks, length) @ residuals[: blocks * length].reshape(blocks, length).T
    picks = np.random.default_rng(0).integers(blocks, size=(_RESAMPLES, blocks))
    return float(parts[np.arange(blocks), picks].sum(axis=1).std())


def over_seeds(drifts: Sequence[Drift]) -> tuple[float, float] | None:
    """Return the mean slope over trajectories and its standard error: from their scatter or their own, the larger."""
    if not drifts:
        return None
    slopes = np.array([one.slope for one in drifts])
    own = math.sqrt(sum(one.error**2 for one in drifts)) / len(drifts)
    scatter = float(slopes.std(ddof=1)) / math.sqrt(len(slopes)) if len(slopes) > 1 else 0.0
    return float(slopes.mean()), max(own, scatter)


def noise_exponent(noise: float, noise_at_half: float) -> float | None:
    """Return the power of the time step with which the energy noise grows, from a full and a half time step.

    It is 2 for velocity Verlet on a smooth surface (Hairer, Lubich and Wanner, Acta Numerica 12, 399 (2003)); noise of
    the model itself does not shrink with the step.
    """
    return math.log2(noise / noise_at_half) if noise > 0 and noise_at_half > 0 else None


def rigid_share(numbers: np.ndarray, positions: np.ndarray, velocities: np.ndarray) -> float:
    """Return the share of the kinetic energy in translation and rotation of the molecule, in the worst frame.

    It starts at zero, and forces without net force and net torque keep it there.

    Parameters
    ----------
    numbers : ndarray, shape (n,)
    positions, velocities : ndarray, shape (f, n, 3)
        Angstrom and any unit.
    """
    root = np.sqrt(atomic_masses[numbers])[:, None]
    shares = []
    for frame, velocity in zip(positions, velocities, strict=True):
        weighted = (root * velocity).ravel()
        total = float(weighted @ weighted)
        rigid = external_motions(atomic_masses[numbers], frame).T @ weighted
        shares.append(float((rigid**2).sum()) / total if total > 0 else 0.0)
    return max(shares, default=0.0)


def temperature(numbers: np.ndarray, velocities: np.ndarray, which: np.ndarray | None = None) -> float:
    """Return the mean kinetic temperature, 2 KE / (3 n kB) in K, of the atoms or of some of them.

    Parameters
    ----------
    numbers : ndarray, shape (n,)
    velocities : ndarray, shape (f, n, 3)
        In ASE's unit, so that mass times velocity squared is eV.
    which : ndarray of bool, shape (n,), optional
    """
    twice = (atomic_masses[numbers][:, None] * velocities**2).sum(axis=2).mean(axis=0)
    return float(twice[slice(None) if which is None else which].mean()) / (3 * units.kB)


def expected_ratio(numbers: np.ndarray, positions: np.ndarray, which: np.ndarray) -> float:
    """Return the temperature of some atoms over that of the others under equipartition.

    It is not 1 for a molecule that neither translates nor rotates: the missing kinetic energy would be mostly that of
    the heavy atoms. In naphthalene, H has 1.18 times the temperature of C.

    Parameters
    ----------
    numbers : ndarray, shape (n,)
    positions : ndarray, shape (n, 3)
    which : ndarray of bool, shape (n,)
    """
    kept = (1.0 - (external_motions(atomic_masses[numbers], positions) ** 2).sum(axis=1)).reshape(-1, 3).mean(axis=1)
    return float(kept[which].mean() / kept[~which].mean())

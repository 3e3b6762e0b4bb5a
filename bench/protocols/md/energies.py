"""The quality of a force field from the energies and momenta of a simulation: drift, noise, equipartition."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from ase import units

from bench.protocols.md.body import Body
from bench.protocols.md.seeds import Mean, mean

SETTLING_PS, SETTLING = 1.0, 0.1
"""How much of a trajectory is skipped: five periods of naphthalene's slowest vibration (170 cm^-1), in which the
vibrations lose the phase that the start gave them all, and at least a tenth."""
PIECES, PIECE_PS = 5, 1.0
"""Into how many pieces a single trajectory is cut for the error of its drift, and how long each is at least: shorter
ones would know of each other."""
FEWEST_STEPS = 100
"""Shorter series have no drift and no noise."""


@dataclasses.dataclass(frozen=True)
class Drift:
    """How the total energy of one trajectory changes."""

    slope: float
    """meV/atom/ps."""
    pieces: tuple[float, ...]
    """The slopes of its :data:`PIECES` pieces, meV/atom/ps; empty where it is too short."""
    duration_ps: float
    """Without what was skipped."""
    ratio: float | None
    """|slope| times the time, over the standard deviation of the kinetic energy: how much the drift matters."""
    noise: float
    """Standard deviation about the slope, meV/atom."""


def settled(length: int, spacing_fs: float) -> slice:
    """Return the part of a series of that length and time between entries in which the molecule has settled."""
    return slice(max(math.ceil(1000 * SETTLING_PS / spacing_fs), math.ceil(SETTLING * length)), None)


def drift(total: np.ndarray, kinetic: np.ndarray, time_step_fs: float, atoms: int) -> Drift | None:
    """Return the drift of the total energy after settling, by least squares; None for fewer than 100 steps.

    Parameters
    ----------
    total, kinetic : ndarray, shape (s,)
        eV, at each step.
    time_step_fs : float
    atoms : int
    """
    after = settled(len(total), time_step_fs)
    total, kinetic = total[after], kinetic[after]
    if len(total) < FEWEST_STEPS or not np.isfinite(total).all():
        return None
    slope, noise = _line(total, time_step_fs)
    duration = (len(total) - 1) * time_step_fs / 1000
    parts = np.array_split(total, PIECES) if duration >= PIECES * PIECE_PS else []
    unit = 1000 / atoms
    spread = float(kinetic.std())
    return Drift(
        slope=slope * unit,
        pieces=tuple(_line(part, time_step_fs)[0] * unit for part in parts),
        duration_ps=duration,
        ratio=abs(slope) * duration / spread if spread > 0 else None,
        noise=noise * unit,
    )


def _line(series: np.ndarray, time_step_fs: float) -> tuple[float, float]:
    """Return the slope of a series, per ps, and the standard deviation about it."""
    times = (np.arange(len(series)) - (len(series) - 1) / 2) * time_step_fs / 1000
    slope = float(times @ series / (times @ times))
    return slope, float((series - series.mean() - slope * times).std())


def over_seeds(drifts: Sequence[Drift]) -> Mean | None:
    """Return the mean slope over trajectories, weighted with their lengths, and its error.

    The error is the scatter of the slopes. It needs no model of how the energy wanders, only that trajectories are
    independent: an estimate within one trajectory cannot tell a drift from an energy that wanders more slowly than
    the trajectory lasts. A single trajectory is cut into five pieces, whose slopes are taken instead: for a random
    walk they are independent, and for noise with a shorter memory nearly so. One of less than 5 ps has no error.
    """
    if len(drifts) == 1:
        return mean(drifts[0].pieces) or Mean(drifts[0].slope)
    return mean([one.slope for one in drifts], [one.duration_ps for one in drifts])


def noise(total: np.ndarray, time_step_fs: float) -> float | None:
    """Return the standard deviation of the total energy, (s,), about its slope; None for fewer than 100 steps."""
    return _line(total, time_step_fs)[1] if len(total) >= FEWEST_STEPS and np.isfinite(total).all() else None


def noise_exponent(noise: float, noise_at_half: float) -> float | None:
    """Return the power of the time step with which the energy noise grows, from a full and a half time step.

    It is 2 for velocity Verlet on a smooth surface (Hairer, Lubich and Wanner, Acta Numerica 12, 399 (2003)); noise of
    the model itself does not shrink with the step.
    """
    return math.log2(noise / noise_at_half) if noise > 0 and noise_at_half > 0 else None


def rigid_share(body: Body, positions: np.ndarray, velocities: np.ndarray) -> float:
    """Return the share of the kinetic energy in translation and rotation of the whole, in the worst frame.

    It starts at zero, and forces without net force and net torque keep it there. Where atoms are fixed it is zero.

    Parameters
    ----------
    body : Body
    positions, velocities : ndarray, shape (f, n, 3)
        Angstrom and any unit.
    """
    root = np.sqrt(body.masses)[:, None]
    shares = []
    for frame, velocity in zip(positions, velocities, strict=True):
        weighted = (root * velocity).ravel()
        total = float(weighted @ weighted)
        rigid = body.motions(frame).T @ weighted
        shares.append(float((rigid**2).sum()) / total if total > 0 else 0.0)
    return max(shares, default=0.0)


def temperature(masses: np.ndarray, velocities: np.ndarray, which: np.ndarray | None = None) -> float:
    """Return the mean kinetic temperature, 2 KE / (3 n kB) in K, of the atoms or of some of them.

    Parameters
    ----------
    masses : ndarray, shape (n,)
        u.
    velocities : ndarray, shape (f, n, 3)
        In ASE's unit, so that mass times velocity squared is eV.
    which : ndarray of bool, shape (n,), optional
    """
    twice = (masses[:, None] * velocities**2).sum(axis=2).mean(axis=0)
    return float(twice[slice(None) if which is None else which].mean()) / (3 * units.kB)


def expected_ratio(body: Body, which: np.ndarray) -> float:
    """Return the temperature of some atoms over that of the other moving ones under equipartition.

    It is not 1 for a molecule that neither translates nor rotates: the missing kinetic energy would be mostly that of
    the heavy atoms. In naphthalene, H has 1.18 times the temperature of C.

    Parameters
    ----------
    body : Body
    which : ndarray of bool, shape (n,)
    """
    kept = (1.0 - (body.motions(body.positions) ** 2).sum(axis=1)).reshape(-1, 3).mean(axis=1)
    return float(kept[which & body.free].mean() / kept[~which & body.free].mean())

"""How the time of a force call grows with the number of atoms: t(N) = a + b N^p, fitted and tested.

The fit is least squares on the logarithms of the times, since errors of times are factors. Each law comes with the
covariance of its parameters, so that every figure derived from it has an interval, and with a prediction for a size
that the fit never saw. Times are milliseconds.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from bench.analysis.statistics import CONFIDENCE, ONE_PROCESS, SEED, Estimate, bounded_exp

PARAMETERS = 3
FEWEST_SIZES = PARAMETERS + 2
"""In a fit: with fewer the interval would be wider than the range of the times."""
LEAST_EXPONENT, MOST_EXPONENT = 0.2, 5.0
DRAWS = 4000
NOTHING = 1e-6  # of the smallest time: a floor below this is none
MISFIT = 0.001, 0.1
"""A law does not hold where this is the probability of its misfit by chance, and a size misses it by this share."""

Array = NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Law:
    """t(N) = a + c (N / m)^p, where m is the geometric mean of the sizes."""

    floor: float
    """a, in milliseconds; 0 where the times tell nothing else."""
    scale: float
    """c, the size-dependent part at m atoms, in milliseconds."""
    exponent: float
    middle: float
    """m, in atoms."""
    smallest: int
    largest: int
    """Atoms: the range of the fit."""
    sizes: int
    """The number of sizes in the fit."""
    rounds: int
    error: float
    """Standard error of the logarithm of a size's time, from the misfit or the scatter of the rounds, whichever is
    larger."""
    freedom: float
    """Degrees of freedom of `error`."""
    processes: tuple[float, ...]
    """By round, the logarithm of all its times together, less the mean over rounds: fresh processes differ."""
    numbers: tuple[int, ...]
    """The rounds."""
    covariance: tuple[tuple[float, ...], ...]
    """Of a, log c and p, for a unit `error`; without what the processes do."""
    misfit: float | None
    """The largest share by which a size in the fit misses a law that does not hold; None where it holds."""
    misfit_at: int | None
    """The number of atoms of that size."""

    def time(self, atoms: ArrayLike) -> Array:
        """Return the milliseconds of a force call for these numbers of atoms."""
        return self.floor + self.scale * (np.asarray(atoms, dtype=float) / self.middle) ** self.exponent

    def drawn_times(self, atoms: ArrayLike, count: int = DRAWS) -> Array:
        """Return the milliseconds by the first `count` of :attr:`shapes`, (count, sizes)."""
        floor, scale, exponent = self.shapes[:count].T[:, :, None]
        return np.asarray(floor + scale * (np.asarray(atoms, dtype=float) / self.middle) ** exponent)

    def predict(self, atoms: int) -> Estimate:
        """Return the milliseconds that will be measured for a size in the same rounds, with a prediction interval."""
        gradient = _gradient(np.array([atoms / self.middle]), self.floor, self.scale, self.exponent)[0]
        variance = self.error**2 * (1.0 + float(gradient @ np.array(self.covariance) @ gradient))
        reach = float(special.stdtrit(self.freedom, (1 + CONFIDENCE) / 2)) * math.sqrt(variance)
        estimate = float(self.time(atoms))
        return Estimate(
            estimate, estimate * math.exp(-reach), estimate * bounded_exp(reach), self.sizes, "rounds", self.rounds
        )

    @functools.cached_property
    def draws(self) -> Array:
        """Return laws that the measurement allows, (DRAWS, 3): a, c and p of each; for figures derived from several."""
        shapes: Array = self.shapes.copy()
        shapes[:, :2] *= np.exp(np.clip(drawn(self.processes, DRAWS), -50, 50))[:, None]
        return shapes

    @functools.cached_property
    def shapes(self) -> Array:
        """Return the same without what the processes do to all times."""
        random = np.random.default_rng(SEED)
        factor = np.sqrt(self.freedom / random.chisquare(self.freedom, DRAWS))
        parameters = random.multivariate_normal(np.zeros(PARAMETERS), np.array(self.covariance), DRAWS, method="eigh")
        parameters *= (self.error * factor)[:, None]
        floor = np.maximum(self.floor + parameters[:, 0], 0.0)
        scale = self.scale * np.exp(np.clip(parameters[:, 1], -50, 50))
        exponent = np.clip(self.exponent + parameters[:, 2], LEAST_EXPONENT, MOST_EXPONENT)
        return np.column_stack([floor, scale, exponent])

    @property
    def floor_ms(self) -> Estimate:
        """The time that does not depend on the size; a single process gives no interval."""
        return self._of_processes(self.floor, self.draws[:, 0])

    @property
    def exponent_estimate(self) -> Estimate:
        """The power p of the number of atoms."""
        return self._of(self.exponent, self.draws[:, 2])

    @property
    def us_per_atom(self) -> Estimate:
        """The microseconds per atom beyond the floor, b N^(p-1), at the largest size of the fit.

        A single process gives no interval.
        """

        def cost(scale: ArrayLike, exponent: ArrayLike) -> Array:
            return 1e3 * np.asarray(scale) * (self.largest / self.middle) ** np.asarray(exponent) / self.largest

        return self._of_processes(float(cost(self.scale, self.exponent)), cost(self.draws[:, 1], self.draws[:, 2]))

    @property
    def twice_floor_atoms(self) -> Estimate | None:
        """The number of atoms at which a force call takes twice the floor: (a / b)^(1/p); None without a floor."""
        if self.floor <= 0:
            return None
        floor, scale, exponent = self.draws.T
        with np.errstate(divide="ignore"):
            found = self.middle * (floor / scale) ** (1 / exponent)
        return self._of(self.middle * (self.floor / self.scale) ** (1 / self.exponent), found)

    def _of_processes(self, estimate: float, draws: Array) -> Estimate:
        if self.rounds < 2:
            return Estimate(estimate, None, None, self.sizes, None, 1, ONE_PROCESS)
        return self._of(estimate, draws)

    def _of(self, estimate: float, draws: Array) -> Estimate:
        """Return a figure with the central 95 % of its value over the draws."""
        tail = 50 * (1 - CONFIDENCE)
        low, high = np.percentile(draws, [tail, 100 - tail])
        return Estimate(
            estimate, min(float(low), estimate), max(float(high), estimate), self.sizes, "rounds", self.rounds
        )


def drawn(processes: Sequence[float], count: int, seed: int = SEED) -> Array:
    """Return errors of a mean over processes, (count,), by Student's t; 0 for a single one, which says nothing."""
    if len(processes) < 2:
        return np.zeros(count)
    error = float(np.std(processes, ddof=1)) / math.sqrt(len(processes))
    return error * np.random.default_rng(seed).standard_t(len(processes) - 1, count)


def fit(atoms: ArrayLike, milliseconds: ArrayLike, numbers: Sequence[int] | None = None) -> Law | None:
    """Fit t(N) = a + b N^p with a, b >= 0.

    Parameters
    ----------
    atoms : array_like, shape (sizes,)
        Ascending.
    milliseconds : array_like, shape (rounds, sizes)
        The time of a force call in each round, positive and finite.
    numbers : sequence of int, optional
        The rounds; by default 0, 1 and so on.

    Returns
    -------
    Law or None
        None for fewer than :data:`FEWEST_SIZES`.
    """
    sizes = np.asarray(atoms, dtype=float)
    logs = np.log(np.atleast_2d(np.asarray(milliseconds, dtype=float)))
    rounds, count = logs.shape
    if count < FEWEST_SIZES:
        return None
    means = logs.mean(axis=0)
    middle = float(np.exp(np.log(sizes).mean()))
    floor, log_scale, exponent = _least_squares(sizes / middle, means)
    scale = math.exp(log_scale)
    misses = means - np.log(floor + scale * (sizes / middle) ** exponent)
    lack, lack_freedom = float(misses @ misses) / (count - PARAMETERS), count - PARAMETERS
    by_round = logs.mean(axis=1, keepdims=True)
    variance, freedom, probability = lack, float(lack_freedom), 1.0
    if rounds > 1:
        scatter = logs - by_round - (means - means.mean())
        within = float((scatter**2).sum()) / ((rounds - 1) * (count - 1)) / rounds
        if within > 0:
            probability = float(special.fdtrc(lack_freedom, (rounds - 1) * (count - 1), lack / within))
        if within > lack:
            variance, freedom = within, float((rounds - 1) * (count - 1))
    worst = int(np.argmax(np.abs(misses)))
    missed = abs(math.expm1(float(misses[worst])))
    broken = probability < MISFIT[0] and missed > MISFIT[1]
    return Law(
        floor=floor,
        scale=scale,
        exponent=exponent,
        middle=middle,
        smallest=int(sizes[0]),
        largest=int(sizes[-1]),
        sizes=count,
        rounds=rounds,
        error=math.sqrt(variance),
        freedom=freedom,
        processes=tuple((by_round[:, 0] - by_round.mean()).tolist()),
        numbers=tuple(range(rounds) if numbers is None else numbers),
        covariance=_covariance(sizes / middle, floor, scale, exponent),
        misfit=missed if broken else None,
        misfit_at=int(sizes[worst]) if broken else None,
    )


def _least_squares(ratios: Array, logs: Array) -> tuple[float, float, float]:
    """Return a, log c and p of the best of several starts: near a = 0 and near the smallest time."""
    from scipy.optimize import least_squares  # slow to import, and most runs have no growth

    least = float(np.exp(logs.min()))
    bounds = ([0.0, -60.0, LEAST_EXPONENT], [2 * least, 60.0, MOST_EXPONENT])

    def misses(parameters: Array) -> Array:
        floor, log_scale, exponent = parameters
        return np.asarray(np.log(floor + np.exp(log_scale) * ratios**exponent) - logs)

    best = None
    for share in (0.02, 0.5, 0.95):
        for exponent in (1.0, 2.5):
            start = (share * least, float(logs[-1] - exponent * np.log(ratios[-1])), exponent)
            found = least_squares(
                misses, start, bounds=bounds, x_scale=(least, 1.0, 1.0), xtol=1e-12, ftol=1e-12, gtol=1e-12
            )
            if best is None or found.cost < best.cost:
                best = found
    assert best is not None
    floor, log_scale, exponent = map(float, best.x)
    if floor < NOTHING * least:
        floor = 0.0
    return floor, log_scale, exponent


def _gradient(ratios: Array, floor: float, scale: float, exponent: float) -> Array:
    """Return the derivatives of log t with respect to a, log c and p, (sizes, 3)."""
    power = scale * ratios**exponent
    time = floor + power
    return np.column_stack([1 / time, power / time, power * np.log(ratios) / time])


def _covariance(ratios: Array, floor: float, scale: float, exponent: float) -> tuple[tuple[float, ...], ...]:
    gradient = _gradient(ratios, floor, scale, exponent)
    units = np.array([math.exp(np.log(floor + scale * ratios**exponent).mean()), 1.0, 1.0])
    inverse = np.linalg.pinv((gradient * units).T @ (gradient * units)) * np.outer(units, units)
    return tuple(map(tuple, inverse.tolist()))

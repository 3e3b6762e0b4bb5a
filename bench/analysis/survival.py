"""The mean logarithm of times of which some are only known to be longer: relaxations that a budget cut off.

Leaving these out would favour easy structures. The logarithms are taken to be normally distributed, and the mean and
the scatter are those of the largest likelihood, in which a cut-off value counts with the probability of being longer
(J. Tobin, Econometrica 26, 24 (1958)). Where the values belong to several systems, each system has a mean of its own
and all have the same scatter; the result is the mean of these means, and its error is not that of other systems.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

FEWEST = 3
"""With fewer complete values there is no interval and, where others were cut off, no mean."""

SAME = 1e-6
"""A scatter below this is none."""

Floats = NDArray[np.float64]


class MeanLog(NamedTuple):
    """A mean logarithm with its standard error."""

    mean: float
    error: float | None
    """None where there are too few complete values; 0 where each system has one value, and so all that it can have."""
    complete: int
    """The number of values that were not cut off."""
    freedom: int = 1
    """Degrees of freedom of the error: complete values less systems."""

    def half_width(self, confidence: float) -> float | None:
        """Return half the width of its interval, by Student's t; None without an error."""
        if not self.error:
            return self.error
        return float(special.stdtrit(self.freedom, 0.5 + confidence / 2)) * self.error


def mean_log(logs: ArrayLike, cut: ArrayLike, systems: ArrayLike | None = None) -> MeanLog | None:
    """Return the mean of logarithms; None where it is only known to be larger than some value.

    That is so where no value of some system is complete, and where values were cut off and fewer than :data:`FEWEST`
    are complete.

    Parameters
    ----------
    logs : array_like, shape (n,)
        Natural logarithms.
    cut : array_like of bool, shape (n,)
        Where the true value is larger than the given one.
    systems : array_like, shape (n,), optional
        The system of each value; None: all are of one. Each system counts alike.
    """
    values, censored = np.asarray(logs, dtype=float), np.asarray(cut, dtype=bool)
    numbers = np.zeros(len(values), dtype=int) if systems is None else np.unique(systems, return_inverse=True)[1]
    whole = np.bincount(numbers[~censored], minlength=int(numbers.max(initial=0)) + 1)
    complete, count = int(whole.sum()), len(whole)
    if not whole.all() or (censored.any() and complete < FEWEST):
        return None
    means = np.bincount(numbers[~censored], values[~censored]) / whole
    squares = float(((values - means[numbers])[~censored] ** 2).sum())
    freedom = complete - count
    if not censored.any():
        mean = float(means.mean())
        if freedom == 0 and count > 1:
            return MeanLog(mean, 0.0, complete)
        if freedom < FEWEST - 1:
            return MeanLog(mean, None, complete)
        return MeanLog(mean, float(np.sqrt(squares / freedom * (1 / whole).sum())) / count, complete, freedom)
    if freedom == 0 or squares < freedom * SAME**2:  # the scatter cannot be told, nor how much longer the others are
        return None
    start = np.append(means, np.log(squares / complete) / 2)
    found, covariance = _likeliest(start, values, censored, numbers)
    # the scatter of the largest likelihood is too small for few values, as that of a plain sample is
    variance = max(float(covariance[:count, :count].sum()), 0.0) / count**2 * complete / freedom
    error = float(np.sqrt(variance)) if freedom >= FEWEST - 1 else None
    return MeanLog(float(found[:count].mean()), error, complete, freedom)


def _likeliest(
    start: Floats, values: Floats, cut: NDArray[np.bool_], numbers: NDArray[np.int_]
) -> tuple[Floats, Floats]:
    """Return the systems' means and the log of their common scatter, and the covariance of their errors."""
    from scipy import optimize  # slow to import, and most campaigns cut off nothing

    found = optimize.minimize(_cost, start, args=(values, cut, numbers), jac=True, method="BFGS")
    return found.x, np.asarray(np.linalg.pinv(_curvature(found.x, values, cut, numbers)), dtype=float)


def _cost(at: Floats, values: Floats, cut: NDArray[np.bool_], numbers: NDArray[np.int_]) -> tuple[float, Floats]:
    """Return the negative logarithm of the likelihood, but for a constant, and its derivatives."""
    scatter = np.exp(at[-1])
    z = (values - at[numbers]) / scatter
    slope = np.where(cut, _mills(z), z)
    cost = -float(np.where(cut, special.log_ndtr(-z), -0.5 * z**2 - at[-1]).sum())
    by_means = -np.bincount(numbers, slope, minlength=len(at) - 1) / scatter
    return cost, np.append(by_means, float((~cut).sum() - (slope * z).sum()))


def _curvature(at: Floats, values: Floats, cut: NDArray[np.bool_], numbers: NDArray[np.int_]) -> Floats:
    """Return the second derivatives of the cost."""
    scatter, count = np.exp(at[-1]), len(at) - 1
    z = (values - at[numbers]) / scatter
    mills = _mills(z)
    slope, bend = np.where(cut, mills, z), np.where(cut, mills * (mills - z), 1.0)
    across = np.bincount(numbers, bend * z + slope, minlength=count) / scatter
    means = np.diag(np.bincount(numbers, bend, minlength=count) / scatter**2)
    return np.block([[means, across[:, None]], [across[None, :], np.full((1, 1), (bend * z**2 + slope * z).sum())]])


def _mills(z: Floats) -> Floats:
    """Return the density of a normal distribution at z over the probability of more."""
    return np.asarray(np.sqrt(2 / np.pi) / special.erfcx(z / np.sqrt(2)), dtype=float)  # no overflow where z is large

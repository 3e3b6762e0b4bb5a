"""The mean logarithm of times of which some are only known to be longer: relaxations that a budget cut off.

Leaving these out would favour easy structures. The logarithms are taken to be normally distributed, and the mean and
the scatter are those of the largest likelihood, in which a cut-off value counts with the probability of being longer
(J. Tobin, Econometrica 26, 24 (1958)).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

FEWEST = 3
"""With fewer complete values there is no interval."""


class MeanLog(NamedTuple):
    """A mean logarithm with its standard error."""

    mean: float
    error: float | None
    """None where there are too few complete values."""
    complete: int
    """The number of values that were not cut off."""

    def half_width(self, confidence: float) -> float | None:
        """Return half the width of its interval, by Student's t; None without an error."""
        if self.error is None:
            return None
        return float(special.stdtrit(self.complete - 1, 0.5 + confidence / 2)) * self.error


def mean_log(logs: ArrayLike, cut: ArrayLike, weights: ArrayLike | None = None) -> MeanLog | None:
    """Return the mean of logarithms; None where none is complete.

    Parameters
    ----------
    logs : array_like, shape (n,)
        Natural logarithms.
    cut : array_like of bool, shape (n,)
        Where the true value is larger than the given one.
    weights : array_like, shape (n,), optional
        How much each value counts; the mean over systems counts each system alike.
    """
    values, censored = np.asarray(logs, dtype=float), np.asarray(cut, dtype=bool)
    share = np.ones(len(values)) if weights is None else np.asarray(weights, dtype=float)
    share = share * len(share) / share.sum() if len(share) else share
    complete = int((~censored).sum())
    if complete == 0:
        return None
    known = values[~censored]
    mean, scatter = (
        float(np.average(known, weights=share[~censored])),
        float(known.std(ddof=1)) if complete > 1 else 0.0,
    )
    if not censored.any():
        variance = float(((share / share.sum()) ** 2 * (values - mean) ** 2).sum()) * complete / max(complete - 1, 1)
        return MeanLog(mean, np.sqrt(variance) if complete >= FEWEST else None, complete)
    if complete < FEWEST or scatter == 0.0:  # the scatter cannot be told: the least that the others can be
        return MeanLog(
            float(np.average(np.maximum(values, np.where(censored, mean, values)), weights=share)), None, complete
        )
    from scipy import optimize  # slow to import, and most campaigns cut off nothing

    found = optimize.minimize(_cost, [mean, np.log(scatter)], args=(values, censored, share), method="BFGS")
    # the scatter of the largest likelihood is too small for few values, as that of a plain sample is
    error = float(np.sqrt(max(found.hess_inv[0, 0], 0.0) * complete / (complete - 1)))
    return MeanLog(float(found.x[0]), error, complete)


def _cost(
    at: NDArray[np.float64], values: NDArray[np.float64], cut: NDArray[np.bool_], share: NDArray[np.float64]
) -> float:
    """Return the negative logarithm of the likelihood of a mean and the log of a scatter, but for a constant."""
    z = (values - at[0]) / np.exp(at[1])
    return -float((share * np.where(cut, special.log_ndtr(-z), -0.5 * z**2 - at[1])).sum())

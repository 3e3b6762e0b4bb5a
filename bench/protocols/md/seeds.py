"""Means over a few independent trajectories, with errors and intervals that are right for so few."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from scipy import special

_TWO_SIDED = 0.975  # quantile of a 95 % interval


@dataclasses.dataclass(frozen=True)
class Mean:
    """A mean of a few independent values."""

    value: float
    error: float | None = None
    """Its standard error; None where it is not known."""
    freedom: int = 0
    """Degrees of freedom of the error: one less than there are values."""

    @property
    def half_width(self) -> float | None:
        """Half of the 95 % interval by Student's t: 12.7 standard errors for two values, 2.8 for five."""
        return None if self.error is None else self.error * float(special.stdtrit(self.freedom, _TWO_SIDED))


def mean(values: Sequence[float], weights: Sequence[float] | None = None) -> Mean | None:
    """Return the mean of independent values, with its error from their scatter; None without values.

    Parameters
    ----------
    values : sequence of float
    weights : sequence of float, optional
        Inversely proportional to the variances of the values; by default these are the same.
    """
    if not len(values):
        return None
    each, share = np.asarray(values, dtype=float), np.ones(len(values)) if weights is None else np.asarray(weights)
    share = share / share.sum()
    value = float(share @ each)
    if len(each) < 2:
        return Mean(value)
    freedom = len(each) - 1
    return Mean(value, math.sqrt(float(share @ (each - value) ** 2) / freedom), freedom)

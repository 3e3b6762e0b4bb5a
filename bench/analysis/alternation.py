"""The ratio of two versions whose processes started in turn: old first, new first, old first, ...

The process that starts first differs a little from the one that starts second: in 40 comparisons of SevenNet-0 with
itself it was slower by 2 % (``docs/timing.md``). Rounds start in alternating order, so this difference is known to
change its sign from round to round, and it is no chance: it is estimated and left out of the scatter.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.analysis.statistics import CONFIDENCE, Between, Estimate, geometric_mean, noise

Floats = NDArray[np.float64]

FEWEST_ALTERNATING = 4
"""The difference between the orders costs a degree of freedom: three rounds would leave one."""


def alternating_ratio(
    numerator: pd.DataFrame, denominator: pd.DataFrame, confidence: float = CONFIDENCE
) -> Estimate | None:
    """Return the geometric mean of numerator over denominator, with the effect of the starting order taken out.

    The mean log ratio of round r is mu + delta o_r + e_r, where o_r is 1 in even rounds and -1 in odd ones. The
    estimate of mu is the mean of both orders' means. Its standard error is s / 2 sqrt(1/n_even + 1/n_odd), where s is
    the scatter of the rounds within their order, with R - 2 degrees of freedom.

    What structures do to the ratio has its own part of the interval, a bootstrap over them. The noise of single times
    is in that part and in the scatter of the rounds; it is counted once, by subtracting it from the first.

    Parameters
    ----------
    numerator, denominator : DataFrame
        Milliseconds by structure and round, as :func:`bench.analysis.times.per_round` gives them. Only rounds that
        both have count, and structures that both measured in all of these.
    confidence : float
        Of the interval.

    Returns
    -------
    Estimate or None
        None where nothing is common to both; no interval for fewer than :data:`FEWEST_ALTERNATING` rounds.
    """
    both = pd.DataFrame(numerator / denominator).dropna(axis=1, how="all").dropna()
    if both.empty:
        return None
    logs = np.log(both.to_numpy(dtype=float))
    odd = np.array([int(number) % 2 == 1 for number in both.columns])
    if odd.all() or not odd.any() or len(odd) < FEWEST_ALTERNATING:
        ratio = float(np.exp(logs.mean()))
        return Estimate(ratio, None, None, len(logs), None)
    values = (logs[:, odd].mean(axis=1) + logs[:, ~odd].mean(axis=1)) / 2
    return geometric_mean(np.exp(values), between=scatter_of_orders(logs, odd), confidence=confidence)


def scatter_of_orders(logs: Floats, odd: NDArray[np.bool_]) -> Between:
    """Return the scatter of rounds within each of two orders.

    Parameters
    ----------
    logs : ndarray, shape (structures, rounds)
        Logarithms of ratios, without gaps.
    odd : ndarray of bool, shape (rounds,)
        Whether a round had the second order; both orders occur, in at least three rounds together.
    """
    rounds = logs.shape[1]
    groups = [logs[:, odd], logs[:, ~odd]]
    share = sum(1 / group.shape[1] for group in groups) / 4  # the variance of the mean over that of a round
    means = [group.mean(axis=0) for group in groups]
    variance = sum(float(((one - one.mean()) ** 2).sum()) for one in means) / (rounds - 2)
    return Between(math.sqrt(variance * share), rounds - 2, rounds, noise(group.T for group in groups) * share)

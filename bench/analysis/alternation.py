"""The ratio of two versions whose processes started in turn: old first, new first, old first, ...

The process that starts first differs a little from the one that starts second: in 40 comparisons of SevenNet-0 with
itself it was slower by 2 % (``docs/timing.md``). Rounds start in alternating order, so this difference is known to
change its sign from round to round, and it is no chance: it is estimated and left out of the scatter.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from bench.analysis.model import fit
from bench.analysis.statistics import CONFIDENCE, Estimate
from bench.analysis.times import systems_of

FEWEST_ALTERNATING = 4
"""The difference between the orders costs a degree of freedom: three rounds would leave one."""


def alternating_ratio(
    numerator: pd.DataFrame, denominator: pd.DataFrame, confidence: float = CONFIDENCE
) -> Estimate | None:
    """Return the geometric mean of numerator over denominator, with the effect of the starting order taken out.

    The estimate is the mean of both orders' means. The scatter of the rounds is that within their order, with R - 2
    degrees of freedom; the rest is as for any ratio (:mod:`bench.analysis.model`).

    Parameters
    ----------
    numerator, denominator : DataFrame
        Milliseconds by structure and round, as :func:`bench.analysis.times.per_round` gives them. Only structures
        count that both have in the same round.
    confidence : float
        Of the interval.

    Returns
    -------
    Estimate or None
        None where nothing is common to both; no interval for fewer than :data:`FEWEST_ALTERNATING` rounds, or a single
        order.
    """
    both = pd.DataFrame(numerator / denominator).dropna(axis=1, how="all")
    if both.empty:
        return None
    odd = np.array([int(number) % 2 == 1 for number in both.columns])
    found = fit(np.log(both.to_numpy(dtype=float)), groups=odd, systems=systems_of(both.index))
    if odd.all() or not odd.any() or len(odd) < FEWEST_ALTERNATING:
        return Estimate(found.estimate().estimate, None, None, found.structures, None)
    return found.estimate(confidence)

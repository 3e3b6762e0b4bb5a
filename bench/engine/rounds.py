"""How many rounds a comparison of two versions makes, and how long each measures: a plan for a budget."""

from __future__ import annotations

import dataclasses
import math

BETWEEN = 0.011
"""Standard deviation of a round's log ratio that more calls do not reduce."""
WITHIN = 0.063
"""Standard deviation of the log ratio of a single pair of calls. Both are of SevenNet-0 with itself on a shared machine
(``docs/timing.md``): a round of some 32 pairs scattered by 1.6 %, of which half the variance is taken to be of each."""
FEWEST_ROUNDS = 4
"""Two of each starting order."""
FEWEST_STRUCTURES = 2
"""Of a round: a ratio at one structure has no interval, however many rounds there are."""
MOST_ROUNDS = 40
LEAST_SECONDS = 2.5
"""A round measures for at least this long."""
LEAST_SHARE = 0.12
"""And for at least this share of the time until both versions are ready: a slow start is not for two calls."""
KEPT_BACK = 0.05
"""Share of the budget for rounds that take longer than the first one promised."""


@dataclasses.dataclass(frozen=True)
class Rounds:
    """Rounds of equal length."""

    rounds: int
    pairs: int
    """Calls of each version in a round."""
    half_width: float
    """The expected half-width of the 95 % interval of the log ratio."""


def half_width(rounds: int, pairs: float, between: float = BETWEEN, within: float = WITHIN) -> float:
    """Return the expected half-width of the 95 % interval of a log ratio.

    It is t(0.975, R - 2) sqrt((between^2 + within^2 / pairs) (1/n_even + 1/n_odd) / 4), as
    :func:`bench.analysis.alternation.alternating_ratio` makes it where structures do not differ. At least three rounds.
    """
    from scipy import stats

    share = (1 / (rounds // 2) + 1 / (rounds - rounds // 2)) / 4
    return float(stats.t.ppf(0.975, rounds - 2)) * math.sqrt((between**2 + within**2 / pairs) * share)


def plan(
    start_s: float,
    pair_s: float,
    budget_s: float,
    most_pairs: int,
    between: float = BETWEEN,
    within: float = WITHIN,
) -> Rounds:
    """Return the plan with the narrowest expected interval; the fewest rounds where the budget has no room for them.

    Parameters
    ----------
    start_s : float
        Seconds until both versions are loaded and warm, in each round.
    pair_s : float
        Seconds for one force call of each version.
    budget_s : float
        Seconds for everything.
    most_pairs : int
        As many as the structures have geometries.
    between, within : float
        Standard deviations of the log ratio: of rounds, however long, and of single pairs of calls.
    """
    available = (1 - KEPT_BACK) * budget_s
    least = max(LEAST_SECONDS, LEAST_SHARE * start_s)
    plans: list[Rounds] = []
    for rounds in range(FEWEST_ROUNDS, MOST_ROUNDS + 1):
        seconds = available / rounds - start_s
        if seconds < least and plans:
            break
        pairs = max(1, min(most_pairs, int(max(seconds, least) / pair_s)))
        plans.append(Rounds(rounds, pairs, half_width(rounds, pairs, between, within)))
    return min(plans, key=lambda one: one.half_width)


def whole_structures(made: Rounds, points: int, most: int) -> int:
    """Return how many structures with `points` geometries each a round measures by a plan, of `most` that there are."""
    return min(max(FEWEST_STRUCTURES, round(made.pairs / points)), most)

"""How a campaign in turns shares its time: how long a round measures each method, and who takes part in the next one.

A fresh process costs its start, and tells one thing about how processes differ; a structure costs its own time. The
best number of structures for each process is sqrt(c / t * v_rest / v_process), with c the start, t a structure, and v
the variances of a structure's log time and of a process (Cochran, Sampling Techniques, 1977, chapter 10).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TypeVar

K = TypeVar("K")

VARIANCES = 1.0
"""v_rest / v_process. Ratios measured in turn have about 3 here; with less, rounds are shorter and more, and a few more
rounds also have a much smaller Student's factor (docs/decisions.md, "Turns")."""
LEAST_SECONDS = 3.0
"""A round measures a fast method for at least this long: it should meet more than one moment of the machine."""
METERED_SECONDS = 5.0
"""The same where energy counters are read: a shorter round would have no power (:mod:`bench.analysis.joules`)."""
LEARNING_ROUNDS = 3
"""All methods take part in these; then those whose ratios are widest."""
MOST_ROUNDS = 12
NARROW = 0.02
"""Half-width of a log ratio that needs no more rounds."""
FIRST_SECONDS = 5.0
"""In the first round, before the start and the structures of a method are known."""
GRACE_SECONDS = 30.0
"""A structure in flight may take this much longer than the method's share of a round, or as much again, if that is
less."""


def best_seconds(start_s: float, item_s: float, least_s: float = LEAST_SECONDS) -> float:
    """Return for how long a process should measure, in seconds, from its start and the time of a structure."""
    return max(math.sqrt(VARIANCES * start_s * item_s), least_s)


def planned_rounds(costs: Mapping[K, float], seconds: float) -> int:
    """Return how many rounds fit into `seconds`; `costs` is what each method takes in one, its start included."""
    cost = sum(costs.values())
    return max(LEARNING_ROUNDS, min(MOST_ROUNDS, int(seconds / cost) if cost > 0 else MOST_ROUNDS))


def stretched(best_s: float, start_s: float, rounds: int, seconds: float, costs: float) -> float:
    """Return the seconds of a method in each round, where `rounds` rounds leave time over: all measure longer.

    `costs` is what a round takes of all methods, of which `start_s` cannot be stretched.
    """
    over = seconds / rounds / costs if costs > 0 else 1.0
    return max(best_s, over * (best_s + start_s) - start_s)


def chosen(costs: Mapping[K, float], widths: Mapping[K, float], seconds: float) -> list[K]:
    """Return the methods of one more round: the references, and those with the widest ratios to them that fit.

    Parameters
    ----------
    costs : mapping
        Seconds of a round of each method that may take part.
    widths : mapping
        Half-width of each method's log ratio to its reference, 0 for a reference itself; one that has none is as wide
        as can be.
    seconds : float
        What is left.

    Returns
    -------
    list
        In the order of `costs`; empty where no method but the references needs and fits a round.
    """
    references = {key for key in costs if widths.get(key) == 0.0}
    left = seconds - sum(costs[key] for key in references)
    wide = {key: widths.get(key, math.inf) for key in costs if key not in references}
    taken = set()
    for key in sorted(wide, key=lambda one: -wide[one]):
        if wide[key] > NARROW and costs[key] <= left:
            taken.add(key)
            left -= costs[key]
    if not taken:
        return []
    return [key for key in costs if key in taken or key in references]


def with_grace(seconds: float) -> float:
    """Return how long a method may measure in a round whose structures begin within `seconds`."""
    return seconds + min(seconds, GRACE_SECONDS)


def fitting(needs: Mapping[K, float], free: float) -> list[K]:
    """Return those whose memory fits together, in order; at least one."""
    taken: list[K] = []
    used = 0.0
    for key, need in needs.items():
        if not taken or used + need <= free:
            taken.append(key)
            used += need
    return taken

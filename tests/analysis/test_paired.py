"""A ratio within a run: planted truths for methods that reach unlike numbers of structures."""

import math

import numpy as np
import pytest

from bench.analysis.model import fit
from bench.analysis.paired import ratio

SLOW, FAST = 4, 32
"""Structures that the methods reach in a round."""


def measured(rounds, slowed):
    """Return the logarithms of a method that takes 8 and of one that takes 1; a round is slow after `slowed` of it."""
    tables = []
    for count, ms in ((SLOW, 8.0), (FAST, 1.0)):
        table = np.full((FAST, rounds), np.nan)
        for number in range(rounds):
            at = (np.arange(count) + 0.5) / count
            # rounds begin at other structures, or a slow half would always hit the same ones
            order = (np.arange(count) + 11 * number) % FAST
            table[order, number] = math.log(ms) + math.log(1.5) * (at > slowed)
        tables.append(table)
    return tables


def test_a_slow_second_half_of_each_round_hits_both_methods_alike():
    slow, fast = measured(8, slowed=0.5)
    assert math.exp(ratio(slow, fast).mean) == pytest.approx(8.0, rel=0.01)
    # at the structures that both have, seconds of the fast one would be compared with all of the slow one's round
    assert math.exp(fit(slow - fast).mean) == pytest.approx(8.0 * 1.5**0.5, rel=0.05)


def test_with_the_same_structures_it_is_the_mean_of_the_differences_with_its_interval():
    rng = np.random.default_rng(1)
    one, other = rng.normal(0, 0.1, (20, 5)), rng.normal(0, 0.1, (20, 5))
    both, apart = ratio(one, other), fit(one - other)
    assert both.mean == pytest.approx(apart.mean)
    assert both.reach() == pytest.approx(apart.reach(), rel=1e-3)


def test_only_rounds_of_both_count():
    slow, fast = np.full((1, 3), math.log(20.0)), np.log([[10.0, 17.0, 17.0]])
    slow[0, 1:] = np.nan
    found = ratio(slow, fast)
    assert math.exp(found.mean) == pytest.approx(2.0)
    assert found.lacks == "one process"


def test_one_structure_has_a_ratio_and_no_interval():
    found = ratio(np.log([[20.0, 22.0]]), np.log([[10.0, 10.0]]))
    assert math.exp(found.mean) == pytest.approx(math.sqrt(2.0 * 2.2))
    assert found.lacks == "one structure"


def test_methods_without_a_structure_of_a_round_in_common_were_not_measured_together():
    nothing = math.nan
    assert ratio(np.array([[1.0, nothing]]), np.array([[nothing, 1.0]])) is None
    assert ratio(np.array([[1.0], [nothing]]), np.array([[nothing], [1.0]])) is None

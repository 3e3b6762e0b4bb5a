"""How a comparison of two versions spends its budget."""

import dataclasses
import itertools
import math

import pytest
from scipy import stats

from bench.engine.rounds import (
    FEWEST_ROUNDS,
    KEPT_BACK,
    LEAST_SECONDS,
    LEAST_SHARE,
    MOST_ROUNDS,
    half_width,
    plan,
    whole_structures,
)

MANY = 10**6


def test_the_expected_half_width_is_students_t_times_the_standard_error():
    # four rounds without noise of single calls: sd / sqrt(4), two degrees of freedom
    assert half_width(4, 1, between=0.02, within=0.0) == pytest.approx(stats.t.ppf(0.975, 2) * 0.01)
    # five: three of one order and two of the other
    assert half_width(5, 1, between=0.02, within=0.0) == pytest.approx(
        stats.t.ppf(0.975, 3) * 0.02 * math.sqrt(1 / 3 + 1 / 2) / 2
    )
    assert half_width(4, 100, between=0.0, within=0.2) == pytest.approx(half_width(4, 1, between=0.02, within=0.0))


@pytest.mark.parametrize(("start", "pair", "budget"), [(15, 0.15, 120), (15, 0.15, 300), (2, 0.02, 60), (5, 3.0, 600)])
def test_no_other_number_of_rounds_promises_a_narrower_interval(start, pair, budget):
    found = plan(start, pair, budget, MANY)
    assert found.rounds * (start + found.pairs * pair) <= (1 - KEPT_BACK) * budget * (1 + 1e-9)
    for rounds in range(FEWEST_ROUNDS, MOST_ROUNDS + 1):
        pairs = int(((1 - KEPT_BACK) * budget / rounds - start) / pair)
        if pairs * pair >= max(LEAST_SECONDS, LEAST_SHARE * start):
            assert found.half_width <= half_width(rounds, pairs)


def narrower(plans):
    widths = [one.half_width for one in plans]
    return all(later <= before for before, later in itertools.pairwise(widths)) and widths[-1] < widths[0]


def test_more_time_faster_starts_and_faster_calls_promise_a_narrower_interval():
    assert narrower([plan(15, 0.15, budget, MANY) for budget in (60, 90, 120, 180, 300, 600, 1200)])
    assert narrower([plan(start, 0.15, 300, MANY) for start in (60, 30, 20, 15, 10, 5, 1)])
    assert narrower([plan(15, pair, 300, MANY) for pair in (5.0, 1.0, 0.5, 0.15, 0.05, 0.01)])


def test_quick_starts_give_many_short_rounds_and_slow_ones_few_long_ones():
    plans = [plan(start, 0.1, 300, MANY) for start in (1, 5, 15, 30, 60)]
    assert [one.rounds for one in plans] == sorted((one.rounds for one in plans), reverse=True)
    assert plans[0].rounds > 2 * plans[-1].rounds


def test_where_fresh_processes_agree_the_rounds_are_few_because_only_calls_count():
    same, unlike = (plan(15, 0.1, 600, MANY, between=between, within=0.1) for between in (0.0, 0.05))
    assert same.rounds < unlike.rounds
    assert same.pairs > unlike.pairs


def test_a_budget_with_no_room_has_the_fewest_rounds_each_of_the_least_length():
    assert dataclasses.astuple(plan(20, 0.5, 60, MANY))[:2] == (FEWEST_ROUNDS, 5)
    assert dataclasses.astuple(plan(100, 0.5, 60, MANY))[:2] == (FEWEST_ROUNDS, 24)
    assert plan(20, 100.0, 60, MANY).pairs == 1


def test_a_round_has_no_more_pairs_than_the_structures_have_geometries():
    assert plan(1, 0.001, 600, 404).pairs == 404


def test_a_slow_method_is_measured_at_two_structures_because_one_gives_no_interval():
    slow = plan(10, 2.0, 60, 101 * 4)
    assert slow.pairs < 4, "less than the geometries of one structure"
    assert whole_structures(slow, points=4, most=101) == 2
    assert whole_structures(slow, points=4, most=1) == 1, "there is only one"
    quick = plan(1, 0.01, 300, 101 * 4)
    assert whole_structures(quick, points=4, most=101) == min(round(quick.pairs / 4), 101) > 2

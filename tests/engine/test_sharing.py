"""How a campaign in turns shares its time, and the order of the turns."""

import itertools
import math

import pytest

from bench.engine import sharing
from bench.engine.paced import passes
from bench.engine.schedule import in_order_of


def test_two_take_turns_so_that_no_drift_favours_one():
    order = [name for one in itertools.islice(passes(["a", "b"]), 4) for name in one]
    assert order == ["a", "b", "b", "a", "b", "a", "a", "b"]
    for power in (1, 2):
        drift = [number**power for number in range(len(order))]
        assert sum(d if name == "a" else -d for name, d in zip(order, drift, strict=True)) == 0


def test_over_many_passes_each_has_each_place_equally_often():
    names = ["a", "b", "c", "d", "e"]
    places = {name: [] for name in names}
    for one in itertools.islice(passes(names), 2 * len(names)):
        assert sorted(one) == names
        for place, name in enumerate(one):
            places[name].append(place)
    assert all(sorted(found) == sorted([*range(5), *range(5)]) for found in places.values())


def test_rounds_begin_at_other_structures_and_lose_none():
    indices = list(range(101))
    rounds = [in_order_of(indices, number) for number in range(8)]
    assert rounds[0] == indices
    assert all(sorted(one) == indices for one in rounds)
    firsts = sorted(one[0] for one in rounds)
    assert min(b - a for a, b in itertools.pairwise(firsts)) >= 5, "spread over the set"


def test_the_best_number_of_structures_is_that_of_cluster_sampling():
    start, item = 8.0, 2.0
    best = sharing.best_seconds(start, item) / item

    def variance(structures):  # of a mean, at equal total time
        return (1.0 + sharing.VARIANCES / structures) * (start + structures * item)

    assert variance(best) == pytest.approx(min(variance(0.01 * n) for n in range(1, 5000)), rel=1e-4)


def test_where_there_is_time_over_all_rounds_measure_longer_and_use_it():
    costs = {"a": 10.0, "b": 20.0}
    rounds = sharing.planned_rounds(costs, 1500.0)
    assert rounds == sharing.MOST_ROUNDS
    longer = [sharing.stretched(cost - 5.0, 5.0, rounds, 1500.0, 30.0) + 5.0 for cost in costs.values()]
    assert sum(longer) * rounds == pytest.approx(1500.0)


def test_a_campaign_is_never_shorter_than_it_takes_to_learn():
    assert sharing.planned_rounds({"dft": 1000.0}, 60.0) == sharing.LEARNING_ROUNDS


def test_one_more_round_is_for_the_widest_ratios_that_fit_and_for_the_reference():
    costs = {"reference": 10.0, "wide": 20.0, "narrow": 5.0, "dear": 200.0, "unknown": 30.0}
    widths = {"reference": 0.0, "wide": 0.1, "narrow": 0.01, "dear": 0.5}
    assert sharing.chosen(costs, widths, 100.0) == ["reference", "wide", "unknown"]
    assert sharing.chosen(costs, widths, 45.0) == ["reference", "unknown"]
    assert sharing.chosen(costs, widths, 15.0) == []
    assert sharing.chosen(costs, {**dict.fromkeys(costs, 0.001), "reference": 0.0}, 1e6) == []


def test_as_many_as_fit_into_memory_are_alive_and_one_at_least():
    needs = {"a": 3.0, "b": 4.0, "c": 2.0}
    assert sharing.fitting(needs, 5.5) == ["a", "c"]
    assert sharing.fitting(needs, 1.0) == ["a"]
    assert sharing.fitting(needs, math.inf) == ["a", "b", "c"]

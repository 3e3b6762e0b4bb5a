from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from synthetic import relaxations

from bench.analysis import times


def series_of(*relaxed: pd.DataFrame):
    return times.per_round(pd.concat(relaxed, ignore_index=True))


def by_structure(*relaxed: pd.DataFrame):
    return {key: times.by_structure(found) for key, found in series_of(*relaxed).items()}


def by_round(rounds: dict[int, dict[int, float]]) -> pd.DataFrame:
    """Return milliseconds by structure and round from a mapping of rounds to structures."""
    return pd.DataFrame(rounds).rename_axis(index="structure", columns="round")


def test_a_structures_figure_is_its_time_over_its_steps_in_milliseconds():
    relaxed = relaxations("a", 10.0, count=3, rounds=1).assign(step_ns=[4e6, 9e6, 5e6], steps=[2, 3, 5])
    assert by_structure(relaxed)["a", "cpu"].to_dict() == pytest.approx({0: 2.0, 1: 3.0, 2: 1.0})


def test_rounds_of_a_structure_are_combined_by_their_geometric_mean():
    relaxed = relaxations("a", 10.0, count=1, rounds=2).assign(step_ns=[2e6, 8e6], steps=1)
    assert by_structure(relaxed)["a", "cpu"].to_dict() == pytest.approx({0: 4.0})


def test_failed_relaxations_and_those_without_a_step_do_not_count_and_censored_ones_do():
    relaxed = relaxations("a", 10.0, count=4, rounds=1).assign(
        status=["failed", "converged", "censored", "step-cap"], steps=[5, 0, 5, 5]
    )
    assert series_of(relaxed)["a", "cpu"].index.tolist() == [2, 3]


def test_a_known_ratio_comes_out_with_an_interval_around_it():
    series = series_of(relaxations("slow", 113.0), relaxations("fast", 20.0))
    found = times.paired_ratio(series["slow", "cpu"], series["fast", "cpu"])
    assert found.estimate == pytest.approx(113.0 / 20.0)
    assert found.low < 113.0 / 20.0 < found.high
    assert found.n == 101


def test_a_ratio_uses_only_rounds_that_both_have():
    mlip = by_round({0: {0: 10.0}, 1: {0: 17.0}, 2: {0: 17.0}})
    dft = by_round({0: {0: 20.0}})
    found = times.paired_ratio(dft, mlip)
    assert found.estimate == pytest.approx(2.0)  # 1.40 over the structure's mean of all rounds
    assert (found.low, found.lacks) == (None, "one process")


def test_methods_without_a_common_round_were_not_measured_together():
    slow = by_round({r: {i: 10.0 + i + 0.1 * r for i in range(6)} for r in (0, 1, 2)})
    fast = by_round({r: {i: 1.0 + 0.1 * i + 0.01 * (r - 3) for i in range(6)} for r in (3, 4, 5)})
    assert times.paired_ratio(slow, fast) is None
    ratio = times.unpaired_ratio(slow, fast)  # as of two runs
    assert ratio.rounds == 3
    assert ratio.low < 10.0 < ratio.high


def test_pairing_makes_the_interval_much_tighter_than_the_two_rows_would():
    series = series_of(relaxations("slow", 113.0, noise=0.02), relaxations("fast", 20.0, noise=0.02))
    slow, fast = series["slow", "cpu"], series["fast", "cpu"]
    paired = times.paired_ratio(slow, fast)
    alone = [times.mean_time(one) for one in (slow, fast)]
    unpaired = math.hypot(*(math.log(one.high / one.low) for one in alone))
    assert math.log(paired.high / paired.low) < unpaired / 4


def test_only_the_structures_that_both_relaxed_are_compared():
    slow = by_round({0: {0: 10.0, 1: 20.0, 2: 1000.0}})
    fast = by_round({0: {0: 1.0, 1: 2.0, 7: 1.0}})
    assert times.paired_ratio(slow, fast).estimate == pytest.approx(10.0)
    assert times.paired_ratio(slow, fast).n == 2
    assert times.paired_ratio(slow, fast.loc[[7]]) is None


def test_what_a_round_does_to_both_methods_drops_out_of_their_ratio():
    weather = {0: 1.0, 1: 1.4, 2: 0.8, 3: 1.1}
    rng = np.random.default_rng(5)
    base = {i: float(np.exp(rng.normal(0.0, 0.1))) for i in range(20)}
    slow, fast = (
        by_round(
            {
                r: {i: factor * w * x * float(np.exp(rng.normal(0.0, 0.01))) for i, x in base.items()}
                for r, w in weather.items()
            }
        )
        for factor in (3.0, 1.0)
    )
    beside = times.paired_ratio(slow, fast)
    apart = times.unpaired_ratio(slow, fast)
    assert beside.low < 3.0 < beside.high
    assert beside.high / beside.low < 1.03
    assert apart.high / apart.low > 1.8
    assert beside.estimate == pytest.approx(apart.estimate)
    assert beside.rounds == apart.rounds == 4


def test_rounds_that_lie_apart_show_in_the_spread():
    relaxed = relaxations("a", 10.0, rounds=3)
    relaxed.loc[relaxed["round"] == 2, "step_ns"] *= 1.25
    (found,) = series_of(relaxed).values()
    assert found.shape == (101, 3)
    assert times.round_spread(found) == pytest.approx(1.25 * np.exp(0.02))
    (single,) = series_of(relaxations("a", 10.0, rounds=1)).values()
    assert times.round_spread(single) is None
    assert times.round_spread(found[[0, 1]]) == pytest.approx(np.exp(0.01))
    # over what all rounds have in common
    holes = pd.DataFrame([[1.0, 2.0], [1.0, 8.0], [1.0, np.nan]])
    assert times.round_spread(holes) == pytest.approx(4.0)
    assert times.round_spread(pd.DataFrame([[1.0, np.nan], [np.nan, 2.0]])) is None


def test_the_scatter_of_the_rounds_is_inside_the_interval():
    relaxed = relaxations("a", 10.0, rounds=3, noise=0.0)
    (quiet,) = series_of(relaxed).values()
    relaxed.loc[relaxed["round"] == 2, "step_ns"] *= 1.25
    (restless,) = series_of(relaxed).values()
    narrow, wide = times.mean_time(quiet), times.mean_time(restless)
    assert math.log(wide.high / wide.low) > 4 * math.log(narrow.high / narrow.low)

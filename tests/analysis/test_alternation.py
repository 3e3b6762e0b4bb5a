"""Two versions of which one and then the other starts first: the effect of the order is no scatter."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bench.analysis.alternation import alternating_ratio
from bench.analysis.times import paired_ratio


def frame(logs):
    return pd.DataFrame(np.exp(np.asarray(logs, dtype=float)))


def measured(rng, rounds=6, structures=8, order=0.02, process=0.011, single=0.03, structure=0.0, truth=0.0):
    """Return old and new milliseconds whose ratio is exp(truth); its scatter is what the arguments say."""
    old = rng.normal(4.0, 0.1, (structures, rounds))
    starts = np.where(np.arange(rounds) % 2, -order, order)
    ratio = (
        truth
        + starts
        + rng.normal(0.0, process, (1, rounds))
        + rng.normal(0.0, structure, (structures, 1))
        + rng.normal(0.0, single, (structures, rounds))
    )
    return frame(old), frame(old + ratio)


@pytest.mark.parametrize("rounds", [4, 5, 6, 7])
def test_an_effect_of_the_order_is_neither_in_the_estimate_nor_in_the_interval(rounds):
    old, new = measured(np.random.default_rng(1), rounds, process=0.0, single=0.0, truth=math.log(1.1))
    found = alternating_ratio(new, old)
    assert found.estimate == pytest.approx(1.1)
    assert found.high / found.low == pytest.approx(1.0, abs=1e-9)
    assert found.rounds == rounds


def test_the_scatter_is_that_within_each_order():
    # means of rounds: 1, 3 and 5 in one order, 11 and 13 in the other
    logs = np.array([[1.0, 11.0, 3.0, 13.0, 5.0]] * 4)
    found = alternating_ratio(frame(logs), frame(np.zeros((4, 5))))
    variance = (4 + 0 + 4 + 1 + 1) / 3
    error = math.sqrt(variance * (1 / 3 + 1 / 2) / 4)
    assert math.log(found.estimate) == pytest.approx((3 + 12) / 2)
    assert math.log(found.high / found.estimate) == pytest.approx(stats.t.ppf(0.975, 3) * error)


def test_only_structures_count_that_both_have_in_the_same_round():
    old, new = measured(np.random.default_rng(3), rounds=5)
    cut = new.copy()
    cut.iloc[7, 2] = np.nan
    assert alternating_ratio(cut, old) == alternating_ratio(cut, old.where(cut.notna()))
    assert alternating_ratio(new, old.iloc[:, :4]) == alternating_ratio(new.iloc[:, :4], old.iloc[:, :4])
    assert alternating_ratio(new.iloc[:3], old.iloc[5:]) is None


@pytest.mark.parametrize("columns", [[0, 1, 2], [0, 2, 4, 6]])
def test_three_rounds_or_rounds_of_one_order_have_no_interval(columns):
    old, new = measured(np.random.default_rng(3), rounds=8)
    found = alternating_ratio(new[columns], old[columns])
    assert found.low is None
    assert found.estimate > 0


@pytest.mark.parametrize(
    ("rounds", "process", "single", "structure"),
    [
        pytest.param(4, 0.0157, 0.005, 0.0, id="processes differ"),
        pytest.param(4, 0.0, 0.045, 0.0, id="single times differ"),
        pytest.param(5, 0.011, 0.03, 0.0, id="both"),
        pytest.param(6, 0.011, 0.03, 0.03, id="structures too"),
    ],
)
def test_the_interval_covers_the_truth(rounds, process, single, structure):
    rng = np.random.default_rng(4)
    hits, trials = 0, 200
    for _ in range(trials):
        old, new = measured(rng, rounds, 8, process=process, single=single, structure=structure)
        found = alternating_ratio(new, old)
        hits += found.low <= 1.0 <= found.high
    # 95 % give or take what chance does in 200 trials
    assert 0.91 <= hits / trials <= 0.99


def test_the_interval_is_much_narrower_than_one_that_takes_the_order_for_chance():
    rng = np.random.default_rng(5)
    both = [measured(rng, 6) for _ in range(40)]
    ours, usual = (
        np.median([math.log(one.high / one.low) for one in (ratio(new, old) for old, new in both)])
        for ratio in (alternating_ratio, paired_ratio)
    )
    assert ours < 0.7 * usual

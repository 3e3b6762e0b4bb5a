from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

from bench.analysis.statistics import (
    Between,
    Estimate,
    between_rounds,
    flag_outliers,
    geometric_mean,
    independent,
    noise,
)


def test_the_estimate_is_the_geometric_mean():
    assert geometric_mean([1.0, 10.0, 100.0, 1000.0, 10000.0]).estimate == pytest.approx(100.0)


def test_the_interval_holds_the_truth_in_about_95_of_100_cases():
    truth, n, trials = 113.0, 40, 200
    rng = np.random.default_rng(11)
    hits = 0
    for _ in range(trials):
        found = geometric_mean(truth * np.exp(rng.normal(0.0, 0.3, n)))
        hits += found.low <= truth <= found.high
    assert 0.90 <= hits / trials <= 0.98


def test_the_interval_is_as_wide_as_the_scatter_says():
    found = geometric_mean(np.exp(np.random.default_rng(5).normal(0.0, 0.2, 400)))
    # the standard error of the mean log is 0.01, and 95 % lie within 1.96 of it on either side
    assert math.log(found.high / found.low) == pytest.approx(2 * 1.96 * 0.01, rel=0.15)


def test_the_interval_of_skewed_data_leans_to_the_long_side():
    logs = np.random.default_rng(5).exponential(1.0, 30)
    found = geometric_mean(np.exp(logs))
    assert math.log(found.high / found.estimate) > 1.05 * math.log(found.estimate / found.low)


def test_the_interval_does_not_depend_on_what_was_computed_before():
    values = np.exp(np.random.default_rng(1).normal(size=50))
    first = geometric_mean(values)
    geometric_mean(values[:30])
    assert geometric_mean(values) == first


def test_the_interval_scales_with_the_unit():
    values = np.exp(np.random.default_rng(1).normal(size=50))
    one, thousand = geometric_mean(values), geometric_mean(1000.0 * values)
    assert thousand.low == pytest.approx(1000.0 * one.low, rel=1e-9)
    assert one.scaled(1000.0).high == pytest.approx(thousand.high, rel=1e-9)


@pytest.mark.parametrize("n", [1, 2, 4])
def test_few_values_have_an_estimate_but_no_interval(n):
    assert geometric_mean([7.0] * n) == Estimate(pytest.approx(7.0), None, None, n, None)


def test_equal_values_have_an_interval_of_no_width_and_raise_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = geometric_mean([0.15] * 101)
    assert found.low == pytest.approx(0.15) == found.high == found.estimate


@pytest.mark.parametrize(
    "values",
    [[1.0] * 100 + [1.5], [1.0] * 4 + [2.0], [1.0, 1.0, 1.0, 1.0, 1.0 + 1e-13], [1e-300, 1e300] * 5],
)
def test_hardly_varying_and_extreme_values_never_give_nan(values):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = geometric_mean(values)
    assert math.isfinite(found.low) and math.isfinite(found.high)
    assert found.low <= found.estimate <= found.high


@pytest.mark.parametrize("values", [[], [1.0, 0.0], [1.0, -2.0], [1.0, math.nan], [math.inf]])
def test_what_is_no_time_is_an_error_and_not_a_nan(values):
    with pytest.raises(ValueError, match="geometric mean"):
        geometric_mean(values)


def test_many_thousand_values_take_no_quadratic_time_or_memory():
    values = np.exp(np.random.default_rng(2).normal(0.0, 0.1, 50_000))
    found = geometric_mean(values)
    assert math.log(found.high / found.low) == pytest.approx(2 * 1.96 * 0.1 / math.sqrt(50_000), rel=0.2)


def simulated(rng, rounds, structures, process, structure, residual, truth=0.0):
    """Return logs of one campaign, (rounds, structures): processes and structures differ, and each time besides."""
    return (
        truth
        + rng.normal(0.0, process, (rounds, 1))
        + rng.normal(0.0, structure, (1, structures))
        + rng.normal(0.0, residual, (rounds, structures))
    )


@pytest.mark.parametrize(
    ("rounds", "structures", "process", "structure", "residual"),
    [
        pytest.param(3, 40, 0.05, 0.15, 0.03, id="three rounds"),
        pytest.param(3, 40, 0.15, 0.02, 0.03, id="processes differ more than structures"),
        pytest.param(10, 40, 0.05, 0.15, 0.03, id="ten rounds"),
        pytest.param(5, 12, 0.03, 0.05, 0.10, id="few structures and much noise"),
    ],
)
def test_the_interval_covers_what_processes_and_structures_do_together(
    rounds, structures, process, structure, residual
):
    rng = np.random.default_rng(17)
    hits, trials = 0, 200
    for _ in range(trials):
        logs = simulated(rng, rounds, structures, process, structure, residual, truth=4.0)
        found = geometric_mean(np.exp(logs.mean(axis=0)), between=between_rounds(logs))
        hits += found.low <= math.exp(4.0) <= found.high
    # 95 % give or take what chance does in 200 trials
    assert 0.91 <= hits / trials <= 0.99


def test_an_interval_without_the_rounds_would_promise_too_much():
    rng = np.random.default_rng(17)
    hits = 0
    for _ in range(100):
        logs = simulated(rng, 3, 40, 0.05, 0.05, 0.03)
        found = geometric_mean(np.exp(logs.mean(axis=0)))
        hits += found.low <= 1.0 <= found.high
    assert hits / 100 < 0.75


def test_the_scatter_of_rounds_is_that_of_their_means_over_common_structures():
    logs = [[0.0, 1.0, 9.0], [0.2, 1.2, math.nan], [0.1, 1.1, 9.0], [math.nan] * 3]
    error, freedom, rounds, _ = between_rounds(logs)
    assert error == pytest.approx(0.1 / math.sqrt(3))
    assert (freedom, rounds) == (2, 3)


@pytest.mark.parametrize("logs", [[], [[1.0, 2.0]] * 2, [[1.0, math.nan]] * 2 + [[math.nan, 2.0]], [1.0, 2.0]])
def test_two_rounds_or_nothing_in_common_tells_nothing_about_processes(logs):
    assert between_rounds(logs) is None


def test_independent_scatters_add_as_welch_has_it():
    both = independent(Between(0.03, 4, 5), Between(0.04, 9, 10))
    assert both.error == pytest.approx(0.05)
    assert both.freedom == pytest.approx(0.05**4 / (0.03**4 / 4 + 0.04**4 / 9))
    assert both.rounds == 5
    assert independent(Between(0.03, 4, 5, 0.1), Between(0.04, 9, 10, 0.2)).noise == pytest.approx(0.3)
    assert independent(Between(0.0, 2, 3), Between(0.0, 2, 3)).error == 0.0
    assert independent(None, Between(0.04, 9, 10)) is None


def test_the_noise_of_single_times_is_what_structures_and_rounds_leave():
    rng = np.random.default_rng(6)
    logs = simulated(rng, 4, 500, 0.5, 0.3, 0.1)
    assert noise([logs]) == pytest.approx(0.01, rel=0.1)
    assert noise([logs[:, :1]]) == 0.0
    assert between_rounds(logs).noise == noise([logs]) / 4  # of a mean over four rounds
    exact = np.add.outer([0.0, 0.1, 0.5], [1.0, 2.0, 4.0])
    assert noise([exact]) == pytest.approx(0.0, abs=1e-30)


def test_noise_that_is_in_the_rounds_scatter_is_left_out_of_that_of_structures():
    logs = simulated(np.random.default_rng(6), 3, 40, 0.001, 0.1, 0.15)
    values, between = np.exp(logs.mean(axis=0)), Between(0.001, 2, 3)
    structures, both = (
        math.log(one.high / one.low)
        for one in (
            geometric_mean(values, between=between._replace(noise=0.15**2 / 3)),
            geometric_mean(values, between=between),
        )
    )
    # standard errors of the mean of 40 structures, without and with the noise of three times each
    assert structures / both == pytest.approx(math.sqrt(0.1**2 / (0.1**2 + 0.15**2 / 3)), rel=0.1)
    alone = geometric_mean(values, between=between._replace(noise=9.0))
    assert math.log(alone.high / alone.estimate) == pytest.approx(4.303 * 0.001, rel=1e-3)


def test_with_few_structures_the_rounds_alone_make_an_interval():
    found = geometric_mean([10.0, 11.0], between=Between(0.01, 2, 3))
    assert found.over == "rounds"
    assert math.log(found.high / found.estimate) == pytest.approx(4.303 * 0.01, rel=1e-3)


def test_a_wider_confidence_gives_a_wider_interval():
    values = np.exp(np.random.default_rng(5).normal(0.0, 0.2, 50))
    usual, wide = (geometric_mean(values, between=Between(0.01, 2, 3), confidence=c) for c in (0.95, 0.99))
    assert wide.low < usual.low < usual.high < wide.high


def test_a_value_far_from_the_others_is_flagged_and_the_others_are_not():
    values = np.exp(np.random.default_rng(3).normal(0.0, 0.1, 101))
    values[17] *= 3.0
    assert np.flatnonzero(flag_outliers(values)).tolist() == [17]


def test_a_value_far_below_is_flagged_too():
    assert flag_outliers([100, 101, 99, 102, 98, 40]).tolist() == [False] * 5 + [True]


def test_among_four_values_none_is_called_an_outlier():
    assert flag_outliers([]).shape == (0,)
    assert not flag_outliers([1.0, 1.0, 1.0, 50.0]).any()


def test_values_that_are_all_but_the_same_are_no_outliers_of_each_other():
    assert not flag_outliers([1.0] * 50 + [1.001, 1.04]).any()
    assert flag_outliers([1.0] * 50 + [1.2]).tolist() == [False] * 50 + [True]

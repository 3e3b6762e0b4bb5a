from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

from bench.analysis.statistics import Estimate, flag_outliers, geometric_mean


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

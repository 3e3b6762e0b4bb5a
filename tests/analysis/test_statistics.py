from __future__ import annotations

import numpy as np
import pytest

from bench.analysis.statistics import Estimate, flag_outliers


def test_an_estimate_scales_with_the_unit():
    assert Estimate(2.0, 1.0, 4.0, 3, "structures").scaled(1000.0) == Estimate(2000.0, 1000.0, 4000.0, 3, "structures")
    assert Estimate(2.0, None, None, 1, None).scaled(0.5).estimate == pytest.approx(1.0)


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


def test_several_values_far_from_the_others_do_not_hide_each_other():
    values = [1.0, 1.01, 0.99, 1.02, 0.98, 1.0, 1.01, 2.0, 2.0, 2.0]
    assert flag_outliers(values).tolist() == [False] * 7 + [True] * 3

from __future__ import annotations

import pytest

from bench.analysis.statistics import Estimate
from bench.render import numbers


@pytest.mark.parametrize(
    ("estimate", "low", "high", "text"),
    [
        (113.24, 110.98, 115.91, "113.2 [111.0, 115.9]"),
        (0.15341, 0.14941, 0.15752, "0.1534 [0.1494, 0.1575]"),
        (20301.4, 19870.2, 20700.9, "20301 [19870, 20701]"),
        (61.02, 45.0, 80.0, "61 [45, 80]"),
        (5.0, 5.0, 5.0, "5.000 [5.000, 5.000]"),
        (7520.0, None, None, "7520 [–]"),
        (0.0, -1.0, 1.0, "0.0 [-1.0, 1.0]"),
    ],
)
def test_an_interval_decides_how_many_digits_are_shown(estimate, low, high, text):
    assert numbers.with_interval(Estimate(estimate, low, high, 101, "structures")) == text


def test_what_was_not_measured_is_a_dash():
    assert numbers.with_interval(None) == numbers.plain(None) == numbers.size(None) == numbers.published(None) == "–"


@pytest.mark.parametrize(
    ("estimate", "low", "high", "text"),
    [
        (1.4007, 1.362, 1.441, "1.40 [1.36, 1.44]"),
        (0.8621, 0.8213, 0.9044, "0.86 [0.82, 0.90]"),
        (541.8, 534.0, 549.3, "542 [534, 549]"),
    ],
)
def test_ratios_have_three_digits(estimate, low, high, text):
    assert numbers.ratio(Estimate(estimate, low, high, 101, "structures")) == text


def test_published_figures_keep_the_digits_of_print():
    assert [numbers.published(x, 8) for x in (0.15, 63.79, 471.18, 20301.416)] == [
        "0.15",
        "63.79",
        "471.18",
        "20301.416",
    ]
    assert numbers.published(20301.416) == "20301"


def test_sizes_counts_and_seconds_have_their_units():
    assert [numbers.parameters(n) for n in (707_000, 842_440, 6_900_000, 86_600_000)] == [
        "707 k",
        "842 k",
        "6.9 M",
        "86.6 M",
    ]
    assert [numbers.size(n) for n in (900 * 2**20, 3 * 2**29)] == ["900 MiB", "1.5 GiB"]
    assert [numbers.seconds(s) for s in (6.24, 63.4)] == ["6.2 s", "63 s"]
    assert numbers.percent(0.934) == "93 %"


def test_a_useless_interval_leaves_the_estimate_readable():
    # two processes that differ by a factor of two say nothing about a third
    assert numbers.with_interval(Estimate(0.219, 3.7e-6, 12910.6, 2, "structures", 2)) == "0.22 [0.00, 12910.60]"

"""The model of every time, against planted truths."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from scipy import stats

from bench.analysis.model import Component, difference, fit, mean_of, p_value, reach, together
from bench.analysis.statistics import ONE_PROCESS, ONE_STRUCTURE

NAN = math.nan


def simulated(rng, rounds, structures, process, structure, rest, truth=0.0):
    """Return logs of one campaign, (structures, rounds): processes and structures differ, and each time besides."""
    return (
        truth
        + rng.normal(0.0, process, (1, rounds))
        + rng.normal(0.0, structure, (structures, 1))
        + rng.normal(0.0, rest, (structures, rounds))
    )


def test_a_fast_process_that_reached_more_structures_counts_once():
    # round 0 takes 1 at seven structures, rounds 1 and 2 take 1.7 at four of them
    times = [[1.0, 1.7, 1.7]] * 4 + [[1.0, NAN, NAN]] * 3
    assert fit(np.log(times)).estimate().estimate == pytest.approx(1.7 ** (2 / 3), rel=1e-6)
    assert pytest.approx(1.424, abs=5e-4) == 1.7 ** (2 / 3)


def test_late_structures_that_only_a_fast_process_reached_do_not_pull_the_mean_by_their_process():
    structure = np.array([0.0, 0.1, -0.1, 0.4, 0.6])
    process = np.array([-0.2, 0.1, 0.1])
    logs = structure[:, None] + process
    logs[3:, 1:] = NAN
    found = fit(logs)
    # what a structure does is known from round 0, so the mean is over all five and the rounds count equally
    assert found.values - found.values[0] == pytest.approx(structure, abs=1e-6)
    assert fit(logs[:3]).mean == pytest.approx(0.0, abs=1e-6)


def test_few_structures_with_the_same_ratios_in_all_rounds_have_an_interval_of_their_own():
    found = fit(np.log([[1.0] * 3, [2.0] * 3, [3.0] * 3, [4.0] * 3])).estimate()
    logs = np.log([1.0, 2.0, 3.0, 4.0])
    half = stats.t.ppf(0.975, 3) * logs.std(ddof=1) / 2
    assert found.estimate == pytest.approx(math.exp(logs.mean()))
    assert math.log(found.low) == pytest.approx(logs.mean() - half, rel=1e-6)
    assert math.log(found.high) == pytest.approx(logs.mean() + half, rel=1e-6)
    assert (found.over, found.n, found.rounds, found.lacks) == ("structures", 4, 3, None)


@pytest.mark.parametrize(
    ("times", "lacks"),
    [([[2.0]], ONE_PROCESS), ([[1.0], [2.0], [4.0]], ONE_PROCESS), ([[1.0, 2.0, 4.0]], ONE_STRUCTURE)],
)
def test_one_process_or_one_structure_has_a_value_and_no_interval(times, lacks):
    found = fit(np.log(times)).estimate()
    assert found.estimate == pytest.approx(2.0)
    assert (found.low, found.high, found.over, found.lacks) == (None, None, None, lacks)


def test_rounds_with_another_structure_each_have_the_interval_of_independent_values():
    logs = np.full((4, 4), NAN)
    np.fill_diagonal(logs, [1.0, 2.0, 4.0, 3.0])
    found = fit(logs)
    assert found.mean == pytest.approx(2.5)
    assert found.reach() == pytest.approx(stats.t.ppf(0.975, 3) * np.std([1, 2, 4, 3], ddof=1) / 2)


def test_a_complete_campaign_has_the_interval_of_the_analysis_of_variance():
    logs = simulated(np.random.default_rng(1), 4, 6, 0.1, 0.1, 0.03)
    found = fit(logs)
    assert found.mean == pytest.approx(logs.mean())
    left = logs - logs.mean(axis=0) - logs.mean(axis=1, keepdims=True) + logs.mean()
    rest = (left**2).sum() / 15
    assert found.of_rounds == pytest.approx((logs.mean(axis=0).var(ddof=1) / 4, 3))
    assert found.of_structures == pytest.approx(((logs.mean(axis=1).var(ddof=1) - rest / 4) / 6, 5))
    total = sum(part.variance for part in found.parts)
    factor = sum(part.variance * stats.t.ppf(0.975, part.freedom) for part in found.parts) / total
    assert found.reach() == pytest.approx(factor * math.sqrt(total))
    assert found.values == pytest.approx(logs.mean(axis=1))


def test_rotated_windows_lose_nothing_of_what_structures_share():
    rng = np.random.default_rng(2)
    structure = rng.normal(0.0, 0.5, 12)
    process = rng.normal(0.0, 0.01, 10)
    logs = np.full((12, 10), NAN)
    for number in range(10):
        logs[number : number + 3, number] = (structure[:, None] + process)[number : number + 3, number]
    found = fit(logs)
    # neighbouring rounds share structures, so what the processes do is seen although structures differ by 50 %
    assert found.mean == pytest.approx(structure.mean() + process.mean(), abs=0.1)
    assert abs(found.mean - structure.mean()) < found.reach() < 1.0


@pytest.mark.parametrize(
    ("rounds", "structures", "process", "structure", "rest"),
    [
        pytest.param(3, 40, 0.05, 0.15, 0.03, id="three rounds"),
        pytest.param(3, 40, 0.15, 0.02, 0.03, id="processes differ more than structures"),
        pytest.param(10, 40, 0.05, 0.15, 0.03, id="ten rounds"),
        pytest.param(5, 12, 0.03, 0.05, 0.10, id="few structures and much noise"),
        pytest.param(2, 12, 0.05, 0.05, 0.02, id="two rounds"),
    ],
)
def test_the_interval_contains_the_truth_in_95_of_100_campaigns(rounds, structures, process, structure, rest):
    rng = np.random.default_rng(17)
    hits, trials = 0, 400
    for _ in range(trials):
        found = fit(simulated(rng, rounds, structures, process, structure, rest, truth=4.0))
        hits += abs(found.mean - 4.0) <= found.reach()
    assert 0.925 <= hits / trials <= 0.99  # give or take what chance does in 400 trials


def test_an_effect_of_two_kinds_of_rounds_is_in_neither_the_mean_nor_the_interval():
    rng = np.random.default_rng(3)
    logs = simulated(rng, 5, 8, 0.01, 0.05, 0.01)
    odd = np.arange(5) % 2 == 1
    apart = logs + np.where(odd, 3.0, -3.0)
    assert fit(apart, groups=odd).mean == pytest.approx(fit(logs, groups=odd).mean)
    assert fit(apart, groups=odd).reach() == pytest.approx(fit(logs, groups=odd).reach())
    assert fit(apart, groups=odd).of_rounds.freedom == 3


def test_two_runs_are_compared_by_structure_and_the_scatter_of_both_counts():
    rng = np.random.default_rng(4)
    structure = rng.normal(0.0, 0.5, (20, 1))
    one, other = (structure + simulated(rng, rounds, 20, 0.02, 0.0, 0.01) for rounds in (4, 6))
    found = difference(one + 0.3, other)
    alone = [each.mean(axis=0).var(ddof=1) / each.shape[1] for each in (one, other)]
    assert found.mean == pytest.approx(0.3 + one.mean() - other.mean())
    assert found.of_rounds.variance == pytest.approx(sum(alone))
    assert found.of_rounds.freedom == pytest.approx(sum(alone) ** 2 / (alone[0] ** 2 / 3 + alone[1] ** 2 / 5))
    assert math.sqrt(found.of_structures.variance) < 0.005  # structures do the same in both runs
    # where they do not, that is in the interval
    unlike = difference(one + rng.normal(0.0, 0.3, (20, 1)), other)
    assert math.sqrt(unlike.of_structures.variance) == pytest.approx(0.3 / math.sqrt(20), rel=0.3)
    assert difference(one[:, :1], other).lacks == ONE_PROCESS


def test_a_p_value_adds_the_reaches_of_the_parts_as_squares():
    found = fit(simulated(np.random.default_rng(5), 4, 6, 0.1, 0.1, 0.03, truth=0.4))
    each = [reach([part], 1 - found.p_value()) for part in found.parts]
    assert math.hypot(*each) == pytest.approx(abs(found.mean), rel=1e-3)
    assert p_value(-found.mean, found.parts) == pytest.approx(found.p_value(), rel=1e-9), "in either direction"
    assert p_value(3.0, [Component(1.0, 5.0)]) == pytest.approx(2 * stats.t.sf(3.0, 5), rel=2e-3)
    assert (p_value(0.0, [Component(0.0, 5.0)]), p_value(0.1, [Component(0.0, 5.0)])) == (1.0, 0.0)
    assert fit([[1.0, 2.0]]).p_value() == 1.0


@pytest.mark.parametrize("freedom", [1, 2, 5])
@pytest.mark.parametrize("share", [0.02, 0.5])
def test_small_p_values_are_no_more_frequent_than_they_say(freedom, share):
    """Ranks need them: with the mean of Student's factors, 0.002 came in 0.7 % of the cases of two rounds."""
    rng, count, level = np.random.default_rng(0), 4000, 0.002
    of_rounds = (1 - share) * rng.chisquare(freedom, count) / freedom
    of_structures = share * rng.chisquare(19, count) / 19
    means = rng.normal(0.0, 1.0, count)
    found = [
        p_value(mean, [Component(one, freedom), Component(other, 19)])
        for mean, one, other in zip(means, of_rounds, of_structures, strict=True)
    ]
    assert sum(p < level for p in found) <= level * count + 3 * math.sqrt(level * count)


def test_independent_parts_add_as_welch_has_it():
    both = together([Component(0.03**2, 4), Component(0.04**2, 9)])
    assert math.sqrt(both.variance) == pytest.approx(0.05)
    assert both.freedom == pytest.approx(0.05**4 / (0.03**4 / 4 + 0.04**4 / 9))
    assert together([Component(0.0, 2), Component(0.0, 2)]).variance == 0.0
    assert reach([Component(0.0, 2)]) == 0.0


def test_the_mean_of_independent_values_has_students_interval():
    found = mean_of([1.0, 2.0, 4.0], "rounds")
    assert found.estimate == pytest.approx(2.0)
    assert math.log(found.high / 2.0) == pytest.approx(stats.t.ppf(0.975, 2) * math.log(2) / math.sqrt(3))
    assert (found.over, found.rounds) == ("rounds", 3)
    assert mean_of([7.0], "structures").lacks == ONE_STRUCTURE
    assert mean_of([7.0], "rounds").lacks == ONE_PROCESS
    assert mean_of([1.0, 2.0], "structures", confidence=0.99).high > mean_of([1.0, 2.0], "structures").high


@pytest.mark.parametrize("values", [[], [1.0, 0.0], [1.0, -2.0], [1.0, math.nan], [math.inf]])
def test_what_is_no_time_is_an_error_and_not_a_nan(values):
    with pytest.raises(ValueError, match="geometric mean"):
        mean_of(values, "structures")


def test_equal_and_extreme_times_give_finite_intervals_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        equal = fit(np.full((101, 3), math.log(0.15))).estimate()
        extreme = fit(np.log([[1e-300, 1e300], [1e300, 1e-300], [1.0, 1.0]])).estimate()
    assert (equal.low, equal.estimate, equal.high) == pytest.approx((0.15,) * 3, rel=1e-12)
    assert math.isfinite(extreme.low) and math.isfinite(extreme.high)
    assert extreme.low <= extreme.estimate <= extreme.high

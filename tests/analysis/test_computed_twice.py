"""Means, ratios and their intervals, and what relaxations take that were cut off: computed a second time, plainly."""

import math

import dense
import numpy as np
import pytest
from scipy import optimize, stats

from bench.analysis.model import difference, fit
from bench.analysis.paired import ratio
from bench.analysis.survival import _cost, _curvature, mean_log
from bench.analysis.variances import contrasts

TABLES = ("complete", "holes", "windows", "one a round", "two rounds", "one round", "noise alone", "equal structures")
SYSTEMS = ("none", "unlike", "one structure each", "apart")


def table(kind, seed, structures=7, rounds=4):
    """Return logarithms of times at structures in rounds."""
    rng = np.random.default_rng([TABLES.index(kind), seed])
    rounds = {"two rounds": 2, "one round": 1}.get(kind, rounds)
    of_structures = 0.0 if kind in ("noise alone", "equal structures") else 0.3
    logs = 1.0 + rng.normal(0.0, of_structures, (structures, 1)) + rng.normal(0.0, 0.1, (1, rounds))
    if kind != "equal structures":
        logs = logs + rng.normal(0.0, 0.05, (structures, rounds))
    place = np.arange(structures)[:, None]
    if kind == "holes":
        logs[rng.random(logs.shape) < 0.3] = np.nan
        logs[0], logs[:, 0] = 1.0 + rng.normal(0.0, 0.05, rounds), rng.normal(1.0, 0.1, structures)
    elif kind == "windows":
        logs[(place - 2 * np.arange(rounds)) % structures > 2] = np.nan
    elif kind == "one a round":
        logs[place != np.arange(rounds)] = np.nan
    return logs[~np.isnan(logs).all(axis=1)]


def of_systems(kind, logs):
    """Return the system of each structure, and the times with what the systems do to them."""
    count = len(logs)
    if kind == "none":
        return None, logs
    number = np.arange(count) if kind == "one structure each" else np.minimum(np.arange(count) // 2, 2)
    logs = logs + 1.5 * number[:, None]
    if kind == "apart" and logs.shape[1] > 1:  # the last system is in the last round alone, and nothing else is
        logs[number < number.max(), -1] = np.nan
        logs[number == number.max(), :-1] = np.nan
    kept = ~np.isnan(logs).all(axis=1)
    return number[kept], logs[kept]


def same(found, plain):
    mean, parts = plain
    assert found.mean == pytest.approx(mean, rel=1e-6)
    assert [part.variance for part in found.parts] == pytest.approx([one for one, _ in parts], rel=2e-5, abs=1e-12)
    assert [part.freedom for part in found.parts] == [freedom for _, freedom in parts]
    assert found.reach() == pytest.approx(dense.half_width(parts), rel=1e-5, abs=1e-9)
    assert found.reach(0.99) == pytest.approx(dense.half_width(parts, 0.99), rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("systems", SYSTEMS)
@pytest.mark.parametrize("kind", TABLES)
def test_a_mean_over_rounds_is_that_of_the_formulas(kind, systems):
    for seed in range(3):
        number, logs = of_systems(systems, table(kind, seed))
        rounds = ~np.isnan(logs).all(axis=0)
        found, plain = fit(logs, systems=number), dense.row(logs[:, rounds], number)
        if rounds.sum() == 1:
            assert (found.mean, found.lacks) == (pytest.approx(plain[0]), "one process")
        else:
            same(found, plain)


@pytest.mark.parametrize("systems", SYSTEMS[:3])
@pytest.mark.parametrize("kind", TABLES[:5])
def test_a_ratio_in_common_rounds_is_that_of_the_formulas(kind, systems):
    for seed in range(3):
        number, one = of_systems(systems, table(kind, seed))
        rng = np.random.default_rng(seed)
        other = 0.4 * one + rng.normal(0.2, 0.05, one.shape)
        if kind == "complete":  # the slower method reaches fewer structures
            one[4:, 1] = one[2, 2] = np.nan
        found = ratio(one, other, number)
        same(found, dense.ratio(one, other, number))
        assert found.structures == int((~np.isnan(one) & ~np.isnan(other)).any(axis=1).sum())


def test_two_structures_in_two_rounds_have_an_interval():
    logs = np.array([[1.0, 1.1], [1.4, 1.6]])
    same(fit(logs), dense.row(logs))
    same(ratio(logs, logs[::-1] + 0.3), dense.ratio(logs, logs[::-1] + 0.3))
    assert fit(logs[:1]).lacks == "one structure"


def test_the_effects_of_systems_add_up_to_zero():
    number, logs = of_systems("unlike", table("holes", 0))
    assert contrasts(number, ~np.isnan(logs)).tolist() == [[1, 0]] * 2 + [[0, 1]] * 2 + [[-1, -1]] * 3


def test_two_runs_differ_by_what_their_structures_do_within_systems():
    rng = np.random.default_rng(5)
    number = np.repeat([0, 1, 2], [2, 4, 6])
    own, size = rng.normal(0.0, 0.2, (12, 1)), np.array([0.0, 1.0, 3.0])[number][:, None]
    one, other = (size + rng.normal(0.0, 0.1, (1, n)) + rng.normal(0.0, 0.01, (12, n)) for n in (3, 4))
    found = difference(one + own, other, number)
    apart = (one + own).mean(axis=1) - other.mean(axis=1)
    means = np.array([apart[number == system].mean() for system in range(3)])
    rest = dense.components(one + own, number)[1] / 3 + dense.components(other, number)[1] / 4
    scatter = ((apart - means[number]) ** 2).sum() / (12 - 3) - rest
    assert found.mean == pytest.approx(means.mean(), abs=1e-6), "each system counts the same"
    assert found.of_structures.variance == pytest.approx(scatter / 12, rel=1e-6)
    assert found.of_structures.freedom == 12 - 3
    parts = [dense.row(each, number)[1][0] for each in (one + own, other)]
    assert found.of_rounds.variance == pytest.approx(parts[0][0] + parts[1][0], rel=1e-5)
    one_each = difference(one[[0, 2, 6]], other[[0, 2, 6]], np.arange(3))
    assert (one_each.of_structures.variance, one_each.of_structures.freedom) == (0.0, 1)


def censored(seed, systems):
    rng = np.random.default_rng(seed)
    number = np.arange(24) % systems
    values = 3.0 + 0.5 * number + rng.normal(0.0, 0.4, 24)
    limits = 3.3 + 0.5 * number + rng.normal(0.0, 0.2, 24)
    return np.minimum(values, limits), values > limits, number


@pytest.mark.parametrize("systems", [1, 3])
def test_the_mean_of_cut_off_values_is_at_the_maximum_of_the_likelihood(systems):
    values, cut, number = censored(systems, systems)

    def cost(at):
        z = (values - at[:-1][number]) / np.exp(at[-1])
        return -np.where(cut, stats.norm.logsf(z), stats.norm.logpdf(z) - at[-1]).sum()

    best = np.append(np.full(systems, values.mean()), math.log(0.4))
    for _ in range(4):
        best = optimize.minimize(cost, best, method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-13}).x
    size, step = len(best), 1e-3
    moves = step * np.eye(size)
    second = np.array(
        [
            [(cost(best + a + b) - cost(best + a - b) - cost(best - a + b) + cost(best - a - b)) / 4 for b in moves]
            for a in moves
        ]
    )
    variance = np.linalg.inv(second / step**2)[:systems, :systems].sum() / systems**2
    found, complete = mean_log(values, cut, number), int((~cut).sum())
    assert 0 < complete < 24
    assert found.mean == pytest.approx(best[:-1].mean(), abs=1e-5)
    assert found.error == pytest.approx(math.sqrt(variance * complete / (complete - systems)), rel=1e-3)
    assert (found.complete, found.freedom) == (complete, complete - systems)
    assert found.half_width(0.9) == pytest.approx(stats.t.ppf(0.95, complete - systems) * found.error)


def test_the_derivatives_of_the_likelihood_are_those_of_the_likelihood():
    values, cut, number = censored(2, 3)
    at, steps = np.array([3.1, 3.4, 4.2, -0.7]), 1e-5 * np.eye(4)

    def slope(place):
        return _cost(place, values, cut, number)[1]

    costs = [_cost(at + one, values, cut, number)[0] - _cost(at - one, values, cut, number)[0] for one in steps]
    assert slope(at) == pytest.approx(np.array(costs) / 2e-5, rel=1e-6)
    curvature = [(slope(at + one) - slope(at - one)) / 2e-5 for one in steps]
    assert _curvature(at, values, cut, number) == pytest.approx(np.array(curvature), rel=1e-6)


def test_whole_values_have_the_interval_of_the_means_of_their_systems():
    values, number = np.array([1.0, 1.2, 1.7, 3.0, 3.6, 5.0, 5.1, 5.2, 5.4]), np.repeat([0, 1, 2], [3, 2, 4])
    found = mean_log(values, np.zeros(9, dtype=bool), number)
    means = [values[number == one].mean() for one in range(3)]
    squares = sum(((values[number == one] - means[one]) ** 2).sum() for one in range(3))
    assert found.mean == pytest.approx(np.mean(means))
    assert found.error == pytest.approx(math.sqrt(squares / 6 * (1 / 3 + 1 / 2 + 1 / 4)) / 3)
    assert found.freedom == 6
    assert mean_log(values[:2], [False, False]).error is None, "two values say nothing of their scatter"
    assert mean_log(values[:3], [False] * 3).freedom == 2
    assert mean_log([1.0, 1.0, 1.0, 2.0], [False, False, False, True]) is None, "without a scatter nobody knows"

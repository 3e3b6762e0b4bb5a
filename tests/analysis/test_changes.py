"""Changes of level in a history: found where they were made, and nowhere else."""

import numpy as np
import pytest

from bench.analysis.changes import changes


def series(levels, noise=0.03, seed=0):
    return list(np.asarray(levels) * np.exp(np.random.default_rng(seed).normal(0.0, noise, len(levels))))


def test_a_change_is_found_where_it_was_made():
    for seed in range(20):
        (change,) = changes(series([60.0] * 12 + [72.0] * 9, seed=seed))
        assert abs(change.at - 12) <= 1
        assert change.ratio == pytest.approx(1.2, abs=0.06)


def test_getting_faster_is_a_change_too():
    (change,) = changes(series([60.0] * 10 + [45.0] * 10))
    assert change.at == 10
    assert change.ratio == pytest.approx(0.75, abs=0.03)


def test_noise_alone_has_hardly_ever_a_change():
    assert sum(bool(changes(series([60.0] * 30, noise=0.08, seed=seed))) for seed in range(200)) <= 6


def test_one_odd_measurement_is_no_change():
    assert changes(series([60.0] * 10 + [90.0] + [60.0] * 10, noise=0.01)) == []


def test_a_change_below_the_threshold_is_not_told():
    times = series([60.0] * 20 + [61.5] * 20, noise=0.002)
    assert changes(times, threshold=0.05) == []
    assert len(changes(times, threshold=0.01)) == 1


@pytest.mark.parametrize("times", [[], [60.0], [60.0, 90.0, 90.0], [60.0] * 8])
def test_too_short_and_constant_series_have_none(times):
    assert changes(times) == []

"""Changes of level in a history: found where they were made, and nowhere else."""

import numpy as np
import pytest

from bench.analysis.changes import changes, machine, without_machine


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


def planted(seed, methods=6, runs=16, change=1.05, machine_differs=0.10, own=0.01):
    """Return logs (runs, methods) of a machine whose speed differs from run to run; the first method gets slower."""
    rng = np.random.default_rng(seed)
    logs = rng.normal(0.0, 1.0, methods) + rng.normal(0.0, machine_differs, (runs, 1))
    logs += rng.normal(0.0, own, logs.shape)
    logs[runs // 2 :, 0] += np.log(change)
    return logs


def test_a_step_of_5_percent_is_found_on_a_machine_whose_speed_differs_by_10_percent():
    found, alone, at_others, ratios = 0, 0, 0, []
    for seed in range(40):
        logs = planted(seed)
        here = [one for one in changes(np.exp(without_machine(logs, 0))) if abs(one.at - 8) <= 1]
        found += len(here)
        ratios += [one.ratio for one in here]
        alone += any(abs(one.at - 8) <= 1 for one in changes(np.exp(logs[:, 0])))
        at_others += bool(changes(np.exp(without_machine(logs, 1))))
    assert found >= 36
    assert np.mean(ratios) == pytest.approx(1.05, abs=0.01)
    assert alone <= 8, "the times themselves do not show it"
    assert at_others <= 2


def test_what_all_methods_do_together_is_the_machines():
    logs = planted(1, change=1.0, machine_differs=0.01)
    logs[10:] += np.log(1.2)
    assert all(changes(np.exp(without_machine(logs, number))) == [] for number in range(6))
    (one,) = changes(np.exp(machine(logs)))
    assert (one.at, one.ratio) == (10, pytest.approx(1.2, abs=0.02))


def test_runs_with_too_few_other_methods_say_nothing_of_the_machine():
    logs = planted(1)
    logs[3, 2:] = np.nan
    assert np.isnan(machine(logs)[3])
    assert np.flatnonzero(np.isnan(without_machine(logs, 0))).tolist() == [3]
    assert np.isnan(machine(logs[:, :2])).all()
    assert np.isnan(without_machine(logs[:, :1], 0)).all()


def test_the_machine_is_found_exactly_where_one_method_changes_and_another_is_not_always_there():
    """Means would take part of the change for the machine's."""
    common = np.array([0.3, 0.1, 0.2, -0.4, 0.0, -0.1, 0.5])
    logs = np.array([2.0, 1.0, 0.0, -1.0, 5.0]) + common[:, None]
    logs[4:, 0] += 1.0
    logs[2, 1] = np.nan
    assert machine(logs) == pytest.approx(common - np.median(common))
    assert without_machine(logs, 0) == pytest.approx(np.where(np.arange(7) < 4, 2.0, 3.0) + np.median(common))

"""What the harness adds to a step: planted times of the row, of the script, and in one process."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bench.analysis.model import mean_of
from bench.analysis.overhead import summarise
from bench.core.message import Pair
from bench.core.overhead import OverheadRound, Relaxed


def planted(number, factor, *, steps=20, script_steps=20, native=False):
    """A round in which the row takes 1.1 times the script, half as long as in a shell, and 1.02 times the bare one."""
    step = 1e6 * factor  # ns
    bare = (0, 0) if native else (round(steps * step / 1.02), steps)
    pairs = tuple(
        Pair(number, repeat, *bare, round(steps * step), steps, round(steps * 5e3), round(0.9 * steps * step))
        for repeat in range(3)
    )
    script = 0.9 * factor / 1.1
    return OverheadRound(pairs, (Relaxed(script_steps, script),) * 3, (Relaxed(steps, 1.8 * factor),) * 3)


ROUNDS = [planted(number, factor) for number, factor in enumerate((1.0, 1.7, 1.2, 3.0))]


def test_each_ratio_is_the_planted_one_although_the_rounds_differ_by_a_factor_of_three():
    found = summarise("toy", ROUNDS)
    assert found.row_over_script.estimate == pytest.approx(1.1, rel=1e-6)
    assert found.row_over_shell.estimate == pytest.approx(0.5, rel=1e-6)
    assert found.ratio.estimate == pytest.approx(1.02, rel=1e-6)
    mean = (1.0 * 1.7 * 1.2 * 3.0) ** 0.25
    assert found.row_ms_per_step == pytest.approx(0.9 * mean, rel=1e-6)
    assert found.script_ms_per_step == pytest.approx(0.9 * mean / 1.1, rel=1e-6)
    assert found.shell_ms_per_step == pytest.approx(1.8 * mean, rel=1e-6)
    assert found.bare_ms_per_step == pytest.approx(mean / 1.02, rel=1e-6)
    assert found.added_us_per_step.estimate == pytest.approx(20 * mean / 1.02, rel=1e-4)
    assert found.bookkeeping_us_per_step == pytest.approx(5.0)
    assert found.steps_differ == 0


def test_an_interval_is_students_t_over_rounds_and_one_round_has_none():
    values = [1.0, 1.1, 1.3]
    logs = np.log(values)
    reach = 4.302653 * logs.std(ddof=1) / math.sqrt(3)
    found = mean_of(values, "rounds")
    assert (found.low, found.high) == pytest.approx((math.exp(logs.mean() - reach), math.exp(logs.mean() + reach)))
    assert (found.over, found.rounds) == ("rounds", 3)
    assert (mean_of([2.0], "rounds").low, mean_of([2.0], "rounds").high) == (None, None)


def test_the_interval_contains_the_truth_in_95_of_100_campaigns():
    random = np.random.default_rng(1)
    campaigns = np.exp(0.2 + random.normal(0.0, 0.1, (1000, 8)))
    inside = [found.low <= math.exp(0.2) <= found.high for found in (mean_of(one, "rounds") for one in campaigns)]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.02)


def test_a_script_that_makes_other_steps_is_found():
    assert summarise("toy", [*ROUNDS, planted(9, 1.0, script_steps=21)]).steps_differ == 1


def test_a_native_optimiser_has_no_bare_relaxation_in_the_worker():
    found = summarise("toy", [planted(0, 1.0, native=True), planted(1, 2.0, native=True)])
    assert (found.ratio, found.bare_ms_per_step, found.added_us_per_step) == (None, None, None)
    assert found.row_over_script.estimate == pytest.approx(1.1, rel=1e-6)


def test_a_round_without_a_step_is_left_out_and_none_is_an_error():
    nothing = planted(0, 1.0, steps=0, script_steps=0)
    assert summarise("toy", [nothing, *ROUNDS]).row_over_script.n == 4
    with pytest.raises(ValueError, match="toy made no step"):
        summarise("toy", [nothing])

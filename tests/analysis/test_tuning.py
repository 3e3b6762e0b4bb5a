"""The choice among settings: what stays in the search, what is the best, and what nothing is known of."""

import numpy as np
import pandas as pd
import pytest

from bench.analysis.fingerprint import Deviation
from bench.analysis.statistics import Estimate
from bench.analysis.tuning import (
    PROCESSES,
    Tried,
    judged,
    pays_after,
    process_scatter,
    ratio,
    relative,
    standing,
    summed_up,
)
from bench.core.candidate import Candidate

ALIKE = Deviation(1e-7, 1e-6, 1e-3, 2e-3, 5)
WRONG = Deviation(0.5, 1e-6, 1e-3, 2e-3, 5)


def times(mean, sessions=(0, 1, 2), scatter=0.0, seed=0, structures=4):
    """Return milliseconds with a scatter of the sessions, all structures of one together."""
    draw = np.random.default_rng(seed)
    factors = np.exp(draw.normal(0.0, scatter, len(sessions))) if scatter else np.ones(len(sessions))
    return pd.DataFrame({number: np.full(structures, mean * f) for number, f in zip(sessions, factors, strict=True)})


def stand(relatives, other_answers=(), threshold=0.05):
    return standing(relatives, "d", [name for name in relatives if name != "d"], other_answers, threshold)


def ones(sessions=3):
    return times(1.0, range(sessions))


def test_a_ratio_is_that_of_the_same_sessions():
    default = pd.DataFrame({0: [10.0, 10.0], 1: [30.0, 30.0]})
    later = pd.DataFrame({1: [15.0, 15.0]})
    assert relative(later, default).to_numpy().tolist() == [[0.5], [0.5]]


def test_settings_of_different_sessions_are_compared_through_the_default():
    one, other = times(0.5, (0, 1, 2)), times(0.25, (3, 4, 5))
    found = ratio(one, other, PROCESSES)
    assert found.estimate == pytest.approx(2.0)
    assert 1.5 < found.low < 2 < found.high < 2.7


def test_more_sessions_make_the_interval_narrower():
    widths = [
        found.high - found.low for n in (1, 2, 3, 6) for found in [ratio(times(0.5, range(n)), ones(n), PROCESSES)]
    ]
    assert widths == sorted(widths, reverse=True)
    assert widths[0] > 2 * widths[-1]


def test_the_interval_covers_the_true_ratio_whatever_the_machines_scatter():
    missed = 0
    for seed in range(300):
        scatter = (0.01, 0.05, 0.1)[seed % 3]
        relatives = {
            name: times(true, range(3), scatter, 10 * seed + i)
            for i, (name, true) in enumerate({"a": 0.5, "b": 0.7, "c": 0.9, "e": 1.2}.items())
        }
        found = ratio(relatives["a"], ones(), process_scatter(relatives))
        missed += not found.low <= 0.5 <= found.high
    assert missed <= 9  # 99 % of 300, and chance


def test_the_assumed_scatter_is_that_of_a_noisy_machine_but_never_small():
    assert process_scatter({"d": ones(), "a": times(0.5)}) == PROCESSES
    noisy = {"d": ones(8), **{str(i): times(0.5, range(8), 0.2, i) for i in range(8)}}
    assert process_scatter(noisy) == pytest.approx(0.2, rel=0.3)
    assert process_scatter({}) == PROCESSES


def test_the_faster_half_stays_and_what_is_clearly_slower_goes():
    found = stand({"d": ones(1), **{f"s{i}": times(t, (0,)) for i, t in enumerate((0.5, 0.7, 1.5, 2.0, 3.0))}})
    assert found.keep == ("s0", "s1")
    assert not found.decided
    assert found.times == pytest.approx({"d": 1, "s0": 0.5, "s1": 0.7, "s2": 1.5, "s3": 2.0, "s4": 3.0})


def test_what_may_be_as_fast_as_the_best_stays_though_it_is_in_the_slower_half():
    found = stand({"d": ones(1), **{f"s{i}": times(t, (0,)) for i, t in enumerate((0.50, 0.51, 0.52, 0.53, 0.54))}})
    assert found.keep == ("s0", "s1", "s2", "s3", "s4")


def test_other_answers_do_not_stay_though_they_are_the_fastest():
    found = stand({"d": ones(1), "right": times(0.8, (0,)), "wrong": times(0.1, (0,))}, other_answers=("wrong",))
    assert found.keep == ("right",)
    assert found.other_answers == ("wrong",)


def test_nothing_stays_where_the_default_is_clearly_the_fastest():
    found = stand({"d": ones(1), "a": times(2.0, (0,)), "b": times(3.0, (0,)), "c": times(4.0, (0,))})
    assert found.keep == ()


def test_it_is_decided_once_the_best_is_known():
    assert stand({"d": ones(6), "a": times(0.5, range(6))}).decided
    assert not stand({"d": ones(2), "a": times(0.5, range(2))}).decided
    close = {"d": ones(6), "a": times(0.50, range(6)), "b": times(0.52, range(6), 0.1)}
    assert not stand(close).decided
    far = {"d": ones(6), "a": times(0.5, range(6)), "b": times(0.8, range(6))}
    assert stand(far).keep == ("a",)
    assert stand(far).decided


@pytest.mark.parametrize(
    ("estimate", "sessions", "apart", "expected"),
    [
        (Estimate(0.5, 0.4, 0.6, 4, "rounds", 3), 3, ALIKE, "faster"),
        (Estimate(0.5, 0.4, 0.6, 4, "rounds", 3), 2, ALIKE, "undecided"),
        (Estimate(0.5, 0.4, 0.6, 4, "rounds", 3), 3, WRONG, "other answer"),
        (Estimate(2.0, 1.9, 2.1, 4, "rounds", 1), 1, ALIKE, "slower"),
        (Estimate(0.98, 0.8, 1.2, 4, "rounds", 3), 3, ALIKE, "undecided"),
        (Estimate(1.0, 0.98, 1.02, 4, "rounds", 3), 3, None, "same"),
    ],
)
def test_faster_needs_three_rounds_and_the_same_answers(estimate, sessions, apart, expected):
    assert judged(estimate, sessions, 0.05, apart) == expected


def test_a_slow_start_pays_after_as_many_calls_as_save_its_seconds():
    assert pays_after(10.0, 5.0) == 2000
    assert pays_after(-1.0, 5.0) == 0
    assert pays_after(10.0, 0.0) is None
    assert pays_after(10.0, -5.0) is None


def test_the_best_is_the_fastest_that_is_certainly_faster_and_answers_alike():
    relatives = {"d": ones(6), "a": times(0.7, range(6)), "b": times(0.69, range(6), 0.05), "w": times(0.1, range(6))}
    verdicts = {"d": "default", "a": "faster", "b": "undecided", "w": "other answer"}
    tried = [
        Tried(
            Candidate(name, 1, {}, () if name == "d" else (name,)),
            verdict,
            rounds=6,
            ms=Estimate(1.0, None, None, 4, None),
            ratio=ratio(relatives[name], ones(6), PROCESSES),
        )
        for name, verdict in verdicts.items()
    ]
    broken = Tried(Candidate("x", 1, {}, ("x",)), "failed", "no memory")
    found = summed_up("toy", "none", [*tried, broken], relatives, 0.05)
    assert found.best.candidate.method == "a"
    assert [one.candidate.method for one in found.ranking][-1] == "d"
    assert [one.candidate.method for one in found.apart] == ["w"]
    assert [one.why for one in found.unmeasured] == ["no memory"]
    assert found.as_fast == ("b",)

"""Ranks and relative times, against planted truths."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from synthetic import measurements, method, relaxations

from bench.analysis.ordering import Ranks, fastest, half_widths, holm, ranks, relative
from bench.analysis.summary import summarise
from bench.analysis.times import mean_time


def times_of(rng, means, rounds=6, structures=10, process=0.02, common=0.2):
    """Return times of methods in the same rounds, which do the same to all of them."""
    shared = rng.normal(0.0, common, (1, rounds)) + rng.normal(0.0, 0.3, (structures, 1))
    return {
        (name, "cpu"): pd.DataFrame(
            mean * np.exp(shared + rng.normal(0.0, process, (1, rounds)) + rng.normal(0.0, 0.01, (structures, rounds)))
        )
        for name, mean in means.items()
    }


def test_methods_that_differ_have_places_and_those_that_do_not_share_theirs():
    times = times_of(np.random.default_rng(1), {"a": 10.0, "b": 20.0, "c": 20.1, "d": 19.9, "e": 60.0})
    found = {key[0]: places for key, places in ranks(times, list(times)).items()}
    assert found == {"a": Ranks(1, 1), "b": Ranks(2, 4), "c": Ranks(2, 4), "d": Ranks(2, 4), "e": Ranks(5, 5)}


def test_a_method_is_as_fast_as_itself_and_the_ratio_to_another_has_its_name():
    times = times_of(np.random.default_rng(1), {"a": 10.0, "b": 12.0})
    own = relative(times, ("a", "cpu"), ("a", "cpu"))
    assert (own.to, own.estimate, own.low, own.high) == ("a", 1.0, 1.0, 1.0)
    found = relative(times, ("b", "cpu"), ("a", "cpu"))
    assert found.to == "a"
    assert found.low < 1.2 < found.high
    assert ranks(times, list(reversed(times))) == {("a", "cpu"): Ranks(1, 1), ("b", "cpu"): Ranks(2, 2)}


def test_what_a_round_does_to_all_methods_hides_no_order():
    times = times_of(np.random.default_rng(2), {"a": 10.0, "b": 13.0})
    one, other = (mean_time(times[name, "cpu"]) for name in ("a", "b"))
    assert one.high > other.low  # the rows alone would not tell
    assert ranks(times, list(times))["b", "cpu"] == Ranks(2, 2)


def test_among_methods_that_are_all_the_same_an_order_is_hardly_ever_found():
    rng = np.random.default_rng(3)
    wrong = 0
    for _ in range(150):
        times = times_of(rng, dict.fromkeys("abcdef", 10.0), rounds=4, structures=5)
        wrong += any(places != Ranks(1, 6) for places in ranks(times, list(times)).values())
    assert wrong <= 15  # 5 % for all fifteen pairs together, and chance


def test_methods_that_were_not_measured_together_have_no_order():
    times = times_of(np.random.default_rng(4), {"a": 10.0, "b": 50.0})
    times["b", "cpu"].columns += 6
    assert ranks(times, list(times)) == {key: Ranks(1, 2) for key in times}
    assert relative(times, ("b", "cpu"), ("a", "cpu")) is None
    assert half_widths(times, ("a", "cpu")) == {("b", "cpu"): math.inf}


def test_a_single_method_has_no_rank():
    assert ranks(times_of(np.random.default_rng(4), {"a": 10.0}), [("a", "cpu")]) == {}


def test_the_fastest_is_no_method_that_takes_only_the_small_systems():
    times = times_of(np.random.default_rng(5), {"a": 10.0, "b": 12.0, "small": 15.0})
    sizes = np.where(np.arange(10) < 5, 1.0, 50.0)[:, None]
    lines = pd.MultiIndex.from_arrays([np.arange(10) // 5, np.arange(10)], names=["system", "structure"])
    times = {key: (each * sizes).set_axis(lines) for key, each in times.items()}
    times["small", "cpu"] = times["small", "cpu"].iloc[:5]
    assert mean_time(times["small", "cpu"]).estimate < mean_time(times["a", "cpu"]).estimate
    assert fastest(times, list(times)) == ("a", "cpu")
    assert relative(times, ("small", "cpu"), ("a", "cpu")).estimate == pytest.approx(1.5, rel=0.1)


def test_holm_rejects_step_by_step():
    # 0.02 alone would not pass 0.05 / 3, but it is the second of three
    assert holm({"a": 0.01, "b": 0.02, "c": 0.3}, 3) == {"a", "b"}
    assert holm({"a": 0.02, "b": 0.01}, 20) == set()


def test_the_fastest_is_no_method_that_was_hardly_ever_there():
    times = times_of(np.random.default_rng(5), {"a": 10.0, "b": 12.0, "rare": 8.0})
    assert fastest(times, list(times)) == ("rare", "cpu")
    times["rare", "cpu"] = times["rare", "cpu"].iloc[:, :2]
    assert fastest(times, list(times)) == ("a", "cpu")
    assert fastest(times, []) is None


def test_the_width_is_that_of_the_ratio_to_the_reference():
    times = times_of(np.random.default_rng(6), {"a": 10.0, "b": 30.0}, process=0.02)
    ratio = relative(times, ("b", "cpu"), ("a", "cpu"))
    (width,) = half_widths(times, ("a", "cpu")).values()
    assert ratio.estimate == pytest.approx(3.0, rel=0.05)
    assert width == pytest.approx(math.log(ratio.high / ratio.low) / 2)
    assert width < 0.08


def test_rows_have_their_place_and_their_time_over_that_of_the_fastest_mlip():
    relaxed = [relaxations("ff", 0.2, native=True), relaxations("a", 50.0), relaxations("b", 200.0)]
    methods = [method("ff", kind="force-field"), method("a"), method("b"), method("gone", failure="load")]
    rows = {row.method: row for row in summarise(measurements(methods, relaxed)).rows}
    assert {name: row.rank for name, row in rows.items()} == {
        "ff": Ranks(1, 1),
        "a": Ranks(2, 2),
        "b": Ranks(3, 3),
        "gone": None,
    }
    assert {
        name: row.relative and (row.relative.to, round(row.relative.estimate, 3)) for name, row in rows.items()
    } == {
        "ff": ("a", 0.004),
        "a": ("a", 1.0),
        "b": ("a", 4.0),
        "gone": None,
    }
    (row, *_) = summarise(measurements(methods, relaxed), relative_to="b").rows
    assert (row.relative.to, row.relative.low < 0.001 < row.relative.high) == ("b", True)

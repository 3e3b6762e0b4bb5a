"""Disturbed rounds: named, and kept as they are."""

import math

import numpy as np
import pandas as pd
import pytest
from synthetic import campaign, measurements, method, relaxations

from bench.analysis.disturbed import KEPT, MEASURED_AGAIN, disturbances
from bench.analysis.summary import summarise

BUSY = ("other processes used 0.9 of 2 CPUs",)


def watched(*rounds):
    """Return a data frame of (method, round, disturbed, again)."""
    return pd.DataFrame(
        [(method, "cpu", number, disturbed, again) for method, number, disturbed, again in rounds],
        columns=["method", "device", "round", "disturbed", "again"],
    )


def test_a_quiet_campaign_has_none():
    assert disturbances(watched(("a", 0, (), None), ("a", 1, (), None))) == ()


def test_a_disturbed_round_is_named_with_its_reasons():
    (one,) = disturbances(watched(("a", 0, (), None), ("a", 1, BUSY, None)))
    assert (one.method, one.round, one.reasons, one.fate) == ("a", 1, BUSY, KEPT)


def test_of_an_older_run_a_repeat_is_named_too_where_it_was_disturbed():
    looked = watched(("a", 0, (), None), ("a", 1, BUSY, None), ("a", 2, BUSY, 1))
    assert [(one.round, one.fate) for one in disturbances(looked)] == [(1, MEASURED_AGAIN), (2, KEPT)]


def test_a_repeat_is_one_more_round_so_that_a_machine_of_two_speeds_gets_no_lower_mean():
    # two speeds, a factor of 1.7 apart; one of three rounds was slow, was called disturbed and measured again
    speeds = [1.0, 1.0, 1.7, 1.0]
    relaxed = relaxations("a", 10.0, count=8, rounds=4, noise=0.0)
    relaxed["step_ns"] = 1e7 * relaxed["steps"] * np.array(speeds)[relaxed["round"]]
    looked = watched(*(("a", number, BUSY if number == 2 else (), 2 if number == 3 else None) for number in range(4)))
    (row,) = summarise(measurements([method("a")], [relaxed], description=campaign(8), watched=looked)).rows
    assert row.time.estimate == pytest.approx(10.0 * math.prod(speeds) ** 0.25)
    assert row.rounds == 4

"""Disturbed rounds: shown, and replaced where they were measured again."""

import pandas as pd
from synthetic import relaxations

from bench.analysis.disturbed import KEPT, MEASURED_AGAIN, WORSE, disturbances, with_repeats

BUSY = ("other processes used 0.9 of 2 CPUs",)


def watched(*rounds):
    """Return a data frame of (method, round, disturbed, again)."""
    return pd.DataFrame(
        [(method, "cpu", number, disturbed, again) for method, number, disturbed, again in rounds],
        columns=["method", "device", "round", "disturbed", "again"],
    )


def measured(*methods):
    return pd.concat([relaxations(name, 10.0, count=2, rounds=rounds) for name, rounds in methods], ignore_index=True)


def test_a_quiet_campaign_is_left_as_it_is():
    looked = watched(("a", 0, (), None), ("a", 1, (), None))
    assert disturbances(looked) == ()
    assert with_repeats(measured(("a", 2)), looked, 2).equals(measured(("a", 2)))


def test_a_disturbed_round_stays_where_nothing_was_measured_in_its_place():
    looked = watched(("a", 0, (), None), ("a", 1, BUSY, None))
    (one,) = disturbances(looked)
    assert (one.method, one.round, one.reasons, one.fate) == ("a", 1, BUSY, KEPT)
    assert set(with_repeats(measured(("a", 2)), looked, 2)["round"]) == {0, 1}


def test_a_repeat_takes_the_number_of_the_round_that_it_stands_for():
    looked = watched(("a", 0, (), None), ("a", 1, BUSY, None), ("b", 1, (), None), ("a", 2, (), 1))
    (one,) = disturbances(looked)
    assert one.fate == MEASURED_AGAIN
    data = measured(("a", 3), ("b", 2))
    data["mark"] = data["method"] + data["round"].astype(str)
    kept = with_repeats(data, looked, 2)
    assert set(kept["mark"]) == {"a0", "a2", "b0", "b1"}
    assert set(kept.loc[kept["mark"] == "a2", "round"]) == {1}
    assert set(kept.loc[kept["method"] == "b", "round"]) == {0, 1}


def test_a_repeat_that_was_disturbed_itself_gains_nothing():
    looked = watched(("a", 0, BUSY, None), ("a", 1, BUSY, 0))
    (one,) = disturbances(looked)
    assert one.fate == WORSE
    assert set(with_repeats(measured(("a", 2)), looked, 1)["round"]) == {0}


def test_a_repeat_replaces_no_structure_that_it_did_not_measure_as_far():
    looked = watched(("a", 0, BUSY, None), ("a", 1, (), 0))
    data = measured(("a", 2))
    data["mark"] = data["round"].astype(str) + data["structure"].astype(str)
    data.loc[(data["round"] == 1) & (data["structure"] == 0), "status"] = "censored"
    kept = with_repeats(data, looked, 1)
    assert set(kept["mark"]) == {"00", "11"}
    assert set(kept["round"]) == {0}
    failed = data.assign(status=data["status"].mask(data["round"] == 1, "failed"))
    assert set(with_repeats(failed, looked, 1)["mark"]) == {"00", "01"}
    short = data[data["mark"] != "10"]
    assert set(with_repeats(short, looked, 1)["mark"]) == {"00", "11"}
    steps = data.drop(columns="status")
    assert set(with_repeats(steps, looked, 1, data)["mark"]) == {"00", "11"}


def test_a_repeat_that_was_interrupted_is_no_round():
    looked = watched(("a", 0, BUSY, None), ("a", 1, (), None))
    assert set(with_repeats(measured(("a", 3)), looked, 2)["round"]) == {0, 1}

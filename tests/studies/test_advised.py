"""What the study of `advise` calls the truth, and how it compares predictions with it, on a run made by hand."""

import importlib.util
import json
import sys
from pathlib import Path

import pandas as pd
import pytest
from synthetic import relaxations

_spec = importlib.util.spec_from_file_location("advised_study", Path(__file__).with_name("advised.py"))
study = importlib.util.module_from_spec(_spec)
sys.modules["advised_study"] = study
_spec.loader.exec_module(study)

HOURS = 2e6 * 9e-3 / 3600  # of a nanosecond at 9 ms a force call


def advice(predicted, agreeing=("a", "b"), fastest="a", warned=()):
    """Return what `pesbench advise --json` prints, as far as it matters: seconds of each method."""
    return {
        "methods": [
            {
                "method": name,
                "seconds_per_relaxation": {"estimate": seconds, "low": seconds / 1.5, "high": seconds * 1.5},
                "hours_per_ns": {"estimate": HOURS, "low": HOURS / 1.5, "high": HOURS * 1.5},
                "steps_measured": True,
                "warnings": ["trained on crystals"] if name in warned else [],
            }
            for name, seconds in predicted.items()
        ],
        "advice": {"agreeing": list(agreeing), "fastest": fastest, "trusted": "b"},
    }


def a_run():
    """Return relaxations of three structures: 10 and 20 ms a step, of which nine tenths are the force call."""
    return pd.concat([relaxations(name, ms, count=3, noise=0.0) for name, ms in (("a", 10.0), ("b", 20.0))])


def test_the_truth_is_the_time_of_whole_relaxations_with_their_first_force_call():
    found = study.truths(a_run())
    steps = 40 + pd.Series([0, 1, 2])
    assert found["a"].seconds == pytest.approx((10e-3 * steps + 9e-3).mean(), rel=2e-3)
    assert found["a"].hours_per_ns == pytest.approx(HOURS, rel=2e-3)


def test_where_a_relaxation_was_only_cut_off_there_is_no_truth():
    run = a_run()
    run.loc[(run["method"] == "a") & (run["structure"] == 1), "status"] = "censored"
    assert study.truths(run)["a"].seconds is None
    assert study.truths(run)["b"].seconds is not None


def test_a_prediction_that_misses_and_an_advice_that_is_not_the_best_are_counted():
    truth = study.truths(a_run())
    said = advice({"a": 0.42, "b": 0.4}, fastest="b")  # b takes 0.84 s
    line = {
        "system": "x",
        "pairs": study.pairs("x", said, truth),
        "choice": study.choice("x", said, truth),
    }
    assert [one["inside"] for one in line["pairs"] if one["task"] == "relax"] == [True, False]
    assert line["choice"]["best"] == "a"
    assert line["choice"]["over_best"] == pytest.approx(2.0, rel=1e-3)
    text = study.table([json.loads(json.dumps(line))])
    assert "relax: 1 of 2 intervals contain the truth" in text
    assert "md: 1 of 2" in text  # b takes twice as long for a force call as a
    assert "advised b, 100 % slower than a (all: a)" in text
    assert "within 10 % of the best: 0 of 1" in text


def test_what_is_far_from_what_it_was_made_for_is_not_the_best_where_another_is():
    truth = study.truths(a_run())
    found = study.choice("x", advice({"a": 0.4, "b": 0.8}, fastest="b", warned=("a",)), truth)
    assert (found["best"], found["over_best"], found["fastest_of_all"]) == ("b", 1.0, "a")

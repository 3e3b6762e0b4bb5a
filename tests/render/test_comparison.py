"""A comparison as people see it: random weights named, and intervals where there is room for them."""

import pytest

from bench.analysis.regression import EQUAL, NOT_COMPARED, Comparison
from bench.analysis.statistics import Estimate
from bench.render.comparison import Report, render

ONE = Comparison(
    "m",
    "Model M",
    "cpu",
    "replay",
    EQUAL,
    ratio=Estimate(1.01, 0.99, 1.03, 12, "structures", 3),
    old=Estimate(100.0, 90.0, 111.0, 12, "structures", 3),
    new=Estimate(101.0, 91.0, 112.0, 12, "structures", 3),
    weights="random",
)
REPORT = Report(title=[("Data set", "naphthalene-md17: 101 structures")], comparisons=[ONE], threshold=0.05)


@pytest.mark.parametrize("form", ["terminal", "markdown"])
def test_random_weights_and_the_data_set_are_named(form):
    text = " ".join(render(REPORT, form, width=130).split())
    wanted = "Replay, random weights Model M" if form == "terminal" else "Model M (random weights), replay"
    assert wanted in text
    assert "naphthalene-md17" in text
    assert "100 [90, 111]" in text


def test_a_narrow_terminal_shows_the_interval_of_the_ratio():
    text = render(REPORT, "terminal", width=80)
    assert "1.01 [0.99, 1.03]" in text
    assert "[90, 111]" not in text
    assert max(map(len, text.splitlines())) <= 80


def test_what_was_not_compared_stands_below_with_its_reason_once():
    why = "not measured in the second run"
    others = [Comparison(name, f"Model {name}", "cpu", "relax", NOT_COMPARED, why=why) for name in "ab"]
    report = Report(title=[], comparisons=[ONE, *others], threshold=0.05)
    text = " ".join(render(report, "terminal", width=80).split())
    assert f"Not compared Model a, Model b: {why}" in text
    assert text.count("Model a") == 1
    assert render(report, "markdown").count("Model a") == 2  # a line of its own, too

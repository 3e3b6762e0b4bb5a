"""Faster, slower, same, undecided: the rule, its false alarms and its power on synthetic rounds."""

import numpy as np
import pandas as pd
import pytest
from synthetic import measurements, method, relaxations, replays

from bench.analysis import regression
from bench.analysis.regression import EQUAL, FASTER, NOT_COMPARED, OTHER_ANSWER, SLOWER, UNDECIDED, verdict
from bench.analysis.statistics import Estimate

NOBODY = pd.DataFrame(columns=["method", "device", "round", "disturbed", "again"])


def estimate(ratio, low, high):
    return Estimate(ratio, low, high, 20, "structures", 5)


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [
        (estimate(1.20, 1.10, 1.30), SLOWER),
        (estimate(0.80, 0.75, 0.85), FASTER),
        (estimate(1.01, 0.98, 1.04), EQUAL),
        (estimate(1.03, 1.02, 1.04), EQUAL),  # surely slower, and by less than counts
        (estimate(1.20, 0.90, 1.50), UNDECIDED),  # much, and nothing is sure
        (estimate(1.04, 1.01, 1.07), UNDECIDED),  # slower, perhaps by enough
        (estimate(1.0, None, None), UNDECIDED),
    ],
)
def test_it_takes_an_effect_and_evidence(ratio, expected):
    assert verdict(ratio, 0.05) == expected


def test_what_computes_something_else_is_no_speed_up():
    faster = estimate(0.5, 0.4, 0.6)
    assert regression.judged(faster, 0.05, []) == FASTER
    assert regression.judged(faster, 0.05, ["energies by up to 3 eV"]) == OTHER_ANSWER
    assert regression.judged(estimate(2.0, 1.8, 2.2), 0.05, ["energies by up to 3 eV"]) == SLOWER


def in_turn(rng, effect, rounds, structures=8, process=0.03, residual=0.05, weather=0.1):
    """Return old and new milliseconds of rounds that the machine's weather hits alike."""
    shared = rng.normal(0.0, weather, (1, rounds)) + rng.normal(0.0, 0.1, (structures, 1))
    logs = [shared + rng.normal(0.0, process, (1, rounds)) + rng.normal(0.0, residual, shared.shape) for _ in range(2)]
    return pd.DataFrame(np.exp(logs[0])), pd.DataFrame((1 + effect) * np.exp(logs[1]))


def until_decided(rng, effect, threshold, most):
    old, new = in_turn(rng, effect, most)
    for rounds in range(3, most + 1):
        one, other = old.iloc[:, :rounds], new.iloc[:, :rounds]
        if regression.decided(one, other, threshold):
            break
    return regression.in_turn(one, other, threshold)[0]


def test_the_same_speed_is_hardly_ever_called_slower_or_faster_though_it_is_looked_at_after_each_round():
    rng = np.random.default_rng(3)
    found = [until_decided(rng, 0.0, 0.05, 12) for _ in range(150)]
    assert sum(one in (SLOWER, FASTER) for one in found) <= 3


def test_a_fifth_slower_is_found():
    rng = np.random.default_rng(4)
    found = [until_decided(rng, 0.20, 0.10, 12) for _ in range(60)]
    assert found.count(SLOWER) >= 57
    assert FASTER not in found


def test_fewer_than_four_rounds_decide_nothing():
    old, new = in_turn(np.random.default_rng(1), 9.0, 3)
    assert not regression.decided(old, new, 0.05)


def side(*relaxed, replayed=(), methods=None):
    names = list(dict.fromkeys(name for one in relaxed for name in one["method"]))
    methods = methods or [method(name) for name in names]
    return regression.Side.of(measurements(methods, relaxed, replayed, watched=NOBODY))


def test_two_runs_are_compared_by_structure_and_the_scatter_of_both_counts():
    old = side(relaxations("a", 100.0), relaxations("b", 50.0), relaxations("gone", 10.0))
    new = side(relaxations("a", 120.0), relaxations("b", 50.5), relaxations("come", 10.0))
    found = {one.method: one for one in regression.compare(old, new, 0.05, {("a", "cpu"): [], ("b", "cpu"): []})}
    assert found["a"].verdict == SLOWER
    assert found["a"].ratio.estimate == pytest.approx(1.2)
    assert found["a"].ratio.rounds == 3
    assert found["b"].verdict == EQUAL
    assert (found["gone"].verdict, found["gone"].why) == (NOT_COMPARED, "not measured in the second run")
    assert (found["come"].verdict, found["come"].why) == (NOT_COMPARED, "not measured in the first run")
    mean = regression.mean_ratio(old, new, found.values(), "relax")
    assert mean.estimate == pytest.approx((1.2 * 1.01) ** 0.5)
    assert mean.low < mean.estimate < mean.high


def test_paths_with_an_optimiser_are_compared_with_older_ones_by_their_calls():
    """A step would look slower than the call of the older run, although nothing has changed."""
    bare = [method("a")]
    older = side(replayed=[replays("a", 90.0)], methods=bare)
    newer = side(replayed=[replays("a", 90.0, update=0.2)], methods=bare)
    for old, new in ((older, newer), (newer, older)):
        (found,) = regression.compare(old.beside(new), new.beside(old), 0.05, {("a", "cpu"): []})
        assert (found.verdict, found.ratio.estimate) == (EQUAL, pytest.approx(1.0))
    slower = side(replayed=[replays("a", 90.0, update=0.5)], methods=bare)
    (found,) = regression.compare(newer.beside(slower), slower.beside(newer), 0.05, {("a", "cpu"): []})
    assert found.ratio.estimate == pytest.approx(1.5 / 1.2), "of two runs with steps, these are compared"


def test_each_protocol_is_compared_with_itself():
    old = side(relaxations("a", 100.0), replayed=[replays("a", 90.0)])
    new = side(relaxations("a", 100.0), replayed=[replays("a", 45.0)])
    found = {one.protocol: one.verdict for one in regression.compare(old, new, 0.05, {("a", "cpu"): []})}
    assert found == {"relax": EQUAL, "replay": FASTER}


def test_random_and_real_weights_are_not_compared():
    old = side(relaxations("a", 100.0))
    new = side(relaxations("a", 100.0), methods=[method("a", weights="random")])
    (one,) = regression.compare(old, new, 0.05, {})
    assert (one.verdict, one.why) == (NOT_COMPARED, "different weights: pretrained and random")


def test_two_rounds_decide_nothing_and_the_comparison_says_why():
    old = side(relaxations("a", 10.0, count=20, rounds=2))
    new = side(relaxations("a", 30.0, count=20, rounds=2))
    (one,) = regression.compare(old, new, 0.05, {("a", "cpu"): []})
    assert one.verdict == UNDECIDED
    assert "fewer than 3 rounds" in one.why


def test_one_structure_decides_nothing_and_the_comparison_says_why():
    one, three = (side(relaxations("a", ms, count=1, rounds=5)) for ms in (10.0, 30.0))
    (found,) = regression.compare(one, three, 0.05, {("a", "cpu"): []})
    assert (found.verdict, found.ratio.low) == (UNDECIDED, None)
    assert found.ratio.estimate == pytest.approx(3.0)
    assert found.why == "one structure does not show how much structures differ; measure two or more"
    assert regression.why_without_interval(estimate(1.0, 0.9, 1.1)) == ""


def test_methods_whose_budgets_ended_at_unlike_structures_have_a_mean():
    def cut(name, rounds):
        """Return a method that reached structure 9 in one round alone."""
        relaxed = relaxations(name, 10.0, count=10, rounds=3)
        return relaxed[(relaxed["structure"] < 9) | relaxed["round"].isin(rounds)]

    both = side(cut("a", [0]), cut("b", [1]))
    mean = regression.mean_ratio(both, both, regression.compare(both, both, 0.05, {}), "relax")
    assert mean is not None
    assert mean.estimate == pytest.approx(1.0)
    assert mean.n == 9  # at structure 9 no round has both


def test_why_a_method_was_not_measured_is_told():
    old = side(relaxations("a", 10.0, count=20))
    new = side(relaxations("b", 10.0, count=20))
    new.methods["a", "cpu"] = method("a", failure="load", message="no such file")
    found = {one.method: one.why for one in regression.compare(old, new, 0.05, {})}
    assert found["a"] == "not measured in the second run (load: no such file)"

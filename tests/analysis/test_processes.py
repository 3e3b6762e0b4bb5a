"""How processes differ, from the rounds of earlier runs: planted scatters come out, and the intervals cover them."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from synthetic import campaign, measurements, method, relaxations

from bench.analysis import prediction
from bench.analysis.measurements import Measurements
from bench.analysis.prediction import PROCESSES, Relaxed
from bench.analysis.processes import MOST_OF_OTHERS, Scatter, priors, scatters

METHODS = ("a", "b", "c", "d")


def run(random, sd, rounds=3, methods=METHODS, count=6):
    """Return a run whose fresh processes differ by `sd`."""
    made = []
    for name in methods:
        rows = relaxations(name, 10.0, count=count, rounds=rounds)
        own = np.exp(random.normal(0.0, sd, rounds))
        made.append(rows.assign(step_ns=rows["step_ns"] * own[rows["round"]]))
    return measurements([method(name) for name in methods], made, description=campaign(count))


@pytest.mark.parametrize("sd", [0.03, 0.2])
def test_a_planted_scatter_comes_out(sd):
    random = np.random.default_rng(1)
    total = sum((sum(scatters(run(random, sd), "cpu").values(), Scatter()) for _ in range(20)), Scatter())
    assert total.freedom == 20 * len(METHODS) * 2
    assert (total.squares / total.freedom) ** 0.5 == pytest.approx(sd, rel=0.2)


def test_rounds_need_not_share_their_structures():
    random = np.random.default_rng(2)
    found = run(random, 0.1, count=12)
    apart = found.structures[found.structures["structure"] % 3 == found.structures["round"]]
    assert scatters(dataclasses.replace(found, structures=apart), "cpu").keys() == set(METHODS)


def test_disturbed_rounds_a_single_round_and_other_devices_say_nothing():
    random = np.random.default_rng(3)
    found = run(random, 0.02)
    slowed = (found.structures["method"] == "a") & (found.structures["round"] == 1)
    burst = dataclasses.replace(
        found, structures=found.structures.assign(step_ns=found.structures["step_ns"] * np.where(slowed, 5.0, 1.0))
    )
    assert scatters(burst, "cpu")["a"].squares > 1
    watched = [("a", "cpu", 1, ("a process took 60 % of the time",), None)]
    columns = ["method", "device", "round", "disturbed", "again"]
    seen = dataclasses.replace(burst, watched=pd.DataFrame(watched, columns=columns))
    assert scatters(seen, "cpu")["a"].squares < 0.01
    assert scatters(run(random, 0.02, rounds=1), "cpu") == {}
    assert scatters(found, "cuda") == {}
    assert scatters(Measurements(campaign(), ()), "cpu") == {}


def test_without_earlier_runs_it_is_what_is_assumed():
    found = priors(["a"], [])["a"]
    assert (found.sd, found.freedom) == pytest.approx((PROCESSES.sd, PROCESSES.freedom))


def test_others_count_less_than_the_methods_own_rounds():
    quiet, loud = Scatter(20 * 0.01**2, 20), Scatter(200 * 0.3**2, 200)
    found = priors(["a", "b"], [{"a": quiet, "b": loud}])
    assert found["a"].freedom == PROCESSES.freedom + 20 + MOST_OF_OTHERS
    assert found["a"].sd < found["b"].sd


@pytest.mark.parametrize(
    ("sd", "least"), [(0.0, 0.99), (0.05, 0.95), (0.12, 0.93), (0.2, 0.9)], ids=["alike", "5 %", "12 %", "20 %"]
)
def test_intervals_by_one_earlier_run_of_three_rounds_cover_processes_that_differ_by_up_to_a_fifth(sd, least):
    random, covered = np.random.default_rng(4), []
    steps = prediction.steps({0: Relaxed(40, True)}, [], 1)
    for _ in range(40):
        known = priors(METHODS, [scatters(run(random, sd), "cpu")])
        for name in METHODS * 5:
            here, later = 10 * np.exp(random.normal(0.0, sd, 2))
            found = prediction.relaxation([here], steps, here, 1, known[name])
            covered.append(found.low <= later * 41 / 1e3 <= found.high)
    assert np.mean(covered) >= least


def test_on_a_quiet_machine_they_are_half_as_wide():
    random = np.random.default_rng(5)
    known = priors(METHODS, [scatters(run(random, 0.04), "cpu") for _ in range(3)])
    reach = [prediction.of_one_more([0.0], one)[0] for one in known.values()]
    assert max(reach) < 0.55 * prediction.of_one_more([0.0])[0]

"""Advice on systems of unlike size, whose largest the time cuts or does not reach, from planted relaxations."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from synthetic import campaign, measurements, method

from bench.analysis.choice import Known, choose
from bench.analysis.unlike import over_all
from bench.core.description import SystemFacts

NAMES = ("one", "two", "three")


def planted(ms, steps, made, frames=1):
    """Return what methods showed at systems of unlike size, each with so many frames.

    Parameters
    ----------
    ms, steps : mapping of str to sequence
        The time of a step and the steps of a relaxation, by method and system.
    made : mapping of str to sequence of int
        Steps that were made at each system; fewer than it takes: cut, none: not begun.
    """
    rows = []
    for name in ms:
        for system, (each, needed, done) in enumerate(zip(ms[name], steps[name], made[name], strict=True)):
            rows += [
                {
                    "method": name,
                    "device": "cpu",
                    "round": 0,
                    "structure": frames * system + frame,
                    "optimizer": "BFGS",
                    "status": "converged" if done == needed else "censored",
                    "steps": done,
                    "force_calls": done + 1,
                    "step_ns": 1e6 * each * done,
                    "step_calculator_ns": 1e6 * each * done,
                    "step_force_calls": done,
                    "calculator_ns": 1e6 * each * (done + 1),
                    "bonds_changed": 0,
                    "message": None,
                    "positions": None,
                }
                for frame in range(frames)
                if done
            ]
    count = len(next(iter(ms.values())))
    systems = tuple(
        SystemFacts(f"s{i}", "X", 10 * 4**i, frames=tuple(range(frames * i, frames * (i + 1)))) for i in range(count)
    )
    described = campaign(frames * count)
    dataset = dataclasses.replace(described.dataset, total=frames * count, systems=systems)
    described = dataclasses.replace(described, dataset=dataset)
    return measurements([method(name) for name in ms], [pd.DataFrame(rows)], description=described)


def costs(found):
    known = {name: Known(name, name, 0) for name in NAMES}
    return {one.method: one for one in choose(found, known, {}, md=False).methods}


def truth(ms, steps):
    """Return the seconds of a relaxation and the hours of a nanosecond, means over the systems."""
    relaxed = np.mean([each * (number + 1) for each, number in zip(ms, steps, strict=True)]) / 1e3
    return relaxed, np.mean(ms) * 2e6 / 3.6e6


MS = {"one": (1.0, 4.0, 100.0), "two": (2.0, 8.0, 200.0), "three": (3.0, 12.0, 300.0)}
STEPS = {"one": (30, 30, 30), "two": (30, 30, 30), "three": (30, 30, 30)}


@pytest.mark.parametrize("last", [30, 5, 0], ids=["whole", "cut", "not begun"])
def test_a_large_system_that_the_time_cuts_does_not_look_as_cheap_as_the_small_ones(last):
    made = STEPS | {"one": (30, 30, last)}
    one = costs(planted(MS, STEPS, made))["one"]
    relaxed, hours = truth(MS["one"], STEPS["one"])
    assert one.seconds_per_relaxation.estimate == pytest.approx(relaxed, rel=0.03)
    assert one.seconds_per_relaxation.low < relaxed < one.seconds_per_relaxation.high
    assert one.hours_per_ns.estimate == pytest.approx(hours)


def test_a_method_that_reached_only_the_small_systems_is_not_the_fastest_by_that():
    """It takes three times as long as another one that reached all."""
    found = costs(planted(MS, STEPS, STEPS | {"three": (30, 30, 0)}))
    assert list(found) == ["one", "two", "three"]
    assert found["three"].seconds_per_relaxation.estimate == pytest.approx(truth(MS["three"], STEPS["three"])[0])


@pytest.mark.parametrize("system", [0, 2], ids=["smallest", "largest"])
def test_one_that_began_a_single_system_and_relaxed_none_is_not_judged_by_its_size(system):
    made = STEPS | {"three": tuple(5 if number == system else 0 for number in range(3))}
    three = costs(planted(MS, STEPS, made))["three"]
    assert not three.steps_measured
    relaxed, hours = truth(MS["three"], STEPS["three"])
    assert three.seconds_per_relaxation.estimate == pytest.approx(relaxed, rel=0.05)
    assert three.hours_per_ns.estimate == pytest.approx(hours)


def test_what_no_method_reached_makes_the_interval_wide():
    made = dict.fromkeys(NAMES, (30, 30, 0))
    one = costs(planted(MS, STEPS, made))["one"].seconds_per_relaxation
    assert one.high / one.estimate > 1.8, "without it, 1.48 times"


def test_intervals_cover_the_truth_where_methods_grow_differently_with_size():
    random, covered, off = np.random.default_rng(3), [], []
    for _ in range(200):
        grow = {name: 1.5 + random.normal(0.0, 0.1) for name in NAMES}
        ms = {name: tuple(np.exp(random.normal(1.0, 1.0)) * 4.0 ** (grow[name] * np.arange(3))) for name in NAMES}
        usual = np.exp(random.normal(3.6, 0.3, 3))
        steps = {name: tuple(np.rint(usual * np.exp(random.normal(0.0, 0.2, 3))).astype(int)) for name in NAMES}
        last = int(random.integers(0, 12))
        made = steps | {"one": (*steps["one"][:2], min(last, steps["one"][2]))}
        found = costs(planted(ms, steps, made))["one"].seconds_per_relaxation
        relaxed = truth(ms["one"], steps["one"])[0]
        covered.append(found.low <= relaxed <= found.high)
        off.append(np.log(found.estimate / relaxed))
    assert np.mean(covered) >= 0.93
    assert abs(np.mean(off)) < 0.05


def test_systems_alike_give_what_they_gave_as_one():
    found = over_all({0: 2.0, 1: 4.0}, [], {0, 1}, 2)
    assert found == (3.0, (0.0, 0.0))

"""The time that is left: simulated campaigns of uneven methods, whose true end is known."""

import random

import pytest

from bench.core.settings import Settings
from bench.engine.forecast import Forecast, of
from bench.environments.catalogue import Catalogue

KEYS = [(name, "cpu") for name in ("uff", "gfn2", "ani", "mace", "seven", "pbe0")]
START = dict(zip(KEYS, (0.5, 1.0, 8.0, 20.0, 12.0, 3.0), strict=True))
STRUCTURES = dict(zip(KEYS, (0.4, 9.0, 40.0, 300.0, 90.0, 4000.0), strict=True))  # seconds for all, without a budget


def campaign(budget, rounds, seed):
    """Return each job of a campaign with the seconds it takes: the budget cuts the slow methods."""
    rng = random.Random(seed)
    jobs = []
    for number in range(rounds):
        for key in KEYS:
            measured = min(STRUCTURES[key], budget * (3 if key[0] == "pbe0" else 1) / rounds)
            first = 1.5 if number == 0 else 1.0  # the first start compiles
            jobs.append(((key, "structures"), first * START[key] + measured * rng.uniform(0.95, 1.05)))
        if number == 0:
            jobs += [((key, "accuracy"), START[key] + min(10.0, STRUCTURES[key] / 8)) for key in KEYS]
    return jobs


@pytest.mark.parametrize("budget", [10, 60, 600])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_from_the_fifth_job_on_the_end_is_known_to_a_fifth(budget, seed):
    rounds = 4
    jobs = campaign(budget, rounds, seed)
    planned = {(key, "structures"): rounds for key in KEYS} | {(key, "accuracy"): 1 for key in KEYS}

    def guess(kind):
        return START[kind[0]] + (budget / rounds if kind[1] == "structures" else min(10.0, STRUCTURES[kind[0]] / 8))

    forecast = Forecast(planned, guess)
    whole = sum(seconds for _, seconds in jobs)
    passed = 0.0
    for kind, seconds in jobs:
        start = START[kind[0]] if kind[1] == "structures" else 0.0
        forecast.add(kind, seconds, 1.5 * start)
        passed += seconds
        if forecast.done >= len(KEYS):  # a round ends with all of its methods
            assert forecast.jobs == len(jobs)
            # what is left is true to a fifth, or, near the end, to a twentieth of the whole
            assert forecast.left() == pytest.approx(whole - passed, rel=0.2, abs=0.05 * whole)


RECORDED = {
    "uff": (0.5, 0.5, 0.5),
    "uff-ase": (0.6, 0.6, 0.7),
    "gfn2-xtb": (6.2, 6.2, 6.4),
    "ani-1ccx": (3.7, 3.6, 3.5),
    "mace-mp-0-small": (10.6, 11.3, 11.8),
    "chgnet-0.3.0": (9.8, 10.4, 10.4),
    "orb-d3-xs-v2": (31.5, 19.7, 20.7),
    "7net-0": (11.0, 13.3, 12.1),
    "so3lr": (6.8, 7.0, 6.8),
}
"""Seconds of each job of three rounds with 24 s a method: run 20261130-072056, on two cores that did nothing else."""


def test_in_a_run_that_was_recorded_what_is_left_is_true_to_a_fifth_from_the_first_round_on():
    settings = Settings(
        methods=tuple(RECORDED), rounds=3, protocols=("replay",), budget_s=dict.fromkeys(RECORDED, 24.0)
    )
    forecast = of(settings, Catalogue().methods)
    whole = sum(map(sum, RECORDED.values()))
    passed = 0.0
    for number in range(3):
        for name, seconds in RECORDED.items():
            forecast.add(((name, "cpu"), "structures"), seconds[number])
            passed += seconds[number]
        assert forecast.left() == pytest.approx(whole - passed, rel=0.2)


def test_a_light_method_that_needs_little_of_its_time_says_little_of_the_heavy_ones():
    forecast = Forecast({(key, "later"): 1 for key in KEYS}, lambda kind: 20.0)
    forecast.add((KEYS[0], "later"), 2.0)
    assert forecast.left() == 5 * 20.0
    for key in KEYS[1:4]:
        forecast.add((key, "later"), 10.0)
    assert forecast.left() == 2 * 10.0, "three say more than the guess"


def test_the_jobs_of_a_method_that_cannot_be_measured_do_not_count():
    forecast = Forecast({(key, "structures"): 3 for key in KEYS}, lambda kind: 10.0)
    forecast.add((KEYS[0], "structures"), 5.0)
    forecast.drop(KEYS[1])
    assert forecast.jobs == 15
    assert forecast.left() == pytest.approx(2 * 5.0 + 12 * 10.0)

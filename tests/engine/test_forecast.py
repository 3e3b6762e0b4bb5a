"""The time that is left: simulated campaigns of uneven methods, whose true end is known."""

import random

import pytest

from bench.engine.forecast import Forecast

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
        forecast.add(kind, seconds)
        passed += seconds
        if forecast.done >= len(KEYS):  # a round ends with all of its methods
            assert forecast.jobs == len(jobs)
            assert passed + forecast.left() == pytest.approx(whole, rel=0.2)


def test_the_jobs_of_a_method_that_cannot_be_measured_do_not_count():
    forecast = Forecast({(key, "structures"): 3 for key in KEYS}, lambda kind: 10.0)
    forecast.add((KEYS[0], "structures"), 5.0)
    forecast.drop(KEYS[1])
    assert forecast.jobs == 15
    assert forecast.left() == pytest.approx(2 * 5.0 + 12 * 5.0)

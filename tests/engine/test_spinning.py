"""Whether waiting threads spin or sleep: the machine's speed decides where that is clear, and a trial otherwise."""

import dataclasses
from pathlib import Path

import pytest

from bench.core.description import SLEEP, SPIN, ParallelSpeed
from bench.core.settings import Settings
from bench.core.task import MEASURE, Subject, Task
from bench.data.structures import load_dataset
from bench.engine.ready import Ready
from bench.engine.spinning import settled
from bench.engine.start import variables
from bench.environments.catalogue import Catalogue
from bench.machine.cores import is_uncertain, threads_sleep

FAKES = Path(__file__).parents[1] / "fakes" / "fakes.py"


@pytest.fixture(autouse=True)
def no_choice_of_the_user(monkeypatch):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)


def ready(*methods, speed, threads=2, said=None):
    settings = Settings(methods=methods, threads=threads, limit=20)
    say = (lambda line: None) if said is None else said.append
    return Ready(settings, Catalogue([FAKES]), load_dataset("naphthalene-gfn2"), ParallelSpeed(2, speed), say)


@pytest.mark.parametrize(
    ("speed", "threads", "sleeps", "uncertain"),
    [
        (2.0, 2, False, False),
        (1.95, 2, False, False),
        (1.8, 2, False, True),
        (1.69, 2, True, True),
        (1.6, 2, True, True),
        (1.4, 2, True, False),
        (1.0, 2, True, False),
        (1.7, 1, False, False),
    ],
)
def test_the_speed_decides_where_it_is_far_from_the_limit(speed, threads, sleeps, uncertain):
    parallel = ParallelSpeed(2, speed)
    assert (threads_sleep(parallel, threads), is_uncertain(parallel, threads)) == (sleeps, uncertain)


@pytest.mark.parametrize(("waiting", "policy"), [(SLEEP, "PASSIVE"), (SPIN, None)])
def test_what_was_tried_counts_more_than_the_speed(waiting, policy, monkeypatch):
    task = Task(MEASURE, Subject("x.py", "toy", "toy", "cpu", "float64", threads=2, seed=0))
    for speed in (1.0, 2.0):
        tried = ParallelSpeed(2, speed, waiting)
        assert not is_uncertain(tried, 2)
        assert variables(task, tried).get("OMP_WAIT_POLICY") == policy
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    assert variables(task, ParallelSpeed(2, 1.0, SLEEP))["OMP_WAIT_POLICY"] == "ACTIVE", "the user's own choice stays"


@pytest.mark.parametrize(("method", "better"), [("better-asleep", SLEEP), ("better-spinning", SPIN)])
def test_near_the_limit_both_are_measured_and_the_better_one_is_kept_and_told(method, better):
    said = []
    campaign = ready(method, "toy-native", speed=1.75, said=said)
    found = settled(campaign, said.append)
    assert found == dataclasses.replace(campaign.parallel, waiting=better)
    assert f"so they {better}" in said[-1]
    assert method in said[-1]


def test_a_method_that_fails_leaves_the_trial_to_the_next_one():
    found = settled(ready("fails-to-load", "better-asleep", speed=1.75), lambda line: None)
    assert found.waiting == SLEEP


@pytest.mark.parametrize("environ", [{}, {"OMP_WAIT_POLICY": "ACTIVE"}])
def test_nothing_is_tried_where_the_speed_is_clear_or_the_user_has_chosen(monkeypatch, environ):
    said = []
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    campaign = ready("better-asleep", speed=1.75 if environ else 2.0, said=said)
    assert settled(campaign, said.append) is campaign.parallel
    assert not said


def test_compare_refuses_runs_whose_threads_waited_in_different_ways(pesbench, tmp_path):
    runs = []
    for policy in ("PASSIVE", "ACTIVE", "ACTIVE"):
        place = tmp_path / str(len(runs))
        done = pesbench(
            *("run", "--adapter", FAKES, "--methods", "toy", "--structures", "naphthalene-gfn2", "--limit", "2"),
            *("--rounds", "1", "--threads", "1", "--no-repeats", "--budget", "10", "--output", place),
            OMP_WAIT_POLICY=policy,
        )
        assert done.returncode == 0, done.stderr
        runs.append(next(place.iterdir()))
    done = pesbench("compare", runs[0], runs[1])
    assert done.returncode == 2
    assert "cannot be compared: OMP_WAIT_POLICY: PASSIVE and ACTIVE." in done.stderr
    assert pesbench("compare", runs[0], runs[1], "--force").returncode in (0, 1)
    assert pesbench("compare", runs[1], runs[2]).returncode in (0, 1)

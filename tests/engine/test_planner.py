"""Who takes part in the next round, and for how long: decided without a process, a clock or a file."""

from pathlib import Path

import pytest

from bench.analysis import joules
from bench.core.protocol import STRUCTURES
from bench.core.records import CENSORED, CONVERGED, Finished
from bench.core.settings import Settings
from bench.core.task import Item
from bench.engine import sharing
from bench.engine.ledger import Ledger
from bench.engine.planner import MEMORY_SHARE, Planner
from bench.environments.header import Method
from bench.protocols.relax.record import Relaxation

A, B, C = (("a", "cpu"), ("b", "cpu"), ("c", "cpu"))
EVERY = [A, B, C]
GB = 10**9


def method(name, memory_mb):
    return Method(name, name, Path("fake.py"), "fake", "mlip", ("cpu",), ("float64",), memory_mb=memory_mb)


METHODS = {key: method(key[0], 1000 * size) for key, size in zip(EVERY, (1, 2, 4), strict=True)}


@pytest.fixture
def planner():
    """Return a function that makes the planner of a campaign of three methods; each has 600 s."""

    def make(widths=dict, metered=False, **settings):
        settings = Settings(methods=("a", "b", "c"), budget_s=dict.fromkeys("abc", 600.0), **settings)
        return Planner(settings, Ledger(settings), widths, metered)

    return make


def relaxed(planner, key, seconds, whole=True):
    """Let a method have measured a structure in the first round."""
    record = Relaxation(
        *(*key, 0, 0, "BFGS", CONVERGED if whole else CENSORED, 1, 2, 0.0, 0.01, None, int(1e9 * seconds)),
        trace={"optimizer_ns": (0,), "harness_ns": (0,)},
    )
    planner.ledger.book(record)


def test_whoever_does_not_fit_into_memory_is_owed_the_next_round(planner):
    plan = planner(rounds=1)
    assert plan.fitting(METHODS, 4 * GB) == [A, B]
    assert plan.owed == [C]
    assert plan.one_more(EVERY, 1) == [C, A, B], "with two others, which connect it with the rest"
    assert plan.owed == []
    assert plan.fitting({key: METHODS[key] for key in (C, A, B)}, 5 * GB) == [C]
    assert plan.owed == [], "nobody owes a companion a round"
    assert plan.one_more(EVERY, 2) == []


def test_memory_is_what_the_last_worker_had_and_a_tenth_stays_free(planner):
    plan = planner(rounds=1)
    assert plan.fitting({A: METHODS[A], B: METHODS[B]}, 3 * GB / MEMORY_SHARE) == [A, B]
    plan.learn(Finished("a", "cpu", 0, peak_memory_bytes=GB + 1, peak_device_memory_bytes=None))
    assert plan.fitting({A: METHODS[A], B: METHODS[B]}, 3 * GB / MEMORY_SHARE) == [A]
    plan.learn(Finished("a", "cpu", 1, peak_memory_bytes=GB // 2, peak_device_memory_bytes=None))
    assert plan.fitting({A: METHODS[A], B: METHODS[B]}, 3 * GB / MEMORY_SHARE) == [A], "the largest peak counts"


def test_one_that_had_too_little_memory_beside_others_gets_a_round_alone(planner):
    plan = planner(rounds=1)
    plan.squeezed(B)
    plan.owed.append(C)
    assert plan.one_more(EVERY, 1) == [B]
    assert plan.one_more(EVERY, 2) == [C, A], "B is nobody's companion any more"


def test_a_reference_accompanies_a_late_method_first(planner):
    plan = planner(lambda: {C: 0.0, A: 0.2, B: 0.1}, rounds=1)
    plan.owed = [A]
    assert plan.one_more(EVERY, 1) == [A, C, B]


def test_further_rounds_are_for_wide_ratios_as_far_as_the_time_goes(planner):
    plan = planner(lambda: {A: 0.0, B: 0.3, C: 0.1}, rounds=3, total_s=300.0)
    for key, start_s, item_s in ((A, 1.0, 1.0), (B, 50.0, 6.0), (C, 5.0, 5.0)):
        plan.start_s[key] = start_s
        relaxed(plan, key, item_s)
    plan.elapsed_s = 100.0
    assert plan.one_more(EVERY, 3) == EVERY
    plan.elapsed_s = 260.0
    assert plan.one_more(EVERY, 3) == [A, C], "a round of B takes longer than what is left"
    plan.stopped.add(C)
    assert plan.one_more(EVERY, 3) == []
    assert plan.one_more(EVERY, sharing.MOST_ROUNDS) == []


def test_what_short_phases_took_is_missing_for_structures(planner):
    plan = planner(rounds=3, total_s=300.0)
    plan.short_s = 40.0
    assert plan.total_s == 260.0
    assert planner(rounds=3).total_s is None


def test_where_energy_is_read_a_round_is_long_enough_for_a_power(planner):
    items = [Item("relax", number) for number in range(3)]
    seconds = {}
    for metered in (False, True):
        plan = planner(metered=metered, rounds=3, total_s=30.0)
        plan.start_s[A] = 0.1
        relaxed(plan, A, 0.01)
        seconds[metered] = plan.share(A, 1, items).begin_s
    assert seconds[False] < joules.LEAST_SECONDS <= seconds[True]


def test_a_first_round_is_short_and_a_slow_method_gets_a_whole_structure(planner):
    plan = planner(rounds=3, total_s=600.0)
    items = [Item("relax", number) for number in range(3)]
    assert plan.share(A, 0, items).begin_s == sharing.FIRST_SECONDS
    plan.start_s[A] = 1.0
    relaxed(plan, A, 90.0)
    assert plan.share(A, 1, items).begin_s >= 90.0
    plan.start_s[B] = 1.0
    relaxed(plan, B, 90.0, whole=False)
    seconds = plan.share(B, 1, items).begin_s
    assert seconds <= plan.ledger.left(B, STRUCTURES) / (sharing.LEARNING_ROUNDS - 1)
    assert planner(rounds=3).share(A, 0, items).begin_s == 200.0, "with a budget of its own, a third in each round"

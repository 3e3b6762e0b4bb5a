"""The order of a worker's items: one whose threads waited long is measured again, in a later turn."""

import types

import numpy as np
import pytest

from bench.core.task import Item
from bench.measure.queue import IN_VAIN, MOST_VISITS, Queue
from bench.protocols.replay.record import Replay

ITEMS = [Item("replay", number) for number in range(6)]


class Turns:
    """A pace whose turns have two items each, and whose machine is busy during the visits in `busy`."""

    def __init__(self, busy):
        self.busy = busy
        self.visit = 0
        self.turn = None
        self.slept_ns = 0
        self.waiting = types.SimpleNamespace(
            begin=lambda: None, stop=lambda: None, waited_ns=3, stolen_ns=0, was_long=lambda: self.visit in self.busy
        )

    def may_begin(self):
        if self.visit % 2 == 0:
            self.turn = object()
        self.visit += 1
        return True


def measured(busy, revisits=True, status="converged", items=ITEMS):
    pace = Turns(busy)
    session = types.SimpleNamespace(pace=pace, task=types.SimpleNamespace(revisits=revisits))
    queue = Queue(session, items, None)
    found = []
    for item in queue:
        bare = Replay("toy", "cpu", 0, item.number, status, (1,), (0.0,), (0.0,), 10)
        found.append((item.number, queue.judged(item, bare)))
    return found


def test_on_a_quiet_machine_each_item_is_measured_once_and_in_order():
    found = measured(())
    assert [number for number, _ in found] == [0, 1, 2, 3, 4, 5]
    assert all(record.visit == 1 and record.waited_ns == 3 for _, record in found)


def test_a_disturbed_item_is_measured_again_first_thing_in_the_next_turn():
    found = measured((1,))
    assert [number for number, _ in found] == [0, 1, 0, 2, 3, 4, 5]
    assert [record.visit for number, record in found if number == 0] == [1, 2]


def test_the_last_item_is_measured_again_too():
    assert [number for number, _ in measured((6,))][-2:] == [5, 5]


@pytest.mark.parametrize("how", [{"revisits": False}, {"status": "failed"}])
def test_nothing_is_measured_again_where_the_user_forbids_it_or_where_it_failed(how):
    assert len(measured(range(100), **how)) == len(ITEMS)


def test_a_machine_that_is_never_quiet_does_not_take_the_time_of_the_other_items():
    found = measured(range(1000))
    assert {number for number, _ in found} == set(range(6))
    assert max(record.visit for _, record in found) <= MOST_VISITS
    assert len(found) <= 9


def test_after_two_repeats_that_did_not_help_nothing_is_measured_again():
    repeats = [number for number, record in measured(range(1000)) if record.visit > 1]
    assert len(repeats) == IN_VAIN == 2
    # a repeat that helped says that the machine is quiet at times
    assert [number for number, record in measured((1, 3, 6, 8)) if record.visit > 1] == [0, 0, 5]


@pytest.mark.parametrize(("slower", "revisits", "mean"), [(0.0, True, 0.0), (0.4, True, 0.02), (0.4, False, 0.08)])
def test_measuring_again_leaves_no_bias_but_what_waiting_does_to_the_time(slower, revisits, mean):
    """A fifth of the visits waits; they are slower by a factor, or not: what counts is the last one of a structure.

    A rule that looked at the times would be below 0 in the first case. In the second, a quarter of what waiting does
    is left: a repeat may wait, too, and after two such repeats nothing is measured again.
    """
    rng, found = np.random.default_rng(1), []
    items = [Item("replay", number) for number in range(20)]
    for _ in range(300):
        busy = set((1 + np.flatnonzero(rng.random(60) < 0.2)).tolist())
        logs = rng.normal(0.0, 0.1, 60) + slower * np.isin(np.arange(1, 61), sorted(busy))
        last = {number: logs[visit] for visit, (number, _) in enumerate(measured(busy, revisits, items=items))}
        found.append(np.mean(list(last.values())))
    assert np.mean(found) == pytest.approx(mean, abs=0.005)

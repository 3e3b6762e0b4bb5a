"""The points of throughput, and their numbers."""

import pytest

from bench.core.plain import to_plain
from bench.core.records import FAILED, Failure
from bench.core.task import MEASURE, Item, Subject, Task
from bench.protocols import lost
from bench.protocols.throughput.plan import LARGEST, THROUGHPUT, in_processes, larger, points_of
from bench.protocols.throughput.record import BATCH, PROCESSES, SINGLE


@pytest.mark.parametrize(
    ("cores", "processes"),
    [
        (1, [(1, 1)]),
        (2, [(1, 2), (2, 1)]),
        (6, [(1, 6), (2, 3), (4, 1), (6, 1)]),
        (16, [(1, 16), (2, 8), (4, 4), (8, 2), (16, 1)]),
    ],
)
def test_processes_go_in_powers_of_two_up_to_the_cores_and_share_them(cores, processes):
    points = points_of(threads=3, cores=cores)
    assert [(one.size, one.threads) for one in points if one.way == PROCESSES] == processes
    assert all(size * threads <= cores for size, threads in processes)


def test_batches_double_up_to_the_largest_with_the_threads_of_the_campaign():
    points = points_of(threads=3, cores=2)
    batches = [one for one in points if one.way == BATCH]
    assert [one.size for one in batches[:4]] == [1, 2, 4, 8]
    assert batches[-1].size == LARGEST
    assert {one.threads for one in points if one.way != PROCESSES} == {3}
    assert points[0].way == SINGLE


def test_a_point_has_its_own_number_which_does_not_depend_on_the_machine():
    few, many = (points_of(threads=1, cores=cores) for cores in (4, 64))
    assert len({one.point for one in many}) == len(many)
    numbers = {(one.way, one.size): one.point for one in many}
    assert all(numbers[one.way, one.size] == one.point for one in few)
    assert [in_processes(one.point) for one in many] == [one.way == PROCESSES for one in many]


def test_only_larger_batches_belong_to_the_rest_of_a_series():
    points = points_of(threads=1, cores=4)
    four = next(one.point for one in points if one.way == BATCH and one.size == 4)
    assert [one.size for one in points if one.point in larger(four)] == [8, 16, 32, 64, 128, 256, 512, 1024]
    assert not larger(0)
    assert not larger(points[-1].point)


def test_a_point_that_was_lost_says_which_it_was():
    points = points_of(threads=2, cores=2)
    task = Task(
        MEASURE,
        Subject("x.py", "toy", "toy", "cpu", "float64", threads=2, seed=0),
        plans={"throughput": tuple(map(to_plain, points))},
    )
    record = lost(task, Item(THROUGHPUT, 3), Failure("crash", "died"))
    assert (record.way, record.size, record.threads, record.status) == (BATCH, 4, 2, FAILED)

"""Whether a task fits into a time, and what would."""

import dataclasses

import pytest

from bench.analysis.choice import Advised
from bench.analysis.plans import Wish, plan
from bench.analysis.statistics import Estimate

TEN = Advised(
    "m",
    "M",
    seconds_per_relaxation=Estimate(10.0, 8.0, 12.5, 1, "structures"),
    hours_per_ns=Estimate(2.0, 1.0, 4.0, 1, "structures"),
    peak_memory_bytes=1_000,
    start_s=5.0,
)
SCREEN = Wish("screen", 1000, 3600.0, threads=1, cores=4, speed=3.2, free_bytes=1_000_000)


def test_a_screen_is_spread_over_the_cores_with_the_speed_that_they_have_together():
    found = plan(TEN, SCREEN)
    assert found.processes == 4
    assert found.seconds.estimate == pytest.approx(10_000 / 3.2 + 5)
    assert found.fits is None  # 3130 s, and the interval has an hour inside
    assert found.most == 4 * int(3595 / 12.5)


def test_it_says_how_many_cores_would_do():
    found = plan(TEN, dataclasses.replace(SCREEN, molecules=10_000))
    assert found.fits is False
    assert found.cores_needed == 35  # 100,000 s of one process, 0.8 of it from each core, in 3595 s
    assert plan(TEN, dataclasses.replace(SCREEN, molecules=10)).fits is True


def played(molecules, processes, each, start):
    """Return when the last process ends, each of which relaxes its share one after another."""
    return max(start + each * len(range(number, molecules, processes)) for number in range(processes))


@pytest.mark.parametrize("molecules", [1, 3, 4, 5, 9, 1000])
@pytest.mark.parametrize("cores", [1, 2, 4])
def test_a_molecule_cannot_be_divided_among_processes(molecules, cores):
    within = 26.0
    wish = Wish("screen", molecules, within, threads=1, cores=cores, speed=0.8 * cores + 0.2, free_bytes=10**9)
    found = plan(TEN, wish)
    working = found.processes
    each = 10.0 * working / (1 + (working - 1) * 0.8)
    assert found.seconds.estimate == pytest.approx(played(molecules, working, each, 5.0))
    most = max(count for count in range(10) if count == 0 or played(count, working, each, 5.0) <= within)
    assert found.most == most
    if found.cores_needed is not None:
        assert played(molecules, found.cores_needed, each, 5.0) <= within
        assert played(molecules, found.cores_needed - 1, each, 5.0) > within


def test_a_molecule_that_takes_longer_than_the_time_needs_no_cores_but_time():
    found = plan(TEN, dataclasses.replace(SCREEN, molecules=3, within_s=9.0))
    assert (found.fits, found.most, found.cores_needed) == (False, 0.0, None)


def test_memory_and_the_number_of_molecules_limit_the_processes():
    assert plan(TEN, dataclasses.replace(SCREEN, free_bytes=2_500)).processes == 2
    assert plan(TEN, dataclasses.replace(SCREEN, molecules=1)).processes == 1
    assert plan(TEN, dataclasses.replace(SCREEN, threads=2)).processes == 2


def test_a_relaxation_is_one_process_and_md_has_no_end():
    alone = plan(TEN, dataclasses.replace(SCREEN, task="relax", molecules=3, within_s=None))
    assert (alone.processes, alone.fits, alone.most) == (1, None, None)
    assert alone.seconds.estimate == pytest.approx(35.0)
    md = plan(TEN, dataclasses.replace(SCREEN, task="md"))
    assert md.seconds is None
    assert md.most == pytest.approx(500.0)  # ps in an hour


def test_a_method_without_a_time_has_no_plan():
    assert plan(Advised("m", "M"), SCREEN) is None
    assert plan(Advised("m", "M"), dataclasses.replace(SCREEN, task="md")) is None

"""The settings that a search tries, and in which order."""

from pathlib import Path

import pytest

from bench.engine.candidates import candidates, pointless, thread_counts, version
from bench.environments.catalogue import Catalogue

TUNABLE = Path(__file__).parents[1] / "fakes" / "tunable.py"


@pytest.fixture
def tunable():
    return Catalogue([TUNABLE]).methods["tunable"]


def test_numbers_of_threads_double_up_to_the_number_of_cores():
    assert [thread_counts(cores) for cores in (1, 2, 6, 8)] == [(1,), (1, 2), (1, 2, 4, 6), (1, 2, 4, 8)]


def test_all_combinations_come_the_default_first_then_single_changes(tunable):
    found = candidates(tunable, "cpu", [1, 2], 2, {})
    assert len({one.method for one in found}) == len(found) == 2 * 2 * 3 * 2
    assert found[0].method == "tunable"
    assert (found[0].threads, found[0].label) == (2, "default")
    assert found[0].knobs == {"speed": "plain", "kernel": "right", "dtype": "float64"}
    assert [len(one.changes) for one in found] == sorted(len(one.changes) for one in found)
    assert {one.label for one in found if len(one.changes) == 1} == {
        *("threads=1", "speed=fast", "kernel=wrong", "kernel=broken", "dtype=float32"),
    }
    assert found[-1].label == "threads=1, speed=fast, kernel=broken, dtype=float32"


def test_where_the_usual_number_of_threads_is_not_tried_the_first_is_the_default(tunable):
    assert candidates(tunable, "cpu", [4, 8], 1, {})[0].threads == 4


def test_a_knob_of_another_device_is_not_tried():
    untunable = Catalogue([TUNABLE]).methods["untunable"]
    assert [one.label for one in candidates(untunable, "cpu", [1, 2], 1, {})] == ["default", "threads=2"]
    assert [one.label for one in candidates(untunable, "cuda", [1], 1, {})] == ["default", "speed=fast"]


def test_a_candidate_is_a_version_of_the_method_with_a_name_of_its_own(tunable):
    one = next(one for one in candidates(tunable, "cpu", [1, 2], 1, {}) if len(one.changes) == 3)
    made = version(tunable, one, "cpu")
    assert (made.name, made.known_as) == (one.method, "tunable")
    assert made.label == f"a pause per call [{one.label}]"
    assert (made.dtypes, made.chosen["speed"]) == ((one.knobs["dtype"],), one.knobs["speed"])


def test_what_is_wrong_alone_need_not_be_tried_with_others(tunable):
    found = {one.label: one for one in candidates(tunable, "cpu", [1], 1, {})}
    alone = {"kernel=broken": "cannot be measured"}
    assert pointless(found["speed=fast, kernel=broken"], alone) == "kernel=broken alone cannot be measured"
    assert pointless(found["speed=fast, dtype=float32"], alone) == ""

"""A small share of each drill, so that none of them rots; ``make drill`` runs them whole."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import drill
import zoo

ANIMALS = [*zoo.LOADING, *zoo.CALLING]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nothing_is_lost_doubled_or_left_behind_after_a_kill(seed, tmp_path):
    found = drill.kills(seed, tmp_path)
    assert not found["wrong"]
    assert (found["lost"], found["doubled"], found["orphans"]) == (0, 0, [])


@pytest.mark.parametrize("name", ["exits-0", "closes-standard-streams", "raises-unprintable", "one-atom-less"])
def test_a_hostile_adapter_is_a_row_and_harms_no_neighbour(name, tmp_path):
    found = drill.hostile(ANIMALS.index(name), tmp_path)
    assert not found["wrong"], found
    assert not found["orphans"]


def test_the_zoo_is_large():
    assert len(ANIMALS) == len(set(ANIMALS)) >= 40


@pytest.mark.parametrize("seed", range(15))
def test_changed_records_are_read_or_refused(seed, tmp_path):
    assert not drill.mutated(seed, tmp_path)["wrong"]


@pytest.mark.parametrize("bytes_less", [0, 1, 100, 500])
def test_a_cut_run_is_read_or_refused(bytes_less, tmp_path):
    assert not drill.cut(bytes_less, tmp_path)["wrong"]

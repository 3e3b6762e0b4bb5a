"""A small share of each drill, so that none of them rots; ``make drill`` runs them whole."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import bad_checkpoints
import bad_disks
import clock_jumps
import drill
import many_records
import zoo

import bench

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


@pytest.mark.parametrize("what", ["a payload", "a payload as torch saves", "cut off"])
def test_a_bad_file_in_the_place_of_a_checkpoint_is_a_row_and_nothing_reads_it(what, tmp_path):
    name = "nequix-mp-1" if what == "cut off" else "mace-mh-1"
    seed = [*bad_checkpoints.METHODS].index(name) * len(bad_checkpoints.BAD) + [*bad_checkpoints.BAD].index(what)
    found = bad_checkpoints.swapped(seed, tmp_path)
    assert not found["wrong"] and not found["orphans"], found


@pytest.mark.parametrize("seed", range(12))
def test_whatever_a_server_does_the_end_is_the_right_file_or_a_refusal(seed, tmp_path):
    found = bad_checkpoints.fetched(seed, tmp_path)
    assert not found["wrong"], found


def allowed(found):
    if "skipped" in found:
        pytest.skip(found["skipped"])
    return found


@pytest.mark.parametrize("seed", [7, 10])
def test_a_full_disk_is_told_and_the_run_goes_on_with_room_again(seed, tmp_path):
    found = allowed(bad_disks.full(seed, tmp_path))
    assert (found["status"], found["wrong"], found.get("lost", 0), found.get("doubled", 0)) == (2, "", 0, 0)
    assert not found["orphans"]


@pytest.mark.parametrize("name", ["table", "report", "run", "resume"])
def test_a_read_only_folder_can_be_read_and_is_told_where_something_has_to_be_written(name, tmp_path):
    seed = [*bad_disks.read_only_words(Path(), Path())].index(name)
    found = allowed(bad_disks.read_only(seed, tmp_path))
    assert not found["wrong"] and not found["orphans"], found


def test_no_figure_depends_on_the_date(tmp_path):
    found = allowed(clock_jumps.clock(0, tmp_path))
    assert not found["wrong"] and not found["orphans"], found
    assert found["jumps"] > 3


def test_copies_of_a_run_are_a_run_with_as_many_steps(tmp_path):
    run = tmp_path / "run"
    count = many_records.scaled(many_records.toy(tmp_path / "toy", structures=4), run, size=20_000, steps=250)
    assert count == len(bench.load(run).steps) - 80 == 20_000
    status, _, memory, said = many_records.costs(run)
    assert status == 0, said
    rows = json.loads(said)["rows"]
    assert {row["structures"]["done"] for row in rows} == {4}
    assert len(rows) == 2
    assert memory < 1e9

"""A search with a real model: SevenNet-0 comes with its package."""

import json

import pytest

import bench

pytestmark = pytest.mark.environment


def test_a_method_with_an_optimiser_of_its_own_is_tuned_by_its_force_calls(pesbench, tmp_path):
    done = pesbench(
        *("tune", "uff", "--threads", "1,2", "--structures", "naphthalene-gfn2", "--limit", "3"),
        *("--budget", "3", "--format", "json", "--output", tmp_path),
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert len(result["ranking"]) == 2
    assert any("an optimiser of its own" in note for note in result["notes"])


def test_threads_of_sevennet_are_tuned_without_a_change_of_its_answers(pesbench, tmp_path):
    done = pesbench(
        *("tune", "7net-0", "--threads", "1,2", "--structures", "naphthalene-gfn2", "--limit", "3"),
        *("--budget", "5", "--format", "json", "--output", tmp_path),
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    rows = {row["threads"]: row for row in result["ranking"]}
    assert set(rows) == {1, 2}
    other = next(row for row in rows.values() if row["verdict"] != "default")
    assert other["deviation"]["energy"] <= other["deviation"]["energy_allowed"]
    assert other["deviation"]["structures"] == 3
    run = bench.load(next(tmp_path.iterdir()))
    assert {record.settings["threads"] for record in run.contents.started} == {1, 2}
    assert all(record.settings["kernel"] == "e3nn" for record in run.contents.started)

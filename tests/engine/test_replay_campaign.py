"""A campaign of replay over the fakes: what the optimiser takes along the paths stands in the right column."""

import json
from pathlib import Path

import pytest

import bench

FAKES = Path(__file__).parents[1] / "fakes" / "fakes.py"
CALL, UPDATE = 7.0, 40.0
"""Milliseconds that the fake takes, as it says itself."""


def measured(pesbench, folder, *more):
    done = pesbench(
        *("run", "--methods", "slow-to-step,toy-native", "--adapter", FAKES, "--structures", "naphthalene-gfn2"),
        *("--protocols", "relax,replay", "--limit", "2", "--max-steps", "20", "--replay-points", "20"),
        *("--threads", "1", "--rounds", "1", "--no-repeats", "--output", folder, *more),
    )
    assert done.returncode == 0, done.stderr
    return next(folder.iterdir())


@pytest.fixture(scope="module")
def run(pesbench, tmp_path_factory):
    return measured(pesbench, tmp_path_factory.mktemp("bfgs"))


@pytest.fixture(scope="module")
def rows(pesbench, run):
    found = json.loads(pesbench("table", run, "--format", "json").stdout)["rows"]
    return {(row["method"], row["protocol"]): row for row in found}


def of_method(run, method):
    return [record for record in bench.load(run).contents.replays if record.method == method]


def test_the_optimisers_time_stands_beside_that_of_each_force_call(run):
    records = of_method(run, "slow-to-step")
    assert len(records) == 2
    for record in records:
        assert len(record.calculator_ns) == len(record.optimizer_ns) == 20
        # the machine may be busy with something else, in most of them
        assert CALL <= min(record.calculator_ns) / 1e6 < CALL + UPDATE
        assert UPDATE <= min(record.optimizer_ns) / 1e6 < 2 * UPDATE


def test_a_native_optimiser_has_force_calls_alone(run, rows):
    assert [record.optimizer_ns for record in of_method(run, "toy-native")] == [[], []]
    row = rows["toy-native", "replay"]
    assert row["ms_per_step"]["estimate"] is row["optimizer"] is None
    assert row["calculator_ms_per_call"]["estimate"] > 0


def test_a_step_is_the_call_and_the_update_in_the_rows_of_both_protocols(rows):
    along, relaxed = rows["slow-to-step", "replay"], rows["slow-to-step", "relax"]
    for row in (along, relaxed):
        step, call = (row[name]["estimate"] for name in ("ms_per_step", "calculator_ms_per_call"))
        assert call >= CALL
        assert step - call >= UPDATE
        assert row["calculator_share"] == pytest.approx(call / step, abs=0.1)
        assert row["optimizer"] == "BFGS"
    # the same work at like geometries; the machine may be busy with something else
    assert along["ms_per_step"]["estimate"] == pytest.approx(relaxed["ms_per_step"]["estimate"], rel=0.5)


def test_the_data_frame_has_the_step_as_their_sum(run):
    replays = bench.load(run).replays.set_index("method")
    driven = replays.loc["slow-to-step"]
    # the first force call does not count, and a step is the update before a call and the call
    assert (driven.force_calls == 19).all()
    assert (driven.step_ns - driven.calculator_ns >= 19 * UPDATE * 1e6).all()
    assert replays.loc["toy-native"].step_ns.isna().all()


def test_the_printed_table_marks_only_the_native_optimiser(pesbench, run):
    text = pesbench("table", run, COLUMNS="120").stdout
    assert "CPU replay" in text
    marked = [line for line in text.splitlines() if "ʳ" in line and "marks" not in line]
    assert len(marked) == 1
    assert marked[0].startswith("toy-native")


def test_conjugate_gradients_cannot_follow_a_path_so_only_force_calls_are_timed(pesbench, tmp_path):
    run = measured(pesbench, tmp_path, "--optimizer", "CG", "--protocols", "replay", "--methods", "slow-to-step")
    assert [record.optimizer_ns for record in of_method(run, "slow-to-step")] == [[], []]
    (row,) = json.loads(pesbench("table", run, "--format", "json").stdout)["rows"]
    assert row["ms_per_step"]["estimate"] is None
    assert "ms/call" in pesbench("table", run).stdout

"""A campaign with a chosen knob: it reaches the adapter, and the run and its rows say it."""

import json
from pathlib import Path

import pytest

import bench
from bench.results import history
from bench.results.tables import table_of

TUNABLE = Path(__file__).parents[1] / "fakes" / "tunable.py"


def measured(pesbench, folder, *more):
    return pesbench(
        *("run", "--methods", "tunable", "--adapter", TUNABLE, "--structures", "naphthalene-gfn2", "--limit", "2"),
        *("--protocols", "replay", "--threads", "1", "--rounds", "1", "--no-repeats", "--output", folder, *more),
    )


@pytest.fixture(scope="module")
def runs(pesbench, tmp_path_factory):
    """Return a run with the default settings, and one with a chosen kernel and precision."""
    folder = tmp_path_factory.mktemp("runs")
    for name, more in (("default", ()), ("chosen", ("--knob", "kernel=wrong", "--knob", "dtype=float32"))):
        done = measured(pesbench, folder / name, *more)
        assert done.returncode == 0, done.stderr
    return {name: next((folder / name).iterdir()) for name in ("default", "chosen")}


def test_the_chosen_values_reach_the_adapter_and_the_records(runs):
    default, chosen = (bench.load(runs[name]) for name in ("default", "chosen"))
    assert chosen.description.settings.knobs == {"kernel": "wrong", "dtype": "float32"}
    assert chosen.contents.started[0].settings["kernel"] == "wrong"
    assert chosen.contents.started[0].knobs == {"speed": "plain", "kernel": "wrong"}
    assert chosen.contents.started[0].dtype == "float32"
    assert default.contents.started[0].knobs == {"speed": "plain", "kernel": "right"}
    assert default.contents.started[0].dtype == "float64"


def test_the_rows_say_it_in_every_format(pesbench, runs):
    for form in ("terminal", "markdown", "latex", "csv", "json"):
        shown = pesbench("table", runs["chosen"], "--format", form).stdout
        assert "kernel=wrong" in "".join(shown.split()), form
    (row,) = json.loads(pesbench("table", runs["chosen"], "--format", "json").stdout)["rows"]
    assert row["label"] == "a pause per call [kernel=wrong, dtype=float32]"
    assert row["knobs"] == {"speed": "plain", "kernel": "wrong"}


def test_runs_with_other_knobs_are_not_compared(pesbench, runs):
    done = pesbench("compare", runs["default"], runs["chosen"])
    assert done.returncode == 2
    assert "knobs: none and kernel=wrong, dtype=float32" in done.stderr


def test_its_answers_are_no_baseline(pesbench, runs):
    done = pesbench("baseline", runs["chosen"])
    assert done.returncode == 2
    assert "was measured with --knob; a baseline has the default settings." in done.stderr


def test_it_has_a_history_of_its_own(runs):
    (default,), (chosen,) = (
        history.entries(bench.load(runs[name]), table_of(runs[name])) for name in ("default", "chosen")
    )
    assert chosen["settings"] == f"{default['settings']}, kernel=wrong, dtype=float32"


def test_a_resumed_run_keeps_its_knobs(pesbench, runs):
    records = runs["chosen"] / "records.jsonl"
    lines = records.read_text().splitlines(keepends=True)
    records.write_text("".join(line for line in lines if '"replay"' not in line))
    done = pesbench("run", "--resume", runs["chosen"], "--adapter", TUNABLE)
    assert done.returncode == 0, done.stderr
    again = bench.load(runs["chosen"])
    assert len(again.replays) == 2
    assert again.contents.started[-1].knobs["kernel"] == "wrong"


@pytest.mark.parametrize(
    ("knob", "says"),
    [("kernel", "--knob kernel: give NAME=VALUE, once for each knob."), ("kernel=x", "cannot be 'x'; it can be right")],
)
def test_a_wrong_knob_is_one_sentence_and_nothing_is_written(pesbench, tmp_path, knob, says):
    done = measured(pesbench, tmp_path / "runs", "--knob", knob)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "runs").exists()

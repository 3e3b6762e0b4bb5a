"""A search among settings whose effects are planted, through the same path as with real methods."""

import json
import shlex
from pathlib import Path

import pytest

import bench

FAKES = Path(__file__).parents[1] / "fakes" / "fakes.py"
TUNABLE = FAKES.parent / "tunable.py"


def tune(pesbench, folder, method, *more):
    return pesbench(
        *("tune", method, "--adapter", FAKES, "--adapter", TUNABLE, "--structures", "naphthalene-gfn2"),
        *("--output", folder, *more),
    )


@pytest.fixture(scope="module")
def found(pesbench, tmp_path_factory):
    """Return the result of a search with time enough, and its run directory."""
    folder = tmp_path_factory.mktemp("runs")
    done = tune(
        *(pesbench, folder, "tunable", "--threads", "1", "--limit", "5", "--budget", "600", "--format", "json"),
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), next(folder.iterdir())


def by_setting(rows):
    return {row["setting"]: row for row in rows}


def test_the_planted_best_is_found(found):
    result, _ = found
    assert result["best"] == "speed=fast, dtype=float32"
    best = result["ranking"][0]
    assert best["setting"] == result["best"]
    assert (best["verdict"], best["threads"]) == ("faster", 1)
    assert best["rounds"] >= 3
    assert best["ratio"]["high"] < 1 / 1.05
    assert best["ratio"]["estimate"] == pytest.approx(0.35, abs=0.15)
    assert by_setting(result["ranking"])["default"]["verdict"] == "default"


def test_what_its_start_costs_stands_beside_the_gain(found):
    result, _ = found
    best = result["ranking"][0]
    assert best["warm_s"] > 1
    assert best["pays_after"] > 0
    assert best["cold_start_s"] > 0
    assert best["peak_memory_bytes"] > 0


def test_what_changes_the_answers_is_shown_apart_though_it_is_the_fastest(found):
    result, _ = found
    (wrong,) = result["other_answers"]
    assert (wrong["setting"], wrong["verdict"]) == ("kernel=wrong", "other answer")
    assert wrong["ratio"]["estimate"] < result["ranking"][0]["ratio"]["estimate"]
    assert wrong["deviation"]["energy"] == pytest.approx(0.5, abs=1e-6)
    assert "Other answers: kernel=wrong: energies by up to 0.5 eV" in result["notes"]
    assert result["ranking"][0]["deviation"]["energy"] == 0


def test_what_fails_is_a_row_with_the_reason_and_is_not_tried_together_with_others(found):
    result, run = found
    rows = by_setting(result["not_measured"])
    assert rows["kernel=broken"]["verdict"] == "failed"
    assert rows["kernel=broken"]["why"] == "RuntimeError: this kernel needs another device"
    assert rows["speed=fast, kernel=broken"]["why"] == "not tried: kernel=broken alone cannot be measured"
    assert rows["speed=fast, kernel=wrong"]["why"] == "not tried: kernel=wrong alone changes the answers"
    assert "this kernel needs another device" in (run / "records.jsonl").read_text()


def test_the_printed_command_line_measures_the_best_setting(pesbench, found, tmp_path):
    result, _ = found
    words = shlex.split(result["command"])
    assert words[0] == "pesbench"
    done = pesbench(*words[1:], "--rounds", "1", "--limit", "1", "--no-repeats", "--output", tmp_path)
    assert done.returncode == 0, done.stderr
    run = bench.load(next(tmp_path.iterdir()))
    assert run.description.settings.knobs == {"speed": "fast", "dtype": "float32"}
    (row,) = run.methods.to_dict("records")
    assert row["label"] == "a pause per call [speed=fast, dtype=float32]"
    assert (row["knobs"]["speed"], row["dtype"], row["threads"]) == ("fast", "float32", 1)


def test_its_run_directory_tells_the_settings_apart(pesbench, found):
    _, run = found
    rows = json.loads(pesbench("table", run, "--format", "json").stdout)["rows"]
    assert len({row["label"] for row in rows}) == len(rows)
    assert {"a pause per call", "a pause per call [speed=fast]"} <= {row["label"] for row in rows}
    for verb in (("baseline",), ("history", "add")):
        done = pesbench(*verb, run)
        assert done.returncode == 2
        assert "is a search by 'pesbench tune'; name a run of 'pesbench run'." in done.stderr


def test_without_a_difference_the_default_is_not_replaced(pesbench, tmp_path):
    done = tune(
        *(pesbench, tmp_path, "steady", "--threads", "1", "--limit", "4", "--budget", "40", "--threshold", "0.2"),
        *("--format", "json"),
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["best"] is None
    assert "--knob" not in result["command"]


def test_a_budget_that_is_too_small_is_said(pesbench, tmp_path):
    done = tune(pesbench, tmp_path, "tunable", "--threads", "1,2", "--limit", "1", "--budget", "1")
    assert done.returncode == 0, done.stderr
    text = " ".join(done.stdout.split())
    assert "Best not decided." in text
    assert "the budget of 1 s is too small" in text
    assert "the budget ended before it was decided, after 1 round" in text
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_where_all_others_fail_the_default_is_the_best(pesbench, tmp_path):
    done = tune(
        *(pesbench, tmp_path, "tunable", "--threads", "1", "--limit", "1", "--budget", "120"),
        *("--knob", "kernel=right,broken", "--knob", "dtype=float64", "--knob", "speed=plain"),
    )
    assert done.returncode == 0, done.stderr
    text = " ".join(done.stdout.split())
    assert "Best the default. No setting that was measured is faster by at least 5 %." in text
    assert "Failed kernel=broken: RuntimeError: this kernel needs another device" in text


def test_the_values_to_try_can_be_restricted(pesbench, tmp_path):
    done = tune(
        *(pesbench, tmp_path, "tunable", "--threads", "1", "--limit", "1", "--budget", "1", "--format", "json"),
        *("--knob", "kernel=right", "--knob", "dtype=float32", "--knob", "speed=plain,fast"),
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert {row["setting"] for row in result["ranking"]} == {"default", "speed=fast"}
    assert "--knob dtype=float32" in result["command"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("tunable", "--knob", "colour=red"), "tunable has no knob 'colour' on cpu; it has speed, kernel, dtype."),
        (
            ("tunable", "--knob", "speed=fast,red"),
            "the knob speed of tunable cannot be 'red'; it can be plain or fast.",
        ),
        (("tunable", "--threads", "0,1"), "--threads 0,1: give numbers above zero, separated by commas."),
        (("untunable", "--threads", "1"), "there is nothing to tune: untunable has only one setting here."),
        (("tunable,steady",), "tune takes one method; 'pesbench list' shows them."),
        (("tunable", "--format", "html"), "there is no format 'html'; use terminal or json."),
        (("only-cuda", "--threads", "1,2"), "only-cuda cannot run here"),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_nothing_behind(pesbench, tmp_path, arguments, says):
    done = tune(pesbench, tmp_path / "runs", *arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "runs").exists()


def test_a_default_that_cannot_be_measured_ends_the_search(pesbench, tmp_path):
    done = tune(pesbench, tmp_path, "fails-to-load", "--threads", "1,2", "--budget", "20")
    assert done.returncode == 2
    said, log = done.stderr.strip().splitlines()[-1].split("; see ")
    assert said == "pesbench: fails-to-load cannot be measured: RuntimeError: these weights are for another model"
    assert "Traceback" in Path(log).read_text()
    assert "Traceback" not in done.stderr

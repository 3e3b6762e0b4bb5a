"""Random weights: built in the method's environment, kept apart, measured by replay only, and labelled."""

import hashlib
import json
import sys
from pathlib import Path

import pytest

import bench

FAKES = Path(__file__).parents[1] / "fakes" / "fakes.py"


@pytest.fixture(scope="module")
def run(pesbench, tmp_path_factory):
    folder = tmp_path_factory.mktemp("random")
    done = pesbench(
        *(
            "run",
            "--no-repeats",
            "--adapter",
            FAKES,
            "--methods",
            "toy,architecture,wrong-architecture",
            "--limit",
            "3",
        ),
        *("--structures", "naphthalene-gfn2", "--rounds", "2", "--protocols", "relax,replay", "--threads", "1"),
        *("--output", folder / "results", "--json"),
        PESBENCH_CACHE=str(folder / "cache"),
    )
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout), bench.load(folder / "results"), done.stderr


def rows_of(table, method):
    return {row["protocol"]: row for row in table["rows"] if row["method"] == method}


def test_random_weights_stand_in_where_the_checkpoint_cannot_be_had_and_the_page_to_visit_is_named(run):
    _, table, _, errors = run
    (row,) = rows_of(table, "architecture").values()
    assert row["weights"] == "random"
    assert row["parameters"] == 153
    assert "ask for access at https://example.org/ask" in errors


def test_random_weights_are_measured_by_replay_only(run):
    _, table, loaded, _ = run
    (protocol,) = rows_of(table, "architecture")
    assert protocol == "replay"
    assert "architecture" not in set(loaded.structures.method)
    assert len(loaded.replays[loaded.replays.method == "architecture"]) == 6


def test_real_ones_are_measured_by_both_protocols(run):
    _, table, loaded, _ = run
    rows = rows_of(table, "toy")
    assert set(rows) == {"relax", "replay"}
    assert rows["relax"]["ms_per_step"]["estimate"] > 0
    assert rows["replay"]["calculator_ms_per_call"]["estimate"] > 0
    assert (loaded.replays.force_calls == 9).all(), "ten geometries, of which the first counts in no time"


def test_a_random_checkpoint_lies_in_our_own_cache_under_a_name_that_says_so(run):
    folder, _, loaded, _ = run
    files = [path.name for path in (folder / "cache" / "random").rglob("*") if path.is_file()]
    assert files == ["RANDOM-springs.json"]
    started = next(record for record in loaded.contents.started if record.method == "architecture")
    assert started.checkpoint == {"file": "RANDOM-springs.json", "seed": 0}


def test_a_random_model_of_another_size_than_the_published_one_is_refused(run):
    _, _, loaded, _ = run
    row = loaded.methods.set_index("method").loc["wrong-architecture"]
    assert row.failure == "load"
    assert "the random model has 153 parameters, the published one 1000" in row.message


def test_weights_that_have_to_be_pretrained_are_not_replaced(pesbench, tmp_path):
    done = pesbench(
        *("run", "--no-repeats", "--adapter", FAKES, "--methods", "architecture", "--structures", "naphthalene-gfn2"),
        *("--limit", "1", "--weights", "pretrained", "--output", tmp_path),
        PESBENCH_CACHE=str(tmp_path / "cache"),
    )
    assert done.returncode == 1
    assert "no-weights" in done.stdout


def test_a_method_without_random_weights_says_so(pesbench, tmp_path):
    done = pesbench(
        *("run", "--no-repeats", "--adapter", FAKES, "--methods", "needs-weights", "--structures", "naphthalene-gfn2"),
        *("--limit", "1", "--weights", "random", "--output", tmp_path),
    )
    assert "needs-weights cannot be built with random weights" in done.stderr


def test_a_users_own_checkpoint_is_measured_once_it_is_trusted(pesbench, tmp_path):
    (tmp_path / "mine.json").write_text(json.dumps([5.0] * 153))
    common = (
        *(
            "run",
            "--no-repeats",
            "--adapter",
            FAKES,
            "--methods",
            "architecture",
            "--structures",
            "naphthalene-gfn2",
            "--limit",
            "1",
        ),
        *("--rounds", "1", "--checkpoint", tmp_path / "mine.json", "--output", tmp_path / "results", "--json"),
    )
    cache = str(tmp_path / "cache")
    refused = pesbench(*common, PESBENCH_CACHE=cache)
    assert refused.returncode == 1
    assert "there is no published checksum" in refused.stderr
    assert "it is your own file" in refused.stderr
    trusted = pesbench(*common, "--trust-checkpoint", PESBENCH_CACHE=cache)
    (row,) = json.loads(trusted.stdout)["rows"]
    assert row["weights"] == "pretrained"
    assert "mine.json" in trusted.stdout, "the table says whose file it is"


def hashed(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_own_checkpoints_are_rows_beside_their_base_under_the_name_of_their_file(pesbench, tmp_path):
    (tmp_path / "deep").mkdir()
    base, fine, third = tmp_path / "springs.json", tmp_path / "fine.json", tmp_path / "deep" / "third.json"
    for number, path in enumerate((base, fine, third)):
        path.write_text(json.dumps([5.0 + number] * 153))
    variables = {"PESBENCH_CACHE": str(tmp_path / "cache"), "PESBENCH_WEIGHTS": str(tmp_path)}
    done = pesbench(
        *("run", "--no-repeats", "--adapter", FAKES, "--structures", "naphthalene-gfn2", "--limit", "1"),
        *("--rounds", "1", "--threads", "1", "--json", "--output", tmp_path / "results", "--trust-checkpoint"),
        *("--methods", "architecture,architecture@fine.json,architecture@deep/third.json"),
        cwd=tmp_path,  # where relative paths begin
        **variables,
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    rows = {row["method"]: row for row in document["rows"]}
    assert set(rows) == {"architecture", "architecture@fine.json", "architecture@third.json"}
    assert rows["architecture@fine.json"]["label"] == f"fine.json {hashed(fine)[:8]} (own, architecture)"
    described = document["head"]["methods"]["architecture@fine.json"]
    assert described["checkpoint"]["sha256"] == hashed(fine)
    assert "not known" in described["checkpoint"]["licence"]
    assert (described["theory"], described["paper"], described["parameters"]) == (None, None, None)
    assert document["head"]["settings"]["checkpoints"] == {
        "architecture@fine.json": str(fine),
        "architecture@third.json": str(third),
    }
    assert any("fine.json is the user's own checkpoint" in note for note in document["notes"])

    (run,) = (tmp_path / "results").iterdir()
    (run / "unfinished").touch()
    again = pesbench("run", "--resume", run, **variables)  # from another folder
    assert again.returncode == 0, again.stderr
    fine.write_text(json.dumps([9.0] * 153))
    changed = pesbench("run", "--resume", run, **variables)
    assert changed.returncode == 2
    assert f"{fine} is not the file with which the run began" in changed.stderr
    fine.unlink()
    assert "is not there any more" in pesbench("run", "--resume", run, **variables).stderr


@pytest.mark.parametrize("content", ["", "no json", "[1, 2"])
def test_an_own_checkpoint_that_cannot_be_loaded_is_said_to_be_damaged_or_of_another_model(pesbench, tmp_path, content):
    (tmp_path / "bad.json").write_text(content)
    done = pesbench(
        *("run", "--no-repeats", "--adapter", FAKES, "--structures", "naphthalene-gfn2", "--limit", "1", "--json"),
        *("--rounds", "1", "--threads", "1", "--output", tmp_path / "results", "--trust-checkpoint"),
        *("--methods", f"architecture@{tmp_path / 'bad.json'}"),
        PESBENCH_CACHE=str(tmp_path / "cache"),
    )
    (row,) = json.loads(done.stdout)["rows"]
    assert row["failures"] == {"load": 1}
    assert row["message"].startswith("bad.json cannot be loaded as a checkpoint of architecture: the file is damaged")


def test_conform_takes_an_own_checkpoint(pesbench, tmp_path):
    (tmp_path / "mine.json").write_text(json.dumps([5.0] * 153))
    done = pesbench(
        *("conform", "architecture@mine.json", "--adapter", FAKES, "--trust-checkpoint", "--json"),
        cwd=tmp_path,
        PESBENCH_CACHE=str(tmp_path / "cache"),
    )
    (checks,) = json.loads(done.stdout).values()
    of_the_file = {one["name"]: one["passed"] for one in checks}
    assert of_the_file["checkpoints have licence and origin"] is not None
    assert len(checks) > 15, "it was loaded, and the rest was checked"


def test_an_interpreter_that_the_user_brings_is_compared_with_the_header(pesbench, tmp_path):
    done = pesbench(
        *(
            "run",
            "--no-repeats",
            "--adapter",
            FAKES,
            "--methods",
            "toy",
            "--structures",
            "naphthalene-gfn2",
            "--limit",
            "1",
        ),
        *("--rounds", "1", "--python", f"toy={sys.executable}", "--output", tmp_path, "--json"),
    )
    assert done.returncode == 0, done.stderr
    (started,) = bench.load(tmp_path).contents.started
    assert started.environment["executable"] == sys.executable
    assert "brought" in started.environment


def test_an_interpreter_that_does_not_run_is_named(pesbench, tmp_path):
    done = pesbench(
        *(
            "run",
            "--no-repeats",
            "--adapter",
            FAKES,
            "--methods",
            "toy",
            "--structures",
            "naphthalene-gfn2",
            "--limit",
            "1",
        ),
        *("--python", "toy=/bin/false", "--output", tmp_path),
    )
    assert done.returncode == 1
    assert "/bin/false is not a working Python" in done.stdout.replace("\n", " ")
    for wrong in ("toy", "toy=/nowhere/python"):
        done = pesbench("run", "--adapter", FAKES, "--methods", "toy", "--python", wrong)
        assert done.returncode == 2
        assert "give METHOD=PATH" in done.stderr

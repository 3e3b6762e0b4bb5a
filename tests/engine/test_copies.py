"""Campaigns whose environments and checkpoints are copied to a disk of this machine, and those that cannot be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import paths

ADAPTER = Path(__file__).parents[1] / "fakes" / "whereabouts.py"
RUN = (
    *("run", "--adapter", ADAPTER, "--methods", "whereabouts", "--structures", "naphthalene-gfn2", "--limit", "1"),
    *("--rounds", "2", "--threads", "1", "--no-repeats", "--budget", "300"),
)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Return a folder with the checkpoint."""
    folder = tmp_path_factory.mktemp("weights")
    (folder / "stiffness.txt").write_text("1")
    return folder


def run_in(results):
    (run,) = results.iterdir()
    lines = [json.loads(line) for line in (run / "records.jsonl").read_text().splitlines()]
    started = [one for one in lines if one["record"] == "started"]
    assert len(started) == 2
    return run, json.loads((run / "campaign.json").read_text())["machine"]["scratch"], started


def shared(files, weights):
    """Return which of some files lie in the shared folders."""
    folders = [paths.envs_dir(), paths.envs_dir().resolve(), weights]
    return [file for file in files if any(Path(file).is_relative_to(folder) for folder in folders)]


def test_workers_use_nothing_of_the_shared_folders(pesbench, tmp_path, weights):
    scratch = tmp_path / "disk"
    variables = {"PESBENCH_WEIGHTS": str(weights), "PESBENCH_SCRATCH": f"{tmp_path}/$PLACE", "PLACE": "disk"}
    done = pesbench(*RUN, "--output", tmp_path / "results", **variables)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count(f"to {scratch}") == 2
    assert done.stderr.index("copying stiffness.txt") < done.stderr.index("round 1 of 2")
    _, described, started = run_in(tmp_path / "results")
    assert described == {"trouble": ""}
    for one in started:
        said = one["settings"]
        assert one["environment"]["scratch"] == "environment, checkpoint"
        assert Path(one["environment"]["executable"]).is_relative_to(scratch)
        assert Path(said["checkpoint"]).is_relative_to(scratch)
        assert not shared([*said["files"], *said["path"]], weights)
        # or the list of files would be one that cannot fail
        assert {file.rpartition("/")[2] for file in said["files"]} >= {"atoms.py", "__init__.py"}
        assert any("_multiarray_umath" in file and Path(file).is_relative_to(scratch) for file in said["files"])
    again = pesbench(*RUN, "--output", tmp_path / "again", **variables)
    assert again.returncode == 0, again.stderr
    assert "copying" not in again.stderr


def test_without_the_variable_workers_use_the_shared_folders(pesbench, tmp_path, weights):
    done = pesbench(*RUN, "--output", tmp_path / "results", PESBENCH_WEIGHTS=str(weights))
    assert done.returncode == 0, done.stderr
    _, described, started = run_in(tmp_path / "results")
    assert described is None
    for one in started:
        assert "scratch" not in one["environment"]
        assert shared(one["settings"]["files"], weights)


def test_a_disk_that_takes_no_copies_costs_no_run(pesbench, tmp_path, weights):
    (tmp_path / "disk").write_text("")
    variables = {"PESBENCH_WEIGHTS": str(weights), "PESBENCH_SCRATCH": str(tmp_path / "disk")}
    done = pesbench(*RUN, "--output", tmp_path / "results", **variables)
    assert done.returncode == 0, done.stderr
    trouble = f"{tmp_path}/disk (PESBENCH_SCRATCH) cannot be written to: Not a directory"
    assert f"{trouble}; the shared folders are used" in " ".join(done.stderr.split())
    _, described, started = run_in(tmp_path / "results")
    assert described == {"trouble": trouble}
    assert all("scratch" not in one["environment"] for one in started)


def test_a_relative_path_is_refused_before_anything_is_measured(pesbench, tmp_path, weights):
    for more in ((), ("--cluster", "slurm")):
        done = pesbench(
            *RUN, *more, "--output", tmp_path / "results", PESBENCH_WEIGHTS=str(weights), PESBENCH_SCRATCH="disk"
        )
        assert done.returncode == 2
        assert "PESBENCH_SCRATCH names disk; give a whole path" in " ".join(done.stderr.split())
    assert not (tmp_path / "results").exists()


def test_a_continued_run_uses_the_copies(pesbench, tmp_path, weights):
    variables = {"PESBENCH_WEIGHTS": str(weights), "PESBENCH_SCRATCH": str(tmp_path / "disk")}
    done = pesbench(*RUN, "--output", tmp_path / "results", **variables)
    assert done.returncode == 0, done.stderr
    run, _, started = run_in(tmp_path / "results")
    lines = (run / "records.jsonl").read_text().splitlines(keepends=True)
    second = next(number for number, line in enumerate(lines) if json.loads(line).get("round") == 1)
    (run / "records.jsonl").write_text("".join(lines[:second]))
    (run / "unfinished").touch()
    done = pesbench("run", "--resume", run, "--adapter", ADAPTER, **variables)
    assert done.returncode == 0, done.stderr
    _, _, resumed = run_in(tmp_path / "results")
    assert resumed[1]["environment"]["scratch"] == started[1]["environment"]["scratch"]

"""The verb ``runs``, and names of runs in other verbs."""

import concurrent.futures
import json
import shutil
from datetime import UTC, datetime

import pytest

from bench.engine import describing

RUN = ("run", "--methods", "toy", "--structures", "naphthalene-gfn2", "--limit", "1", "--rounds", "1", "--threads", "1")


@pytest.fixture
def results(fake_run, tmp_path):
    """Return a folder with a copy of a run."""
    shutil.copytree(fake_run, tmp_path / "results" / fake_run.name)
    return tmp_path / "results"


def test_a_named_run_is_listed_shown_and_deleted_by_its_name(pesbench, results, fake_run):
    where = ("--output", results)
    assert pesbench("runs", "name", fake_run.name, "aspirin", *where).returncode == 0
    assert pesbench("runs", "tag", "aspirin", "paper", *where).returncode == 0
    assert "aspirin" in pesbench("runs", "list", "paper", *where).stdout
    assert "no run in" in pesbench("runs", "list", "draft", *where).stdout
    (one,) = json.loads(pesbench("runs", "--json", *where).stdout)
    assert (one["run"], one["name"], one["tags"], one["state"]) == (fake_run.name, "aspirin", ["paper"], "complete")
    assert one["bytes"] > 0
    head = json.loads(pesbench("table", results / fake_run.name, "--json").stdout)["head"]
    assert (head["name"], head["tags"], head["incomplete"]) == ("aspirin", ["paper"], False)
    asked = pesbench("runs", "delete", "aspirin", *where)
    assert asked.returncode == 2
    assert "add --yes" in asked.stderr
    refused = pesbench("runs", "delete", results, "--yes", *where)
    assert "is a folder of runs; name a single one" in refused.stderr
    assert (results / fake_run.name).is_dir()
    assert pesbench("runs", "delete", "aspirin", "--yes", *where).returncode == 0
    assert not list(results.iterdir())


def test_a_run_that_was_stopped_is_incomplete_in_the_list_and_in_the_table(pesbench, results, fake_run):
    (results / fake_run.name / "unfinished").touch()
    (one,) = json.loads(pesbench("runs", "--format", "json", "--output", results).stdout)
    assert one["state"] == "incomplete"
    assert "incomplete: stopped" in pesbench("table", results / fake_run.name).stdout.replace("\n          ", " ")


def test_a_new_run_has_the_name_that_it_is_given_unless_another_has_it(pesbench, results):
    fakes = ("--adapter", "tests/fakes/fakes.py", "--output", results)
    done = pesbench(*RUN, *fakes, "--name", "toys")
    assert done.returncode == 0, done.stderr
    assert "toys · " in done.stdout
    again = pesbench(*RUN, *fakes, "--name", "toys")
    assert again.returncode == 2
    assert "has the name 'toys' already" in again.stderr
    assert len(list(results.iterdir())) == 2


def test_runs_that_begin_in_the_same_second_have_directories_of_their_own(tmp_path, monkeypatch):
    class Stopped(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime(2026, 11, 30, 10, 15, tzinfo=UTC)

    monkeypatch.setattr(describing, "datetime", Stopped)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: describing.new_directory(tmp_path), range(24)))
    assert len(set(made)) == 24
    assert all(one.is_dir() for one in made)
    assert tmp_path / "20261130-101500" in made


def test_nothing_is_left_of_a_run_that_was_refused(pesbench, tmp_path):
    refused = pesbench(*RUN, "--adapter", "tests/fakes/fakes.py", "--output", tmp_path, "--knob", "no=such")
    assert refused.returncode == 2
    assert not list(tmp_path.iterdir())

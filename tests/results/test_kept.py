"""Runs that are kept: named, tagged, and deleted only where nothing of the user's would be lost."""

import dataclasses

import pytest

from bench.core.description import Description
from bench.errors import BadInput
from bench.results import finding, kept, store


@pytest.fixture
def run(tmp_path):
    return made(tmp_path / "20261130-101500")


def made(directory):
    """Make a run directory without records."""
    import json

    (directory / "logs").mkdir(parents=True)
    (directory / "campaign.json").write_text(json.dumps(Description(run_id=directory.name).written()))
    (directory / "records.jsonl").touch()
    return directory


def test_a_name_is_given_changed_and_taken_away(run):
    kept.rename(run, "aspirin")
    kept.tag(run, ("paper", "si"))
    assert store.describe(run).name == "aspirin"
    kept.rename(run, "aspirin-2")
    assert finding.find("aspirin-2", run.parent) == run
    kept.rename(run, "")
    assert finding.about(run) == finding.About("", ("paper", "si"))
    kept.tag(run, ("si",), remove=True)
    assert store.describe(run).tags == ("paper",)


def test_what_can_change_is_not_part_of_the_plan_of_a_run(run):
    described = dataclasses.replace(store.describe(run), name="aspirin", tags=("a",), incomplete=True)
    assert {"name", "tags", "incomplete"} <= described.plain().keys()
    assert not {"name", "tags", "incomplete"} & described.written().keys()


@pytest.mark.parametrize("name", ["", "a b", "../up", "paper", "-x", "a" * 65])
def test_a_name_that_could_mean_something_else_is_refused(run, name):
    with pytest.raises(BadInput, match="cannot be the name"):
        kept.check_name(name, run.parent)


def test_two_runs_cannot_have_one_name(run):
    other = made(run.parent / "20261130-101600")
    kept.rename(run, "aspirin")
    kept.rename(run, "aspirin")
    for taken in ("aspirin", run.name):
        with pytest.raises(BadInput, match=f"{run.name} has the name '{taken}' already"):
            kept.rename(other, taken)


def test_a_run_that_was_stopped_is_incomplete(run, monkeypatch):
    monkeypatch.setattr(finding, "holds", lambda directory: True)
    assert [one.state for one in kept.listing(run.parent)] == [kept.COMPLETE]
    store.start(run)
    assert [one.state for one in kept.listing(run.parent)] == [kept.INCOMPLETE]
    assert store.describe(run).incomplete
    store.finish(run)
    assert not store.describe(run).incomplete


def test_a_run_directory_is_deleted_and_nothing_else(run, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / "thesis.tex").touch()
    link = tmp_path / "link"
    link.symlink_to(run)
    for other, why in ((home, "is not a run directory"), (link, "is a link")):
        with pytest.raises(BadInput, match=why):
            kept.delete(other)
    (run / "notes.txt").touch()
    with pytest.raises(BadInput, match=r"holds what pesbench did not write: notes\.txt"):
        kept.delete(run)
    (run / "notes.txt").unlink()
    (run / "times.svg").touch()  # of 'pesbench plot'
    kept.delete(run)
    assert not run.exists()
    assert (home / "thesis.tex").exists()

"""Baselines and comparisons of real runs of the fakes, through the command line."""

import json
import shutil

import pytest

from bench.errors import BadInput
from bench.results import baselines, dataframes


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Keep baselines in a folder of this test."""
    monkeypatch.setattr(baselines, "folder", lambda: tmp_path / "baselines")
    return tmp_path


def doctored(fake_run, tmp_path, change):
    """Return a copy of the run with its answers changed."""
    copy = tmp_path / "doctored"
    shutil.copytree(fake_run, copy)
    lines = []
    for line in (copy / "records.jsonl").read_text().splitlines():
        fields = json.loads(line)
        lines.append(json.dumps(change(fields)))
    (copy / "records.jsonl").write_text("\n".join(lines) + "\n")
    return dataframes.load(copy)


def test_a_run_agrees_with_the_baseline_that_it_made(fake_run, project):
    run = dataframes.load(fake_run)
    written = baselines.keep(run)
    assert {path.name for path in written} >= {"toy.json", "toy-native.json"}
    found = baselines.checked(run)
    assert found["toy", "cpu"] == []
    assert found["toy-native", "cpu"] == []


def test_five_structures_are_answered_for(fake_run):
    run = dataframes.load(fake_run)
    toy = run.answers[run.answers.method == "toy"]
    assert len(toy) == 5
    assert set(toy.structure) <= set(run.structures.structure)
    assert all(forces.shape == (18, 3) for forces in toy.forces)


def test_another_answer_is_told(fake_run, project):
    baselines.keep(dataframes.load(fake_run))

    def shifted(fields):
        if fields["record"] == "answer" and fields["method"] == "toy":
            fields["energy"] += 0.01
        return fields

    found = baselines.checked(doctored(fake_run, project, shifted))
    assert found["toy", "cpu"] == ["energies by up to 0.01 eV"]
    assert found["toy-native", "cpu"] == []


def test_a_damaged_baseline_is_named(fake_run, project):
    written = {path.name: path for path in baselines.keep(dataframes.load(fake_run))}
    written["toy.json"].write_text('{"method": "toy"}')
    with pytest.raises(BadInput, match=r"toy\.json is damaged .*'pesbench baseline RUN' writes a new one"):
        baselines.checked(dataframes.load(fake_run))


def test_the_baselines_of_this_repository_can_be_read():
    for path in baselines.folder().glob("*/*.json"):
        fields = json.loads(path.read_text())
        assert fields["weights"] != "random"
        assert baselines.read_baseline(path.stem, fields["dataset"]).method == path.stem


def test_a_run_without_relaxations_replaces_no_baseline_that_has_some(fake_run, project, tmp_path):
    baselines.keep(dataframes.load(fake_run))
    before = {path: path.read_text() for path in (project / "baselines").rglob("*.json")}

    def answers_alone(fields):
        if fields["record"] == "relaxation":
            fields |= {"status": "failed", "failure": {"kind": "calculator", "message": ""}}
        return fields

    assert baselines.keep(doctored(fake_run, tmp_path, answers_alone)) == []
    assert before == {path: path.read_text() for path in before}
    damaged = next(path for path in before if path.name == "toy.json")
    damaged.write_text("{")
    assert baselines.keep(dataframes.load(tmp_path / "doctored")) == [damaged]

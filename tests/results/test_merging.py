"""Runs of like machines become one: rounds follow each other, nothing is doubled, unlike ones are refused."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

FAKES = Path(__file__).parents[1] / "fakes" / "fakes.py"


@pytest.fixture(scope="module")
def parts(tmp_path_factory, pesbench):
    """Return three runs of one round, as three nodes would make them."""
    folder = tmp_path_factory.mktemp("parts")
    for number in range(3):
        done = pesbench(
            *("run", "--adapter", FAKES, "--methods", "toy,direct", "--structures", "naphthalene-gfn2", "--limit", "3"),
            *("--rounds", "1", "--order", number, "--threads", "1", "--budget", "30", "--no-repeats"),
            *("--output", folder / str(number)),
            PESBENCH_NODE=f"n{number}",
        )
        assert done.returncode == 0, done.stderr
    return [next((folder / str(number)).iterdir()) for number in range(3)]


def changed(run, folder, **fields):
    """Return a copy of a run whose campaign.json says something else of the machine."""
    copy = folder / run.name
    shutil.copytree(run, copy)
    described = json.loads((copy / "campaign.json").read_text())
    described["machine"] |= fields.pop("machine", {})
    (copy / "campaign.json").write_text(json.dumps(described | fields))
    return copy


def test_rounds_follow_each_other_and_each_knows_its_node(parts, pesbench, tmp_path):
    done = pesbench("merge", *parts, "--output", tmp_path / "all")
    assert done.returncode == 0, done.stderr
    records = [json.loads(line) for line in (tmp_path / "all" / "records.jsonl").read_text().splitlines()]
    relaxed = Counter(
        (one["method"], one["round"])
        for one in records
        if one["record"] == "relaxation" and one["status"] == "converged"
    )
    assert relaxed == {(method, number): 3 for method in ("toy", "direct") for number in range(3)}
    described = json.loads((tmp_path / "all" / "campaign.json").read_text())
    assert [(one["node"], one["rounds"]) for one in described["nodes"]] == [("n0", [0]), ("n1", [1]), ("n2", [2])]
    assert described["settings"]["rounds"] == 3
    assert described["settings"]["budget_s"] == {"toy": 90.0, "direct": 90.0}
    assert "n0 (1 round), n1 (1 round), n2 (1 round)" in done.stdout
    row = json.loads(pesbench("table", tmp_path / "all", "--format", "json").stdout)["rows"][0]
    assert row["rounds"] == 3 and row["node_spread"] == row["round_spread"] > 1
    assert any(
        note.startswith("Nodes differ by up to")
        for note in json.loads(pesbench("table", tmp_path / "all", "--format", "json").stdout)["notes"]
    )


def test_the_same_runs_give_the_same_files_in_any_order_and_named_twice(parts, pesbench, tmp_path):
    for folder, named in (("one", parts), ("two", [parts[2], parts[0], parts[1], parts[0]])):
        assert pesbench("merge", *named, "--output", tmp_path / folder / "all").returncode == 0
    for name in ("campaign.json", "records.jsonl", "structures.xyz"):
        assert (tmp_path / "one" / "all" / name).read_bytes() == (tmp_path / "two" / "all" / name).read_bytes()


def test_a_copy_of_a_run_counts_once_and_is_told(parts, pesbench, tmp_path):
    copy = changed(parts[0], tmp_path)
    done = pesbench("merge", parts[0], parts[1], copy, "--output", tmp_path / "all")
    assert done.returncode == 0, done.stderr
    assert "counts once" in done.stderr
    assert len(json.loads((tmp_path / "all" / "campaign.json").read_text())["nodes"]) == 2


def test_a_node_whose_disk_took_no_copies_is_told_and_joined(parts, pesbench, tmp_path):
    machine = {"scratch": {"trouble": "the disk is full"}}
    done = pesbench("merge", parts[0], changed(parts[1], tmp_path, machine=machine), "--output", tmp_path / "all")
    assert done.returncode == 0, done.stderr
    assert "n1 used no copies on its own disk: the disk is full" in " ".join(done.stderr.split())
    assert "n0 used no copies" not in done.stderr


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"machine": {"cpu": "Another CPU"}}, "CPU"),
        ({"machine": {"gpus": ["NVIDIA H100"]}}, "GPU"),
        ({"pesbench": "0.0.1"}, "pesbench"),
    ],
)
def test_an_unlike_machine_is_refused_with_the_reason_unless_forced(parts, pesbench, tmp_path, fields, word):
    other = changed(parts[1], tmp_path, **fields)
    done = pesbench("merge", parts[0], other, "--output", tmp_path / "all")
    assert done.returncode == 2
    assert word in done.stderr and "--force" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "all").exists()
    forced = pesbench("merge", parts[0], other, "--output", tmp_path / "all", "--force")
    assert forced.returncode == 0, forced.stderr
    assert "joined although it differs" in forced.stderr


def test_runs_of_other_methods_are_joined_by_force_and_all_methods_are_rows(pesbench, tmp_path):
    runs = []
    for method in ("toy", "direct"):
        done = pesbench(
            *("run", "--adapter", FAKES, "--methods", method, "--structures", "naphthalene-gfn2", "--limit", "2"),
            *("--rounds", "1", "--threads", "1", "--budget", "20", "--no-repeats", "--output", tmp_path / method),
        )
        assert done.returncode == 0, done.stderr
        runs.append(next((tmp_path / method).iterdir()))
    described = json.loads((runs[1] / "campaign.json").read_text())  # as if both had begun in the same second
    described["run_id"] = runs[0].name
    (runs[1] / "campaign.json").write_text(json.dumps(described))
    done = pesbench("merge", *runs, "--output", tmp_path / "all")
    assert done.returncode == 2
    # they may really have begun in the same second, and then the path decides which is first
    assert any(words in done.stderr for words in ("methods: toy and direct", "methods: direct and toy"))
    done = pesbench("merge", *runs, "--output", tmp_path / "all", "--force")
    assert done.returncode == 0, done.stderr
    assert "counts once" not in done.stderr and "damaged" not in done.stderr
    rows = json.loads(pesbench("table", tmp_path / "all", "--format", "json").stdout)["rows"]
    assert {row["method"]: row["structures"]["done"] for row in rows} == {"toy": 2, "direct": 2}


def test_a_merged_run_a_single_run_and_a_taken_place_are_refused(parts, pesbench, tmp_path):
    assert pesbench("merge", *parts[:2], "--output", tmp_path / "all").returncode == 0
    for named, word in (
        ([tmp_path / "all", parts[2]], "was merged already"),
        ([parts[0]], "only one run"),
        (parts[:2], "is a run already"),
    ):
        done = pesbench("merge", *named, "--output", tmp_path / "all")
        assert done.returncode == 2
        assert word in done.stderr and "Traceback" not in done.stderr


def test_a_run_with_dynamics_is_refused(parts, pesbench, tmp_path):
    other = tmp_path / "md"
    shutil.copytree(parts[1], other)
    described = json.loads((other / "campaign.json").read_text())
    described["settings"]["protocols"] = ["relax", "md"]
    (other / "campaign.json").write_text(json.dumps(described))
    done = pesbench("merge", parts[0], other, "--output", tmp_path / "all")
    assert done.returncode == 2
    assert "has md" in done.stderr


def test_what_a_run_adds_by_itself_is_left_out_of_the_merged_one(parts, pesbench, tmp_path):
    copies = []
    for part in parts[:2]:
        copies.append(tmp_path / part.name if not copies else tmp_path / f"{part.name}-2")
        shutil.copytree(part, copies[-1])
        described = json.loads((copies[-1] / "campaign.json").read_text())
        described["settings"] |= {"protocols": ["relax", "accuracy"], "phase_s": {"accuracy": 10.0}}
        (copies[-1] / "campaign.json").write_text(json.dumps(described))
        point = {"record": "single-point", "method": "toy", "device": "cpu", "round": 0, "structure": 0}
        with (copies[-1] / "records.jsonl").open("a") as records:
            answer = {"status": "done", "energy": 0.0, "forces": [[0.0] * 3] * 18, "calculator_ns": 0, "wall_ns": 1}
            print(json.dumps(point | answer | {"failure": None}), file=records)
    done = pesbench("merge", *copies, "--output", tmp_path / "all")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "all" / "campaign.json").read_text())["settings"]["protocols"] == ["relax"]
    assert "single-point" not in (tmp_path / "all" / "records.jsonl").read_text()
    assert "damaged" not in done.stderr

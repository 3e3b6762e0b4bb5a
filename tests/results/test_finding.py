"""Which run a user means: by its path, its id or its name, or the newest one that holds results."""

import json
import os

import pytest

from bench.core.failure import Failure
from bench.core.lines import to_json
from bench.core.records import NotMeasured, Watched
from bench.errors import BadInput
from bench.protocols.md.record import Trajectory
from bench.protocols.relax.record import Relaxation
from bench.results import finding

KEY = {"method": "toy", "device": "cpu", "round": 0}
NO_DEVICE = NotMeasured(**KEY, failure=Failure("no-device", "toy runs on cpu only"))
TRAJECTORY = Trajectory(
    **KEY,
    trajectory=0,
    ensemble="nve",
    seed=0,
    time_step_fs=0.5,
    temperature_k=500.0,
    duration_ps=1.0,
    status="done",
    steps=2000,
    wall_ns=1,
    file="trajectories/toy.nc",
)


def relaxed(status="converged"):
    failure = Failure("nan", "an energy was not finite") if status == "failed" else None
    return Relaxation(
        *KEY.values(), 0, "BFGS", status, 1, 2, 0.0, 0.0, None, 9, {"optimizer_ns": (1,), "harness_ns": (1,)}, failure
    )


@pytest.fixture
def results(tmp_path):
    """Return a function that makes run directories, each newer than the one before, and the folder of these."""

    def make(name, *records, called=""):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "campaign.json").write_text('{"format": 2}')
        (folder / "records.jsonl").write_text("".join(to_json(one) + "\n" for one in records))
        if called:
            (folder / "about.json").write_text(json.dumps({"name": called, "tags": []}))
        age = len(list(tmp_path.iterdir()))
        os.utime(folder / "campaign.json", (age, age))
        return folder

    make.folder = tmp_path
    return make


def test_the_newest_run_is_the_newest_that_holds_results_and_the_others_are_told(results):
    good = results("good", NO_DEVICE, relaxed())
    results("no-device", NO_DEVICE)
    results("all-failed", relaxed("failed"))
    results("empty")
    said = []
    assert finding.find(None, results.folder, say=said.append) == good
    assert finding.find(results.folder) == good
    (line,) = said
    assert "run good is shown" in line
    assert "empty, all-failed, no-device" in line


def test_where_no_run_holds_results_the_newest_says_why(results):
    results("first", NO_DEVICE)
    last = results("last", NO_DEVICE)
    assert finding.find(None, results.folder) == last


def test_the_newest_run_of_a_protocol_is_one_that_has_its_results(results):
    simulated = results("simulated", TRAJECTORY)
    relaxed_only = results("relaxed", relaxed())
    assert finding.find(None, results.folder, protocols=("md",)) == simulated
    assert finding.find(None, results.folder, protocols=("relax", "replay")) == relaxed_only
    assert finding.find(None, results.folder) == relaxed_only
    with pytest.raises(BadInput, match=r"results of scaling .*'pesbench run --protocols scaling' measures"):
        finding.find(None, results.folder, protocols=("scaling",))


def test_a_run_is_found_by_the_name_that_it_was_given(results):
    wanted = results("20261130-101500", relaxed(), called="aspirin")
    results("20261130-101600", relaxed())
    assert finding.find("aspirin", results.folder) == wanted
    with pytest.raises(BadInput, match="did you mean aspirin"):
        finding.find("aspirine", results.folder)
    with pytest.raises(BadInput, match="'pesbench runs' lists them"):
        finding.find("naphthalene", results.folder)


def test_a_name_that_two_runs_have_is_refused_with_both(results):
    for name in ("one", "two"):  # such as copies from two machines
        results(name, relaxed(), called="aspirin")
    with pytest.raises(BadInput, match="several runs have the name 'aspirin': one, two"):
        finding.find("aspirin", results.folder)


@pytest.mark.parametrize("text", ["", "[]", '{"name": 3, "tags": null}', "{"])
def test_a_damaged_file_of_names_names_nothing_and_breaks_nothing(results, text):
    run = results("run", relaxed())
    (run / "about.json").write_text(text)
    assert finding.about(run).tags == ()
    assert finding.find("run", results.folder) == run


def test_damaged_lines_and_what_else_is_recorded_are_no_results(results):
    run = results("run", NO_DEVICE)
    with (run / "records.jsonl").open("a") as file:
        file.write('{"record": "relaxation", "sta\n[1]\nnull\n')
    assert not finding.holds(run)
    assert Watched.record not in finding._PROTOCOL

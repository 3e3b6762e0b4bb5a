"""Rounds on the nodes of a real Slurm: a whole campaign, nodes and jobs that die, jobs that never start, resuming."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(find_spec("parsl") is None, reason="needs Parsl (pip install 'parsl>=2024.11')")
FAKES = Path(__file__).parents[1] / "fakes" / "fakes.py"
RUN = (
    *("run", "--cluster", "slurm", "--nodes", "2", "--time", "00:10:00", "--partition", "p", "--adapter", str(FAKES)),
    *("--structures", "naphthalene-gfn2", "--threads", "1", "--no-repeats"),
)
PLANTED = "pl4nted-s3cret"


def campaign(results, methods, rounds, limit, *more):
    amount = ("--methods", methods, "--rounds", str(rounds), "--limit", str(limit), "--budget", str(60 * rounds))
    return (*RUN, *amount, "--output", str(results), *more)


def begun(queue, words, **variables):
    return subprocess.Popen(
        [sys.executable, "-m", "bench.cli", *words],
        env={**os.environ, **queue.environ, "COLUMNS": "80", **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process):
    out, err = process.communicate(timeout=900)
    assert "Traceback" not in err, err
    return process.returncode, out, err


def job_on(queue, node):
    """Wait for a job on a node and return its number."""
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        if found := queue("squeue", "-h", "-t", "R", "-w", node, "-o", "%i").split():
            return found[0]
        time.sleep(0.2)
    raise AssertionError("no job started")


def records(results):
    (run,) = results.glob("*/records.jsonl")
    return [json.loads(line) for line in run.read_text().splitlines()]


def rounds_of(results, method):
    done = [one for one in records(results) if one["record"] == "relaxation" and one["method"] == method]
    assert {one["status"] for one in done} == {"converged"}
    return Counter(one["round"] for one in done)


@pytest.fixture(scope="module")
def results(slurm, tmp_path_factory):
    """Return the results of a whole campaign over two nodes and four rounds."""
    folder = tmp_path_factory.mktemp("cluster")
    slurm.idle()
    status, out, err = ended(begun(slurm, campaign(folder, "toy,uff", 4, 3), HF_TOKEN=PLANTED, MY_PASSWORD=PLANTED))
    assert status == 0, err
    (folder / "shown").write_text(out)
    return folder


def test_four_rounds_on_two_nodes_make_one_run(results):
    for method in ("toy", "uff"):
        assert rounds_of(results, method) == dict.fromkeys(range(4), 3)
    (path,) = results.glob("*/campaign.json")
    nodes = json.loads(path.read_text())["nodes"]
    assert [one["rounds"] for one in nodes] == [[0], [1], [2], [3]]
    assert {one["node"] for one in nodes} == {"n1", "n2"}
    shown = (results / "shown").read_text()
    assert re.search(r"Nodes +n\d \(\d rounds?\), n\d \(\d rounds?\)", shown)
    assert "4 rounds" in shown


def test_each_round_has_an_order_of_its_own(results):
    orders = set()
    for part in results.glob("*/nodes/round-*/*/records.jsonl"):
        started = [json.loads(line) for line in part.read_text().splitlines()]
        orders.add(tuple(one["method"] for one in started if one["record"] == "started"))
    assert orders <= {("toy", "uff"), ("uff", "toy")} and len(orders) == 2


def test_a_node_that_dies_costs_no_round(queue, tmp_path):
    process = begun(queue, campaign(tmp_path, "slow", 2, 2))
    job_on(queue, "n1")
    queue.kill("d-n1.pid")
    queue("scontrol", "update", "nodename=n1", "state=down", "reason=test")
    status, _, err = ended(process)
    assert status == 0, err
    assert "so the round is measured again" in err
    assert rounds_of(tmp_path, "slow") == {0: 2, 1: 2}


def test_a_cancelled_job_costs_no_round(queue, tmp_path):
    process = begun(queue, campaign(tmp_path, "slow", 1, 2))
    deadline = time.monotonic() + 600
    while not (found := queue("squeue", "-h", "-t", "R", "-o", "%i").split()) and time.monotonic() < deadline:
        time.sleep(0.2)
    queue("scancel", found[0])
    status, _, err = ended(process)
    assert status == 0, err
    assert "so the round is measured again" in err
    assert rounds_of(tmp_path, "slow") == {0: 2}


def test_jobs_that_never_start_are_told_and_can_be_submitted_again(queue, tmp_path):
    for name in ("n1", "n2"):
        queue("scontrol", "update", f"nodename={name}", "state=drain", "reason=test")
    status, _, err = ended(begun(queue, campaign(tmp_path, "toy", 2, 2, "--wait", "4")))
    assert status == 2
    assert "no job has started within 4 s" in err
    assert not queue("squeue", "-h").strip()
    (run,) = tmp_path.iterdir()
    for name in ("n1", "n2"):
        queue("scontrol", "update", f"nodename={name}", "state=resume")
    queue.idle()
    status, _, err = ended(begun(queue, ("run", "--resume", run.name, "--output", str(tmp_path))))
    assert status == 0, err
    assert rounds_of(tmp_path, "toy") == {0: 2, 1: 2}


def test_a_partition_that_does_not_exist_is_told_in_a_sentence(queue, tmp_path):
    words = [word if word != "p" else "nowhere" for word in campaign(tmp_path, "toy", 1, 1)]
    status, _, err = ended(begun(queue, words))
    assert status == 2
    assert "the scheduler took no job: " in err and "partition" in err


def test_the_script_does_the_same_by_hand(queue, tmp_path, pesbench):
    done = pesbench(*campaign(tmp_path / "results", "toy", 2, 2, "--dry-run"))
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "results").exists()
    (tmp_path / "job.sh").write_text(done.stdout)
    queue("sbatch", "--wait", f"--output={tmp_path}/log-%a", str(tmp_path / "job.sh"))
    (folder,) = re.findall(r"--output (\S+)/nodes/round-\$", done.stdout)
    parts = sorted(Path(folder).glob("nodes/round-*/*"))
    assert len(parts) == 2, [path.read_text() for path in tmp_path.glob("log-*")]
    assert pesbench("merge", *parts, "--output", tmp_path / "merged").returncode == 0
    nodes = json.loads((tmp_path / "merged" / "campaign.json").read_text())["nodes"]
    assert [one["rounds"] for one in nodes] == [[0], [1]]


def test_nodes_use_copies_on_their_own_disks(queue, tmp_path):
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "stiffness.txt").write_text("1")
    adapter = FAKES.with_name("whereabouts.py")
    words = campaign(tmp_path / "results", "whereabouts", 2, 1, "--adapter", str(adapter))
    # every job has a folder of its own, as where a site removes it with the job
    variables = {
        "PESBENCH_SCRATCH": f"{tmp_path}/$SLURMD_NODENAME/$SLURM_JOB_ID",
        "PESBENCH_WEIGHTS": str(tmp_path / "weights"),
    }
    status, _, err = ended(begun(queue, words, **variables))
    assert status == 0, err
    copies = sorted(tmp_path.glob("n?/*/pesbench-*/envs/*/bin/python"))
    assert len(copies) == 2
    started = [one for one in records(tmp_path / "results") if one["record"] == "started"]
    assert sorted(Path(one["environment"]["executable"]) for one in started) == copies
    assert {one["environment"]["scratch"] for one in started} == {"environment, checkpoint"}


def test_neither_jobs_nor_runs_of_a_cluster_hold_a_token(results):
    files = [path for path in results.rglob("*") if path.is_file()]
    assert any("jobs" in path.parts for path in files)
    assert not [path for path in files if PLANTED.encode() in path.read_bytes()]


def test_the_script_sets_the_variable_for_the_node_to_fill_in(pesbench, tmp_path):
    words = campaign(tmp_path, "toy", 2, 1, "--dry-run")
    done = pesbench(*words, PESBENCH_SCRATCH="/scratch/$USER/$SLURM_JOB_ID")
    assert done.returncode == 0, done.stderr
    assert "\nexport PESBENCH_SCRATCH='/scratch/$USER/$SLURM_JOB_ID'\n" in done.stdout
    assert "PESBENCH_SCRATCH" not in pesbench(*words, PESBENCH_SCRATCH="").stdout

"""Disturbed by other work: named, measured again where threads waited for a core, and never replaced for being slow."""

import contextlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

import bench
from bench.machine.watch import Watch

FAKES = Path(__file__).parents[1] / "fakes" / "fakes.py"
BUSY = "import time\nend = time.monotonic() + 600\nwhile time.monotonic() < end: pass"


@contextlib.contextmanager
def neighbours(count):
    """Let so many busy processes run beside what is done meanwhile."""
    busy = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(count)]
    try:
        yield
    finally:
        for one in busy:
            one.kill()
            one.wait()


@pytest.fixture(scope="module")
def disturbed(pesbench, tmp_path_factory):
    """Return what a run printed while two busy processes wanted each core, and the run."""
    results = tmp_path_factory.mktemp("disturbed")
    with neighbours(2 * Watch().count):
        done = pesbench(
            *("run", "--adapter", FAKES, "--methods", "toy", "--structures", "naphthalene-gfn2", "--rounds", "1"),
            *("--limit", "40", "--threads", "1", "--output", results, "--json"),
        )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), bench.load(next(results.iterdir()))


pytestmark = pytest.mark.skipif(Watch().count > 8, reason="so many busy processes would be too much for one test")


def test_the_round_is_named_and_stays_in_the_mean(disturbed):
    table, run = disturbed
    assert run.watched["again"].isna().all()
    assert set(run.structures["round"]) == {0}
    (note,) = [note for note in table["notes"] if "disturbed by something else on the machine" in note]
    assert "(round 1)" in note
    assert "still in the mean" in note
    assert any("other processes used" in reason for reason in run.watched["disturbed"].iloc[0])


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="this system does not count waiting")
def test_structures_whose_threads_waited_for_a_core_are_measured_again_and_both_visits_are_kept(disturbed):
    table, run = disturbed
    records = [json.loads(line) for line in (run.directory / "records.jsonl").read_text().splitlines()]
    visits = [(one["structure"], one["visit"]) for one in records if one["record"] == "relaxation"]
    again = {structure for structure, visit in visits if visit > 1}
    assert again
    assert all((structure, 1) in visits for structure in again)
    assert (run.structures.set_index("structure").visit[list(again)] > 1).all(), "the last visit counts"
    assert len(run.structures) == 40
    assert any("because threads had waited for a core" in note for note in table["notes"])


def test_the_user_can_forbid_it(pesbench, tmp_path):
    with neighbours(Watch().count):
        done = pesbench(
            *("run", "--adapter", FAKES, "--methods", "toy", "--structures", "naphthalene-gfn2", "--rounds", "1"),
            *("--limit", "10", "--threads", "1", "--no-repeats", "--output", tmp_path, "--json"),
        )
    assert done.returncode == 0, done.stderr
    assert (bench.load(next(tmp_path.iterdir())).structures.visit == 1).all()

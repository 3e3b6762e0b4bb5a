"""Disturbed rounds: measured again, and told."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import bench
from bench.machine.watch import Watch

FAKES = Path(__file__).parents[1] / "fakes" / "fakes.py"
BUSY = "import time\nend = time.monotonic() + 600\nwhile time.monotonic() < end: pass"


@pytest.mark.skipif(Watch().count > 8, reason="one busy process is no disturbance on so many CPUs")
def test_a_disturbed_round_is_measured_again_and_told(pesbench, tmp_path):
    busy = subprocess.Popen([sys.executable, "-c", BUSY])
    try:
        done = pesbench(
            *("run", "--adapter", FAKES, "--methods", "slow", "--structures", "naphthalene-gfn2", "--rounds", "1"),
            *("--limit", "6", "--threads", "1", "--output", tmp_path, "--json"),
        )
    finally:
        busy.kill()
        busy.wait()
    assert done.returncode == 0, done.stderr
    assert "round 1 is measured again: other processes used" in done.stderr
    run = bench.load(next(tmp_path.iterdir()))
    assert run.watched["again"].tolist()[1:] == [0]
    assert run.structures["round"].nunique() == 2
    (note,) = [note for note in json.loads(done.stdout)["notes"] if note.startswith("Disturbed")]
    assert "slow, round 1 (other processes used" in note
    assert "measured again, and both are in the mean" in note

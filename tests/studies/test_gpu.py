"""The script for a GPU, on a CPU with light methods: it measures each part once, and names a part that fails."""

import json
import os
import subprocess
import sys

import pytest

from bench.paths import PROJECT

SCRIPT = PROJECT / "tests" / "studies" / "gpu.sh"


def run(folder, **changes):
    light = {
        "MACE": "gfn2-xtb",
        "ENGINES": "xtb",
        "ORB": "uff-ase",
        "UMA": "uff-ase",
        "GRACE": "uff-ase",
        "BATCHED": "uff-ase",
        "DEFAULTS": "uff-ase",
    }
    known = {"OUT": str(folder), "DEVICE": "cpu", "SHARE": "1", "PESBENCH": f"{sys.executable} -m bench.cli"}
    environ = {**os.environ, **light, **known, **changes}
    return subprocess.run(["bash", str(SCRIPT)], env=environ, capture_output=True, text=True, timeout=900)


def test_the_limits_of_the_parts_are_twelve_minutes_together():
    limits = [int(line.split()[2]) for line in SCRIPT.read_text().splitlines() if line.startswith("part ")]
    assert len(limits) == 7
    assert sum(limits) == 720


@pytest.mark.environment
def test_what_is_done_is_not_done_again_and_what_fails_does_not_stop_the_rest(tmp_path):
    done = {"mace-engines", "orb", "mace", "throughput", "defaults"}
    for name in done:  # these take minutes
        (tmp_path / f"{name}.txt").write_text("{}")
    first = run(tmp_path, UMA="no-such-method", SHARE="0.5")
    assert first.returncode == 1, first.stderr
    assert "uma: pesbench: there is no method 'no-such-method'" in first.stdout
    assert all(f"{name}: there already" in first.stdout for name in done)
    (row,) = json.loads((tmp_path / "grace.txt").read_text())["rows"]
    assert row["method"] == "uff-ase"
    second = run(tmp_path, UMA="no-such-method", SHARE="0.5")
    assert "grace: there already" in second.stdout


def test_a_part_that_hangs_is_ended_and_named(tmp_path):
    slow = tmp_path / "slow"
    slow.write_text("#!/bin/sh\nsleep 60\n")
    slow.chmod(0o755)
    done = run(tmp_path / "out", PESBENCH=str(slow), SHARE="0.001")
    assert done.returncode == 1
    assert "mace-engines: not done in 0.17 s; what it measured is in" in done.stdout
    assert done.stdout.count("not done in") == 7

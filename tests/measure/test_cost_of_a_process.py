"""Peak memory and cold start of real workers whose methods allocate, and wait, by known amounts."""

import json
import shutil
import statistics
import sys
from pathlib import Path

import pytest

import bench
from bench.core.records import Started

HEAVY = Path(__file__).parents[1] / "fakes" / "heavy.py"
MEMORY = ("light", "holds", "held-for-a-moment", "maps", "maps-in-vain", "has-a-helper", "calls-a-program")
STARTS = ("starts-slowly", "starts-once")
MB = 1 << 20
PLANTED, PYTHON = 300 * MB, 30 * MB
"""Bytes; the second is what Python takes besides, to run a program or to compile a file for the first time."""
LOAD, FIRST, LATE = 0.8, 1.2, 1.0
"""Seconds; on a busy machine, who sleeps wakes up late."""


@pytest.fixture
def measured(pesbench, tmp_path):
    """Return a function from methods and a number of rounds to their rows, and the run."""

    def run(methods, rounds):
        adapter = Path(shutil.copy(HEAVY, tmp_path))
        done = pesbench(
            *("run", "--adapter", adapter, "--methods", ",".join(methods), "--structures", "naphthalene-gfn2"),
            *("--limit", "2", "--rounds", rounds, "--budget", "2", "--threads", "1", "--no-repeats"),
            *("--output", tmp_path / "run", "--json"),
        )
        assert done.returncode == 0, done.stderr
        return {row["method"]: row for row in json.loads(done.stdout)["rows"]}, bench.load(tmp_path / "run")

    return run


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system keeps no such account")
def test_the_peak_is_what_was_in_memory_at_once_of_the_worker_or_of_one_of_its_programs(measured):
    rows, _ = measured(MEMORY, rounds=1)
    peak = {name: row["peak_memory_bytes"] for name, row in rows.items()}
    for name in ("holds", "held-for-a-moment", "maps"):
        assert abs(peak[name] - peak["light"] - PLANTED) < PYTHON, name
    assert abs(peak["maps-in-vain"] - peak["light"]) < PYTHON, "what is never read is not in memory"
    for name in ("has-a-helper", "calls-a-program"):
        assert PLANTED < peak[name] < PLANTED + PYTHON, name
    assert all(row["peak_device_memory_bytes"] is None for row in rows.values())


def test_the_cold_start_ends_with_the_first_force_call_and_is_that_of_the_processes_that_started(measured):
    rows, loaded = measured(STARTS, rounds=2)
    assert (rows["starts-slowly"]["rounds"], rows["starts-once"]["rounds"]) == (2, 1)
    assert "it starts only once" in rows["starts-once"]["message"]
    for name, count in (("starts-slowly", 2), ("starts-once", 1)):
        starts = [one for one in loaded.contents.of(Started) if one.method == name]
        assert len(starts) == count
        whole = [(one.import_ns + one.load_ns + one.first_call_ns) / 1e9 for one in starts]
        assert rows[name]["cold_start_s"] == pytest.approx(statistics.median(whole))
        for one in starts:
            assert LOAD <= one.load_ns / 1e9 < LOAD + LATE
            assert FIRST <= one.first_call_ns / 1e9 < FIRST + LATE
            assert one.import_ns > 0
        assert rows[name]["ms_per_step"]["estimate"] < 1e3 * FIRST / 10, "the wait is in no step"

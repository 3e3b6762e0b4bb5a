"""``study``: everything is measured, told beforehand how long it takes, and goes on where it was stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

FAKES = Path(__file__).parents[1] / "fakes" / "fakes.py"
PESBENCH = [sys.executable, "-m", "bench.cli"]
STUDY = ("study", "--adapter", FAKES, "--methods", "toy", "--limit", "2", "--budget", "1")


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """Return the results folder with a study that was killed in the middle."""
    folder = tmp_path_factory.mktemp("study")
    command = [*PESBENCH, *map(str, STUDY), "--output", str(folder)]
    kill_once(command, lambda: any(b'"replay"' in path.read_bytes() for path in records(folder)))
    return folder


def kill_once(command, begun):
    """Start a command and kill it as soon as `begun` says so; returns what it said on its standard error."""
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, stderr=errors, start_new_session=True)
        deadline = time.monotonic() + 600
        while time.monotonic() < deadline and process.poll() is None and not begun():
            time.sleep(0.2)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        errors.seek(0)
        return errors.read()


def records(folder):
    return folder.glob("*/records.jsonl")


def test_a_study_that_was_killed_goes_on_and_ends_with_the_page(stopped, pesbench):
    (run,) = [path.parent for path in records(stopped)]
    before = (run / "records.jsonl").read_text()
    assert (run / "unfinished").exists()
    done = pesbench(*STUDY, "--output", stopped)
    assert done.returncode == 0, done.stderr
    assert f"continuing the study {run.name}" in done.stderr
    assert "at most about" in done.stderr
    assert [path.parent for path in records(stopped)] == [run]
    assert (run / "records.jsonl").read_text().startswith(before.rpartition("\n")[0])
    assert not (run / "unfinished").exists()
    page = (run / "report.html").read_text()
    assert "This run did not measure it" not in page
    # it is done: the next one is a new study
    said = kill_once([*PESBENCH, *map(str, STUDY), "--output", str(stopped)], lambda: len(list(records(stopped))) == 2)
    assert "continuing" not in said
    assert len(list(records(stopped))) == 2


def test_its_budget_is_a_minute_for_each_part_and_three_for_dft(pesbench):
    done = pesbench("study", "--help")
    assert "default: 60, for DFT 180" in " ".join(done.stdout.split())

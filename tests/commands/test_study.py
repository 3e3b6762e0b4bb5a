"""``study``: everything is measured, told beforehand how long it takes, and goes on where it was stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

FAKES = Path(__file__).parents[1] / "fakes" / "fakes.py"
STUDY = ("study", "--adapter", FAKES, "--methods", "toy,batches", "--limit", "2", "--budget", "3")


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """Return the results folder with a study that was killed in the middle."""
    folder = tmp_path_factory.mktemp("study")
    command = [sys.executable, "-m", "bench.cli", *map(str, STUDY), "--output", str(folder)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and sum(b'"replay"' in path.read_bytes() for path in records(folder)) == 0:
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return folder


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
    assert "continuing" not in pesbench(*STUDY, "--output", stopped).stderr
    assert len(list(records(stopped))) == 2


def test_its_budget_is_a_minute_for_each_part_and_three_for_dft(pesbench):
    done = pesbench("study", "--help")
    assert "default: 60, for DFT 180" in " ".join(done.stdout.split())

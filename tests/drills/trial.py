"""What drills share: a command line as a process of its own or in this one, and the processes that it leaves."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil

from bench import cli

FAKES = Path(__file__).parents[1] / "fakes" / "fakes.py"
MARK = "PESBENCH_DRILL"
SMALL = ("--structures", "naphthalene-gfn2", "--threads", "1", "--no-repeats")


def pesbench(*words: object, trial: str, **environ: str) -> subprocess.Popen:
    """Start a command line in a session of its own; all its processes carry the name of the trial."""
    return subprocess.Popen(
        [sys.executable, "-m", "bench.cli", *map(str, words)],
        env={**os.environ, MARK: trial, "COLUMNS": "80", **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        errors="replace",
        start_new_session=True,
    )


def left(trial: str, seconds: float = 15.0) -> list[str]:
    """Return the processes of a trial that are still there after some time, and end them."""
    deadline = time.monotonic() + seconds
    while True:
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                zombie = process.status() == psutil.STATUS_ZOMBIE
                if not zombie and process.environ().get(MARK) == trial:
                    found.append(process)
        if not found or time.monotonic() > deadline:
            break
        time.sleep(0.2)
    named = []
    for process in found:
        with contextlib.suppress(psutil.Error):
            named.append(" ".join(process.cmdline())[:100])
            process.kill()
    return named


def quietly(*words: object) -> tuple[int, str]:
    """Run a command line in this process, and return its status and what it said."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        status = cli.main([str(word) for word in words])
    return status, said.getvalue()


def example() -> Path:
    """Return the small run that comes with the tests."""
    return Path(__file__).parents[1] / "results" / "format1"

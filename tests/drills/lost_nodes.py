"""Nodes of a real Slurm that die, or lose a process of their job, at a random moment of a campaign."""

from __future__ import annotations

import collections
import contextlib
import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import psutil
from trial import FAKES, SMALL, left, pesbench

sys.path.insert(0, str(Path(__file__).parents[1] / "cluster"))
import local_slurm

STRUCTURES, ROUNDS = 2, 2


def of_jobs(trial: str) -> list[psutil.Process]:
    """Return the processes of the trial that run in jobs."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            environ = process.environ()
            if environ.get("PESBENCH_DRILL") == trial and "SLURM_JOB_ID" in environ:
                found.append(process)
    return found


def nodes(seed: int, folder: Path) -> dict:
    """Kill a node, or a process of a job, while two nodes measure a round each: no round is lost or doubled."""
    if why := local_slurm.missing():
        return {"skipped": why, "wrong": ""}
    chance = random.Random(seed)
    trial = f"nodes-{seed}"
    (folder / "slurm").mkdir()
    with local_slurm.started(folder / "slurm") as slurm:
        process = pesbench(
            *("run", "--cluster", "slurm", "--nodes", 2, "--time", "00:10:00", "--partition", "p"),
            *("--adapter", FAKES, "--methods", "slow", *SMALL, "--limit", STRUCTURES, "--rounds", ROUNDS),
            *("--budget", 120, "--output", folder / "runs"),
            trial=trial,
            **slurm.environ,
        )
        deadline = time.monotonic() + 90
        while not of_jobs(trial) and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.2)
        time.sleep(chance.uniform(0.0, 12.0))
        what = chance.choice(("node", "process", "process"))
        if what == "node":
            slurm.kill("d-n1.pid")
            slurm("scontrol", "update", "nodename=n1", "state=down", "reason=drill")
        elif victims := of_jobs(trial):
            with contextlib.suppress(psutil.Error):
                os.kill(chance.choice(victims).pid, signal.SIGKILL)
        _, err = process.communicate(timeout=400)
        found = {"name": what, "again": "measured again" in err, "orphans": left(trial), "wrong": ""}
    if process.returncode != 0 or "Traceback" in err:
        return {**found, "wrong": f"the run ended with {process.returncode}: {err[-300:]}"}
    counts: collections.Counter = collections.Counter()
    crashed = 0
    (path,) = (folder / "runs").glob("*/records.jsonl")
    for line in path.read_text().splitlines():
        one = json.loads(line)
        if one["record"] == "relaxation":
            counts[one["round"], one["structure"]] += 1
        # a worker that was killed before it was ready is a record, too: its round is missing, and said to be
        crashed += STRUCTURES * (one["record"] == "not-measured" and one["failure"]["kind"] == "crash")
    return {
        **found,
        "crashed": crashed,
        "lost": STRUCTURES * ROUNDS - len(counts) - crashed,
        "doubled": sum(count > 1 for count in counts.values()),
    }

"""Many records: a real run of the toys, copied over methods and rounds with longer traces, and read as a table."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

import psutil
from trial import FAKES, SMALL, example, pesbench

STEPS = {100_000: 33, 1_000_000: 99, 10_000_000: 495}
"""For each number of step records, the steps of a relaxation; 500 is the cap of a run.

Step records are the entries of the traces of relaxations, without those before the first step.
"""
SIZES = tuple(STEPS)
STRUCTURES = 101
MEMORY_OF_ONE = 400
"""Bytes of memory that a step record is allowed, beside what Python and its libraries take."""


def toy(folder: Path, structures: int = STRUCTURES) -> Path:
    """Measure the toy once, and return the run directory."""
    process = pesbench(
        *("run", "--adapter", FAKES, "--methods", "toy", *SMALL, "--rounds", 1, "--budget", 600, "--no-page"),
        *("--limit", structures, "--output", folder),
        trial="records",
    )
    _, err = process.communicate(timeout=900)
    if process.returncode != 0:
        raise RuntimeError(err)
    (run,) = folder.iterdir()
    return run


def scaled(run: Path, into: Path, size: int, steps: int) -> int:
    """Write a run directory with about `size` step records, all from those of a run; returns how many there are."""
    records = [json.loads(line) for line in (run / "records.jsonl").read_text().splitlines()]
    relaxations = [one for one in records if one["record"] == "relaxation" and one["status"] == "converged"]
    others = [one for one in records if one["record"] in ("started", "finished")]
    for one in relaxations:
        one["steps"], one["wall_ns"] = steps, one["wall_ns"] * steps // max(one["steps"], 1)
        one["force_calls"] = steps + 1
        for column in one["trace"].values():
            repeated = column[1:] * (steps // max(len(column) - 1, 1) + 1)
            column[1:] = repeated[:steps]
    copies = round(size / (steps * len(relaxations)))
    rounds = min(copies, 10)
    methods = [f"toy-{number}" for number in range(-(-copies // rounds))]
    description = json.loads((run / "campaign.json").read_text())
    one_method = description["methods"]["toy"]
    description["methods"] = {name: {**one_method, "label": name} for name in methods}
    description["settings"] |= {"methods": methods, "rounds": rounds, "budget_s": dict.fromkeys(methods)}
    into.mkdir()
    (into / "campaign.json").write_text(json.dumps(description))
    for name in ("structures.xyz", "reference.xyz"):
        (into / name).write_bytes((run / name).read_bytes())
    with (into / "records.jsonl").open("w") as file:
        for name in methods:
            for number in range(rounds):
                for one in (*others, *relaxations):
                    file.write(json.dumps({**one, "method": name, "round": number}, separators=(",", ":")) + "\n")
    return len(methods) * rounds * len(relaxations) * steps


def costs(run: Path) -> tuple[int, float, int, str]:
    """Return the status of ``pesbench table``, its seconds, its peak memory in bytes, and what it said."""
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.cli", "table", str(run), "--format", "json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    said = process.stdout.read().decode()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, time.monotonic() - began, used.ru_maxrss * 1024, said


def records(seed: int, folder: Path) -> dict:
    """Read a run with many step records as a table, and tell time and memory."""
    size = SIZES[seed]
    if psutil.virtual_memory().available < 2 * size * MEMORY_OF_ONE:
        return {"skipped": f"{size:,} step records need more memory than is free", "wrong": ""}
    count = scaled(toy(folder / "toy"), folder / "run", size, STEPS[size])
    status, seconds, memory, said = costs(folder / "run")
    found = {
        "steps": count,
        "file_mb": round((folder / "run" / "records.jsonl").stat().st_size / 1e6),
        "seconds": round(seconds, 1),
        "memory_mb": round(memory / 1e6),
        "machine": f"{platform.machine()}, {psutil.cpu_count()} CPUs, Python {platform.python_version()}",
        "wrong": "",
    }
    if status != 0:
        return {**found, "wrong": f"table ended with {status}: {said[-300:]}"}
    rows = json.loads(said)["rows"]
    if any(row["structures"]["done"] != STRUCTURES for row in rows):
        found["wrong"] = "structures are missing in the table"
    nothing = costs(example())[2]
    if memory - nothing > MEMORY_OF_ONE * count + 2e8:
        found["wrong"] = f"{(memory - nothing) / count:.0f} bytes of memory for each step"
    return found

"""A clock that jumps: the date goes back and forth by hours while a campaign runs, in all its processes."""

from __future__ import annotations

import collections
import json
import random
import time
from pathlib import Path
from typing import Any

from trial import FAKES, SMALL, left, pesbench

import bench

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
"""It changes what a process is told about the time; Debian: apt-get install faketime."""
HOURS = 48
STRUCTURES, ROUNDS = 3, 2
PROTOCOLS = ("relax", "replay")


def clock(seed: int, folder: Path) -> dict:
    """Let the date jump by up to two days several times a second: no time may be negative or longer than the run."""
    if LIBRARY is None:
        return {"skipped": "libfaketime is not installed (Debian: apt-get install faketime)", "wrong": ""}
    chance = random.Random(seed)
    offset, trial = folder / "offset", f"clock-{seed}"

    def jump() -> None:
        temporary = folder / "offset.tmp"
        temporary.write_text(f"{chance.uniform(-HOURS, HOURS) * 3600:+.1f}\n")
        temporary.rename(offset)

    jump()
    faketime = {
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DONT_RESET": "1",
    }
    began = time.monotonic()
    process = pesbench(
        *("run", "--adapter", FAKES, "--methods", "toy,toy-native", *SMALL, "--protocols", ",".join(PROTOCOLS)),
        *("--limit", STRUCTURES, "--rounds", ROUNDS, "--budget", 100, "--timeout", 60, "--json"),
        *("--output", folder / "runs"),
        trial=trial,
        LD_PRELOAD=str(LIBRARY),
        **faketime,
        PESBENCH_PASS=",".join(faketime),  # workers would not get them otherwise
    )
    jumps = 0
    while process.poll() is None and time.monotonic() - began < 240:
        time.sleep(chance.uniform(0.05, 0.5))
        jump()
        jumps += 1
    out, err = process.communicate(timeout=60)
    most = time.monotonic() - began
    found = {"jumps": jumps, "orphans": left(trial, 5.0), "wrong": ""}
    if process.returncode != 0 or "Traceback" in err:
        return {**found, "wrong": f"the run ended with {process.returncode}: {err[-300:]}"}
    (run,) = (folder / "runs").iterdir()
    records = [json.loads(line) for line in (run / "records.jsonl").read_text().splitlines()]
    done = collections.Counter(one["record"] for one in records if one.get("status") == "converged")
    whole = 2 * STRUCTURES * ROUNDS
    if done != {"relaxation": whole, "replay": whole}:
        found["wrong"] = f"measured: {dict(done)}"
    odd = [one for record in records for one in odd_times(record, most)]
    odd += [f"{name} in the table" for row in json.loads(out)["rows"] for name in odd_figures(row)]
    steps = bench.load(run).steps
    if (steps[["calculator_ns", "optimizer_ns", "harness_ns"]].fillna(0) < 0).any(axis=None):
        odd.append("a negative time of a step")
    return {**found, "wrong": found["wrong"] or "; ".join(odd[:5])}


def odd_times(record: dict[str, Any], most: float) -> list[str]:
    """Return the times of a record that are negative, or longer than the whole run."""
    names = [name for name in record if name.endswith("_ns")]
    times = {name: sum(one or 0 for one in listed(record[name])) / 1e9 for name in names}
    for name, column in record.get("trace", {}).items():
        if name.endswith("_ns"):
            times[name] = sum(one or 0 for one in column) / 1e9
    if "seconds" in record:
        times["seconds"] = record["seconds"]
    return [f"{name} of {record['record']}: {value:.3f} s" for name, value in times.items() if not 0 <= value <= most]


def odd_figures(row: dict[str, Any]) -> list[str]:
    """Return the times of a row of the table that are not above zero."""
    estimates = {name: cell["estimate"] for name, cell in row.items() if isinstance(cell, dict) and "estimate" in cell}
    return [name for name, value in estimates.items() if value is not None and name.endswith("step") and value <= 0]


def listed(value: Any) -> list:
    """Return a list as it is, and a single value as a list."""
    return value if isinstance(value, list) else [value]

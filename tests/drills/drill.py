"""Drills: what must not be lost, doubled or left behind, tried again and again.

``make drill`` runs them all; ``ARGS="kills --count 100 --jobs 4"`` runs one, four trials at a time. What was tried is
kept in ``results/drills``, so a drill that was stopped goes on. Those about disks mount small ones, which needs root;
without it they are skipped, and the summary says so. A small share of each is part of the tests (``test_drills.py``).
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import functools
import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parent))
import bad_checkpoints
import bad_disks
import clock_jumps
import lost_nodes
import many_records
import zoo
from trial import FAKES, SMALL, example, left, pesbench, quietly

from bench import paths

KILLED = ("toy", "direct")
STRUCTURES, ROUNDS = 4, 2


def kills(seed: int, folder: Path) -> dict:
    """Kill the harness or one of its workers at a random moment, go on, and count the records."""
    chance = random.Random(seed)
    trial = f"kills-{seed}"
    amount = ("--limit", STRUCTURES, "--rounds", ROUNDS, "--budget", "60")
    process = pesbench(
        *("run", "--adapter", FAKES, "--methods", ",".join(KILLED), *SMALL, *amount, "--output", folder), trial=trial
    )
    time.sleep(chance.uniform(0.5, 7.0))
    victims = [process.pid]
    if chance.random() < 0.5:
        with contextlib.suppress(psutil.Error):
            victims = [child.pid for child in psutil.Process(process.pid).children(recursive=True)] or victims
    harness = victims == [process.pid]
    with contextlib.suppress(ProcessLookupError):
        os.kill(chance.choice(victims), signal.SIGKILL)
    if not harness:
        process.communicate(timeout=300)
    orphans = left(trial)
    process.communicate(timeout=60)
    runs = list(folder.glob("*/campaign.json"))
    if runs:
        again = pesbench("run", "--resume", runs[0].parent.name, "--no-page", "--output", folder, trial=trial)
        _, err = again.communicate(timeout=300)
        if again.returncode not in (0, 1) or "Traceback" in err:
            return {"wrong": f"resuming ended with {again.returncode}: {err[-300:]}"}
        orphans += left(trial)
    counts: collections.Counter = collections.Counter()
    for path in folder.glob("*/records.jsonl"):
        for line in path.read_text().splitlines():
            one = json.loads(line)
            if one["record"] == "relaxation" and one["status"] == "converged":
                counts[one["method"], one["round"], one["structure"]] += 1
    planned = len(KILLED) * STRUCTURES * ROUNDS if runs else 0
    # a worker that was killed ends its method's structure as a crash: that is a record, too
    crashed = planned - len(counts) if not harness else 0
    return {
        "harness": harness,
        "lost": max(0, planned - len(counts) - crashed),
        "crashed": crashed,
        "doubled": sum(count > 1 for count in counts.values()),
        "orphans": orphans,
        "wrong": "more than one structure was lost with a worker" if crashed > STRUCTURES else "",
    }


def hostile(seed: int, folder: Path) -> dict:
    """Measure one animal of the zoo beside a tame neighbour: it is a row, and the neighbour is whole."""
    name = [*zoo.LOADING, *zoo.CALLING][seed]
    (folder / "zoo.py").write_text(zoo.source())
    trial = f"hostile-{name}"
    process = pesbench(
        *("run", "--adapter", folder / "zoo.py", "--adapter", FAKES, "--methods", f"{name},toy", *SMALL),
        *("--limit", 3, "--rounds", 1, "--timeout", 6, "--memory-limit", "0.6", "--budget", 20, "--json", "--no-page"),
        *("--output", folder / "runs"),
        trial=trial,
    )
    try:
        out, err = process.communicate(timeout=240)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return {"name": name, "wrong": "the run did not end"}
    orphans = left(trial, 5.0)
    if process.returncode not in (0, 1) or "Traceback (most recent" in err:
        return {"name": name, "wrong": f"the run ended with {process.returncode}: {err[-300:]}"}
    rows = {row["method"]: row for row in json.loads(out)["rows"]}
    wrong = "" if rows.keys() == {name, "toy"} else f"rows: {sorted(rows)}"
    if not wrong and rows["toy"]["structures"]["done"] != 3:
        wrong = "the neighbour was harmed"
    row = rows.get(name, {})
    fate = "measured" if row.get("structures", {}).get("done") == 3 else ", ".join(row.get("failures", {})) or "no step"
    return {"name": name, "fate": fate, "orphans": orphans, "wrong": wrong}


def mutated(seed: int, folder: Path) -> dict:
    """Change the records of a run in a random way: it is read, or refused in a sentence."""
    chance = random.Random(seed)
    run = folder / "run"
    shutil.copytree(example(), run)
    path = run / "records.jsonl"
    data = bytearray(path.read_bytes())
    for _ in range(chance.choice((1, 1, 3, 20))):
        lines = bytes(data).split(b"\n")
        place = chance.randrange(len(lines))
        kind = chance.choice(("flip", "drop", "double", "number", "type", "swap", "cut"))
        if kind == "flip" and data:
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            continue
        if kind == "drop":
            del lines[place]
        elif kind == "double":
            lines.insert(place, lines[place])
        elif kind == "cut":
            lines[place] = lines[place][: chance.randrange(len(lines[place]) + 1)]
        elif lines[place].startswith(b"{"):
            with contextlib.suppress(ValueError):
                record = json.loads(lines[place])
                name = chance.choice(list(record))
                if kind == "number":
                    record[name] = chance.choice((-1, 1e308, 10**40, 0, -0.0))
                elif kind == "type":
                    record[name] = chance.choice((None, "text", [], {}, True, [[1]]))
                else:
                    other = chance.choice(list(record))
                    record[name], record[other] = record[other], record[name]
                lines[place] = json.dumps(record).encode()
        data = bytearray(b"\n".join(lines))
    path.write_bytes(data)
    for words in (("table", run, "--format", "json"), ("compare", run, example())):
        status, said = quietly(*words)
        if status == 3 or "Traceback" in said:
            return {"wrong": f"{words[0]}: {said[-400:]}"}
    return {"wrong": ""}


def cut(seed: int, folder: Path) -> dict:
    """Cut the records of a run, by one byte more in each trial: it is read, or refused in a sentence."""
    run = folder / "run"
    shutil.copytree(example(), run)
    path = run / "records.jsonl"
    path.write_bytes(path.read_bytes()[: -(seed + 1)])
    status, said = quietly("table", run, "--format", "json")
    return {"wrong": said[-400:] if status == 3 or "Traceback" in said else ""}


DRILLS: dict[str, tuple[Callable[[int, Path], dict], int]] = {
    "kills": (kills, 1000),
    "hostile": (hostile, len(zoo.LOADING) + len(zoo.CALLING)),
    "nodes": (lost_nodes.nodes, 1000),
    "mutated": (mutated, 10_000),
    "cut": (cut, 1024),
    "swapped": (bad_checkpoints.swapped, bad_checkpoints.WAYS),
    "fetched": (bad_checkpoints.fetched, 10_000),
    "clock": (clock_jumps.clock, 100),
    "records": (many_records.records, len(many_records.SIZES)),
    "full": (bad_disks.full, 1000),
    "read-only": (bad_disks.read_only, bad_disks.WAYS),
}
"""Each drill, and how many trials make it whole."""
ALONE = ("nodes", "records")  # one Slurm, and the whole memory


def once(name: str, seed: int) -> dict:
    """Run one trial of a drill in a folder of its own, and return what was found."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        return DRILLS[name][0](seed, Path(folder))


def trials(name: str, count: int, jobs: int, kept: Path) -> list[dict]:
    """Run what is missing of a drill, `jobs` trials at once, and return the results of all its trials."""
    file = kept / f"{name}.jsonl"
    known = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    with multiprocessing.Pool(1 if name in ALONE else jobs) as pool:
        for found in pool.imap(functools.partial(once, name), range(len(known), count)):
            if found.get("wrong") or found.get("orphans"):
                print(f"{name} {len(known)}: {found}", flush=True)
            known.append(found)
            with file.open("a") as lines:
                lines.write(json.dumps(found) + "\n")
    return known[:count]


def summary(name: str, results: list[dict]) -> str:
    """Return one line on a drill."""
    parts = [f"{name}: {len(results)} trials", f"{sum(bool(one.get('wrong')) for one in results)} wrong"]
    if skipped := [one["skipped"] for one in results if "skipped" in one]:
        parts.append(f"{len(skipped)} skipped ({skipped[0]})")
    for what in ("lost", "doubled"):
        if what in (results[0] if results else {}):
            parts.append(f"{sum(one.get(what, 0) for one in results)} records {what}")
    if any("orphans" in one for one in results):
        parts.append(f"{sum(len(one.get('orphans', ())) for one in results)} processes left")
    return ", ".join(parts)


def positive(text: str) -> int:
    """Return a number of trials or jobs; raises ArgumentTypeError."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above zero")
    return int(text)


def main() -> None:
    """Run the drills."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(DRILLS)} (default: all)")
    parser.add_argument("--count", type=positive, help="trials of each drill (default: all of them)")
    parser.add_argument("--jobs", type=positive, default=1, help="trials at once, where a drill allows it")
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in DRILLS]:
        parser.error(f"there is no drill {unknown[0]!r}; there are {', '.join(DRILLS)}")
    kept = paths.results_dir() / "drills"
    kept.mkdir(parents=True, exist_ok=True)
    bad = False
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # cleans up as Ctrl-C does: nodes of Slurm, mounted disks
    for name in options.names or DRILLS:
        whole = DRILLS[name][1]
        results = trials(name, min(options.count or whole, whole), options.jobs, kept)
        print(summary(name, results), flush=True)
        bad |= any(one.get("wrong") or one.get("orphans") or one.get("lost") or one.get("doubled") for one in results)
    sys.exit(bad)


if __name__ == "__main__":
    main()

"""Disks that are full, or that nobody may write to: a small file system of its own for each trial, which needs root."""

from __future__ import annotations

import collections
import contextlib
import json
import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from trial import FAKES, SMALL, example, left, pesbench

TUNABLE = FAKES.with_name("tunable.py")
PAGE = 4096
TOY = ("--adapter", FAKES, "--methods", "toy,direct", *SMALL)
STRUCTURES, ROUNDS = 4, 2
BRIEFLY = ("--duration", 0.2, "--nvt-duration", 0.3, "--budget", 60)
TRAJECTORIES = 3


class NoMount(Exception):
    """File systems cannot be mounted here."""


@contextlib.contextmanager
def mounted(folder: Path, kilobytes: int = 16_000) -> Iterator[Path]:
    """Give a file system in memory; raises NoMount where that is not allowed."""
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if done.returncode:
        raise NoMount(done.stderr.strip())
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path, room: int) -> Path:
    """Fill a disk up to a rest of this many bytes, and return the file that fills it."""
    free = os.statvfs(disk)
    filler = disk / "filler"
    with filler.open("wb") as file:
        file.write(bytes(max(0, free.f_bavail * free.f_bsize - room)))
    return filler


def full(seed: int, folder: Path) -> dict:
    """Let the disk become full at a random moment of a run: a sentence says so. With room again, the run goes on."""
    chance = random.Random(seed)
    verb = ("run", "run", "run md", "tune", "regress")[seed % 5]
    runs = folder / "disk" / "runs"
    words: dict[str, tuple] = {
        "run": ("run", *TOY, "--limit", STRUCTURES, "--rounds", ROUNDS, "--budget", 60),
        "run md": ("run", *TOY, "--protocols", "md", "--limit", 1, "--rounds", 1, *BRIEFLY),
        "tune": ("tune", "tunable", "--adapter", TUNABLE, *SMALL[:2], "--budget", 15),
        "regress": (
            *("regress", "--adapter", FAKES, "--methods", "toy", "--base-env", FAKES, *SMALL[:2]),
            *("--limit", 4, "--budget", 10),
        ),
    }
    trial = f"full-{seed}"
    try:
        with mounted(folder / "disk") as disk:
            room = chance.choice((chance.randrange(30), chance.randrange(27, 75))) * PAGE  # the structures take 27
            filler = fill(disk, room)
            status, err = ended(pesbench(*words[verb], "--output", runs, trial=trial))
            found = {"name": f"{verb}, {room // 1000} kB", "status": status, "orphans": left(trial, 5.0), "wrong": ""}
            untold = status == 2 and "No space left" not in err
            if status not in (0, 1, 2) or "Traceback (most recent" in err or untold:
                return {**found, "wrong": f"{verb} ended with {status}: {err[-400:]}"}
            filler.unlink()
            begun = list(runs.glob("*/campaign.json"))
            if verb.startswith("run") and begun:
                status, err = ended(pesbench("run", "--resume", begun[0].parent, "--output", runs, trial=trial))
                if status != 0 or "Traceback (most recent" in err:
                    return {**found, "wrong": f"resuming ended with {status}: {err[-400:]}"}
                counts = measured(begun[0].parent)
                planned = 2 * STRUCTURES * ROUNDS if verb == "run" else 2 * TRAJECTORIES
                found |= {"lost": planned - len(counts), "doubled": sum(n > 1 for n in counts.values())}
            return found
    except NoMount as error:
        return {"skipped": str(error), "wrong": ""}


def ended(process: subprocess.Popen) -> tuple[int, str]:
    """Wait for a command line, and return its status and what it said."""
    out, err = process.communicate(timeout=300)
    return process.returncode, err + out


def measured(run: Path) -> collections.Counter:
    """Return how often each item of a run was measured to its end."""
    lines = [json.loads(line) for line in (run / "records.jsonl").read_text().splitlines()]
    return collections.Counter(
        (one["record"], one["method"], one["round"], one.get("trajectory", one.get("structure")))
        for one in lines
        if one.get("status") in ("converged", "done", "censored")
    )


def read_only_words(disk: Path, other: Path) -> dict[str, tuple[tuple, int | None]]:
    """Return command lines with a folder that cannot be written to, each with the status that is right."""
    run, copy = disk / "run", other / "copy"
    a_run = ("run", *TOY, "--limit", 1, "--rounds", 1, "--budget", 10)
    return {
        "table": (("table", run), 0),
        "table as csv": (("table", run, "--format", "csv"), 0),
        "compare": (("compare", run, run), None),
        "explain": (("explain", "toy", "--adapter", FAKES, "--run", run), 0),
        "report": (("report", run), 2),
        "report elsewhere": (("report", run, "--output", other / "page.html"), 0),
        "report there": (("report", run, "--output", disk / "page.html"), 2),
        "plot": (("plot", run, "--output", disk / "figure"), 2),
        "plot elsewhere": (("plot", run, "--output", other / "figure"), 0),
        "merge": (("merge", run, copy, "--output", disk / "merged", "--force"), 2),
        "merge elsewhere": (("merge", run, copy, "--output", other / "merged", "--force"), None),
        "run": ((*a_run, "--output", disk / "runs"), 2),
        "run in it": ((*a_run, "--output", disk), 2),
        "resume": (("run", "--resume", run, "--adapter", FAKES), 2),
        "tune": (("tune", "tunable", "--adapter", TUNABLE, *SMALL[:2], "--output", disk), 2),
        "regress": (("regress", "--methods", "toy", "--adapter", FAKES, "--base-env", FAKES, "--output", disk), 2),
        "reference": (("reference", "--level", "toy", "--adapter", FAKES, *SMALL[:2], "--output", disk), 2),
        "random weights in the cache": ((*a_run[:4], "architecture", *a_run[5:], "--output", other), None),
        "pack": (("pack", "uff", "--output", disk / "kit.tar"), 2),
        "doctor": (("doctor",), None),
    }


WAYS = len(read_only_words(Path(), Path()))


def read_only(seed: int, folder: Path) -> dict:
    """Use a verb on a folder of a file system that is mounted read-only: it works, or a sentence says why not."""
    try:
        with mounted(folder / "disk") as disk:
            shutil.copytree(example(), disk / "run")
            shutil.copytree(example(), folder / "other" / "copy")
            subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
            name, (words, right) = [*read_only_words(disk, folder / "other").items()][seed]
            trial = f"read-only-{seed}"
            status, said = ended(pesbench(*words, trial=trial, PESBENCH_CACHE=str(disk / "cache")))
    except NoMount as error:
        return {"skipped": str(error), "wrong": ""}
    wrong = ""
    if "Traceback (most recent" in said or status not in ((0, 1, 2) if right is None else (right,)):
        wrong = f"{name} ended with {status}: {said[-400:]}"
    return {"name": name, "status": status, "said": said[-300:], "orphans": left(trial, 5.0), "wrong": wrong}

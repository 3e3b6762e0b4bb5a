"""Finds a run directory by its path, its id or its name, or the newest one that holds results."""

from __future__ import annotations

import dataclasses
import difflib
import json
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import orjson

from bench import paths
from bench.core.records import FAILED
from bench.errors import BadInput
from bench.protocols import PARTS, PROTOCOL_OF

CAMPAIGN, RECORDS = "campaign.json", "records.jsonl"
ABOUT = "about.json"
"""The file in a run directory with the name and the tags that the user gave it."""
UNFINISHED = "unfinished"
"""An empty file in the directory of a run that has not come to its end."""
_PROTOCOL = {part.record.record: PROTOCOL_OF[name] for name, part in PARTS.items()}
"""The protocol of each kind of record that is a result."""

Say = Callable[[str], None]


@dataclasses.dataclass(frozen=True)
class About:
    """What the user says of a run."""

    name: str = ""
    tags: tuple[str, ...] = ()


def about(directory: Path) -> About:
    """Return the name and the tags of a run; none where the file is missing or damaged."""
    try:
        read = json.loads((directory / ABOUT).read_bytes())
        return About(str(read.get("name", "")), tuple(map(str, read.get("tags", ()))))
    except (OSError, ValueError, AttributeError, TypeError):
        return About()


def runs(results: Path) -> list[Path]:
    """Return the run directories of a folder, the oldest first."""
    found = sorted(results.glob(f"*/{CAMPAIGN}"), key=lambda path: path.stat().st_mtime_ns)
    return [path.parent for path in found]


def holds(directory: Path, protocols: Collection[str] = ()) -> bool:
    """Return whether anything was measured in a run, by one of these protocols if there are any.

    What failed does not count. Only the records up to the first result are read.
    """
    try:
        with (directory / RECORDS).open("rb") as file:
            return any(_is_result(line, protocols) for line in file)
    except OSError:
        return False


def _is_result(line: bytes, protocols: Collection[str]) -> bool:
    try:
        record: Any = orjson.loads(line)
        protocol = _PROTOCOL.get(record.get("record"))
    except (ValueError, AttributeError, TypeError):
        return False
    if protocol is None or (protocols and protocol not in protocols):
        return False
    return record["status"] != FAILED if "status" in record else record.get("failure") is None


def find(
    run: str | Path | None,
    results: Path | None = None,
    protocols: Collection[str] = (),
    fits: Callable[[Path], bool] = lambda directory: True,
    say: Say = lambda line: None,
) -> Path:
    """Return the run directory that `run` names: its path, its id, its name, a folder of runs, or None.

    Of a folder, and for None, it is the newest run that holds results, of `protocols` if there are any, and that
    `fits`; without such conditions and without results anywhere it is the newest. `say` gets a sentence on the newer
    ones that are passed over. Raises BadInput, with similar names, where there is no such run.
    """
    results = results or paths.results_dir()
    if run is None:
        return _newest(results, protocols, fits, say)
    for candidate in (Path(run), results / run):
        if (candidate / CAMPAIGN).is_file():
            return candidate
        if candidate.is_dir() and any(candidate.glob(f"*/{CAMPAIGN}")):
            return _newest(candidate, protocols, fits, say)
    every = runs(results)
    called = [one for one in every if about(one).name == str(run)]
    if len(called) > 1:
        raise BadInput(f"several runs have the name {str(run)!r}: {', '.join(one.name for one in called)}; name an id.")
    if called:
        return called[0]
    known = [one.name for one in every] + [name for one in every if (name := about(one).name)]
    near = difflib.get_close_matches(str(run), known, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else "'pesbench runs' lists them."
    raise BadInput(f"there is no run {str(run)!r} in {results}; {hint}")


def _newest(results: Path, protocols: Collection[str], fits: Callable[[Path], bool], say: Say) -> Path:
    every = runs(results)
    if not every:
        raise BadInput(f"there is no run in {results} yet; 'pesbench run' makes one.")
    newer: list[str] = []
    for directory in reversed(every):
        if holds(directory, protocols) and fits(directory):
            if newer:
                what = f" of {' or '.join(protocols)}" if protocols else ""
                say(f"run {directory.name} is shown; newer runs hold no results{what} to show: {some(newer)}")
            return directory
        newer.append(directory.name)
    if not protocols:
        return every[-1]
    raise BadInput(
        f"no run in {results} holds results of {' or '.join(protocols)} that could be used here; 'pesbench runs' lists "
        f"what there is, and 'pesbench run --protocols {next(iter(protocols))}' measures."
    )


def some(names: Collection[str], most: int = 3) -> str:
    """Return names as a list, the first ones only where there are many."""
    every = list(names)
    return ", ".join(every[:most]) + (f" and {len(every) - most} more" if len(every) > most else "")

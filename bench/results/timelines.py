"""Where timelines are kept: ``results/timelines/METHOD-PACKAGE.json``; with pins, their text comes last in the name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from bench import paths
from bench.analysis.timelines import Timeline
from bench.core.plain import from_plain, to_plain
from bench.errors import BadInput


def path_of(method: str, package: str, folder: Path | None = None, pins: Sequence[str] = ()) -> Path:
    """Return the file of a timeline, with `pins` that are the same for all releases; it need not exist."""
    name = "-".join((method, package, *pins))
    return (folder or paths.results_dir() / "timelines") / f"{name}.json"


def read(path: Path) -> Timeline | None:
    """Return what a file holds; None where there is none. Raises BadInput for one that is damaged."""
    if not path.exists():
        return None
    try:
        return from_plain(Timeline, json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError, KeyError) as error:
        raise BadInput(f"{path} is no timeline ({error}); move it away, and it is measured anew.") from None


def write(path: Path, timeline: Timeline) -> None:
    """Write a timeline, as a whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.tmp")
    temporary.write_text(json.dumps(to_plain(timeline), indent=1) + "\n", encoding="utf-8")
    temporary.replace(path)

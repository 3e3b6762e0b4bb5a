"""The runs that are kept in a folder: lists them, names and tags them, and deletes them with care."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from pathlib import Path

from bench.core.description import Description
from bench.errors import BadInput
from bench.results import finding, store
from bench.results.finding import ABOUT, CAMPAIGN, RECORDS, UNFINISHED, About

COMPLETE, INCOMPLETE, EMPTY, UNREADABLE = "complete", "incomplete", "no results", "unreadable"
"""The states of a run. One that is incomplete was stopped, or is still measured."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")
_FORBIDDEN = ("paper", "newest")
_OURS = {
    *(CAMPAIGN, f"{CAMPAIGN}.tmp", "structures.xyz", "reference.xyz", "series.xyz", RECORDS, ABOUT, UNFINISHED),
    *("trajectories", "check-gpu.log", "logs", "references", "base", "cluster.json", "jobs", "nodes"),
}
"""What pesbench writes into a run directory, besides figures and pages."""
_OURS_BY_SUFFIX = {".svg", ".png", ".pdf", ".html"}


@dataclasses.dataclass(frozen=True)
class Kept:
    """A run, as the list has it."""

    directory: Path
    state: str
    """One of the four above."""
    about: About
    bytes: int
    """All its files."""
    description: Description | None
    """None where it cannot be read."""


def listing(results: Path) -> list[Kept]:
    """Return the runs of a folder, the newest first."""
    return [_kept(directory) for directory in reversed(finding.runs(results))]


def _kept(directory: Path) -> Kept:
    size = sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
    try:
        described = store.describe(directory)
    except BadInput:
        return Kept(directory, UNREADABLE, finding.about(directory), size, None)
    state = INCOMPLETE if described.incomplete else COMPLETE
    state = state if finding.holds(directory) else EMPTY
    return Kept(directory, state, finding.about(directory), size, described)


def check_name(name: str, results: Path, of: Path | None = None) -> None:
    """Raise BadInput where a run cannot have this name; the run `of` may have it already."""
    if not _NAME.fullmatch(name) or name in _FORBIDDEN:
        raise BadInput(
            f"{name!r} cannot be the name of a run; take letters, digits and . _ + - (64 at most), and not 'paper'."
        )
    for other in finding.runs(results):
        same = of is not None and other.resolve() == of.resolve()
        if other.name == name or (finding.about(other).name == name and not same):
            raise BadInput(
                f"{other.name} has the name {name!r} already; take another, or rename that run: "
                f"'pesbench runs name {other.name} other'."
            )


def rename(directory: Path, name: str) -> None:
    """Give a run a name, or take it away where that is empty; raises BadInput."""
    if name:
        check_name(name, directory.resolve().parent, directory)
    _write(directory, dataclasses.replace(finding.about(directory), name=name))


def tag(directory: Path, tags: tuple[str, ...], remove: bool = False) -> None:
    """Add tags to a run, or remove them; raises BadInput."""
    for one in tags:
        if not _NAME.fullmatch(one):
            raise BadInput(f"{one!r} cannot be a tag; take letters, digits and . _ + -.")
    known = finding.about(directory)
    kept = [one for one in known.tags if one not in tags] if remove else dict.fromkeys((*known.tags, *tags))
    _write(directory, dataclasses.replace(known, tags=tuple(kept)))


def _write(directory: Path, found: About) -> None:
    try:
        (directory / ABOUT).write_text(json.dumps(dataclasses.asdict(found)) + "\n")
    except OSError as error:
        raise BadInput(f"cannot write to {directory}: {error.strerror}; see who may write there.") from None


def check_deletable(directory: Path) -> None:
    """Raise BadInput for anything but a run directory in which all files are pesbench's own."""
    if directory.is_symlink():
        raise BadInput(f"{directory} is a link; delete what it leads to by its own path, and the link yourself.")
    store.describe(directory)  # another folder, or a run that this pesbench does not know
    if Path.cwd().is_relative_to(directory.resolve()):
        raise BadInput(f"{directory} is the folder in which you are; leave it first.")
    others = sorted(
        path.name for path in directory.iterdir() if path.name not in _OURS and path.suffix not in _OURS_BY_SUFFIX
    )
    if others:
        raise BadInput(
            f"{directory} holds what pesbench did not write: {finding.some(others)}; move that away first, or delete "
            "the folder yourself."
        )


def delete(directory: Path) -> None:
    """Delete a run directory; raises BadInput as :func:`check_deletable` does, and where it cannot be deleted."""
    check_deletable(directory)
    try:
        shutil.rmtree(directory)
    except OSError as error:
        raise BadInput(f"cannot delete {directory}: {error.strerror}; see who may write there.") from None

"""An old version of a method to compare with: its adapter file at an earlier commit, or with other pins."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from bench import paths
from bench.environments.header import HeaderError, read_header
from bench.errors import BadInput

BASE = "@base"
"""Suffix of an old version's name."""


def at_commit(adapter: Path, revision: str) -> str:
    """Return the text of an adapter file at a revision of this repository; raises BadInput where there is none."""
    checkout = _checkout()
    try:
        name = adapter.resolve().relative_to(checkout).as_posix()
    except ValueError:
        raise BadInput(f"{adapter} is not in this repository; compare with --base-env FILE.") from None
    # ./ : the checkout may be a folder of a larger repository
    done = _git(checkout, "show", f"{revision}:./{name}")
    if done.returncode:
        raise BadInput(f"there is no {name} at {revision!r} ({_last(done)}); name a commit, tag or branch that has it.")
    return done.stdout


def changed_since(revision: str) -> list[Path]:
    """Return the adapter files that differ from those at a revision of this repository, in alphabetical order.

    A file that is new here, or that was renamed, has nothing to compare with and is left out. Raises BadInput for a
    revision that is not there.
    """
    checkout = _checkout()
    wanted = ("--name-only", "--no-renames", "--diff-filter=M", "--relative")
    done = _git(checkout, "diff", *wanted, "--end-of-options", revision, "--", ":(glob)adapters/*.py")
    if done.returncode:
        raise BadInput(f"there is no commit {revision!r} ({_last(done)}); name a commit, tag or branch.")
    return sorted(checkout / name for name in done.stdout.splitlines())


def methods_at(adapter: Path, revision: str) -> set[str]:
    """Return the names of the methods that an adapter file had at a revision; none where its header was no header."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / adapter.name
        path.write_text(at_commit(adapter, revision), encoding="utf-8")
        try:
            return set(read_header(path).methods)
        except HeaderError:
            return set()


def _checkout() -> Path:
    checkout = paths.checkout()
    if checkout is None:
        raise BadInput("--base needs a checkout of pesbench; compare with --base-env FILE or --base-with PIN.")
    return checkout


def _git(checkout: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = ["git", "-C", str(checkout), *words]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=60)
    except OSError:
        raise BadInput("--base needs git, which is not on PATH; compare with --base-env FILE.") from None


def _last(done: subprocess.CompletedProcess[str]) -> str:
    """Return the last line of what git said."""
    return done.stderr.strip().splitlines()[-1].rstrip(".") if done.stderr.strip() else "git failed"


_PIN = r'"(?P<name>[A-Za-z0-9._-]+)(?P<rest>(\[[^"\]]*\])?==[^"]*)"'
"""A direct dependency in a header."""


def with_pins(adapter: Path, pins: Sequence[str], add: bool = False) -> str:
    """Return the text of an adapter file with other versions of some of its direct dependencies.

    With `add`, what the header does not pin becomes a dependency. Raises BadInput where a pin is not like
    ``name==version``, or the header does not pin that package.
    """
    text = adapter.read_text(encoding="utf-8")
    for pin in pins:
        try:
            wanted = Requirement(pin)
        except InvalidRequirement:
            raise BadInput(f"{pin!r} is not a requirement; give one like sevenn==0.12.1.") from None
        name = canonicalize_name(wanted.name)
        found = [match for match in re.finditer(_PIN, text) if canonicalize_name(match["name"]) == name]
        if not found and add:
            text = re.sub(r"^(# dependencies = \[)", rf'\1"{pin}", ', text, count=1, flags=re.MULTILINE)
        elif not found:
            pinned = dict.fromkeys(match["name"] for match in re.finditer(_PIN, text))
            raise BadInput(f"{adapter.name} does not pin {wanted.name}; it pins {', '.join(pinned)}.")
        for match in reversed(found):
            text = text[: match.start()] + f'"{pin}"' + text[match.end() :]
    return text


def write(folder: Path, adapter: Path, text: str) -> Path:
    """Write the text of another version to `folder`, under the adapter's own name; returns the file."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / adapter.name
        path.write_text(text, encoding="utf-8")
        return path
    except OSError as error:
        raise BadInput(f"cannot write to {folder}: {error.strerror}; choose another folder with --output.") from None

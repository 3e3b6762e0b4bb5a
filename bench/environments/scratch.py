"""Copies environments and checkpoints to a disk of this machine, the folder that PESBENCH_SCRATCH names.

A copy is made under a temporary name and renamed when it is complete, so a finished one can be used again by anybody
who finds it; a lock keeps two jobs on one node from making the same copy at once.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from bench import paths
from bench.environments.environments import STAMP

SCRIPT_BYTES = 1 << 16
"""A script of an environment is smaller."""


class NoScratch(Exception):
    """The folder cannot be used; the text says why and names it."""


class Scratch:
    """A folder on this machine's own disk; its methods raise NoScratch where it takes no copy."""

    def __init__(self, folder: Path, say: Callable[[str], None] = lambda line: None) -> None:
        self.say = say
        if "$" in str(folder):
            raise NoScratch(f"PESBENCH_SCRATCH names {folder}, and a variable in it is not set on this machine")
        self.root = folder / f"pesbench-{os.getuid()}"
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = self.root.lstat()
        except OSError as error:
            raise NoScratch(f"{folder} (PESBENCH_SCRATCH) cannot be written to: {error.strerror}") from None
        # scratch is often open to everybody, and a Python is run from here
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
            raise NoScratch(f"{self.root} (PESBENCH_SCRATCH) can be changed by other users; remove it")

    def environment(self, python: Path) -> Path | None:
        """Return the interpreter of the copy of an environment; None where pesbench did not make the environment."""
        folder = python.parents[1]
        if not (folder / STAMP).is_file():
            return None
        home = self._interpreter(folder)
        target = self.root / "envs" / f"{folder.name}-{_state(folder)}"
        self._copy(folder, target, lambda made: _move(made, folder.name, target, home))
        return target / "bin" / python.name

    def checkpoint(self, path: Path, sha256: str | None) -> Path:
        """Return the copy of a checkpoint, a file or a folder, under the same name."""
        found = path.stat()
        key = sha256 or _digest(path.resolve(), found.st_mtime_ns, found.st_size)
        target = self.root / "weights" / key[:16] / path.name
        self._copy(path, target)
        return target

    def _interpreter(self, folder: Path) -> Path | None:
        """Return the copy of the folder of an environment's interpreter, where uv fetched it; otherwise None.

        uv's can be moved. Any other belongs to the machine, or to somebody who knows where it should be.
        """
        home = _home(folder)
        if home is None or not home.parent.name.startswith("cpython-"):
            return None
        base = home.resolve().parent
        target = self.root / "python" / f"{base.name}-{_digest(base, base.stat().st_mtime_ns)[:10]}"
        self._copy(base, target)
        return target / "bin"

    def _copy(self, source: Path, target: Path, finish: Callable[[Path], None] = lambda made: None) -> None:
        """Copy a file or a folder, unless that was done before; `finish` is called on what is to get the name."""
        part = target.with_name(f".{target.name}.part")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with _lock(target):
                if target.exists():
                    return
                _remove(part)  # of a job that was killed
                self.say(f"copying {source.name} to {self.root.parent}")
                try:
                    _copy_all(source, part)
                    finish(part)
                    part.rename(target)
                except BaseException:
                    _remove(part)
                    raise
        except OSError as error:
            raise NoScratch(
                f"{source.name} cannot be copied to {self.root.parent} (PESBENCH_SCRATCH): {error.strerror or error}"
            ) from None


class _Stopped(Exception):
    """The error of one file; copytree would try all others before it tells of an OSError."""


def _copy_all(source: Path, target: Path) -> None:
    def one(here: str, there: str) -> None:
        try:
            shutil.copy2(here, there)  # with its times, by which Python knows that its compiled files are valid
        except OSError as error:
            raise _Stopped from error

    if not source.is_dir():
        shutil.copy2(source, target)
        return
    try:
        shutil.copytree(source, target, symlinks=True, copy_function=one)
    except _Stopped as stopped:
        assert isinstance(stopped.__cause__, OSError)
        raise stopped.__cause__ from None


def _move(made: Path, name: str, target: Path, home: Path | None) -> None:
    """Replace the absolute paths of a copied environment: of its scripts and, where `home` is given, its interpreter.

    Everything else in it is found from where its interpreter lies.
    """
    old = re.compile(rb"/[^\s'\"]*/" + re.escape(name.encode()) + rb"(?=/bin/python)")
    new = os.fsencode(target)
    for script in (made / "bin").iterdir():
        if not script.is_symlink() and script.is_file() and script.stat().st_size < SCRIPT_BYTES:
            text = script.read_bytes()
            if text.startswith(b"#!") and old.search(text):
                script.write_bytes(old.sub(lambda _: new, text))
    if home is None:
        return
    link = made / "bin" / "python"
    program = home / link.readlink().name
    link.unlink()
    link.symlink_to(program)
    config = made / "pyvenv.cfg"
    lines = [f"home = {home}" if _HOME.match(line) else line for line in config.read_text().splitlines()]
    config.write_text("\n".join(lines) + "\n")


_HOME = re.compile(r"home\s*=\s*(.*)")


def _home(folder: Path) -> Path | None:
    """Return the folder of the interpreter on which an environment was made."""
    try:
        lines = (folder / "pyvenv.cfg").read_text().splitlines()
    except OSError:
        return None
    return next((Path(found[1].strip()) for line in lines if (found := _HOME.match(line))), None)


def _state(folder: Path) -> str:
    """Return a key that changes where an environment is made anew or another package is put into it."""
    packages = sorted(path.name for path in folder.glob("lib/python*/site-packages/*.dist-info"))
    return _digest(folder.resolve(), (folder / STAMP).stat().st_mtime_ns, *packages)[:10]


def _digest(*parts: object) -> str:
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def _lock(target: Path) -> Iterator[None]:
    with target.with_name(f"{target.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def here(say: Callable[[str], None]) -> Scratch | None:
    """Return the folder that PESBENCH_SCRATCH names; None where it names none. Raises NoScratch and BadInput."""
    folder = paths.scratch_dir()
    return None if folder is None else Scratch(folder, say)

"""One measurement at a time: two of pesbench on one machine would measure each other.

Whoever measures holds a lock on a file in the folder for temporary files, which all users of the machine share. The
kernel releases it when the process ends, however it ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import getpass
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

POLL_SECONDS = 1.0
_beside = ""
_held: list[int] = []
"""The descriptor of the locked file, in a process that holds it."""


def lock_file() -> Path:
    """Return the file; it need not exist."""
    return Path(tempfile.gettempdir()) / "pesbench-measuring"


def hold(what: str, say: Callable[[str], None], beside: bool = False) -> None:
    """Measure alone from now on, until this process ends: wait until no other one of pesbench goes on here.

    Parameters
    ----------
    what : str
        What measures, for those who wait: ``pesbench run``.
    say : callable
        Called with one sentence where something has to be waited for, or cannot be found out.
    beside : bool
        Do not wait, and say so.
    """
    global _beside
    if _held:
        return
    try:
        descriptor = os.open(lock_file(), os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        say(f"cannot find out whether another pesbench measures here: {lock_file()}: {error.strerror}")
        return
    with contextlib.suppress(OSError):  # another user made it
        os.fchmod(descriptor, 0o666)
    if not _taken(descriptor):
        other = os.pread(descriptor, 200, 0).decode(errors="replace") or "another pesbench"
        if beside:
            os.close(descriptor)
            say(f"measuring beside {other}; the times of both are disturbed")
            _beside = other
            return
        say(f"waiting for {other}, which measures on this machine (--beside measures at the same time)")
        while not _taken(descriptor):
            time.sleep(POLL_SECONDS)
    _held.append(descriptor)
    os.truncate(descriptor, 0)
    os.pwrite(descriptor, f"{what} of {getpass.getuser()} (process {os.getpid()})".encode(), 0)


def beside() -> str:
    """Return beside what this process measures, because it was told not to wait; empty where it measures alone."""
    return _beside


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

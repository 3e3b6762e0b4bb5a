"""One worker as a process of this machine: its messages, its limits, and how it ended."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from bench.core import message
from bench.core.failure import Failure
from bench.core.message import Beat, Done, Message, Result
from bench.core.task import Task
from bench.core.turn import Turn

POLL_SECONDS = 0.25
RESULT, BEAT = (f'{{"message":"{kind.message}"'.encode() for kind in (Result, Beat))
"""How the lines of these messages begin."""
MEMORY_SECONDS = 0.5
"""Between two looks at a worker's memory: each takes milliseconds of a core that the worker may need."""


class LocalWorker:
    """One worker process; iterate over :meth:`messages`, then :meth:`failure` says how it ended.

    `timeout_s` is how long it may be silent, `memory_limit` (bytes) what it and its children may use, by default
    nine tenths of the machine's memory. Made by :func:`bench.engine.start.start`.
    """

    def __init__(
        self,
        command: list[str],
        environ: dict[str, str],
        task: Task,
        log: Path,
        timeout_s: float,
        memory_limit: int | None = None,
    ) -> None:
        self.timeout_s = timeout_s
        self.memory_limit = memory_limit or int(0.9 * psutil.virtual_memory().total)
        self.log = log
        self.paced = task.paced
        self.done = False
        """It has reported that its task is done."""
        self.over_limit = False
        """It was ended because it used more memory than it may."""
        self._ended_for: Failure | None = None
        self._oom_kills = _oom_kills()
        # a worker that is killed cannot remove its own files and those of its programs
        self._scratch = tempfile.TemporaryDirectory(prefix="pesbench-", ignore_cleanup_errors=True)
        line = task.to_json().encode() + b"\n"
        with log.open("ab") as errors:
            # its own session, so that Ctrl-C reaches only the harness, and the whole group can be ended
            self.process = subprocess.Popen(
                command,
                env={**environ, "TMPDIR": self._scratch.name},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it died at once; failure() says why
            self.process.stdin.write(line)
            self.process.stdin.flush()
            if not task.paced:
                self.process.stdin.close()

    def go(self, turn: Turn) -> None:
        """Let a paced worker have a turn."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(turn.to_line().encode() + b"\n")
            self.process.stdin.flush()

    def finish(self) -> None:
        """Tell a paced worker that there is nothing more to measure."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()

    def messages(self) -> Iterator[Message]:
        """Yield the worker's messages, except the last, until it ends or is ended; of a paced one, until the last.

        The results of a paced worker come when its turn ends: to check and to write them takes milliseconds of a core
        that a worker with several threads may need.
        """
        for line in self._at_the_end_of_turns() if self.paced else self._lines():
            try:
                said = message.from_json(line)
            except ValueError as error:
                self._end(Failure("crash", f"it sent a message that cannot be read ({error}); terminated"))
                return
            if isinstance(said, Done):
                self.done = True
                if self.paced:  # the next round need not wait until Python has taken a large library apart
                    return
            else:
                yield said

    def _at_the_end_of_turns(self) -> Iterator[bytes]:
        """Yield the worker's lines, but results only when something else than a sign of life follows, or at the end."""
        kept: list[bytes] = []
        for line in self._lines():
            if line.startswith(RESULT):
                kept.append(line)
                continue
            if not line.startswith(BEAT):
                yield from kept
                kept = []
            yield line
        yield from kept

    def _lines(self) -> Iterator[bytes]:
        assert self.process.stdout is not None
        descriptor = self.process.stdout.fileno()
        pending = b""
        heard = looked = time.monotonic()
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_READ)
            while True:
                if selector.select(POLL_SECONDS):
                    chunk = os.read(descriptor, 1 << 16)
                    if not chunk:
                        break
                    heard = time.monotonic()
                    *lines, pending = (pending + chunk).split(b"\n")
                    yield from lines
                    heard = time.monotonic()  # the caller's own time does not count as the worker's silence
                elif time.monotonic() - heard > self.timeout_s:
                    self._end(Failure("timeout", f"no output for {self.timeout_s:g} s; terminated"))
                    break
                if time.monotonic() - looked < MEMORY_SECONDS:
                    continue
                looked = time.monotonic()
                used = self._memory()
                if used > self.memory_limit:
                    self.over_limit = True
                    words = f"used {used / 1e9:.1f} GB, the limit is {self.memory_limit / 1e9:.1f} GB; terminated"
                    self._end(Failure("out-of-memory", words))
                    break
        self.process.wait()

    def failure(self) -> Failure | None:
        """Return why a worker that has ended failed; None where it reported that it was done.

        Its exit status alone says nothing: a library may end the process with status 0 in the middle.
        """
        if self._ended_for is not None:
            return self._ended_for
        if self.done:
            return None
        status = self.process.returncode
        if status == -signal.SIGKILL and _oom_kills() > self._oom_kills:
            return Failure("out-of-memory", "the system ended it because memory ran out")
        how = died_of(-status) if status < 0 else f"ended with status {status}"
        early = " before it was done" if status == 0 else ""
        return Failure("crash", f"{how}{early}{self._last_words()}")

    def stop(self) -> None:
        """End the worker and its children if they still run, and remove their files."""
        children: list[psutil.Process] = []
        with contextlib.suppress(psutil.Error):  # MPI ranks have process groups of their own
            children = psutil.Process(self.process.pid).children(recursive=True)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        for child in children:
            with contextlib.suppress(psutil.Error):
                child.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.finish()
        self._scratch.cleanup()

    def _end(self, failure: Failure) -> None:
        self._ended_for = failure
        self.stop()

    def _memory(self) -> int:
        used = 0
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(self.process.pid)
            for one in (process, *process.children(recursive=True)):
                with contextlib.suppress(psutil.Error):
                    used += one.memory_info().rss
        return used

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").split("\n") if self.log.exists() else []
        words = [line.strip() for line in lines if line.strip()]
        return f": {words[-1][:300]}" if words else ""


def died_of(number: int) -> str:
    """Return which signal ended a process, and what that means where it is not plain."""
    name = f"died of {signal.Signals(number).name}"
    if number == signal.SIGILL:
        return f"{name}: it was built for instructions that this processor does not have, such as AVX-512"
    return name


def _oom_kills() -> int:
    """Return how many processes the kernel has killed since boot because memory ran out; 0 if this is unknown."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/vmstat").read_text().splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    return 0

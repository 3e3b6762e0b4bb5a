"""Commands of the tests without the second that Python takes to import pandas, SciPy, ASE and matplotlib.

A process that has imported them forks for each command. The command is a process of its own as ever, with its own
arguments, environment variables, folder, output and exit status; only the imports are there already.
`Warm` is the side of the tests, `main` the side of that process.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

IMPORTED = (
    *("pandas", "scipy.stats", "scipy.optimize", "scipy.spatial", "scipy.io", "ase.io", "ase.build", "ruptures"),
    *("rich.console", "rich.progress", "rich.table", "psutil", "pooch", "requests", "jinja2", "orjson", "packaging"),
    *("matplotlib.figure", "matplotlib.backends.backend_agg", "matplotlib.textpath"),
    *("bench.commands", "bench.results.tables", "bench.engine.runner", "bench.engine.display", "bench.engine.ready"),
    *("bench.render.shown", "bench.render.page.document", "bench.environments.catalogue", "bench.data.structures"),
)


class Warm:
    """Runs commands of a checkout in forks of a process that has imported what they need."""

    def __init__(self, project: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=project
        )

    def run(
        self, words: Sequence[str], folder: Path, environ: Mapping[str, str], timeout: float
    ) -> subprocess.CompletedProcess:
        """Run ``pesbench`` with these words in a folder; like :func:`subprocess.run` with captured text."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with tempfile.TemporaryDirectory(prefix="pesbench-output-") as kept:
            output, errors = Path(kept, "stdout"), Path(kept, "stderr")
            wanted = {
                "words": [*words],
                "environ": {**environ},
                "folder": str(folder),
                "output": str(output),
                "errors": str(errors),
                "timeout": timeout,
            }
            self._process.stdin.write(json.dumps(wanted) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
            assert answer, "the process that has imported everything has died"
            status = json.loads(answer)
            said, complained = output.read_text(), errors.read_text()
        if status is None:
            raise subprocess.TimeoutExpired(["pesbench", *words], timeout, said, complained)
        return subprocess.CompletedProcess(["pesbench", *words], status, said, complained)

    def stop(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def main() -> None:
    """Fork for each line of the standard input; answer with the status, null where it took too long."""
    sys.path[0] = str(Path.cwd())
    for name in IMPORTED:
        importlib.import_module(name)
    gc.freeze()  # else the collector of each fork writes to all that was imported, and so copies it
    for line in iter(sys.stdin.readline, ""):
        wanted = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _become(wanted)
            _leave(_status(wanted["words"]))
        signal.signal(signal.SIGALRM, functools.partial(_kill, pid))  # of a command that takes too long
        signal.alarm(int(wanted["timeout"]))
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        late = signal.alarm(0) == 0
        print(json.dumps(None if late and status == -signal.SIGKILL else status), flush=True)


def _become(wanted: dict) -> None:
    """Make this process what a new one would be: its variables, folder and files."""
    os.environ.clear()
    os.environ.update(wanted["environ"])
    os.chdir(wanted["folder"])
    tempfile.tempdir = None
    for number, path, flags in (
        (0, os.devnull, os.O_RDONLY),
        (1, wanted["output"], os.O_WRONLY | os.O_CREAT),
        (2, wanted["errors"], os.O_WRONLY | os.O_CREAT),
    ):
        opened = os.open(path, flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.argv = ["pesbench", *wanted["words"]]


def _status(words: list[str]) -> int:
    from bench.cli import main as pesbench

    try:
        return pesbench(words)
    except SystemExit as error:  # of argparse
        return int(error.code or 0)


def _leave(status: int) -> None:
    """End as Python does, but without freeing everything that was imported."""
    atexit._run_exitfuncs()
    with contextlib.suppress(ValueError):  # closed by a command whose reader went away
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)


def _kill(pid: int, *_: object) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()

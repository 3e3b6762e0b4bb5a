"""Commands of the tests without the seconds that Python takes to import pandas, SciPy, ASE, matplotlib or PyTorch.

A process that has imported them forks for each command. The command is a process of its own as ever, with its own
arguments, environment variables, folder, input, output and exit status; only the imports are there already.
A command is `pesbench`, or, as with ``python -c``, code for a method's environment.
`Warm` is the side of the tests, `main` the side of that process, which needs the standard library only.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import importlib.util
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
    """Runs commands of a checkout in forks of a process that has imported what they need.

    `python` is another interpreter, such as that of a method's environment, and `imported` what it imports first, with
    the environment variables `environ`. Isolated as it is, it finds of the project only the package `bench`.
    """

    def __init__(
        self,
        project: Path,
        python: Path | None = None,
        imported: Sequence[str] = IMPORTED,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._process = subprocess.Popen(
            [str(python or sys.executable), *(("-I",) if python else ()), __file__, *imported],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=project,
            env=environ,
        )

    def run(
        self, words: Sequence[str], folder: Path, environ: Mapping[str, str], timeout: float, given: str = ""
    ) -> subprocess.CompletedProcess:
        """Run ``pesbench`` with these words in a folder; like :func:`subprocess.run` with captured text.

        If the first word is ``-c``, the second is code to run and the others are its arguments. `given` is its input.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with tempfile.TemporaryDirectory(prefix="pesbench-output-") as kept:
            inputs, output, errors = Path(kept, "stdin"), Path(kept, "stdout"), Path(kept, "stderr")
            inputs.write_text(given)
            wanted = {
                "words": [*words],
                "environ": {**environ},
                "folder": str(folder),
                "input": str(inputs),
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
    if sys.flags.isolated:
        _find_bench()
    else:
        sys.path[0] = str(Path.cwd())
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # some libraries print when they are imported
    before = {**os.environ}
    for name in sys.argv[1:]:
        importlib.import_module(name)
    if "bench.commands" in sys.modules:
        sys.modules["bench.commands"].verbs()  # which imports the modules of all verbs
    by_imports = {name: value for name, value in os.environ.items() if before.get(name) != value}
    gc.freeze()  # else the collector of each fork writes to all that was imported, and so copies it
    for line in iter(sys.stdin.readline, ""):
        wanted = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _become(wanted, by_imports)
            _leave(_status(wanted["words"]))
        signal.signal(signal.SIGALRM, functools.partial(_kill, pid))  # of a command that takes too long
        signal.alarm(int(wanted["timeout"]))
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        late = signal.alarm(0) == 0
        print(json.dumps(None if late and status == -signal.SIGKILL else status), file=answers, flush=True)


def _become(wanted: dict, by_imports: dict[str, str]) -> None:
    """Make this process what a new one would be: its variables, with those that libraries set, its folder and files."""
    os.environ.clear()
    os.environ.update(wanted["environ"] | by_imports)
    os.chdir(wanted["folder"])
    tempfile.tempdir = None
    for number, path, flags in (
        (0, wanted["input"], os.O_RDONLY),
        (1, wanted["output"], os.O_WRONLY | os.O_CREAT),
        (2, wanted["errors"], os.O_WRONLY | os.O_CREAT),
    ):
        opened = os.open(path, flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.argv = ["pesbench", *wanted["words"]]


def _find_bench() -> None:
    """Make the package importable, and nothing else of the project, as in a worker."""
    package = Path.cwd() / "bench"
    spec = importlib.util.spec_from_file_location(
        "bench", package / "__init__.py", submodule_search_locations=[str(package)]
    )
    assert spec is not None and spec.loader is not None
    sys.modules["bench"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules["bench"])


def _status(words: list[str]) -> int:
    if words[:1] == ["-c"]:
        sys.argv = words[:1] + words[2:]
        exec(compile(words[1], "<test>", "exec"), {"__name__": "__main__"})
        return 0
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

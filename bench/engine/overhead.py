"""Measures what the harness adds to a step, with fresh processes in turn: a worker, and a plain script twice.

The script is that of ``pesbench script``. It runs once with the worker's environment variables, and once without those
that set threads, as in a shell in which nothing was set.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.core.description import ParallelSpeed
from bench.core.message import Pair, Result
from bench.core.overhead import OverheadRound, Relaxed
from bench.core.records import NotMeasured
from bench.core.settings import Settings
from bench.data.structures import DataSet
from bench.engine import script, tasks
from bench.engine.plan import timeout
from bench.engine.ready import Ready
from bench.engine.start import start, variables
from bench.engine.tasks import Prepared
from bench.environments.catalogue import Catalogue
from bench.environments.header import Method
from bench.errors import BadInput

REPEATS = 3
"""Relaxations of a structure in a process; in the worker, as many of each kind."""
LONGEST_S = 3600.0
"""A script that takes longer is ended."""
_LINE = re.compile(r"^(\d+) steps, (\S+) ms/step$", re.MULTILINE)


def measure(
    catalogue: Catalogue,
    methods: Sequence[Method],
    dataset: DataSet,
    limit: int,
    threads: int,
    parallel: ParallelSpeed,
    say: Callable[[str], None],
) -> dict[str, list[OverheadRound]]:
    """Return the rounds of each method, one for each of `limit` structures; raises BadInput where one cannot run."""
    settings = Settings(
        methods=tuple(method.name for method in methods), threads=threads, limit=limit, weights="pretrained"
    )
    ready = Ready(settings, catalogue, dataset, parallel, say)
    indices = dataset.order[:limit]
    for method in methods:  # before anything is measured
        ready.or_refuse(method, "cpu")
        script.make(ready, method, "cpu", indices[0], REPEATS, "script.py")
    rounds: dict[str, list[OverheadRound]] = {method.name: [] for method in methods}
    for number, index in enumerate(indices):
        for method in methods:
            say(f"{method.name}: structure {number + 1} of {len(indices)}")
            rounds[method.name].append(_round(ready, method, index, number))
    return rounds


def _round(ready: Ready, method: Method, index: int, number: int) -> OverheadRound:
    """Relax a structure in the three processes; which one is first rotates with the number of the round."""
    dataset = ready.dataset
    assert dataset is not None
    prepared = ready.or_refuse(method, "cpu")
    task = tasks.overhead(prepared, ready.settings, dataset, [index], repeats=REPEATS)
    plain = script.make(ready, method, "cpu", index, REPEATS, "script.py")
    environ = variables(task, ready.parallel)
    shell = {name: value for name, value in environ.items() if name not in script.THREAD_VARIABLES}
    found: dict[str, OverheadRound] = {}
    empty = OverheadRound((), (), ())
    ways: dict[str, Callable[[], OverheadRound]] = {
        "worker": lambda: dataclasses.replace(empty, pairs=_through_the_harness(ready, prepared, task)),
        "script": lambda: dataclasses.replace(empty, script=_run(method, plain, environ)),
        "shell": lambda: dataclasses.replace(empty, shell=_run(method, plain, shell)),
    }
    names = list(ways)
    for name in names[number % 3 :] + names[: number % 3]:
        found[name] = ways[name]()
    return OverheadRound(found["worker"].pairs, found["script"].script, found["shell"].shell)


def _through_the_harness(ready: Ready, prepared: Prepared, task: tasks.Task) -> tuple[Pair, ...]:
    method = prepared.method
    limit = timeout(ready.settings, method.kind)
    with start(task, prepared.environment, parallel=ready.parallel, timeout_s=limit) as worker:
        said = list(worker.messages())
        records = [one.record for one in said if isinstance(one, Result)]
        failures = [record.failure for record in records if isinstance(record, NotMeasured)]
        failure = failures[0] if failures else worker.failure()
    if failure is not None:
        raise BadInput(f"{method.name} cannot run here: {failure.message}")
    return tuple(one for one in said if isinstance(one, Pair))


def _run(method: Method, plain: script.PlainScript, environ: dict[str, str]) -> tuple[Relaxed, ...]:
    """Run the script in a process of its own, in an empty folder; returns what it printed."""
    with tempfile.TemporaryDirectory(prefix="pesbench-script-", ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "script.py"
        path.write_text(plain.text, encoding="utf-8")
        process = subprocess.Popen(
            [*plain.command, str(path)],
            env={**environ, "TMPDIR": folder},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            printed, errors = process.communicate(timeout=LONGEST_S)
        except BaseException as error:
            with contextlib.suppress(ProcessLookupError):  # with the programs that it started
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            if isinstance(error, subprocess.TimeoutExpired):
                raise BadInput(f"the plain script of {method.name} was not done after {LONGEST_S:g} s.") from None
            raise
    found = tuple(Relaxed(int(steps), float(ms)) for steps, ms in _LINE.findall(printed))
    if process.returncode != 0 or len(found) != REPEATS:
        words = [line.strip() for line in errors.splitlines() if line.strip()]
        raise BadInput(f"the plain script of {method.name} failed: {words[-1] if words else 'it printed no times'}")
    return found

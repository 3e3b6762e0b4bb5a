"""Builds checkpoints with random weights, each in its own process, into pesbench's own cache."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench import paths
from bench.core.description import ParallelSpeed
from bench.core.message import Result
from bench.core.records import NotMeasured
from bench.core.settings import Settings
from bench.engine import tasks
from bench.engine.plan import timeout
from bench.engine.start import start
from bench.environments.checkpoints import CheckpointMissing
from bench.environments.environments import Environment
from bench.environments.header import Header, Method
from bench.environments.weights import Weights


def build(
    weights: Weights,
    method: Method,
    header: Header,
    environment: Environment,
    settings: Settings,
    parallel: ParallelSpeed | None,
    say: Callable[[str], None] = lambda line: None,
) -> Weights:
    """Return `weights` with the path of its random checkpoint, built now if it is not in pesbench's cache.

    It never lies in an upstream cache, where it could be mistaken for the real one. Raises CheckpointMissing.
    """
    if weights.mode != "random":
        return weights
    assert method.checkpoint is not None
    code = hashlib.sha256(header.path.read_bytes()).hexdigest()[:10]  # the code that builds it
    folder = paths.cache_dir() / "random" / f"{method.checkpoint.file}-{code}-seed{settings.seed}"
    path = folder / f"RANDOM-{method.checkpoint.file}"
    if not path.exists():
        say(f"building {method.name} with random weights")
        try:
            _build(path, method, environment, settings, parallel)
        except OSError as error:
            why = f"{error.filename or folder}: {error.strerror}."
            raise CheckpointMissing(f"{method.name} could not be built with random weights: {why}") from None
    return dataclasses.replace(weights, path=path, facts={"file": path.name, "seed": settings.seed})


def _build(
    path: Path, method: Method, environment: Environment, settings: Settings, parallel: ParallelSpeed | None
) -> None:
    folder = path.parent
    folder.parent.mkdir(parents=True, exist_ok=True)
    # A folder of its own: two commands may build the same checkpoint at once.
    with tempfile.TemporaryDirectory(prefix=f"{folder.name}.", dir=folder.parent) as scratch:
        made = Path(scratch) / folder.name
        made.mkdir()
        task = tasks.build_random(method, settings, made / path.name)
        with start(task, environment, parallel=parallel, timeout_s=timeout(settings, method.kind)) as worker:
            records = [said.record for said in worker.messages() if isinstance(said, Result)]
            failures = [record.failure for record in records if isinstance(record, NotMeasured)]
            failure = failures[0] if failures else worker.failure()
        if failure is not None:
            raise CheckpointMissing(f"{method.name} could not be built with random weights: {failure.message}")
        with contextlib.suppress(OSError):  # the other command was faster; its file is the same
            made.rename(folder)
        if not path.exists():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))

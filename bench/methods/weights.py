"""Decides which weights a method runs with: the official checkpoint, random ones, or none."""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import paths
from bench.campaign import launch
from bench.campaign.local import LocalWorker
from bench.campaign.plan import timeout
from bench.contract.records import NotMeasured, from_json
from bench.contract.settings import Settings
from bench.errors import BadInput
from bench.methods import checkpoints, environments
from bench.methods.checkpoints import CheckpointMissing
from bench.methods.doctor import obstacle
from bench.methods.environments import Environment, EnvironmentFailed
from bench.methods.header import Header, Method


@dataclasses.dataclass(frozen=True)
class Weights:
    """What a worker loads."""

    mode: str
    """``pretrained``, ``random``, or ``none`` where a method has no weights."""
    path: Path | None = None
    facts: dict[str, Any] | None = None
    """What the records say about the file."""
    reason: str = ""
    """Why the weights are random, where the user did not ask for it."""


def choose(method: Method, settings: Settings, say: Callable[[str], None] = lambda line: None) -> Weights:
    """Return the weights that `method` runs with; a random checkpoint's path is still to be made (:func:`build`).

    Raises CheckpointMissing where they cannot be had.
    """
    if method.checkpoint is None:
        return Weights("none")
    if settings.checkpoint is not None:
        own = checkpoints.users_own(Path(settings.checkpoint), settings.trust)
        return Weights("pretrained", own.path, own.facts())
    if settings.weights == "random":
        if not method.random_weights:
            raise CheckpointMissing(f"{method.name} cannot be built with random weights; leave out --weights random.")
        return Weights("random")
    try:
        found = checkpoints.prepare(method, settings.trust, say)
    except CheckpointMissing as error:
        if settings.weights == "auto" and method.random_weights:
            return Weights("random", reason=str(error))
        raise
    if found is None:
        return Weights("pretrained", facts={"file": method.checkpoint.file, "sha256": method.checkpoint.sha256})
    return Weights("pretrained", found.path, found.facts())


def build(
    weights: Weights,
    method: Method,
    header: Header,
    environment: Environment,
    settings: Settings,
    say: Callable[[str], None] = lambda line: None,
) -> Weights:
    """Return `weights` with the path of its random checkpoint, built now if it is not in our own cache.

    It never lies in an upstream cache, where it would pass for the real one. Raises CheckpointMissing.
    """
    if weights.mode != "random":
        return weights
    assert method.checkpoint is not None
    code = hashlib.sha256(header.path.read_bytes()).hexdigest()[:10]  # what builds it
    folder = paths.cache_dir() / "random" / f"{method.checkpoint.file}-{code}-seed{settings.seed}"
    path = folder / f"RANDOM-{method.checkpoint.file}"
    if not path.exists():
        say(f"building {method.name} with random weights")
        _build(path, method, environment, settings)
    return dataclasses.replace(weights, path=path, facts={"file": path.name, "seed": settings.seed})


def environment_of(
    method: Method, header: Header, settings: Settings, device: str, say: Callable[[str], None] = lambda line: None
) -> Environment:
    """Return the environment of a method: the user's interpreter, or ours; raises EnvironmentFailed."""
    brought = settings.pythons.get(method.name)
    if brought is None:
        return environments.prepare(header, device, settings.torch_backend, say)
    environment = environments.bring(header, Path(brought))
    for difference in environment.differences or ():
        say(f"{method.name}: {brought} has {difference}")
    return environment


def ready(
    method: Method,
    header: Header,
    settings: Settings,
    device: str,
    say: Callable[[str], None] = lambda line: None,
) -> tuple[Environment, Weights]:
    """Return environment and weights of a method, made now if need be; raises BadInput where it cannot run here."""
    failure = obstacle(method, header, device)
    if failure is not None:
        raise BadInput(f"{method.name} cannot run here: {failure.message}")
    try:
        chosen = choose(method, settings, say)
        environment = environment_of(method, header, settings, device, say)
        return environment, build(chosen, method, header, environment, settings, say)
    except (CheckpointMissing, EnvironmentFailed) as error:
        raise BadInput(f"{method.name} cannot run here: {error}") from None


def _build(path: Path, method: Method, environment: Environment, settings: Settings) -> None:
    scratch = path.parent.with_name(f"{path.parent.name}.tmp")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    worker = LocalWorker(
        launch.command(environment),
        launch.variables(settings, "cpu"),
        launch.random_task(method, scratch / path.name, settings.seed),
        scratch / "log",
        timeout(settings, method.kind),
    )
    try:
        lines = list(worker.messages())
    finally:
        worker.stop()
    failures = [record.failure for line in lines if isinstance(record := from_json(line), NotMeasured)]
    failure = failures[0] if failures else worker.failure()
    if failure is not None:
        raise CheckpointMissing(f"{method.name} could not be built with random weights: {failure.message}")
    (scratch / "log").unlink()
    shutil.rmtree(path.parent, ignore_errors=True)
    scratch.rename(path.parent)

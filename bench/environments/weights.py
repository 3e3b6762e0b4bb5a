"""Decides which weights a method runs with: the official checkpoint, random ones, or none."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.core.settings import Settings
from bench.environments import checkpoints
from bench.environments.checkpoints import CheckpointMissing
from bench.environments.header import Method


@dataclasses.dataclass(frozen=True)
class Weights:
    """The weights that a worker loads."""

    mode: str
    """``pretrained``, ``random``, or ``none`` where a method has no weights."""
    path: Path | None = None
    facts: dict[str, Any] | None = None
    """The facts about the file that go into the records."""
    reason: str = ""
    """Why the weights are random, where the user did not ask for them."""


def choose(method: Method, settings: Settings, say: Callable[[str], None] = lambda line: None) -> Weights:
    """Return the weights for `method`; a random checkpoint is built later, so it has no path yet.

    Raises CheckpointMissing where none are available.
    """
    if method.checkpoint is None:
        return Weights("none")
    # runs that are older than versions with own checkpoints have one for their only method
    if path := method.own_checkpoint or settings.checkpoint:
        own = checkpoints.users_own(Path(path), settings.trust, method.checkpoint.unpack)
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

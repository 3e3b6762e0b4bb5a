"""Lets a campaign use copies of its environments and checkpoints on the machine's own disk."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.core.description import ScratchFacts
from bench.engine.tasks import Prepared
from bench.environments import scratch
from bench.environments.scratch import NoScratch


class Copies:
    """The copies that a campaign uses: of all its methods or, where one cannot be made, of none.

    Cold starts from two disks could not be compared.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self._of: dict[Path, Path] = {}

    def make(self, methods: Sequence[Prepared]) -> ScratchFacts:
        """Copy what these methods need, unless it is there; returns what the run says about it."""
        found: dict[Path, Path] = {}
        try:
            here = scratch.here(self.say)
            for one in methods if here else ():
                assert here is not None
                python, weights = one.environment.python, one.weights
                if python not in found and (copied := here.environment(python)) is not None:
                    found[python] = copied
                if weights.path is not None and weights.path not in found:
                    found[weights.path] = here.checkpoint(weights.path, (weights.facts or {}).get("sha256"))
        except NoScratch as trouble:
            self.say(f"{trouble}; the shared folders are used")
            return ScratchFacts(str(trouble))
        self._of = found
        return ScratchFacts()

    def of(self, prepared: Prepared) -> Prepared:
        """Return a method with its copies, where they were made."""
        environment, weights, used = prepared.environment, prepared.weights, []
        if (python := self._of.get(environment.python)) is not None:
            environment = dataclasses.replace(environment, python=python)
            used.append("environment")
        if weights.path is not None and (path := self._of.get(weights.path)) is not None:
            weights = dataclasses.replace(weights, path=path)
            used.append("checkpoint")
        environment = dataclasses.replace(environment, scratch=tuple(used))
        return dataclasses.replace(prepared, environment=environment, weights=weights)

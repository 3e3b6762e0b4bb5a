"""Measures some settings of a method in turn with its default: one session is a fresh process of each.

Each is compared with the default under the same conditions. The engine is :mod:`bench.engine.turns`.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence

from bench.core.candidate import Candidate
from bench.core.description import ParallelSpeed
from bench.core.kind import KINDS
from bench.core.settings import Settings
from bench.data.structures import DataSet
from bench.engine.candidates import version
from bench.engine.paced import CannotBeMeasured, ComparedWorker
from bench.engine.plan import answers_of
from bench.engine.ready import Ready
from bench.engine.turns import POINTS, Contender, Turns
from bench.environments.catalogue import Catalogue
from bench.environments.header import Method
from bench.results import store

LEAST_SECONDS, MOST_SECONDS = 3.0, 10.0
"""Each setting is measured for as long as the default took to start, within these limits, in each session."""


class Sessions:
    """Measures settings of a method, of which the first is the default, session by session.

    `share_s` is how many seconds each setting may take in the first session, including its start.
    """

    def __init__(
        self,
        method: Method,
        candidates: Sequence[Candidate],
        catalogue: Catalogue,
        settings: Settings,
        dataset: DataSet,
        parallel: ParallelSpeed,
        share_s: float,
        say: Callable[[str], None],
    ) -> None:
        self.method = method
        self.default = candidates[0]
        self.settings = settings
        self.device = settings.devices[0]
        self.share_s = share_s
        self.say = say
        self.turns = Turns(settings, dataset, parallel, say)
        ready = Ready(settings, catalogue, dataset, parallel, say).or_refuse(method, self.device)
        # all have the same environment and the same weights
        self.prepared = {
            one.method: dataclasses.replace(ready, method=version(method, one, self.device)) for one in candidates
        }
        self.planned: int | None = None
        """Structures per session, the same in all; known once the default's first calls are made."""
        self.count = 0
        self.seconds = self.turns.seconds
        """What each setting cost in its last session, including its start."""
        self.rounds: dict[str, int] = {}
        self.failed: dict[str, str] = {}
        """Why a setting could not be measured."""

    def measure(self, writer: store.RunWriter, group: Sequence[Candidate], patience_s: float = math.inf) -> None:
        """Measure the default and a group of settings in turn; one that fails is left out, and `failed` says why.

        A worker of the group that is silent for `patience_s` has failed. The first session plans the number of
        structures.
        """
        number, self.count = self.count, self.count + 1
        order = [self.default, *group] if (self.settings.seed + number) % 2 else [*reversed(group), self.default]
        labels = {one.method: one.label for one in order}

        def structures(workers: dict[str, ComparedWorker]) -> int:
            if self.planned is None:
                self.planned = self._plan(workers[self.default.method].call_seconds)
            return self.planned

        def fails(one: Contender, error: CannotBeMeasured) -> None:
            """Leave a setting out; the default's failure ends the search."""
            if one.name == self.default.method:
                raise error
            self.failed[one.name] = error.failure.message
            self.say(f"{labels[one.name]}: {error.failure.message}")

        contenders = [self._contender(one, math.inf if one is self.default else patience_s) for one in order]
        for name in self.turns.round(number, contenders, writer, structures, fails):
            self.rounds[name] = self.rounds.get(name, 0) + 1

    def _contender(self, one: Candidate, patience_s: float) -> Contender:
        new = one.method not in self.rounds
        answers = answers_of(self.method.kind, self.turns.indices, 0) if new else []
        return Contender(one.method, self.prepared[one.method], one.threads, tuple(answers), patience_s)

    def _plan(self, call_s: float) -> int:
        """Return the number of structures per session, such that each setting takes its share.

        At least all structures of the fingerprint, or a change of the answers could be missed.
        """
        start_s = self.seconds[self.default.method]
        wanted = min(max(start_s, LEAST_SECONDS), MOST_SECONDS)
        seconds = min(wanted, max(self.share_s - start_s, 1.0))
        structures = max(round(seconds / call_s / POINTS), KINDS[self.method.kind].answers)
        return min(structures, len(self.turns.indices))

"""Measures two versions of a method in turn, A B B A, on one machine, until the result is clear or time is up.

Old and new start first in turn, because it matters a little which one does. The engine is :mod:`bench.engine.turns`.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

from bench.core.description import ParallelSpeed
from bench.core.settings import Settings
from bench.data.structures import DataSet
from bench.engine.describing import describe
from bench.engine.paced import CannotBeMeasured, ComparedWorker
from bench.engine.plan import answers_of
from bench.engine.ready import Ready
from bench.engine.rounds import FEWEST_ROUNDS, plan, whole_structures
from bench.engine.turns import Contender, Turns
from bench.environments.catalogue import Catalogue
from bench.environments.header import Method
from bench.errors import BadInput
from bench.results import store


class NothingToCompareWith(BadInput):
    """The old version cannot run on this machine."""


class TwoVersions:
    """An old and a new version of one method; :meth:`run` measures them in turn into a run directory.

    Raises BadInput where one of them cannot run here; NothingToCompareWith where it is the old one.
    """

    def __init__(
        self,
        old: Method,
        new: Method,
        catalogue: Catalogue,
        settings: Settings,
        dataset: DataSet,
        parallel: ParallelSpeed,
        say: Callable[[str], None],
    ) -> None:
        self.settings = settings
        self.turns = Turns(settings, dataset, parallel, say)
        ready = Ready(settings, catalogue, dataset, parallel, say)
        try:
            both = [ready.or_refuse(old, self.turns.device)]
        except BadInput as error:
            raise NothingToCompareWith(str(error)) from None
        both.append(ready.or_refuse(new, self.turns.device))
        modes = [one.weights.mode for one in both]
        if modes[0] != modes[1]:
            raise BadInput(
                f"{old.name} has {modes[0]} weights and {new.name} {modes[1]}; "
                "fetch both checkpoints, or compare with --weights random."
            )
        self.contenders = [Contender(one.method.name, one, settings.threads) for one in both]
        self.planned: int | None = None
        """Structures per round, the same in all; known once the first calls are made."""

    def run(self, writer: store.RunWriter, budget_s: float, decided: Callable[[], bool]) -> int:
        """Measure rounds until `decided`, or until the next one would exceed `budget_s`; returns their number.

        It measures at least four, two with each version as the one that starts first. Raises BadInput where a version
        cannot be measured.
        """
        began = time.monotonic()
        longest = 0.0
        number = 0
        while number < FEWEST_ROUNDS or (not decided() and time.monotonic() - began + longest < budget_s):
            round_began = time.monotonic()
            self._round(number, writer, budget_s)
            longest = max(longest, time.monotonic() - round_began)
            number += 1
        return number

    def _round(self, number: int, writer: store.RunWriter, budget_s: float) -> None:
        """Measure one round; the first plans, from the time it took to start, how many structures all rounds have."""
        # the one that starts first waits for the other, so they take turns at it
        order = self.contenders if (self.settings.seed + number) % 2 else self.contenders[::-1]
        answers = [answers_of(one.prepared.method.kind, self.turns.indices, number) for one in order]
        told = [dataclasses.replace(one, answers=tuple(each)) for one, each in zip(order, answers, strict=True)]

        def structures(workers: dict[str, ComparedWorker]) -> int:
            if self.planned is None:
                pair_s = sum(one.call_seconds for one in workers.values())
                self.planned = self._plan(sum(self.turns.seconds.values()), pair_s, budget_s)
            return self.planned

        self.turns.round(number, told, writer, structures, _give_up)

    def _plan(self, start_s: float, pair_s: float, budget_s: float) -> int:
        """Return the number of structures per round."""
        points, most = self.settings.replay_points, len(self.turns.indices)
        return whole_structures(plan(start_s, pair_s, budget_s, most * points), points, most)


def _give_up(one: Contender, error: CannotBeMeasured) -> None:
    """A comparison needs both."""
    raise error


def begin(
    directory: Path, settings: Settings, catalogue: Catalogue, dataset: DataSet, parallel: ParallelSpeed
) -> store.RunWriter:
    """Make the run directory of a comparison."""
    campaign = describe(directory, settings, catalogue, dataset, parallel, settings.limit or len(dataset.atoms))
    return store.create(directory, campaign, dataset)

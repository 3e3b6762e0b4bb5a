"""When a campaign will be done: what is left of its jobs, and how long each took so far.

A job is one method's part of a round, in one phase. What later rounds of a method take is known from its earlier ones,
with their starts; before that, a guess counts, corrected by how far the guesses for other methods were off.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping

from bench.core.kind import KINDS
from bench.core.protocol import STRUCTURES, Key
from bench.core.settings import Settings
from bench.environments.header import Method
from bench.protocols import PROTOCOLS, phases

Kind = tuple[Key, str]
"""A method on a device, and its structures or its later phases."""
LATER = "later"
LATER_STARTS = 0.8
"""What a later start takes, over the first one, which also compiles and reads from the disk: in our runs 0.5 to 1."""
AS_GUESSED = (1.0, 1.0)
"""That jobs take what was guessed counts as much as this many that were measured."""
_ONCE = frozenset(protocol.phase for protocol in PROTOCOLS.values() if protocol.once)


class Forecast:
    """Counts jobs and foretells how long the rest takes.

    Parameters
    ----------
    jobs : mapping of Kind to int
        How many jobs there are of each kind.
    guess : callable
        The seconds of a job of a kind that was not measured yet.
    """

    def __init__(self, jobs: Mapping[Kind, int], guess: Callable[[Kind], float]) -> None:
        self._jobs = dict(jobs)
        self._guess = guess
        self._took: dict[Kind, list[float]] = {}
        self._starts: dict[Kind, float] = {}
        """How long the first one of each kind took to start."""
        self.done = 0

    @property
    def jobs(self) -> int:
        """Return how many jobs there are, those done included."""
        return self.done + sum(self._jobs.values())

    def add(self, kind: Kind, seconds: float, start_s: float = 0.0) -> None:
        """Enter a job that took so many seconds of wall clock, its start included, which is `start_s` where known."""
        self.done += 1
        self._starts.setdefault(kind, start_s)
        self._jobs[kind] = max(self._jobs.get(kind, 0) - 1, 0)
        self._took.setdefault(kind, []).append(seconds)

    def skip(self, kind: Kind) -> None:
        """Forget a job that has nothing to measure."""
        self._jobs[kind] = max(self._jobs.get(kind, 0) - 1, 0)

    def drop(self, key: Key) -> None:
        """Forget the jobs of a method that is not measured any more."""
        self._jobs = {kind: count for kind, count in self._jobs.items() if kind[0] != key}

    def left(self) -> float:
        """Return the seconds that the jobs which are left will take; infinite where nothing limits one of them."""
        return sum(count * self._expected(kind) for kind, count in self._jobs.items() if count)

    def _expected(self, kind: Kind) -> float:
        took = self._took.get(kind)
        if took:  # the first one also compiles, builds and answers; it tells less than those after it
            return statistics.fmean(took[1:]) if took[1:] else took[0] - (1 - LATER_STARTS) * self._starts[kind]
        guess = self._guess(kind)
        if math.isinf(guess):
            return guess
        off = [times[0] / guessed for other, times in self._took.items() if (guessed := self._like(kind, other))]
        # the first ones are the lightest, which may need little of their time: they say little of the heavy ones
        return guess * statistics.median([*off, *AS_GUESSED])

    def _like(self, kind: Kind, other: Kind) -> float:
        return self._guess(other) if other[1] == kind[1] else 0.0


def of(settings: Settings, methods: Mapping[str, Method]) -> Forecast:
    """Return the forecast of a campaign that has not begun."""
    wanted = phases(settings.protocols)
    later = [phase for phase in wanted if phase != STRUCTURES]
    once = all(phase in _ONCE for phase in later)
    jobs = {}
    for key in [(name, device) for device in settings.devices for name in settings.methods]:
        if STRUCTURES in wanted:
            jobs[key, STRUCTURES] = settings.rounds
        if later:
            jobs[key, LATER] = 1 if once else settings.rounds

    def guess(kind: Kind) -> float:
        (name, _), phase = kind
        budget = settings.budget_s.get(name)
        most = math.inf if budget is None else budget
        start = KINDS[methods[name].kind].start_s
        if phase == STRUCTURES:
            return start + most / settings.rounds
        rounds = 1 if once else settings.rounds
        return start + sum(min(most, settings.phase_s.get(one, math.inf)) for one in later) / rounds

    return Forecast(jobs, guess)

"""Searches for the fastest settings of a method by successive halving, within a budget.

The first look measures every setting once, together with the default; each further round only those that may still be
the fastest.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence

import psutil

from bench.core.candidate import Candidate, Standing
from bench.core.device import Device
from bench.engine.candidates import pointless
from bench.engine.planner import UNKNOWN_MEMORY_MB
from bench.engine.sessions import Sessions
from bench.results.store import RunWriter

FIRST_SHARE = 0.5
"""Share of the budget for the first look; settings whose turn comes later are not tried."""
PATIENCE_SECONDS = 60.0
"""A setting may take at least this long to start in the first look, even if the budget ends before."""
LEAST_ROUNDS = 3
MOST_AT_ONCE = 8
"""Processes of one session: more would have to wait long for their turns."""
MEMORY_SHARE = 0.7
"""Share of the free memory that the processes of one session may fill."""

OUT_OF_TIME = "the budget ended before it was decided"
NOT_TRIED = "not tried: "
CANNOT, DIFFERENT = "cannot be measured", "changes the answers"

Judge = Callable[[Sequence[str]], Standing]
"""Takes the names of the settings that are left."""


class Search:
    """A search among `candidates`, of which the first is the default; :meth:`run` measures into a run directory."""

    def __init__(self, candidates: Sequence[Candidate], sessions: Sessions, budget_s: float) -> None:
        self.default, *self.others = candidates
        self.sessions = sessions
        self.budget_s = budget_s
        self.why: dict[str, str] = {}
        """Why a setting was not tried, or measured no further."""

    def run(self, writer: RunWriter, judge: Judge) -> None:
        """Measure until `judge` has decided or the budget is used up.

        Raises BadInput where the default cannot be measured.
        """
        began = time.monotonic()
        left = self._first_look(writer, began + FIRST_SHARE * self.budget_s, judge)
        while left:
            standing = judge([one.method for one in left])
            left = self._kept(left, standing)
            if standing.decided or not left:
                break
            left = self._affordable(left, began + self.budget_s - time.monotonic())
            for group in self._groups(left):
                self.sessions.measure(writer, group)
            left = [one for one in left if one.method not in self.sessions.failed]

    def _first_look(self, writer: RunWriter, deadline: float, judge: Judge) -> list[Candidate]:
        """Measure each setting once, single changes first; returns those that were measured."""
        singles = [one for one in self.others if len(one.changes) == 1]
        measured = self._look(writer, singles, deadline)
        standing = judge([one.method for one in measured])
        alone = {one.changes[0]: CANNOT for one in singles if one.method in self.sessions.failed}
        alone |= {one.changes[0]: DIFFERENT for one in measured if one.method in standing.other_answers}
        gains = {one.changes[0]: standing.times.get(one.method, 1.0) for one in measured}
        combinations = []
        for one in self.others:
            reason = pointless(one, alone)
            if len(one.changes) > 1 and reason:
                self.why[one.method] = NOT_TRIED + reason
            elif len(one.changes) > 1:
                combinations.append(one)
        # the most promising first, because the time may not suffice for all
        combinations.sort(key=lambda one: math.prod(gains.get(change, 1.0) for change in one.changes))
        return measured + self._look(writer, combinations, deadline)

    def _look(self, writer: RunWriter, settings: Sequence[Candidate], deadline: float) -> list[Candidate]:
        """Measure settings once, as many as fit before the deadline; returns those that could be measured."""
        for group in self._groups(settings):
            remaining = deadline - time.monotonic()
            now = [one for i, one in enumerate(group, 1) if self._cost(group[:i]) <= remaining]
            for one in group[len(now) :]:
                self.why[one.method] = f"{NOT_TRIED}the budget of {self.budget_s:g} s is too small"
            if now:
                self.sessions.measure(writer, now, max(remaining, PATIENCE_SECONDS))
        return [one for one in settings if one.method in self.sessions.rounds]

    def _kept(self, left: Sequence[Candidate], standing: Standing) -> list[Candidate]:
        """Return the settings to measure further, the fastest first, and keep the reasons for dropping the others."""
        by_name = {one.method: one for one in left}
        for name in by_name:
            if name in standing.other_answers:
                self.why[name] = DIFFERENT
            elif name not in standing.keep:
                self.why[name] = f"slower than the best after {self._rounds(name)}"
        kept = [by_name[name] for name in standing.keep]
        if len(kept) < len(left) and not standing.decided:
            self.sessions.say(f"{len(left)} settings measured; still in the search: {_listed(kept)}")
        return kept

    def _affordable(self, left: Sequence[Candidate], seconds: float) -> list[Candidate]:
        """Return the settings whose next rounds fit into `seconds`, the fastest first; the others are dropped.

        As many rounds must fit as a decision needs.
        """
        fewest = min(self.sessions.rounds[one.method] for one in left)
        needed = max(1, LEAST_ROUNDS - fewest)
        # rounded up: the machine may be slower next time
        enough = 60 * math.ceil((self.budget_s - seconds + needed * self._cost(left)) / 60)
        kept: list[Candidate] = []
        for one in left:
            if needed * self._cost([*kept, one]) <= seconds:
                kept.append(one)
            else:
                rounds = self._rounds(one.method)
                self.why[one.method] = f"{OUT_OF_TIME}, after {rounds}; a budget of {enough} s may suffice"
        if len(kept) < len(left):
            dropped = len(left) - len(kept)
            self.sessions.say(f"no time is left for {dropped} more of the settings that may be the fastest")
        return kept

    def _rounds(self, name: str) -> str:
        count = self.sessions.rounds[name]
        return f"{count} round{'s' if count != 1 else ''}"

    def _cost(self, settings: Sequence[Candidate]) -> float:
        """Return about how many seconds a round of these settings takes, in as many sessions as it needs."""
        seconds = self.sessions.seconds
        default = seconds.get(self.default.method, 0.0)
        count = math.ceil(len(settings) / self._at_once())
        return count * default + sum(seconds.get(one.method, default) for one in settings)

    def _at_once(self) -> int:
        """Return how many settings fit into memory beside the default; one on an accelerator, which has less of it."""
        if Device.parse(self.sessions.device).kind.accelerator:
            return 1
        needs = 1e6 * (self.sessions.method.memory_mb or UNKNOWN_MEMORY_MB)
        fit = int(MEMORY_SHARE * psutil.virtual_memory().available / needs) - 1
        return max(1, min(fit, MOST_AT_ONCE - 1))

    def _groups(self, settings: Sequence[Candidate]) -> Iterator[Sequence[Candidate]]:
        """Divide settings into those of one session each, of about equal size."""
        if settings:
            size = math.ceil(len(settings) / math.ceil(len(settings) / self._at_once()))
            for first in range(0, len(settings), size):
                yield settings[first : first + size]


def _listed(settings: Sequence[Candidate], most: int = 4) -> str:
    names = [one.label for one in settings[:most]]
    more = len(settings) - most
    return "; ".join(names) + (f" and {more} more" if more > 0 else "") or "none"

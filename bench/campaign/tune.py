"""Searches for the fastest settings of a method by successive halving, within a budget.

A session is a fresh process of the default and of some other settings. All are loaded and warm before the first
structure. Then they take turns along the same paths, as the two versions of :mod:`bench.campaign.regress` do, so that
each is compared with the default under the same conditions. The first look measures every setting once; each further
round only those that may still be the fastest.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import time
from collections.abc import Callable, Iterator, Sequence

import psutil

from bench.campaign import tasks
from bench.campaign.candidates import pointless, version
from bench.campaign.paced import CannotBeMeasured, PacedWorker
from bench.campaign.plan import answers_of, timeout
from bench.campaign.ready import Ready
from bench.campaign.start import start
from bench.contract.candidate import Candidate, Standing
from bench.contract.description import ParallelSpeed
from bench.contract.device import Device
from bench.contract.protocol import REPLAY
from bench.contract.records import NotMeasured, Watched
from bench.contract.settings import Settings
from bench.contract.task import Item
from bench.data.selection import measuring_order
from bench.data.structures import DataSet
from bench.machine import accelerators
from bench.machine.watch import Watch
from bench.methods.catalogue import Catalogue
from bench.methods.header import Method
from bench.runs import store

POINTS = 4
"""Geometries per path: few, so that a session has several structures."""
TURN_SECONDS = 0.05
"""A turn is one force call, or as many as take this long on average."""
LEAST_SECONDS, MOST_SECONDS = 3.0, 10.0
"""Each setting is measured for as long as the default took to start, within these limits, in each session."""
FIRST_SHARE = 0.5
"""Share of the budget for the first look; settings whose turn comes later are not tried."""
PATIENCE_SECONDS = 60.0
"""A setting may take at least this long to start in the first look, even if the budget ends before."""
LEAST_ROUNDS = 3
MOST_AT_ONCE = 8
"""Processes of one session: more would have to wait long for their turns."""
MEMORY_SHARE = 0.7
"""Share of the free memory that the processes of one session may fill."""
UNKNOWN_MEMORY = 1e9

OUT_OF_TIME = "the budget ended before it was decided"
NOT_TRIED = "not tried: "
ALONE_DIFFERENT = "changes the answers"


class Search:
    """A search among `candidates`, of which the first is the default; :meth:`run` measures into a run directory."""

    def __init__(
        self,
        method: Method,
        candidates: Sequence[Candidate],
        catalogue: Catalogue,
        settings: Settings,
        dataset: DataSet,
        parallel: ParallelSpeed,
        say: Callable[[str], None],
    ) -> None:
        self.method = method
        self.default, *self.others = candidates
        self.settings = settings
        self.device = settings.devices[0]
        self.dataset = dataset
        self.parallel = parallel
        self.say = say
        self.watch = Watch()
        ready = Ready(settings, catalogue, dataset, parallel, say).or_refuse(method, self.device)
        # all have the same environment and the same weights
        self.prepared = {one.method: dataclasses.replace(ready, method=version(method, one)) for one in candidates}
        self.indices = measuring_order(len(dataset.atoms))[: settings.limit]
        self.budget_s = math.inf
        self.planned: int | None = None
        """Structures per session, the same in all; known once the default's first calls are made."""
        self.sessions = 0
        self.peak = float(method.memory_mb) * 1e6 or UNKNOWN_MEMORY
        self.answered: set[str] = set()
        self.seconds: dict[str, float] = {}
        """What each setting costs in a session, including its start."""
        self.rounds: dict[str, int] = {}
        self.why: dict[str, str] = {}
        """Why a setting was not tried, or measured no further."""

    def run(self, writer: store.RunWriter, budget_s: float, judge: Callable[[Sequence[str]], Standing]) -> None:
        """Measure until `judge` has decided or the budget is used up.

        `judge` takes the names of the settings that are left. Raises BadInput where the default cannot be measured.
        """
        self.budget_s = budget_s
        began = time.monotonic()
        left = self._first_look(writer, began + FIRST_SHARE * budget_s, judge)
        while left:
            standing = judge([one.method for one in left])
            left = self._kept(left, standing)
            if standing.decided or not left:
                break
            left = self._affordable(left, began + budget_s - time.monotonic())
            for group in self._groups(left):
                self._session(writer, group)
            left = [one for one in left if one.method not in self.why]

    def _first_look(
        self, writer: store.RunWriter, deadline: float, judge: Callable[[Sequence[str]], Standing]
    ) -> list[Candidate]:
        """Measure each setting once, single changes first; returns those that were measured and may be the fastest."""
        alone: dict[str, str] = {}
        gains: dict[str, float] = {}
        measured: list[Candidate] = []
        for several in (False, True):
            wave = [one for one in self.others if (len(one.changes) > 1) is several]
            # the most promising combinations first, because the time may not suffice for all
            wave.sort(key=lambda one: math.prod(gains.get(change, 1.0) for change in one.changes))
            for one in wave:
                reason = pointless(one, alone)
                if reason:
                    self.why[one.method] = NOT_TRIED + reason
            for group in self._groups([one for one in wave if one.method not in self.why]):
                remaining = deadline - time.monotonic()
                now = [one for i, one in enumerate(group, 1) if self._cost(group[:i]) <= remaining]
                self.why |= {
                    one.method: f"{NOT_TRIED}the budget of {self.budget_s:g} s is too small"
                    for one in group[len(now) :]
                }
                if now:
                    self._session(writer, now, max(remaining, PATIENCE_SECONDS))
                    measured += [one for one in now if one.method not in self.why]
            alone |= {one.changes[0]: "cannot be measured" for one in wave if one.method in self.why and not several}
            if not several and measured:
                standing = judge([one.method for one in measured])
                alone |= {one.changes[0]: ALONE_DIFFERENT for one in measured if one.method in standing.other_answers}
                gains = {one.changes[0]: standing.times.get(one.method, 1.0) for one in measured}
        return measured

    def _kept(self, left: Sequence[Candidate], standing: Standing) -> list[Candidate]:
        """Return the settings to measure further, the fastest first, and keep the reasons for dropping the others."""
        by_name = {one.method: one for one in left}
        for name in by_name:
            if name in standing.other_answers:
                self.why[name] = ALONE_DIFFERENT
            elif name not in standing.keep:
                self.why[name] = f"slower than the best after {self._times(name)}"
        kept = [by_name[name] for name in standing.keep]
        if len(kept) < len(left) and not standing.decided:
            self.say(f"{len(left)} settings measured; still in the search: {_listed(kept)}")
        return kept

    def _affordable(self, left: Sequence[Candidate], seconds: float) -> list[Candidate]:
        """Return the settings whose next rounds fit into `seconds`, the fastest first; the others are dropped."""
        fewest = min((self.rounds[one.method] for one in left), default=0)
        needed = max(1, LEAST_ROUNDS - fewest)
        kept: list[Candidate] = []
        for one in left:
            if needed * self._cost([*kept, one]) <= seconds:
                kept.append(one)
            else:
                self.why[one.method] = f"{OUT_OF_TIME}, after {self._times(one.method)}"
        if len(kept) < len(left):
            self.say(f"no time is left to measure {len(left) - len(kept)} more of the settings that may be the fastest")
        return kept

    def _times(self, name: str) -> str:
        count = self.rounds[name]
        return f"{count} round{'s' if count != 1 else ''}"

    def _cost(self, settings: Sequence[Candidate]) -> float:
        """Return about how many seconds a round of these settings takes, in as many sessions as it needs."""
        default = self.seconds.get(self.default.method, 0.0)
        sessions = math.ceil(len(settings) / self._at_once()) if settings else 0
        return sessions * default + sum(self.seconds.get(one.method, default) for one in settings)

    def _at_once(self) -> int:
        """Return how many settings fit into memory beside the default; one on an accelerator, which has less of it."""
        if Device.parse(self.device).kind.accelerator:
            return 1
        fit = int(MEMORY_SHARE * psutil.virtual_memory().available / self.peak) - 1
        return max(1, min(fit, MOST_AT_ONCE - 1))

    def _groups(self, settings: Sequence[Candidate]) -> Iterator[Sequence[Candidate]]:
        """Divide settings into those of one session each, of about equal size."""
        if settings:
            count = math.ceil(len(settings) / self._at_once())
            size = math.ceil(len(settings) / count)
            for first in range(0, len(settings), size):
                yield settings[first : first + size]

    def _session(self, writer: store.RunWriter, group: Sequence[Candidate], patience_s: float = math.inf) -> None:
        """Measure the default and a group of settings in turn; one that fails is left out, and `why` says so.

        A worker of the group that is silent for `patience_s` has failed. The first session plans the number of
        structures.
        """
        number, self.sessions = self.sessions, self.sessions + 1
        order = [self.default, *group] if (self.settings.seed + number) % 2 else [*reversed(group), self.default]
        workers: dict[str, PacedWorker] = {}
        strangers, before = accelerators.processes(Device.parse(self.device)), self.watch.look()
        with contextlib.ExitStack() as running:
            for one in order:  # one after the other, because starts disturb each other
                self.seconds[one.method] = 0.0
                with self._failing(one, number, writer, workers):
                    limit = timeout(self.settings, self.method.kind)
                    limit = limit if one is self.default else min(limit, patience_s)
                    workers[one.method] = self._start(running, one, number, writer, limit)
                    workers[one.method].listen()
            if self.planned is None:
                self.planned = self._plan(workers[self.default.method].call_seconds)
            turn = math.ceil(len(workers) * TURN_SECONDS / sum(one.call_seconds for one in workers.values()))
            for _ in range(math.ceil(self.planned * POINTS / turn) if len(workers) > 1 else 0):
                for one in order:
                    if one.method in workers:
                        with self._failing(one, number, writer, workers):
                            workers[one.method].take_turn(turn)
                order.reverse()  # A B C, C B A: a drift favours none
            for name, worker in list(workers.items()):
                with self._failing(self._named(name), number, writer, workers):
                    worker.finish()
        facts = self.watch.since(before, strangers)
        for name in workers:
            writer.append(Watched(name, self.device, number, **facts))
            self.rounds[name] = self.rounds.get(name, 0) + 1
            self.answered.add(name)
        if facts["disturbed"]:
            self.say(f"session {number + 1} was disturbed: {'; '.join(facts['disturbed'])}")

    def _named(self, name: str) -> Candidate:
        return next(one for one in (self.default, *self.others) if one.method == name)

    @contextlib.contextmanager
    def _failing(
        self, one: Candidate, number: int, writer: store.RunWriter, workers: dict[str, PacedWorker]
    ) -> Iterator[None]:
        """Count the seconds of a setting. If it fails, record that, end its worker and go on.

        The default's failure ends the search.
        """
        began = time.monotonic()
        try:
            yield
            self.seconds[one.method] += time.monotonic() - began
        except CannotBeMeasured as error:
            if one is self.default:
                raise
            writer.append(NotMeasured(one.method, self.device, number, error.failure))
            self.why[one.method] = error.failure.message
            self.say(f"{one.label}: {error.failure.message}")
            workers.pop(one.method).process.stop()

    def _plan(self, call_s: float) -> int:
        """Return the number of structures per session, such that all settings fit into the first look."""
        start_s = self.seconds[self.default.method]
        wanted = min(max(start_s, LEAST_SECONDS), MOST_SECONDS)
        affordable = FIRST_SHARE * self.budget_s / (len(self.others) + 1) - start_s
        seconds = min(wanted, max(affordable, 1.0))
        return max(1, min(round(seconds / call_s / POINTS), len(self.indices)))

    def _start(
        self, running: contextlib.ExitStack, one: Candidate, number: int, writer: store.RunWriter, limit_s: float
    ) -> PacedWorker:
        """Start a worker, which ends with `running`."""
        prepared = self.prepared[one.method]
        task = tasks.measure(
            prepared,
            dataclasses.replace(self.settings, threads=one.threads),
            self.dataset,
            [Item(REPLAY, index) for index in self.indices],
            number,
            answers=answers_of(self.method.kind, self.indices, 0) if one.method not in self.answered else (),
            paced=True,
        )
        process = running.enter_context(
            start(
                task,
                prepared.environment,
                parallel=self.parallel,
                timeout_s=limit_s,
                memory_limit=self.settings.memory_limit_bytes,
                log=store.log_of(writer.directory, one.method, self.device, number),
            )
        )
        return PacedWorker(one.method, process, writer.append)


def _listed(settings: Sequence[Candidate], most: int = 4) -> str:
    names = [one.label for one in settings[:most]]
    more = len(settings) - most
    return "; ".join(names) + (f" and {more} more" if more > 0 else "") or "none"

"""Measures the engines of a method in turn with its reference, at one system after the other, small ones first.

Each system has rounds of its own, each with fresh processes, so that an engine that fails at a large system keeps its
smaller ones. The turns are those of :mod:`bench.engine.turns`.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import time
from collections.abc import Callable, Sequence

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from bench.core.description import ParallelSpeed
from bench.core.failure import Failure
from bench.core.settings import Settings
from bench.data.clusters import systems
from bench.data.structures import DataSet
from bench.data.systems import System, as_kept, digest
from bench.engine.paced import CannotBeMeasured, ComparedWorker
from bench.engine.ready import Ready
from bench.engine.tasks import Prepared
from bench.engine.turns import POINTS, Contender, Turns
from bench.environments.catalogue import Catalogue
from bench.environments.header import Method
from bench.errors import BadInput
from bench.results.store import RunWriter

MOLECULE = 18
"""Atoms of naphthalene, of which the clusters are made."""
FRAMES = 8
"""Structures of a system, at most; fewer where they take long."""
DRIFTING = 4
"""As many of them are replayed a second time, moving as a whole."""
DRIFT = 1.1
"""How far from one force call to the next, Angstrom: beyond half of any usual skin, so that each makes a new list."""
SPREAD = 0.05
"""Standard deviation of their coordinates around the cluster's, Angstrom."""
DIRECTIONS = 4
"""Random directions of the finite differences."""
STEP = 6e-3
"""Root mean square displacement of a coordinate along a direction, Angstrom; twice as far, too."""
STEPS = (-2, -1, 1, 2)
ANSWERS = 2
"""Structures of each system whose energies and forces are compared."""
FEWEST_FRAMES = 2
FEWEST_ROUNDS, MOST_ROUNDS = 3, 6
ROUND_SECONDS = 3.0
"""A round makes force calls for about so long, at least at two structures."""
FIRST_GUESS, STEEPEST = 1.5, 2.5
"""Power of the number of atoms that is assumed before two sizes are known, and the largest after that.

Models and force fields have 1 to 1.3 from 18 to 144 atoms; the first guess of a DFT method is the largest.
"""
WARM_UP_CALLS = 8
CALLS_OF_A_DRIVER = 6


@dataclasses.dataclass(frozen=True)
class Sample:
    """What is measured: a data set, and its structures for the finite differences."""

    dataset: DataSet
    shifted: tuple[int, ...]
    """Direction by direction, the structures at :data:`STEPS` times :data:`STEP` from the first one."""
    drifting: tuple[int, ...]
    """Those that move as a whole, by :data:`DRIFT` from one force call to the next."""

    def timed(self, system: int) -> list[int]:
        """Return the structures of a system that are timed within a skin, in order."""
        apart = {*self.shifted, *self.drifting}
        return [index for index in self.dataset.systems[system].frames if index not in apart]

    def beyond(self, system: int) -> list[int]:
        """Return the structures of a system that are timed beyond any skin, in order."""
        return [index for index in self.dataset.systems[system].frames if index in self.drifting]

    def order(self, system: int, answers: Sequence[int] = ()) -> list[int]:
        """Return the structures of a round at a system: `answers`, then one within the skin and one beyond by turns."""
        both = itertools.zip_longest(self.timed(system), self.beyond(system))
        return list(dict.fromkeys([*answers, *(one for pair in both for one in pair if one is not None)]))

    def lines(self) -> tuple[int, list[dict[int, NDArray[np.float64]]]]:
        """Return the first structure, and the positions along each direction, by structure; Angstrom."""
        groups = [self.shifted[k : k + len(STEPS)] for k in range(0, len(self.shifted), len(STEPS))]
        return self.dataset.systems[0].frames[0], [{i: self.dataset.atoms[i].positions for i in one} for one in groups]


def sample(atoms: Sequence[int], own: DataSet | None, seed: int) -> Sample:
    """Return clusters of naphthalene with these numbers of atoms, and the user's own systems, small ones first.

    Raises BadInput for a number of atoms that no cluster has.
    """
    for number in atoms:
        if number < MOLECULE or number % MOLECULE:
            raise BadInput(f"--atoms {number}: a cluster of naphthalene has 18, 36, 54 ... atoms.")
    random = np.random.default_rng(seed)
    found = []
    for one in systems((), tuple(sorted(set(atoms)))):
        frames = [one.reference.copy() for _ in range(FRAMES)]
        for frame in frames:
            frame.positions = as_kept(frame.positions + random.normal(0.0, SPREAD, frame.positions.shape))
        found.append((one, frames))
    for one in own.systems if own is not None else ():
        assert own is not None
        found.append((one, [own.atoms[index] for index in one.frames[:FRAMES]]))
    if not found:
        raise BadInput("there is nothing to measure; give numbers of atoms with --atoms, or --structures.")
    found.sort(key=lambda pair: len(pair[0].reference))
    moved = [one for _ in range(DIRECTIONS) for one in _moved(found[0][1][0], random)]
    first = len(found[0][1])
    drifting = [[frame.copy() for frame in mine[:DRIFTING]] for _, mine in found]
    found[0][1].extend(moved)
    for (_, mine), theirs in zip(found, drifting, strict=True):
        mine.extend(theirs)
    ends = list(itertools.accumulate(len(mine) for _, mine in found))
    made = [
        dataclasses.replace(one, frames=tuple(range(end - len(mine), end)))
        for end, (one, mine) in zip(ends, found, strict=True)
    ]
    frames = [frame for _, mine in found for frame in mine]
    last = [index for end, theirs in zip(ends, drifting, strict=True) for index in range(end - len(theirs), end)]
    return Sample(_dataset(frames, made, own), tuple(range(first, first + len(moved))), tuple(last))


def _moved(atoms: Atoms, random: np.random.Generator) -> list[Atoms]:
    """Return the structures along one random direction."""
    way = random.normal(size=atoms.positions.shape)
    way *= STEP / np.sqrt(np.mean(way**2))
    found = []
    for factor in STEPS:
        moved = atoms.copy()
        moved.set_constraint()
        moved.positions = as_kept(atoms.positions + factor * way)
        moved.set_constraint(atoms.constraints)
        found.append(moved)
    return found


def _dataset(frames: list[Atoms], made: list[System], own: DataSet | None) -> DataSet:
    clusters = ", ".join(f"{len(one.reference)} atoms" for one in made)
    return DataSet(
        name="clusters of naphthalene" if own is None else f"clusters of naphthalene and {own.name}",
        description=f"{clusters}; those of clusters are displaced by {SPREAD:g} Angstrom",
        atoms=tuple(frames),
        labels=tuple(map(str, range(len(frames)))),
        systems=tuple(made),
        digest=digest(frames, made),
        own=own is not None,
    )


class Engines:
    """A method and its engines; :meth:`run` measures them in turn into a run directory.

    Attributes: `failures`, why an engine is not, or no longer, measured, by method; `left_out`, why a method was not
    measured at a system, by method and number of the system.
    """

    def __init__(
        self,
        reference: Method,
        engines: Sequence[Method],
        catalogue: Catalogue,
        settings: Settings,
        what: Sample,
        parallel: ParallelSpeed,
        say: Callable[[str], None],
    ) -> None:
        self.sample = what
        self.say = say
        self.threads = settings.threads
        self.turns = Turns(settings, what.dataset, parallel, say)
        self.turns.drifting, self.turns.drift = what.drifting, DRIFT
        ready = Ready(settings, catalogue, what.dataset, parallel, say)
        self.reference = reference.name
        self.names = [reference.name, *(one.name for one in engines)]
        self.ready = {reference.name: ready.or_refuse(reference, self.turns.device)}
        self.failures: dict[str, Failure] = {}
        self.left_out: dict[tuple[str, int], str] = {}
        for one in engines:
            found = ready.of(one, self.turns.device)
            if isinstance(found, Prepared):
                self.ready[one.name] = found
            else:
                self._fails(one.name, found)
        self._calls: dict[str, list[tuple[int, float]]] = {}
        """Of each method, the atoms of each system and the seconds of a force call there."""
        self._beyond = FEWEST_FRAMES
        """Structures beyond the skin that a round has at least; none where nobody keeps a list."""

    def _fails(self, name: str, failure: Failure) -> None:
        self.failures[name] = failure
        self.say(f"{name}: {failure.message}")

    def run(self, writer: RunWriter, budget_s: float) -> None:
        """Measure all systems, as far as `budget_s` suffices; raises BadInput where the reference fails at the first.

        Each system has at least three rounds, and more within its part of the time.
        """
        began, number = time.monotonic(), 0
        every = self.sample.dataset.systems
        for system in range(len(every)):
            begun, longest, count = time.monotonic(), 0.0, 0
            left = budget_s - (begun - began)
            names = self._affordable(system, left)
            while len(names) > 1 and count < MOST_ROUNDS:
                used = time.monotonic() - begun
                if count >= FEWEST_ROUNDS and used + longest > left / (len(every) - system):
                    break
                names = self._round(number, system, names, count, writer)
                longest = max(longest, time.monotonic() - begun - used)
                number, count = number + 1, count + 1
            if count:
                self.say(f"{every[system].name}: {count} round{'s' * (count > 1)} in {time.monotonic() - begun:.0f} s")

    def _affordable(self, system: int, seconds: float) -> list[str]:
        """Return who is measured at a system: those that take it and whose fewest rounds fit into the time."""
        kept: list[str] = []
        needed = 0.0
        for name in self.names:
            expected = FEWEST_ROUNDS * self._expected(name, len(self.sample.dataset.systems[system].reference))
            why = self._why_not(name, system)
            if not why and self._calls and needed + expected > seconds:
                more = 60 * math.ceil((needed + expected - seconds) / 60)
                why = f"the budget is too small: about {more} s more may suffice"
            if why:
                self.left_out[name, system] = why
            else:
                kept.append(name)
                needed += expected
        return kept if self.reference in kept else []

    def _why_not(self, name: str, system: int) -> str:
        if name in self.failures:
            return self.failures[name].message
        takes = self.ready[name].left_out.kept(self.sample.timed(system))
        return "" if takes else "it does not take this system"

    def _expected(self, name: str, atoms: int) -> float:
        """Return about how many seconds a round takes; from the systems so far, a power of the number of atoms."""
        known = self._calls.get(name, [])
        if not known:
            return 0.0
        last, call_s = known[-1]
        per_call = call_s * max(1.0, atoms / last) ** growth(known, self.ready[name].method.kind)
        calls = WARM_UP_CALLS + CALLS_OF_A_DRIVER + (FEWEST_FRAMES + self._beyond) * POINTS
        return self.turns.seconds.get(name, 0.0) + calls * per_call

    def _round(self, number: int, system: int, names: list[str], count: int, writer: RunWriter) -> list[str]:
        """Measure a round at a system, its `count`-th; returns those that were measured."""
        shifted = self.sample.shifted if system == 0 else ()
        answers = (*self.sample.timed(system)[:ANSWERS], *shifted) if count == 0 else ()
        self.turns.indices = tuple(self.sample.order(system, answers))

        def structures(workers: dict[str, ComparedWorker]) -> int:
            if count == 0:
                atoms = len(self.sample.dataset.systems[system].reference)
                for name, worker in workers.items():
                    self._calls.setdefault(name, []).append((atoms, worker.call_seconds))
            together = sum(one.call_seconds for one in workers.values()) or 1.0
            self._beyond = FEWEST_FRAMES if any(map(_keeps_lists, workers.values())) else 0
            fewest = max(FEWEST_FRAMES, len(answers)) + self._beyond
            wanted = max(fewest, round(ROUND_SECONDS / together / POINTS))
            return min(wanted, len(self.turns.indices))

        def fails(one: Contender, error: CannotBeMeasured) -> None:
            """Leave it out from here on; without the reference nothing can be compared."""
            if one.name == self.reference and system == 0:
                raise error
            self._fails(one.name, error.failure)
            self.left_out[one.name, system] = error.failure.message

        order = names if number % 2 else names[::-1]
        drives = tuple(self.sample.timed(system)[:1])
        contenders = [Contender(name, self.ready[name], self.threads, answers, drives=drives) for name in order]
        measured = self.turns.round(number, contenders, writer, structures, fails)
        return [name for name in names if name in measured] if self.reference in measured else []


def growth(known: Sequence[tuple[int, float]], kind: str) -> float:
    """Return the power of the number of atoms with which a call grows, from the atoms and seconds of earlier sizes."""
    if len(known) < 2 or known[-2][0] >= known[-1][0]:
        return STEEPEST if kind == "dft" else FIRST_GUESS
    (before, less_s), (last, call_s) = known[-2:]
    return float(np.clip(np.log(call_s / less_s) / np.log(last / before), 1.0, STEEPEST))


def _keeps_lists(worker: ComparedWorker) -> bool:
    """Return whether a method keeps lists of neighbours with a skin for several force calls."""
    skin = worker.settings.get("neighbor_skin")
    return isinstance(skin, int | float) and skin > 0

"""Batches: many molecules in one call of a method, compared with its single answers, and relaxed together."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from time import perf_counter_ns
from typing import Any

import numpy as np
from ase import Atoms

from bench.core.device import Device
from bench.measure.clock import NotFinite
from bench.measure.optimizers import Optimizers
from bench.measure.probe import Probe, apart, compare
from bench.measure.relax import free_atoms, largest_force
from bench.measure.session import Session

Answer = tuple[float, np.ndarray]
"""Energy in eV, forces (n, 3) in eV/Angstrom."""
OPTIMIZER = "BFGS"
"""The only one that can make a step with forces that somebody else computed."""
_FEWEST = 2  # force calls of a batch in a block of relaxations


class WrongBatch(Exception):
    """A batch gave other answers than single calls; `energy` in eV and `force` in eV/Angstrom are the differences."""

    def __init__(self, text: str, energy: float, force: float) -> None:
        super().__init__(text)
        self.energy = energy
        self.force = force


def compute(adapter: Any, calculator: Any, structures: Sequence[Any]) -> list[Answer]:
    """Return the adapter's answers for `structures` from one call; raises where one is missing or not finite."""
    answers = adapter.batched(calculator, structures)
    if answers is None or len(answers) != len(structures):
        found = "None" if answers is None else f"{len(answers)} answers"
        raise ValueError(f"batched() returned {found} for {len(structures)} structures")
    for (energy, forces), atoms in zip(answers, structures, strict=True):
        if np.shape(forces) != (len(atoms), 3):
            raise ValueError(f"batched() returned forces of the shape {np.shape(forces)} for {len(atoms)} atoms")
        if not np.isfinite(energy + np.sum(forces)):
            raise NotFinite("energy or forces of a batch are not finite")
    return [(float(energy), np.asarray(forces)) for energy, forces in answers]


def check(probe: Probe, size: int, known: int, shift: int = 0) -> tuple[float, float]:
    """Compare the answers of a batch of `size` with those of single calls.

    The batch repeats the first `known` structures of `probe`, beginning with the one at `shift`. The tolerance is that
    for the same molecule with its atoms in another order: both change only the order of sums.

    Returns the largest difference of an energy (eV), and of the force on an atom (eV/Angstrom). Raises WrongBatch where
    one is larger than the tolerance.
    """
    numbers = [(shift + i) % known for i in range(size)]
    answers = compute(probe.adapter, probe.calculator, [probe.start(probe.structures[n])[0] for n in numbers])
    pairs = [apart(answer, probe.first(number)) for answer, number in zip(answers, numbers, strict=True)]
    energy, force = (max(column) for column in zip(*pairs, strict=True))
    finding = compare(probe, pairs, probe.tolerances.symmetry, "")
    if not finding.passed:
        first = next(
            i for i, pair in enumerate(pairs) if not compare(probe, [pair], probe.tolerances.symmetry, "").passed
        )
        raise WrongBatch(
            f"in a batch of {size}, molecule {first + 1} differs from its single call: up to {energy:.1g} eV and "
            f"{force:.1g} eV/Å, where {finding.tolerance} are allowed",
            energy,
            force,
        )
    return energy, force


def probe_of(session: Session, structures: Sequence[int] | None = None) -> Probe:
    """Return what compares batches of a session's method with single calls at the session's structures, or at some."""
    subject = session.task.subject
    facts = {
        "dtype": subject.dtype,
        "device": Device.parse(subject.device).exact,
        "weights": session.task.told.weights,
    }
    chosen = [session.structures[one] for one in structures or session.structures]
    return Probe(session.adapter, session.calculator, chosen, facts)


class _Held:
    """A calculator that returns the forces which a batch has computed."""

    forces: np.ndarray

    def get_forces(self, atoms: Any) -> np.ndarray:
        return self.forces

    def get_potential_energy(self, atoms: Any, force_consistent: bool = False) -> float:
        return 0.0


class _Relaxation:
    """One of the relaxations that go on together; the optimiser moves atoms of its own, without a box."""

    def __init__(self, prepared: Any, structure: Any) -> None:
        self.given = prepared
        self.held = _Held()
        self.moving = Atoms(numbers=prepared.numbers, positions=prepared.positions)
        self.moving.set_constraint([one.copy() for one in structure.constraints])
        self.free = free_atoms(structure)
        self.moving.calc = self.held
        self.driver = Optimizers().make(OPTIMIZER, self.moving)
        self.steps = 0

    def ends(self, forces: np.ndarray, fmax: float, max_steps: int) -> bool:
        """Make a step, unless the forces have vanished or all steps are made; returns whether it has ended."""
        if largest_force(forces, self.free) < fmax or self.steps == max_steps:
            return True
        self.held.forces = forces
        self.driver.step()
        self.given.positions = self.moving.positions
        self.steps += 1
        return False


def relax_together(
    session: Session,
    size: int,
    queue: Iterator[Any],
    until_ns: int,
    beat: Callable[[int], None] = lambda steps: None,
) -> dict[str, tuple[int, ...]]:
    """Relax structures in a batch of `size` until `until_ns`, and return the fields of the record.

    Each molecule has its own optimiser, with the rule and the fmax of the campaign. One that has ended leaves its
    place to the next of `queue`, so the batch is always full. The clock runs during the force calls and the steps.
    """
    criterion = session.task.criterion
    assert criterion is not None

    def next_one() -> _Relaxation:
        structure = next(queue)
        return _Relaxation(session.adapter.prepare(structure.copy()), structure)

    running = [next_one() for _ in range(size)]
    nanoseconds = relaxed = 0
    for batches in itertools.count(1):
        session.adapter.synchronize()
        start = perf_counter_ns()
        answers = compute(session.adapter, session.calculator, [one.given for one in running])
        session.adapter.synchronize()
        ended = [
            i
            for i, (one, (_, forces)) in enumerate(zip(running, answers, strict=True))
            if one.ends(forces, criterion.fmax, criterion.max_steps)
        ]
        nanoseconds += perf_counter_ns() - start
        beat(batches)
        for i in ended:
            relaxed += largest_force(answers[i][1], running[i].free) < criterion.fmax
            running[i] = next_one()
        if batches >= _FEWEST and perf_counter_ns() > until_ns:
            break
    return {"relax_calls": (batches * size,), "relax_ns": (nanoseconds,), "relaxed": (relaxed,)}

"""The clock: what it stands between, and when a method counts as warm.

Only :class:`TimedCalculator` reads the clock around a force call. It adds to a step what two readings of
the clock and some comparisons of 3N numbers cost, and it takes nothing away: the method's own calculator is
asked through ASE's public interface, unpatched, as often as a plain ASE script asks it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter_ns
from typing import Any

import numpy as np


class NotFinite(ArithmeticError):
    """An energy or a force was NaN or infinite."""


class TimedCalculator:
    """Stands between an ASE optimiser and a method's calculator, and times each force call.

    A force call is the first question about a new geometry: forces, then energy, so that a method that
    computes both at once is called once. An optimiser asks for the same forces several times a step
    (gradient, logging, convergence); those questions go on to the method's calculator, which answers from
    its cache as it does in a plain ASE script, and their cost stays in the optimiser's share of the step.

    Attributes: `nanoseconds` spent in force calls, `calls` made, and `energy` (eV) and `forces`
    ((n, 3), eV/Angstrom) of the last one.
    """

    def __init__(self, calculator: Any, synchronize: Callable[[], None]) -> None:
        self.calculator = calculator
        self.synchronize = synchronize
        self.nanoseconds = 0
        self.calls = 0
        self.energy = float("nan")
        self.forces = np.empty((0, 3))
        self._positions = b""

    def get_forces(self, atoms: Any) -> np.ndarray:
        """Return the forces at the present geometry, (n, 3) in eV/Angstrom."""
        if self._is_new(atoms):
            self._call(atoms)
            return self.forces
        return self.calculator.get_forces(atoms)

    def get_potential_energy(self, atoms: Any, force_consistent: bool = False) -> float:
        """Return the energy at the present geometry in eV."""
        if self._is_new(atoms):
            self._call(atoms)
        return self.energy

    def _is_new(self, atoms: Any) -> bool:
        # bytes compare in a tenth of the time that numpy takes for so few numbers
        return atoms.positions.tobytes() != self._positions

    def _call(self, atoms: Any) -> None:
        self.synchronize()
        start = perf_counter_ns()
        forces = self.calculator.get_forces(atoms)
        energy = self.calculator.get_potential_energy(atoms)
        self.synchronize()
        self.nanoseconds += perf_counter_ns() - start
        self.calls += 1
        self.forces = forces
        self.energy = float(energy)
        self._positions = atoms.positions.tobytes()

    def check(self) -> None:
        """Raise NotFinite where the last energy or force is not a finite number."""
        # a sum is finite only if all its terms are, and costs a tenth of isfinite().all()
        if not np.isfinite(self.energy + self.forces.sum()):
            raise NotFinite(f"energy or forces are not finite in force call {self.calls}")


WARM_UP_LEAST = 5  # TorchScript specialises in its second call, some models in their third and fourth
WARM_UP_MOST = 20
WARM_UP_SPREAD = 1.2


def is_warm(nanoseconds: Sequence[int]) -> bool:
    """Tell whether force calls of these durations have settled, so that measuring may begin.

    Warm means that at least five calls were made and that each of the last three took at most 1.2 times the
    shortest one so far; after 20 calls it counts as warm anyway, and the record shows the durations.
    """
    if len(nanoseconds) >= WARM_UP_MOST:
        return True
    if len(nanoseconds) < WARM_UP_LEAST:
        return False
    return max(nanoseconds[-3:]) <= WARM_UP_SPREAD * min(nanoseconds)


def warm_up(adapter: Any, calculator: Any, atoms: Any, seed: int, most_seconds: float = 60.0) -> tuple[int, ...]:
    """Make discarded force calls on slightly displaced copies of `atoms` until :func:`is_warm`.

    Each call gets fresh coordinates (standard deviation 0.01 Angstrom), so that nothing is served from a
    cache. Returns the duration of each call in nanoseconds, the first one included; it stops after
    `most_seconds` even where the calls have not settled.
    """
    random = np.random.default_rng(seed)
    start_positions = atoms.positions.copy()
    timed = TimedCalculator(calculator, adapter.synchronize)
    durations: list[int] = []
    begin = perf_counter_ns()
    while not is_warm(durations):
        atoms.positions = start_positions + random.normal(0.0, 0.01, start_positions.shape)
        before = timed.nanoseconds
        timed.get_forces(atoms)
        timed.check()
        durations.append(timed.nanoseconds - before)
        if perf_counter_ns() - begin > most_seconds * 1e9:
            break
    atoms.positions = start_positions
    return tuple(durations)

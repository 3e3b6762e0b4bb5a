"""The clock.

Only :class:`TimedCalculator` reads the clock around a force call. It adds two readings of the clock and some
comparisons of 3N numbers to a step, and saves nothing: the method's own calculator is called through ASE's
public interface, unpatched, as often as in a plain ASE script.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterator
from time import perf_counter_ns
from typing import Any

import numpy as np


class NotFinite(ArithmeticError):
    """An energy or a force was NaN or infinite."""


class TimedCalculator:
    """Stands between an ASE optimiser and a method's calculator, and times each force call.

    A force call is the first request at a new geometry: forces, then energy, so that a method that
    computes both at once is called once. An optimiser asks for the same forces several times per step
    (gradient, logging, convergence); these requests also go to the method's calculator, which answers from
    its cache as in a plain ASE script, and their cost stays in the optimiser's share of the step.

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
        """Return the forces at the current geometry, (n, 3) in eV/Angstrom."""
        if self._is_new(atoms):
            self._call(atoms)
            return self.forces
        return self.calculator.get_forces(atoms)

    def get_potential_energy(self, atoms: Any, force_consistent: bool = False) -> float:
        """Return the energy at the current geometry in eV."""
        if self._is_new(atoms):
            self._call(atoms)
        return self.energy

    def _is_new(self, atoms: Any) -> bool:
        # for so few numbers, comparing bytes takes a tenth of numpy's time
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
        # a sum is finite only if all its terms are, and takes a tenth of the time of isfinite().all()
        if not np.isfinite(self.energy + self.forces.sum()):
            raise NotFinite(f"energy or forces are not finite in force call {self.calls}")


class TimedWithStress(TimedCalculator):
    """The same where the cell is relaxed, too: a force call is the stress, the forces and the energy.

    They are asked for in the order in which ASE's filters of the cell ask, so that a method whose one evaluation gives
    all three is called once, and one that needs two pays for two as in a plain ASE script. Attribute `stress`: that of
    the last force call, in Voigt's order, eV/Angstrom^3.
    """

    def __init__(self, calculator: Any, synchronize: Callable[[], None]) -> None:
        super().__init__(_StressFirst(calculator), synchronize)

    @property
    def stress(self) -> np.ndarray:
        """The stress of the last force call."""
        return self.calculator.stress

    def get_stress(self, atoms: Any) -> np.ndarray:
        """Return the stress at the current geometry, in Voigt's order, eV/Angstrom^3."""
        if self._is_new(atoms):
            self._call(atoms)
        return self.stress

    def _is_new(self, atoms: Any) -> bool:
        return atoms.positions.tobytes() + atoms.cell.array.tobytes() != self._positions

    def _call(self, atoms: Any) -> None:
        super()._call(atoms)
        self._positions += atoms.cell.array.tobytes()

    def check(self) -> None:
        """Raise NotFinite where the last energy, force or stress is not a finite number."""
        super().check()
        if not np.isfinite(self.stress.sum()):
            raise NotFinite(f"the stress is not finite in force call {self.calls}")


class _StressFirst:
    """A method's calculator, asked for the stress before the forces at each new geometry."""

    def __init__(self, calculator: Any) -> None:
        self.calculator = calculator
        self.stress = np.full(6, np.nan)

    def get_forces(self, atoms: Any) -> np.ndarray:
        self.stress = self.calculator.get_stress(atoms)
        return self.calculator.get_forces(atoms)

    def get_potential_energy(self, atoms: Any) -> float:
        return self.calculator.get_potential_energy(atoms)


@contextlib.contextmanager
def no_collector() -> Iterator[None]:
    """Keep the garbage collector out of a block of work."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()

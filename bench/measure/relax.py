"""The relax protocol: optimise one structure and keep the time of every step.

A step is one accepted iteration: the optimiser's linear algebra and its force calls. Entry 0 of a trace is the
force call before the first step. The observer's own work lies between two steps and is kept as harness time,
separate from both.
"""

from __future__ import annotations

import functools
import gc
import traceback
from collections.abc import Callable
from time import perf_counter_ns
from typing import Any

import numpy as np
from ase.optimize.sciopt import OptimizerConvergenceError

from bench.core.failure import Failure
from bench.core.records import CENSORED, CONVERGED, FAILED, NATIVE, STEP_CAP
from bench.measure.bonding import changed_bonds
from bench.measure.cells import Cell, remaining
from bench.measure.clock import NotFinite, TimedCalculator, TimedWithStress
from bench.measure.optimizers import NoOptimizer, Optimizers
from bench.protocols.relax.record import Relaxation

Columns = dict[str, tuple[Any, ...]]
Ending = tuple[str, Failure | None, Callable[[], Columns]]
"""How a relaxation ended, its failure if it failed, and its trace, which is built after the clock has stopped."""

Make = Callable[[str, Any], Any]
"""Makes an optimiser from its name and the atoms."""


class _BudgetSpent(Exception):
    """Raised between two steps to leave an optimiser; not an error."""


class Between:
    """What happens between two steps: a sign of life, a look at the deadline, and the wait for the next turn.

    `deadline_ns` is a reading of perf_counter_ns after which no step begins (None: no limit), `beat` is called with the
    number of steps done and must be cheap, and `may_go_on` may wait; False ends the relaxation. Attribute `slept_ns`:
    what it waited before the last step.
    """

    def __init__(self, deadline_ns: int | None, beat: Callable[[int], None], may_go_on: Callable[[], bool]) -> None:
        self.deadline_ns = deadline_ns
        self.beat = beat
        self.may_go_on = may_go_on
        self.slept_ns = 0

    def go_on(self, steps: int) -> bool:
        """Return whether a next step may begin, when it may."""
        self.beat(steps)
        now = perf_counter_ns()
        if self.deadline_ns is not None and now > self.deadline_ns:
            return False
        allowed = steps < 1 or self.may_go_on()
        self.slept_ns = perf_counter_ns() - now
        return allowed


class Trace:
    """The time of each step. Attach it to an ASE optimiser as an observer: it is called when a step is done.

    `between` is asked between two steps and says whether to go on. `cell` is there where it is relaxed, too: then the
    largest force is that of atoms and cell.
    """

    def __init__(
        self, timed: TimedCalculator, between: Between, free: np.ndarray | None = None, cell: Cell | None = None
    ) -> None:
        self.timed = timed
        self.between = between
        self.free = free
        self.cell = cell
        self.calculator_ns: list[int] = []
        self.optimizer_ns: list[int] = []
        self.harness_ns: list[int] = []
        self.force_calls: list[int] = []
        self.energies: list[float] = []
        self.forces: list[np.ndarray] = []
        self._calculator_before = 0
        self._calls_before = 0
        self._resumed = perf_counter_ns()

    def __call__(self) -> None:
        """Assign the time since the last call to the step that is done now."""
        now = perf_counter_ns()
        timed = self.timed
        calculator = timed.nanoseconds - self._calculator_before
        self.calculator_ns.append(calculator)
        self.optimizer_ns.append(now - self._resumed - calculator)
        self.force_calls.append(timed.calls - self._calls_before)
        self.energies.append(timed.energy)
        self.forces.append(timed.forces if self.cell is None else self.cell.forces)
        self._calculator_before = timed.nanoseconds
        self._calls_before = timed.calls
        try:
            timed.check()
            steps = len(self.calculator_ns) - 1
            # a structure that was begun gives at least one step, or its first force call would be wasted
            if not self.between.go_on(steps) and steps >= 1:
                raise _BudgetSpent
        finally:
            self._resumed = perf_counter_ns()
            self.harness_ns.append(self._resumed - now - self.between.slept_ns)

    def columns(self) -> Columns:
        """Return the columns of a relaxation's trace; values that are not finite become None."""
        return {
            "calculator_ns": tuple(self.calculator_ns),
            "optimizer_ns": tuple(self.optimizer_ns),
            "harness_ns": tuple(self.harness_ns),
            "force_calls": tuple(self.force_calls),
            "energy": tuple(finite(energy) for energy in self.energies),
            "fmax": tuple(finite(largest_force(forces, self.free)) for forces in self.forces),
        }


def free_atoms(atoms: Any) -> np.ndarray:
    """Return for each atom whether it moves, (n,)."""
    free = np.ones(len(atoms), dtype=bool)
    for one in atoms.constraints:
        free[one.get_indices()] = False
    return free


def free_rows(atoms: Any) -> np.ndarray:
    """Return the same where the cell moves, too, which has three rows of its own, (n + 3,)."""
    return np.append(free_atoms(atoms), [True] * 3)


def largest_force(forces: np.ndarray, free: np.ndarray | None = None) -> float:
    """Return the largest norm of a force on an atom, in the unit of `forces` ((n, 3)); only on those that are free."""
    if free is not None:
        forces = forces[free]
    return float(np.sqrt((forces**2).sum(axis=1).max())) if len(forces) else 0.0


def finite(number: float) -> float | None:
    """Return the number, or None (JSON has no NaN)."""
    return float(number) if np.isfinite(number) else None


def relax(
    adapter: Any,
    calculator: Any,
    atoms: Any,
    *,
    key: dict[str, Any],
    optimizer: str,
    fmax: float,
    max_steps: int,
    deadline_ns: int | None = None,
    beat: Callable[[int], None] = lambda steps: None,
    may_go_on: Callable[[], bool] = lambda: True,
    make: Make | None = None,
    periodic: bool = False,
    relax_cell: bool = False,
) -> Relaxation:
    """Relax `atoms` in place until the largest force is below `fmax` (eV/Angstrom) and return the record.

    `key` holds the record's method, device, round and structure. `optimizer` is ``BFGS``, ``CG`` (ASE's
    SciPyFminCG), ``native``, or another one that `make` knows. No step but the first begins after `deadline_ns`, or
    once `may_go_on` returns False; it is called between steps and may wait. Errors of the method, from a NaN to an
    exception, are in the record. `periodic` says whether the system is, whatever box the method needs, and `relax_cell`
    whether its cell is relaxed, too.
    """
    run = _run_native if optimizer == NATIVE else functools.partial(_run_ase, make or Optimizers().make)
    begun_at = atoms.positions.copy()
    cell = Cell(atoms) if relax_cell else None
    gc.collect()
    gc.disable()
    start = perf_counter_ns()
    try:
        between = Between(deadline_ns, beat, may_go_on)
        status, failure, columns = run(adapter, calculator, atoms, cell, optimizer, fmax, max_steps, between)
    finally:
        wall_ns = perf_counter_ns() - start
        gc.enable()
    trace = columns()

    has_cell = cell is not None and bool(np.isfinite(atoms.cell.array).all())
    steps = len(trace["optimizer_ns"]) - 1
    calls = sum(trace["force_calls"]) if "force_calls" in trace else None
    energy = force = None
    if status in (CONVERGED, STEP_CAP):
        try:
            energy, force = _recompute(adapter, calculator, atoms, relax_cell)
        except Exception as error:
            status, failure = FAILED, classify(error)
    return Relaxation(
        **key,
        optimizer=optimizer,
        status=status,
        steps=max(steps, 0),
        force_calls=calls,
        energy=energy,
        fmax=force,
        positions=tuple(map(tuple, atoms.positions.tolist())) if np.isfinite(atoms.positions).all() else None,
        wall_ns=wall_ns,
        trace=trace,
        failure=failure,
        bonds_changed=None if periodic else changed_bonds(atoms.numbers, begun_at, atoms.positions),
        cell=tuple(map(tuple, atoms.cell.array.tolist())) if has_cell else None,
        volume_change=cell.volume_change() if cell is not None and has_cell else None,
    )


def _run_ase(
    make: Make,
    adapter: Any,
    calculator: Any,
    atoms: Any,
    cell: Cell | None,
    optimizer: str,
    fmax: float,
    max_steps: int,
    between: Between,
) -> Ending:
    timed = (TimedCalculator if cell is None else TimedWithStress)(calculator, adapter.synchronize)
    atoms.calc = timed
    # what an optimiser prepares before its first force call belongs to entry 0 of the trace
    trace = Trace(timed, between, free_atoms(atoms) if cell is None else free_rows(atoms), cell)
    status, failure = FAILED, None
    try:
        driver = make(optimizer, atoms if cell is None else cell.filter)
        driver.attach(trace)
        status = CONVERGED if driver.run(fmax=fmax, steps=max_steps) else STEP_CAP
    except _BudgetSpent:
        status = CENSORED
    except Exception as error:
        failure = classify(_cause(error, timed))
    atoms.calc = None
    return status, failure, trace.columns


def _cause(error: Exception, timed: TimedCalculator) -> Exception:
    """Return the first error: a line search that meets a NaN gives up with another message."""
    try:
        if timed.calls:
            timed.check()
    except NotFinite as not_finite:
        return not_finite
    return error


def _run_native(
    adapter: Any,
    calculator: Any,
    atoms: Any,
    cell: Cell | None,
    optimizer: str,
    fmax: float,
    max_steps: int,
    between: Between,
) -> Ending:
    # entry 0 is empty: a native optimiser makes its first force call during its setup
    steps_ns, harness_ns = [0], [0]
    status, failure = STEP_CAP, None
    try:
        native = adapter.native_relax(calculator, atoms, max_steps)
        for step in range(1, max_steps + 1):
            adapter.synchronize()
            start = perf_counter_ns()
            converged = native.step()
            adapter.synchronize()
            end = perf_counter_ns()
            steps_ns.append(end - start)
            may_go_on = converged or between.go_on(step)
            harness_ns.append(perf_counter_ns() - end - (0 if converged else between.slept_ns))
            if converged:
                status = CONVERGED
                break
            if not may_go_on:
                status = CENSORED
                break
        native.finish(atoms)
    except Exception as error:
        status, failure = FAILED, classify(error)
    return status, failure, lambda: {"optimizer_ns": tuple(steps_ns), "harness_ns": tuple(harness_ns)}


def _recompute(adapter: Any, calculator: Any, atoms: Any, relax_cell: bool) -> tuple[float, float]:
    """Return energy (eV) and largest force (eV/Angstrom) of a fresh force call, without state from the steps."""
    method = adapter.new_structure(calculator, atoms)
    if relax_cell:
        atoms.calc = with_stress = TimedWithStress(method, adapter.synchronize)
        try:
            forces = remaining(atoms)
        finally:
            atoms.calc = None
        with_stress.check()
        return with_stress.energy, largest_force(forces, free_rows(atoms))
    fresh = TimedCalculator(method, adapter.synchronize)
    forces = fresh.get_forces(atoms)
    fresh.check()
    return fresh.energy, largest_force(forces, free_atoms(atoms))


def classify(error: BaseException) -> Failure:
    """Turn an exception of a method into a failure with a class and one line of text; a traceback goes to the log."""
    text = " ".join(str(error).split()) or type(error).__name__
    message = f"{type(error).__name__}: {text}"[:500]
    if isinstance(error, NotFinite):
        return Failure("nan", text[:500])
    if isinstance(error, OptimizerConvergenceError | NoOptimizer):
        return Failure("optimizer", message)
    traceback.print_exception(error)
    if isinstance(error, MemoryError) or "out of memory" in text.lower():
        return Failure("out-of-memory", message)
    return Failure("calculator", message)

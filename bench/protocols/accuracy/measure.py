"""The accuracy protocol: answers at the data set's own geometries, and the method's own minimum with its Hessian.

What is timed, a few force calls and the Hessian, is timed as everywhere.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable
from time import perf_counter_ns
from typing import Any

import numpy as np

from bench.core.records import CENSORED, CONVERGED, DONE, FAILED, STEP_CAP, Record
from bench.core.task import Item
from bench.measure.calls import Steps
from bench.measure.clock import NotFinite, TimedCalculator, no_collector
from bench.measure.derivatives import STEP, TimeIsUp, jacobian
from bench.measure.relax import classify, finite, relax
from bench.measure.session import Deadlines, Session, after
from bench.protocols.accuracy import symmetric as symmetry
from bench.protocols.accuracy.plan import VIBRATIONS
from bench.protocols.accuracy.record import SinglePoint, Vibrations

SHARE = 0.5  # of the time, for the single points, where there are vibrations
TIMED = 5  # single points at which a force call is timed, besides the first one of each system
FMAX, MOST_STEPS = 0.001, 500  # of the minimum, eV/Angstrom: a soft mode shifts by less than 1 cm-1
NUMERIC, NATIVE = "central differences", "native"


def single_point(
    adapter: Any, calculator: Any, atoms: Any, *, key: dict[str, Any], seed: int | None = None
) -> SinglePoint:
    """Call energy and forces once at the geometry of `atoms`, and return the record.

    `key` holds the record's method, device, round and structure. The method's own uncertainty is asked for afterwards.
    With a `seed`, another force call is timed, a small step away: the first one at a structure is no measure of others.
    """
    begin = perf_counter_ns()
    timed = TimedCalculator(calculator, adapter.synchronize)
    found: dict[str, Any] = {"energy": None, "forces": None}
    status, failure = DONE, None
    try:
        forces = timed.get_forces(atoms)
        timed.check()
        found = {"energy": timed.energy, "forces": _rows(forces)}
    except Exception as error:
        status, failure = FAILED, classify(error)
    if status == DONE:
        try:
            found |= _deviations(*adapter.uncertainty(calculator, atoms))
        except Exception as error:  # energy and forces are there all the same
            failure = classify(error)
    nanoseconds = 0
    if status == DONE and seed is not None:
        with contextlib.suppress(Exception):
            nanoseconds = _one_step_on(timed, atoms, seed)
    return SinglePoint(
        **key,
        **found,
        status=status,
        calculator_ns=nanoseconds,
        wall_ns=perf_counter_ns() - begin,
        failure=failure,
    )


def _one_step_on(timed: TimedCalculator, atoms: Any, seed: int) -> int:
    """Return the nanoseconds of a force call a small step away."""
    Steps(atoms, np.random.default_rng(seed)).make()
    before = timed.nanoseconds
    with no_collector():
        timed.get_forces(atoms)
    timed.check()
    return timed.nanoseconds - before


def _deviations(energy: float | None, forces: Any | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if energy is not None:
        found["energy_deviation"] = finite(energy)
    if forces is not None and np.isfinite(forces).all():
        found["force_deviations"] = tuple(np.asarray(forces, dtype=float).tolist())
    return found


def vibrations(
    adapter: Any,
    calculator: Any,
    atoms: Any,
    *,
    key: dict[str, Any],
    deadline_ns: int | None = None,
    beat: Callable[[int], None] = lambda calls: None,
) -> Vibrations:
    """Relax `atoms` tightly, differentiate the forces there, and return the record.

    The minimum is BFGS's, with forces below 0.001 eV/Angstrom; what forces that are not a derivative, or single
    precision, leave after 500 steps is used as it is, with the status ``step-cap``. `key` holds the record's
    method, device, round and molecule.
    """
    begin = perf_counter_ns()
    symmetric = adapter.symmetric and not atoms.pbc.any()
    if symmetric:
        atoms.positions = symmetry.symmetrised(atoms.numbers, symmetry.in_principal_axes(atoms.positions))
    found: dict[str, Any] = {"steps": 0, "energy": None, "fmax": None, "positions": None}
    hessian: dict[str, Any] = {"hessian": None, "source": "", "force_calls": None, "hessian_ns": 0}
    failure = None
    try:
        relaxed = relax(
            adapter,
            calculator,
            atoms,
            key={**{name: key[name] for name in ("method", "device", "round")}, "structure": -1},
            optimizer="BFGS",
            fmax=FMAX,
            max_steps=MOST_STEPS,
            deadline_ns=deadline_ns,
            beat=beat,
        )
        status, failure = relaxed.status, relaxed.failure
        found = {name: getattr(relaxed, name) for name in found}
        if status in (CONVERGED, STEP_CAP):
            if symmetric:  # what is left of steps along forces that are symmetric but for their last digits
                atoms.positions = symmetry.symmetrised(atoms.numbers, atoms.positions)
                found["positions"] = _rows(atoms.positions)
            hessian = _hessian(adapter, adapter.new_structure(calculator, atoms), atoms, deadline_ns, beat)
    except TimeIsUp:
        status = CENSORED
    except Exception as error:
        status, failure = FAILED, classify(error)
    return Vibrations(**key, **found, **hessian, status=status, wall_ns=perf_counter_ns() - begin, failure=failure)


def _hessian(
    adapter: Any, calculator: Any, atoms: Any, deadline_ns: int | None, beat: Callable[[int], None]
) -> dict[str, Any]:
    """Return the Hessian's fields: the method's own where it has one, else differences of forces.

    They take 6n force calls, and fewer for an adapter that is :attr:`bench.adapter.Adapter.symmetric`.
    """
    with no_collector():
        adapter.synchronize()
        start = perf_counter_ns()
        native = adapter.hessian(calculator, atoms)
        adapter.synchronize()
        took = perf_counter_ns() - start
    if native is not None:
        return _checked(native, NATIVE, None, took)
    timed = TimedCalculator(calculator, adapter.synchronize)
    moved = atoms.copy()  # with the box and the charge that the method wants
    calls = itertools.count(1)

    def forces(positions: np.ndarray) -> np.ndarray:
        if deadline_ns is not None and perf_counter_ns() > deadline_ns:
            raise TimeIsUp
        moved.positions = positions
        found = np.array(timed.get_forces(moved), dtype=float)
        timed.check()
        beat(next(calls))
        return found

    positions = atoms.positions.copy()
    with no_collector():
        if adapter.symmetric and not atoms.pbc.any():
            derivatives = -symmetry.hessian(forces, atoms.numbers, positions)
        else:
            derivatives = jacobian(forces, positions, STEP)
    return _checked(-derivatives, NUMERIC, timed.calls, timed.nanoseconds)


def _checked(hessian: np.ndarray, source: str, calls: int | None, nanoseconds: int) -> dict[str, Any]:
    if not np.isfinite(hessian).all():
        raise NotFinite("the Hessian is not finite")
    return {"hessian": _rows(hessian), "source": source, "force_calls": calls, "hessian_ns": nanoseconds}


def _rows(array: np.ndarray) -> tuple[tuple[float, ...], ...]:
    return tuple(map(tuple, np.asarray(array, dtype=float).tolist()))


class Measurer:
    """Asks for energy and forces at structures, then for the minimum and its Hessian.

    Where there are vibrations, the structures get half of the time of the phase, so that a slow method has something of
    both. Several minima share what is left when they begin, each the same.
    """

    def __init__(self, session: Session, deadlines: Deadlines) -> None:
        self.session = session
        self.deadlines = deadlines
        self.minima = sum(part == VIBRATIONS for part, _ in session.task.items)
        """Those that are still to come."""
        share = SHARE if self.minima else 1.0
        self.soon = after(None if deadlines.seconds is None else share * deadlines.seconds)
        self.points = 0
        self.timed: set[int] = set()
        """The systems with a force call on the clock."""

    def measure(self, item: Item) -> Record | None:
        """Measure a single point, None where its time is up (the first is always measured), or the vibrations."""
        session = self.session
        if item.part == VIBRATIONS:
            atoms, calculator = session.fresh(session.adapter.reference)
            return vibrations(
                session.adapter,
                calculator,
                atoms,
                key={**session.task.key, "molecule": item.number},
                deadline_ns=self._end_of_minimum(),
                beat=session.beat(-1),
            )
        if self.points and self.soon is not None and perf_counter_ns() > self.soon:
            return None
        self.points += 1
        system = session.system_of(item.number)
        timed = self.points <= TIMED or system not in self.timed
        self.timed.add(system)
        atoms, calculator = session.fresh(session.structures[item.number])
        session.beat(item.number)(0)
        return single_point(
            session.adapter,
            calculator,
            atoms,
            key={**session.task.key, "structure": item.number},
            seed=session.task.subject.seed + item.number if timed else None,
        )

    def _end_of_minimum(self) -> int | None:
        """Return when the next minimum is cut off."""
        left, self.minima = self.minima, self.minima - 1
        if self.deadlines.end is None:
            return None
        now = perf_counter_ns()
        return now + max(self.deadlines.end - now, 0) // left

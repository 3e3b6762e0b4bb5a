"""The replay protocol: steps along a fixed path of geometries, the same coordinates for every method.

It gives a fair time of a step: no optimiser chooses the geometries, so a model with random weights makes the same calls
as a trained one. An optimiser works all the same: at each geometry it does its whole update with the forces that came,
and then the path goes on wherever it moved the atoms.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from time import perf_counter_ns
from typing import Any

import numpy as np
from ase.calculators.calculator import Calculator
from ase.optimize import BFGS

from bench.core.failure import Failure
from bench.core.records import CENSORED, CONVERGED, FAILED, Record
from bench.core.task import Item
from bench.measure.clock import TimedCalculator
from bench.measure.relax import classify, finite, free_atoms, largest_force
from bench.measure.session import Deadlines, Session
from bench.protocols.replay.record import Replay

STEPPED: Mapping[str, Callable[..., Any]] = {"BFGS": BFGS}
"""The optimisers that a fixed path can hold, because each of their steps asks for forces once.

ASE's SciPyFminCG has no step of its own: SciPy's line search asks for forces where the last ones sent it, which is not
on the path. A native optimiser makes its own force calls. For both, only force calls are timed.
"""
WARM_UP_STEPS = 3


class _PathEnded(Exception):
    """Raised where an optimiser asks for forces after the last geometry; not an error."""


class _Walk(TimedCalculator):
    """Walks along a path: it makes one force call at each geometry, alone or when an optimiser has done a step.

    `displacements` are from the atoms' present geometry, (points, n, 3) in Angstrom.
    """

    def __init__(
        self,
        calculator: Any,
        synchronize: Callable[[], None],
        atoms: Any,
        displacements: np.ndarray,
        deadline_ns: int | None,
        beat: Callable[[int], None],
        may_go_on: Callable[[], bool],
    ) -> None:
        super().__init__(calculator, synchronize)
        self.atoms = atoms
        self.start = atoms.positions.copy()
        self.displacements = displacements
        self.deadline_ns = deadline_ns
        self.beat = beat
        self.may_go_on = may_go_on
        self.driver: Any = None
        self.censored = False
        self.calculator_ns: list[int] = []
        self.optimizer_ns: list[int] = []
        self.energies: list[float] = []
        self.called: list[np.ndarray] = []
        self._calling = False
        self._resumed = 0
        self._reached = 0

    def go_on(self) -> bool:
        """Put the atoms on the next geometry and make its force call; False where the path ends, or the time is up."""
        if not self._move():
            return False
        late = len(self.calculator_ns) > 0 and self.deadline_ns is not None and perf_counter_ns() > self.deadline_ns
        if late or not self.may_go_on():
            self.censored = True
            return False
        before = self.nanoseconds
        super().get_forces(self.atoms)
        self.check()
        self.calculator_ns.append(self.nanoseconds - before)
        self.energies.append(self.energy)
        self.called.append(self.forces)
        self.beat(self._reached)
        return True

    def _move(self) -> bool:
        """Put the atoms on the next geometry that the calculator does not know already; False where there is none.

        What is answered from a memory takes no time of the model, so it is no measurement.
        """
        while self._reached < len(self.displacements):
            self.atoms.positions = self.start + self.displacements[self._reached]
            self._reached += 1
            if self._is_new(self.atoms) and not _remembers(self.calculator, self.atoms):
                return True
        return False

    def drive(self, optimizer: Callable[..., Any]) -> bool:
        """Let an optimiser walk along the path, and return whether it could; an error of the method is raised.

        It runs as in a relaxation that never converges, and it asks for forces when a step is done, which is where the
        path goes on. What lies between a force call and the next such moment is the optimiser's, as in a relaxation.
        """
        self.atoms.calc = self
        self.driver = optimizer(self.atoms, logfile=None)
        try:
            self.driver.run(fmax=0.0, steps=len(self.displacements) + 1)
        except _PathEnded:
            return True
        except Exception:
            if self._calling:
                raise
        finally:
            self.atoms.calc = None
            self.driver = None
        return False

    def get_forces(self, atoms: Any) -> np.ndarray:
        """Return the forces for the optimiser, (n, 3) in eV/Angstrom; where a step is done, at the next geometry."""
        if self.driver is None or self.driver.nsteps < len(self.calculator_ns):
            return super().get_forces(atoms)
        asked = perf_counter_ns()
        if self.calculator_ns:
            self.optimizer_ns.append(asked - self._resumed)
        self._calling = True
        if not self.go_on():
            raise _PathEnded
        self._calling = False
        self._resumed = perf_counter_ns()
        return self.forces


def _remembers(calculator: Any, atoms: Any) -> bool:
    """Return whether a calculator of ASE's kind would answer from its memory."""
    required = getattr(calculator, "calculation_required", None)
    return required is not None and not required(atoms, ["energy", "forces"])


def replay(
    adapter: Any,
    calculator: Any,
    atoms: Any,
    path: np.ndarray,
    *,
    key: dict[str, Any],
    optimizer: Callable[..., Any] | None = None,
    deadline_ns: int | None = None,
    beat: Callable[[int], None] = lambda calls: None,
    may_go_on: Callable[[], bool] = lambda: True,
) -> Replay:
    """Call energy and forces at each geometry of `path`, let an optimiser work with them, and return the record.

    `path` holds displacements from the first geometry, (points, n, 3) in Angstrom, so that a box from
    :meth:`bench.adapter.Adapter.prepare` around `atoms` stays where it is. `key` holds the record's method, device,
    round and structure. `optimizer` is one of :data:`STEPPED`, or None for force calls alone; so it is also from where
    an optimiser fails (random weights may give forces that it cannot use), and the record then has no times of it. No
    point begins after `deadline_ns`, or once `may_go_on` returns False; it is called before each point and may wait.
    """
    walk = _Walk(calculator, adapter.synchronize, atoms, path, deadline_ns, beat, may_go_on)
    failure: Failure | None = None
    driven = False
    lists = adapter.rebuilds(calculator)
    gc.collect()
    gc.disable()
    start = perf_counter_ns()
    try:
        driven = optimizer is not None and walk.drive(optimizer)
        while not driven and walk.go_on():
            pass
        if not walk.calculator_ns and not walk.censored:
            raise RuntimeError("it answers every geometry of the path from its memory, so there is no time of a call")
    except Exception as error:
        failure = classify(error)
    finally:
        wall_ns = perf_counter_ns() - start
        gc.enable()
    return Replay(
        **key,
        status=FAILED if failure else CENSORED if walk.censored else CONVERGED,
        calculator_ns=tuple(walk.calculator_ns),
        energies=tuple(finite(energy) for energy in walk.energies),
        fmax=tuple(finite(largest_force(forces, free_atoms(atoms))) for forces in walk.called),
        wall_ns=wall_ns,
        optimizer_ns=tuple(walk.optimizer_ns) if driven else (),
        failure=failure,
        edges=None if failure else adapter.edges(calculator),
        rebuilds=None if lists is None else adapter.rebuilds(calculator) - lists,
    )


class _Springs(Calculator):
    """Pulls each atom back to where it was: forces that cost nothing."""

    implemented_properties = ("energy", "forces")

    def __init__(self, atoms: Any) -> None:
        super().__init__()
        self.middle = atoms.positions.copy()

    def calculate(self, atoms: Any = None, properties: Any = None, system_changes: Any = None) -> None:
        """Compute energy (eV) and forces (n, 3) (eV/Angstrom)."""
        away = atoms.positions - self.middle
        self.results = {"energy": 0.5 * float((away**2).sum()), "forces": -away}


def warm_up(optimizer: Callable[..., Any], atoms: Any) -> None:
    """Let an optimiser do some steps with as many atoms, so that its imports and BLAS's first calls are over."""
    moved = atoms.copy()
    moved.calc = _Springs(moved)
    moved.rattle(0.05, seed=0)
    optimizer(moved, logfile=None).run(fmax=0.0, steps=WARM_UP_STEPS)


class Measurer:
    """Makes steps along the path from each structure to the reference molecule; in turns of calls, calls alone."""

    def __init__(self, session: Session, deadlines: Deadlines) -> None:
        self.session = session
        self.deadlines = deadlines
        self.paths = {one.index: np.array(one.path) for one in session.task.structures if one.path is not None}
        self.optimizer = STEPPED.get(session.task.optimizer)
        if self.optimizer is not None:
            warm_up(self.optimizer, session.adapter.reference)

    def measure(self, item: Item) -> Record | None:
        """Replay the path of a structure."""
        session = self.session
        atoms, calculator = session.fresh(session.structures[item.number])
        record = replay(
            session.adapter,
            calculator,
            atoms,
            self.paths[item.number],
            key={**session.task.key, "structure": item.number},
            optimizer=None if session.pace and session.pace.by_calls else self.optimizer,
            deadline_ns=self.deadlines.end,
            beat=session.beat(item.number),
            may_go_on=session.pace.may_go_on if session.pace else lambda: True,
        )
        return record if record.calculator_ns or record.failure else None

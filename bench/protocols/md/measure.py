"""The md protocol: simulate a molecule or a crystal from its relaxed geometry and keep the trajectory.

The clock is that of a relaxation: a step is the integrator's work and its force call. Energies are kept at each step
and frames every ten steps, in memory until the clock has stopped; then they go to one file.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter_ns
from typing import Any

import numpy as np
from ase import Atoms, units
from ase.md.nose_hoover_chain import NoseHooverChainNVT
from ase.md.verlet import VelocityVerlet

from bench.core.failure import Failure
from bench.core.plain import to_plain
from bench.core.records import CENSORED, DONE, FAILED, INTERNAL, Record
from bench.core.task import Item
from bench.measure.clock import TimedCalculator
from bench.measure.measurers import CannotKeep
from bench.measure.relax import classify, relax
from bench.measure.session import Deadlines, Session, after, prepared
from bench.protocols.md import trajectory_file
from bench.protocols.md.plan import MD, SYMMETRY, SYMMETRY_SHARE, TrajectoryPlan
from bench.protocols.md.record import Trajectory
from bench.protocols.md.symmetry import examine
from bench.protocols.md.thermal import InternalLangevin, set_momenta

FRAME_EVERY = 10  # steps
COLLECT_EVERY = 1000  # steps between two runs of the garbage collector, which is otherwise off
EXPLOSION = 10.0  # times the initial kinetic energy: no bond of a molecule withstands that
FMAX, MOST_STEPS = 0.01, 200  # of the relaxation before it, eV/Angstrom
DAMPING_STEPS = 100  # characteristic time of the thermostat


class RelaxationFailed(Exception):
    """The method could not relax the molecule from which a simulation starts."""

    def __init__(self, failure: Failure) -> None:
        self.failure = Failure(failure.kind, f"the structure cannot be relaxed: {failure.message}")


class Relaxed:
    """The method's own relaxed geometry of the reference molecule, computed at the first request.

    `deadline_ns` is that of the worker's md phase.
    """

    def __init__(
        self,
        adapter: Any,
        calculator: Any,
        deadline_ns: int | None = None,
        beat: Callable[[int], None] = lambda steps: None,
    ) -> None:
        self.adapter = adapter
        self.calculator = calculator
        self.deadline_ns = deadline_ns
        self.beat = beat
        self._atoms: Atoms | None = None

    def atoms(self) -> Atoms | None:
        """Return a copy; None where the deadline came first. Raises RelaxationFailed.

        Forces that are not a derivative need not vanish anywhere: after 200 steps the geometry is used as it is.
        """
        if self._atoms is None:
            if self.deadline_ns is not None and perf_counter_ns() > self.deadline_ns:
                return None
            atoms, calculator = prepared(self.adapter, self.calculator, self.adapter.reference)
            found = relax(
                self.adapter,
                calculator,
                atoms,
                key={"method": "", "device": "", "round": 0, "structure": -1},
                optimizer="BFGS",
                fmax=FMAX,
                max_steps=MOST_STEPS,
                deadline_ns=self.deadline_ns,
                beat=self.beat,
                periodic=bool(self.adapter.reference.pbc.any()),
            )
            if found.status == CENSORED:
                return None
            if found.failure is not None:
                raise RelaxationFailed(found.failure)
            self._atoms = atoms
        return self._atoms.copy()


class Kept:
    """The data of a running trajectory: arrays of the greatest possible length."""

    def __init__(self, atoms: Atoms, steps: int, periodic: bool = False) -> None:
        self.numbers = atoms.numbers
        self.masses = atoms.get_masses()[:, None]
        self.cell = atoms.cell.array.copy() if periodic else None
        self.potential = np.full(steps + 1, np.nan)
        self.kinetic = np.full(steps + 1, np.nan)
        self.calculator_ns = np.zeros(steps + 1, dtype=np.int64)
        self.integrator_ns = np.zeros(steps + 1, dtype=np.int64)
        frames = steps // FRAME_EVERY + 1
        self.positions = np.empty((frames, len(atoms), 3), dtype=np.float32)
        self.velocities = np.empty((frames, len(atoms), 3), dtype=np.float32)
        self.steps = 0

    def step(self, step: int, atoms: Atoms, energy: float, calculator_ns: int, integrator_ns: int) -> float:
        """Keep the energies of a step, and its frame if it is due; returns the kinetic energy (eV)."""
        momenta = atoms.get_momenta()
        self.steps = step
        self.potential[step] = energy
        self.kinetic[step] = kinetic = 0.5 * float((momenta**2 / self.masses).sum())
        self.calculator_ns[step] = calculator_ns
        self.integrator_ns[step] = integrator_ns
        if step % FRAME_EVERY == 0:
            self.positions[step // FRAME_EVERY] = atoms.positions
            self.velocities[step // FRAME_EVERY] = momenta / self.masses
        return kinetic

    def write(self, path: Path, time_step_fs: float) -> None:
        """Write the data so far."""
        end, frames = self.steps + 1, self.steps // FRAME_EVERY + 1
        trajectory_file.write(
            path,
            trajectory_file.Content(
                numbers=self.numbers,
                time_step_fs=time_step_fs,
                frame_every=FRAME_EVERY,
                positions=self.positions[:frames],
                velocities=self.velocities[:frames],
                potential=self.potential[:end],
                kinetic=self.kinetic[:end],
                calculator_ns=self.calculator_ns[:end],
                integrator_ns=self.integrator_ns[:end],
                cell=self.cell,
            ),
        )


def simulate(
    adapter: Any,
    calculator: Any,
    start: Relaxed,
    plan: TrajectoryPlan,
    folder: Path,
    *,
    key: dict[str, Any],
    deadline_ns: int | None = None,
    beat: Callable[[int], None] = lambda steps: None,
) -> Trajectory:
    """Simulate one trajectory, write its file into `folder`, and return its record.

    `key` is the record's method, device and round. No step begins after `deadline_ns`. Errors of the method are in the
    record; raises CannotKeep where the file cannot be written.
    """
    fields = {**key, **to_plain(plan)}
    kept: Kept | None = None
    status, failure = DONE, None
    begin = perf_counter_ns()
    try:
        atoms = start.atoms()
        if atoms is None:
            return Trajectory(**fields, status=CENSORED, steps=0, wall_ns=perf_counter_ns() - begin, file=None)
        set_momenta(atoms, plan.temperature_k, plan.seed, plan.temperature_of)
        kept = Kept(atoms, plan.steps, bool(adapter.reference.pbc.any()))
        gc.collect()
        gc.disable()
        try:
            status = _run(adapter, adapter.new_structure(calculator, atoms), atoms, plan, kept, deadline_ns, beat)
        finally:
            gc.enable()
    except _Exploded as error:
        status, failure = FAILED, Failure("explosion", str(error))
    except RelaxationFailed as error:
        status, failure = FAILED, error.failure
    except Exception as error:
        status, failure = FAILED, classify(error)
    wall_ns = perf_counter_ns() - begin
    steps = kept.steps if kept is not None else 0
    file = None
    if kept is not None and steps:
        name = f"{key['method']}-{key['device'].replace(':', '')}-{plan.name}".replace("/", "_")
        file = f"{folder.name}/{name}.nc"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            kept.write(folder / f"{name}.nc", plan.time_step_fs)
        except OSError as error:
            raise CannotKeep(error.strerror or str(error)) from error
    return Trajectory(**fields, status=status, steps=steps, wall_ns=wall_ns, file=file, failure=failure)


class _Exploded(Exception):
    """The atoms flew apart."""


def _run(
    adapter: Any,
    calculator: Any,
    atoms: Atoms,
    plan: TrajectoryPlan,
    kept: Kept,
    deadline_ns: int | None,
    beat: Callable[[int], None],
) -> str:
    timed = TimedCalculator(calculator, adapter.synchronize)
    atoms.calc = timed
    time_step = plan.time_step_fs * units.fs
    if plan.ensemble == "nvt":
        # naphthalene's is MD17's temperature: of all 3N velocities, which ASE's chain counts
        integrator: Any = (
            InternalLangevin(atoms, time_step, plan.temperature_k, plan.seed)
            if plan.temperature_of == INTERNAL
            else NoseHooverChainNVT(atoms, time_step, plan.temperature_k, tdamp=DAMPING_STEPS * time_step)
        )
    else:
        integrator = VelocityVerlet(atoms, time_step)
    most = EXPLOSION * atoms.get_kinetic_energy()
    steps = plan.steps
    made = integrator.irun(steps)
    next(made)  # the force call before the first step
    timed.check()
    kept.step(0, atoms, timed.energy, timed.nanoseconds, 0)
    for step in range(1, steps + 1):
        before = timed.nanoseconds
        start = perf_counter_ns()
        next(made)
        end = perf_counter_ns()
        calculator_ns = timed.nanoseconds - before
        timed.check()
        kinetic = kept.step(step, atoms, timed.energy, calculator_ns, end - start - calculator_ns)
        if not kinetic <= most:
            raise _Exploded(f"the kinetic energy is {kinetic:.0f} eV after {step} steps")
        beat(step)
        if step % COLLECT_EVERY == 0:
            gc.collect()
        if deadline_ns is not None and end > deadline_ns and step < steps:
            return CENSORED
    return DONE


def left_for(plans: Sequence[TrajectoryPlan], deadline_ns: int | None) -> int | None:
    """Return the deadline of the first of `plans`: its share of the time left, by its number of steps."""
    if deadline_ns is None:
        return None
    now = perf_counter_ns()
    return now + int((deadline_ns - now) * plans[0].steps / sum(plan.steps for plan in plans))


class Measurer:
    """Examines the forces of structures for their symmetries, and simulates trajectories.

    Both share the time of the phase: the symmetries get a fifth of it, and each trajectory gets a part of the rest in
    proportion to its number of steps.
    """

    def __init__(self, session: Session, deadlines: Deadlines) -> None:
        self.session = session
        self.deadlines = deadlines
        self.soon = after(None if deadlines.seconds is None else SYMMETRY_SHARE * deadlines.seconds)
        self.starts: dict[int, Relaxed] = {}
        self.plans = {plan.trajectory: plan for plan in session.task.plans_of(MD, TrajectoryPlan)}
        self.left = [self.plans[item.number] for item in session.task.of_parts(MD)]

    def measure(self, item: Item) -> Record | None:
        """Examine a structure, or simulate a trajectory."""
        session = self.session
        if item.part == SYMMETRY:
            return examine(
                session.adapter,
                session.calculator,
                session.structures[item.number],
                key={**session.task.key, "structure": item.number},
                deadline_ns=self.soon,
                beat=session.beat(item.number),
            )
        assert session.task.folder is not None
        plan = self.plans[item.number]
        system = session.system_of(plan.structure)
        if system not in self.starts:  # the method has been turned to it
            self.starts = {system: Relaxed(session.adapter, session.calculator, self.deadlines.end, session.beat(-1))}
        self.left.remove(plan)
        deadline = left_for([plan, *self.left], self.deadlines.end)
        return simulate(
            session.adapter,
            session.calculator,
            self.starts[system],
            plan,
            Path(session.task.folder),
            key=session.task.key,
            deadline_ns=deadline,
            beat=session.beat(item.number),
        )

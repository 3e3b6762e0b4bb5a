"""A loaded method in its worker, warm and ready; all protocols measure with it."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic_ns, perf_counter_ns
from typing import Any

from bench.core.device import Device
from bench.core.protocol import RELAX
from bench.core.records import Answer, Driven, Started
from bench.core.task import Allowance, Task
from bench.measure import process
from bench.measure.channel import Channel, Pace
from bench.measure.loading import check_size, explained, load_adapter, stage
from bench.measure.optimizers import Optimizers
from bench.protocols.relax.record import Relaxation

WARM_UP_STEPS = 3


class Session:
    """The method of a task, loaded, warmed up, and announced; raises NotReady where that fails."""

    def __init__(self, task: Task, channel: Channel) -> None:
        self.task = task
        self.channel = channel
        self.pace = Pace(channel, self._wake) if task.paced else None
        self.optimizers = Optimizers(task.optimizers)
        self.structures = {one.index: one.molecule.atoms() for one in task.structures}
        self.systems = [molecule.atoms() for molecule in task.systems]
        self._system_of = {one.index: one.system for one in task.structures}
        self._system = task.structures[0].system if task.structures else 0
        self._warm = {self._system}
        self.sizes = {one.index: one.molecule.atoms() for one in task.sizes}
        subject = task.subject
        with stage(loading=True):
            self.adapter = load_adapter(subject.adapter)
            self.adapter.reference = self.systems[self._system].copy()
            self.adapter.knobs = dict(subject.knobs)
            imported = monotonic_ns()
            checkpoint = Path(subject.checkpoint) if subject.checkpoint else None
            with explained(task.told.checkpoint, subject.known_as):
                self.calculator = self.adapter.load(
                    subject.known_as, Device.parse(subject.device).exact, subject.dtype, subject.threads, checkpoint
                )
            loaded = monotonic_ns()
            check_size(self.adapter, task.told.weights, task.told.parameters)
        with stage(loading=False):
            calls = self._warm_up(self.task.of_parts(RELAX) != []) if subject.warm_up else ()
        with stage(loading=True):
            channel.send(self._started(calls, imported, loaded))

    def _started(self, calls: tuple[int, ...], imported: int, loaded: int) -> Started:
        from bench.measure.warmup import settled, warm_up_length

        told = self.task.told
        return Started(
            **self.task.key,
            weights=told.weights,
            dtype=self.task.subject.dtype,
            threads=self.task.subject.threads,
            knobs=self.task.subject.knobs,
            parameters=self.adapter.count_parameters(),
            checkpoint=told.checkpoint,
            import_ns=imported - told.launched_ns,
            load_ns=loaded - imported,
            first_call_ns=calls[0] if calls else None,
            warmup_ns=tuple(calls[1:]),
            warm_up_calls=warm_up_length(calls) if calls else None,
            settled=settled(calls) if calls else None,
            settings=self.adapter.settings(),
            versions=process.versions(),
            thread_pools=process.thread_pools(),
            environment={name: os.environ[name] for name in told.variables if name in os.environ}
            | {"python": sys.version.split()[0], "executable": sys.executable}
            | told.environment,
        )

    def _warm_up(self, optimizer: bool) -> tuple[int, ...]:
        from bench.measure.warmup import warm_up

        atoms, calculator = self.fresh(self.adapter.reference)
        seed = self.task.subject.seed
        calls = warm_up(self.adapter, calculator, atoms, seed, stress=self.relaxes_cell(self.systems[self._system]))
        if optimizer:
            # a relaxation of three steps warms up the optimiser's own first calls (imports, BLAS)
            atoms.rattle(0.05, seed=seed)
            self.relax(-1, atoms, WARM_UP_STEPS, None)
        return calls

    def uncounted(self) -> contextlib.AbstractContextManager[None]:
        """Return a context for work that no turn counts."""
        return contextlib.nullcontext() if self.pace is None else self.pace.uncounted()

    def _wake(self) -> None:
        """Make a discarded force call, if the method needs warm-up at all."""
        if self.task.subject.warm_up:
            atoms = self.adapter.prepare(self.adapter.reference.copy())
            atoms.rattle(0.01, seed=self.task.subject.seed)
            self.calculator.get_forces(atoms)

    def system_of(self, index: int) -> int:
        """Return the number of the system of a structure."""
        return self._system_of[index]

    def of_this_system(self) -> list[int]:
        """Return the structures of the task that are of the system to which it has turned, in their order."""
        return [index for index in self.structures if self._system_of[index] == self._system]

    def turn_to(self, index: int) -> None:
        """Make the system of a structure the method's own, outside of every time: topology, shapes, warm-up.

        The first time, the method is warmed up with it as it was with the first system; later a discarded call will do.
        A task without that structure has others of its system, and begins with them.
        """
        number = self._system_of.get(index, self._system)
        if number == self._system:
            return
        with self.uncounted():
            self._system = number
            reference = self.systems[number].copy()
            self.adapter.reference = reference
            self.calculator = self.adapter.new_system(self.calculator, reference)
            if self.task.subject.warm_up and number not in self._warm:
                self._warm_up(optimizer=False)
            else:
                self._wake()
            self._warm.add(number)
        if self.pace is not None:
            self.pace.waiting.begin()  # what its threads waited for meanwhile is not the structure's

    def fresh(self, structure: Any) -> tuple[Any, Any]:
        """Return the prepared atoms of a structure, and the calculator without state from the previous one.

        The atoms keep what is fixed and their masses, whatever the method makes of them.
        """
        return prepared(self.adapter, self.calculator, structure)

    def relaxes_cell(self, structure: Any) -> bool:
        """Return whether the cell of a structure is relaxed with its atoms; that of a molecule's box never is."""
        criterion = self.task.criterion
        return criterion is not None and criterion.relax_cell and bool(structure.pbc.any())

    def beat(self, number: int) -> Callable[[int], None]:
        """Return the callback for the number of steps or calls done in a structure or a trajectory."""
        return functools.partial(self.channel.beat, number)

    def relax(
        self,
        number: int,
        structure: Any,
        max_steps: int,
        deadline_ns: int | None,
    ) -> Relaxation:
        """Relax a structure of the task, or another one, whose number is -1."""
        from bench.measure.relax import relax

        assert self.task.criterion is not None
        atoms, calculator = self.fresh(structure)
        return relax(
            self.adapter,
            calculator,
            atoms,
            key={**self.task.key, "structure": number},
            optimizer=self.task.optimizer,
            make=self.optimizers.make,
            periodic=bool(structure.pbc.any()),
            relax_cell=self.relaxes_cell(structure),
            fmax=self.task.criterion.fmax,
            max_steps=max_steps,
            deadline_ns=deadline_ns,
            beat=self.beat(number),
            # the relaxation of the warm-up waits for nothing
            may_go_on=self.pace.may_go_on if self.pace and number >= 0 else lambda: True,
        )

    def answer(self, index: int) -> None:
        """Send energy and forces of a structure; if that fails, its measurement reports why."""
        from bench.measure.clock import TimedCalculator
        from bench.measure.contents import changed, contents

        with contextlib.suppress(Exception):
            atoms, calculator = self.fresh(self.structures[index])
            before = contents(atoms)
            timed = TimedCalculator(calculator, self.adapter.synchronize)
            forces = timed.get_forces(atoms)
            timed.check()
            self.channel.send(
                Answer(
                    **self.task.key,
                    structure=index,
                    energy=timed.energy,
                    forces=forces.tolist(),
                    changed=tuple(changed(before, atoms)),
                )
            )

    def drive(self, index: int) -> None:
        """Send the times of steps of dynamics from a structure; nothing where a driver cannot make them."""
        from bench.measure.driving import drive

        with contextlib.suppress(Exception):
            atoms, calculator = self.fresh(self.structures[index])
            driver, step_ns, calculator_ns = drive(self.adapter, calculator, atoms, self.task.subject.seed)
            key = {**self.task.key, "structure": index}
            self.channel.send(Driven(**key, driver=driver, step_ns=step_ns, calculator_ns=calculator_ns))


def prepared(adapter: Any, calculator: Any, structure: Any) -> tuple[Any, Any]:
    """Return the prepared atoms of a structure, and the calculator for it; see :meth:`Session.fresh`."""
    atoms = adapter.prepare(structure.copy())
    if structure.constraints and not atoms.constraints:
        atoms.set_constraint([one.copy() for one in structure.constraints])
    if structure.has("masses"):
        atoms.set_masses(structure.get_masses())
    return atoms, adapter.new_structure(calculator, atoms)


class Deadlines:
    """The ends of an :class:`bench.core.task.Allowance` that begins now, as readings of perf_counter_ns."""

    def __init__(self, allowance: Allowance) -> None:
        self.seconds = allowance.end_s
        self.begin = after(allowance.begin_s)
        self.end = after(allowance.end_s)


def after(seconds: float | None) -> int | None:
    """Return the reading of perf_counter_ns after this many seconds; None: never."""
    return None if seconds is None else perf_counter_ns() + int(seconds * 1e9)

"""One worker: one process, in one method's environment, on one device, with a fixed number of threads.

Run as a script by that environment's interpreter. It reads one task (JSON, one line) from standard input
and writes records (JSON lines) to the standard output that it was started with; whatever the method's
libraries print goes to standard error instead. pesbench is not installed in a method's environment: the
worker makes the package importable from its own place, and nothing else of the project (a `datasets` on
the path would shadow a package of that name).
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import json
import os
import sys
from pathlib import Path
from time import monotonic_ns, perf_counter_ns
from typing import Any

if "bench" not in sys.modules and __name__ == "__main__":
    _root = Path(__file__).resolve().parents[1]
    _spec = importlib.util.spec_from_file_location(
        "bench", _root / "__init__.py", submodule_search_locations=[str(_root)]
    )
    assert _spec is not None and _spec.loader is not None
    sys.modules["bench"] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules["bench"])

from bench.contract import records
from bench.measure import process
from bench.measure.channel import Channel, Pace
from bench.measure.loading import NotReady, atoms_of, check_size, load_adapter, stage


def main() -> int:
    """Read a task, measure, and return 0; what a method does wrong is a record and not an exit status."""
    channel = Channel()
    task = json.loads(sys.stdin.readline())
    process.die_with_parent()
    if task["cpus"]:
        os.sched_setaffinity(0, task["cpus"])
    key = {"method": task["method"], "device": task["recorded_device"], "round": task["round"]}
    try:
        if "make_random" in task:
            _make_random(task)
            return 0
        worker = Worker(task, key, channel)
    except NotReady as stopped:
        channel.send(records.NotMeasured(**key, failure=stopped.failure))
        return 0
    if task["protocol"]["name"] == "overhead":
        worker.compare_with_bare()
    elif task["protocol"]["name"] == "conform":
        worker.conform()
    else:
        worker.run()
    return 0


def _make_random(task: dict[str, Any]) -> None:
    """Build a checkpoint with random weights, in a process that measures nothing."""
    path = Path(task["make_random"])
    with stage(loading=True):
        load_adapter(task["adapter"]).make_random(task["known_as"], path, task["seed"])
        if not path.exists():
            raise FileNotFoundError(f"make_random wrote no {path.name}")


class Worker:
    """The loaded method, warm and ready; :meth:`run` measures the task's structures."""

    def __init__(self, task: dict[str, Any], key: dict[str, Any], channel: Channel) -> None:
        import numpy as np

        self.task = task
        self.key = key
        self.channel = channel
        self.pace = Pace(channel, self._wake) if task["paced"] else None
        self.structures = [(entry["index"], atoms_of(entry)) for entry in task["structures"]]
        self.paths = {entry["index"]: np.array(entry["path"]) for entry in task["structures"] if "path" in entry}
        with stage(loading=True):
            self.adapter = load_adapter(task["adapter"])
            self.adapter.reference = atoms_of(task["reference"])
            imported = monotonic_ns()
            self.calculator = self.adapter.load(
                task["known_as"],
                task["device"],
                task["dtype"],
                task["threads"],
                Path(task["checkpoint"]) if task["checkpoint"] else None,
            )
            loaded = monotonic_ns()
            check_size(self.adapter, task["weights"], task["published_parameters"])
        with stage(loading=False):
            from bench.measure.warmup import settled, warm_up_length

            calls = self._warm_up() if task["warm_up"] else ()
            started = records.Started(
                **key,
                weights=task["weights"],
                dtype=task["dtype"],
                threads=task["threads"],
                parameters=self.adapter.count_parameters(),
                checkpoint=task["checkpoint_facts"],
                import_ns=imported - task["launched_ns"],
                load_ns=loaded - imported,
                first_call_ns=calls[0] if calls else None,
                warmup_ns=tuple(calls[1:]),
                warm_up_calls=warm_up_length(calls) if calls else None,
                settled=settled(calls) if calls else None,
                settings=self.adapter.settings(),
                versions=process.versions(),
                thread_pools=process.thread_pools(),
                environment={name: os.environ[name] for name in task["variables"] if name in os.environ}
                | {"python": sys.version.split()[0], "executable": sys.executable}
                | task["environment_facts"],
            )
        channel.send(started)

    def _warm_up(self) -> tuple[int, ...]:
        from bench.measure.warmup import warm_up

        atoms = self.adapter.prepare(self.adapter.reference.copy())
        calculator = self.adapter.new_structure(self.calculator, atoms)
        calls = warm_up(self.adapter, calculator, atoms, self.task["seed"])
        # the optimiser's own first calls (imports, BLAS) are warmed by a relaxation of three steps
        atoms.rattle(0.05, seed=self.task["seed"])
        if "relax" in self.task["protocols"]:
            self._relax(-1, atoms, max_steps=3, deadline_ns=None)
        return calls

    def _wake(self) -> None:
        """Make a discarded force call, where the method is one that is warmed up at all."""
        if self.task["warm_up"]:
            atoms = self.adapter.prepare(self.adapter.reference.copy())
            atoms.rattle(0.01, seed=self.task["seed"])
            self.calculator.get_forces(atoms)

    def run(self) -> None:
        """Measure the structures one after the other, each by the protocols that it still lacks.

        None is begun after this round's share of the budget, and the one in flight is cut off when the whole
        budget is spent. A paced worker goes by :class:`Pace`.
        """
        share = _deadline(self.task["share_s"])
        deadline = _deadline(self.task["budget_s"])
        for position, (index, structure) in enumerate(self.structures):
            if position > 0 and share is not None and perf_counter_ns() > share:
                break
            if self.pace and self.pace.ended:
                break
            if index in self.task["fingerprint"]:
                self._answer(index, structure)
            for protocol in self.task["structures"][position]["protocols"]:
                if protocol == "replay":
                    record = self._replay(index, structure, deadline)
                    if record.calculator_ns or record.failure:  # else a paced worker was told to end
                        self.channel.send(record)
                else:
                    self.channel.send(self._relax(index, structure, self.task["protocol"]["max_steps"], deadline))
        if self.task["md"]:
            self._dynamics()
        self.channel.send(
            records.Finished(
                **self.key,
                peak_memory_bytes=process.peak_memory(),
                peak_device_memory_bytes=self.adapter.peak_device_memory(),
            )
        )

    def _answer(self, index: int, structure: Any) -> None:
        """Tell energy and forces of a structure; where that fails, its measurement says why."""
        from bench.measure.clock import TimedCalculator

        with contextlib.suppress(Exception):
            atoms = self.adapter.prepare(structure.copy())
            timed = TimedCalculator(self.adapter.new_structure(self.calculator, atoms), self.adapter.synchronize)
            forces = timed.get_forces(atoms)
            timed.check()
            self.channel.send(records.Answer(**self.key, structure=index, energy=timed.energy, forces=forces.tolist()))

    def _dynamics(self) -> None:
        """Examine the forces of the task's structures for their symmetries, and simulate its trajectories.

        Both share the seconds that dynamics has in this round: the symmetries end after a fifth, and each trajectory
        has what its number of steps is of those that are left.
        """
        from bench.measure.md import Relaxed, left_for, simulate
        from bench.measure.symmetry import SHARE, examine

        md = self.task["md"]
        self.channel.send_json({"begins": "md"})
        deadline = _deadline(md["seconds"])
        soon = _deadline(None if md["seconds"] is None else SHARE * md["seconds"])
        for entry in md["symmetry"]:
            key = {**self.key, "structure": entry["index"]}
            beat = functools.partial(self.channel.beat, entry["index"])
            structure = atoms_of(entry)
            self.channel.send(examine(self.adapter, self.calculator, structure, key=key, deadline_ns=soon, beat=beat))
        start = Relaxed(self.adapter, self.calculator, deadline, functools.partial(self.channel.beat, -1))
        for position, plan in enumerate(md["trajectories"]):
            self.channel.send(
                simulate(
                    self.adapter,
                    self.calculator,
                    start,
                    plan,
                    Path(md["folder"]),
                    key=self.key,
                    deadline_ns=left_for(md["trajectories"][position:], deadline),
                    beat=functools.partial(self.channel.beat, plan["trajectory"]),
                )
            )

    def compare_with_bare(self) -> None:
        """Relax each structure bare and through the harness, in turn, and write the pairs; see `overhead`."""
        from bench.measure.overhead import relax_bare

        for index, structure in self.structures:
            for repeat in range(self.task["protocol"]["repeats"]):
                pair = {"structure": index, "repeat": repeat}
                for way in ("bare", "harness") if (index + repeat) % 2 else ("harness", "bare"):
                    if way == "bare":
                        atoms = self.adapter.prepare(structure.copy())
                        calculator = self.adapter.new_structure(self.calculator, atoms)
                        steps, nanoseconds = relax_bare(atoms, calculator, **self._criterion)
                    else:
                        record = self._relax(index, structure, self.task["protocol"]["max_steps"], None)
                        steps, nanoseconds = record.steps, record.wall_ns
                        pair["bookkeeping_ns"] = sum(record.trace["harness_ns"])
                    pair |= {f"{way}_ns": nanoseconds, f"{way}_steps": steps}
                self.channel.send_json({"pair": pair})

    @property
    def _criterion(self) -> dict[str, Any]:
        return {name: self.task["protocol"][name] for name in ("optimizer", "fmax", "max_steps")}

    @property
    def _optimizer(self) -> str:
        return "native" if self.task["native"] else self.task["protocol"]["optimizer"]

    def conform(self) -> None:
        """Check the adapter against its interface; see `bench.measure.conform`."""
        from bench.measure.conform import conform

        structures = [structure for _, structure in self.structures]
        for check in conform(self.adapter, self.calculator, structures, self.task["facts"]):
            self.channel.send_json({"check": check})

    def _relax(self, index: int, structure: Any, max_steps: int, deadline_ns: int | None) -> records.Relaxation:
        from bench.measure.relax import classify, relax

        try:
            atoms = self.adapter.prepare(structure.copy())
            return relax(
                self.adapter,
                self.adapter.new_structure(self.calculator, atoms),
                atoms,
                key={**self.key, "structure": index},
                optimizer=self._optimizer,
                fmax=self.task["protocol"]["fmax"],
                max_steps=max_steps,
                deadline_ns=deadline_ns,
                beat=lambda steps: self.channel.beat(index, steps),
            )
        except Exception as error:
            return records.failed_relaxation(self.key, index, self._optimizer, classify(error))

    def _replay(self, index: int, structure: Any, deadline_ns: int | None) -> records.Replay:
        from bench.measure.relax import classify
        from bench.measure.replay import replay

        try:
            atoms = self.adapter.prepare(structure.copy())
            return replay(
                self.adapter,
                self.adapter.new_structure(self.calculator, atoms),
                atoms,
                self.paths[index],
                key={**self.key, "structure": index},
                deadline_ns=deadline_ns,
                beat=lambda calls: self.channel.beat(index, calls),
                may_go_on=self.pace.may_go_on if self.pace else lambda: True,
            )
        except Exception as error:
            return records.failed_replay(self.key, index, classify(error))


def _deadline(seconds: float | None) -> int | None:
    return None if seconds is None else perf_counter_ns() + int(seconds * 1e9)


if __name__ == "__main__":
    sys.exit(main())

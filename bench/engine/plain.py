"""Plain ASE code for work that a method was chosen for: a relaxation, a simulation, or many relaxations."""

from __future__ import annotations

import ast
import dataclasses
import textwrap
from typing import NamedTuple

from bench.core.task import Task
from bench.data.structures import DataSet
from bench.engine import tasks
from bench.engine.ready import Ready
from bench.engine.script import FILTER, OPTIMIZERS, PlainScript, ask, empty, inline, moved, names_in, relaxes_cell
from bench.environments.header import Method
from bench.errors import BadInput

RELAX, MD, SCREEN = TASKS = ("relax", "md", "screen")
TEMPERATURE_K = 300
_SHARE = "int(sys.argv[1])"
"""The number of the process, in a script of which several run at once."""


class Work(NamedTuple):
    """What a script does."""

    task: str = RELAX
    """One of :data:`TASKS`."""
    source: str = ""
    """A file of structures that ASE reads; empty: the structure stands in the script."""
    processes: int = 1
    """Among which many relaxations are shared."""

    @property
    def shared(self) -> bool:
        """Whether several processes run it at once."""
        return self.task == SCREEN and self.processes > 1


def make(ready: Ready, method: Method, device: str, index: int, work: Work, file: str) -> PlainScript:
    """Return the script; raises BadInput where there is none.

    `file` is its path as its first lines tell it.
    """
    dataset = ready.dataset
    assert dataset is not None
    if not 0 <= index < len(dataset.atoms):
        raise BadInput(f"{dataset.name} has no structure {index}; it has 0 to {len(dataset.atoms) - 1}.")
    prepared = ready.or_refuse(method, device)
    if prepared.weights.mode == "random":
        raise BadInput(f"{method.name} has only random weights here, which relax nothing; name another method.")
    task = tasks.script(prepared, ready.settings, dataset, index)
    script = empty(prepared, ready, task)
    text = write(task, ask(prepared, ready, task), _head(method, dataset, told(script, work, file)), work)
    return dataclasses.replace(script, text=text)


def told(script: PlainScript, work: Work, file: str) -> str:
    """Return the command line of a shell that does the work."""
    command = script.told(file)
    if not work.shared:
        return command
    return f"for n in {' '.join(map(str, range(work.processes)))}; do {command} $n & done; wait"


def _head(method: Method, dataset: DataSet, command: str) -> str:
    return f"# {method.label} for {dataset.name}. Run it in the method's own environment:\n#\n#   {command}"


def write(task: Task, lines: str, head: str, work: Work) -> str:
    """Return the source of the script around the adapter's `lines`."""
    assert task.criterion is not None
    (structure,) = task.structures
    native, lines = task.subject.native, lines.strip()
    module, optimizer = OPTIMIZERS[task.criterion.optimizer]
    relax = [f"{optimizer}({moved(task)}).run(fmax={task.criterion.fmax:g}, steps={task.criterion.max_steps})"]
    if native:
        relax = [
            f"relax(atoms, {task.criterion.max_steps})",
            *(["finish(atoms)"] if "finish" in names_in(lines) else []),
        ]
    set_up = [*(["prepare(atoms)"] if "prepare" in names_in(lines) else []), "atoms.calc = calculator"]
    # a method whose topology is that of a molecule is made anew for each of them
    reference = [f"{name} = atoms.copy()" for name in ("reference", "structure") if _mentions(lines, name)]
    driver = [*([FILTER] if relaxes_cell(task) else []), f"from {module} import {optimizer}"]
    blocks = [head, _imports(task, work, [] if native or work.task == MD else driver)]
    atoms = (
        f"atoms = read({work.source!r}, index={structure.index})"
        if work.source
        else inline("atoms", structure.molecule)
    )
    gap = "\n" * lines.splitlines()[-1].startswith(" ")  # two lines after a function
    if work.task == SCREEN:
        blocks += [] if work.source else [atoms]
        blocks += [] if reference else [f"# the method\n{lines}{gap}"]
        blocks.append(_screened(work, [*([*reference, lines, ""] if reference else []), *set_up, *relax]))
    else:
        blocks.append(atoms)
        blocks.append("\n".join(["# the method", *reference, lines]) + gap)
        done = _SIMULATED if work.task == MD else (*relax, 'atoms.write("relaxed.xyz")')
        blocks.append("\n".join([*set_up, *done]))
    return "\n\n".join(block.lstrip("\n") for block in blocks) + "\n"


_SIMULATED = (
    f"thermalize_momenta(atoms, {TEMPERATURE_K})  # K",
    f"md = Langevin(atoms, 0.5 * units.fs, temperature_K={TEMPERATURE_K}, friction=0.01 / units.fs, fixcm=False,",
    '              trajectory="md.traj", logfile="md.log", loginterval=100)',
    "md.run(20_000)  # 10 ps",
)


def _mentions(lines: str, name: str) -> bool:
    return any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(ast.parse(lines)))


def _imports(task: Task, work: Work, optimizer: list[str]) -> str:
    """Return the imports, and the CPUs of a runtime that takes as many threads as there are CPUs."""
    (structure,) = task.structures
    pinned = bool(task.subject.cpus)
    found = [*(["import os"] if pinned else []), *(["import sys"] if work.shared else [])]
    found += ["", "import numpy as np", "from ase import units" if work.task == MD else ""]
    found += ["from ase.io import read" if work.source else "from ase import Atoms"]
    if not work.source and structure.molecule.fixed:
        found.append("from ase.constraints import FixAtoms")
    if work.task == MD:
        found.append("from ase.md.langevin import Langevin")
        found.append("from ase.md.velocitydistribution import thermalize_momenta")
    text = "\n".join(one for one in [*found, *optimizer] if one)
    if pinned:
        cpus = _SHARE if work.shared else ", ".join(map(str, task.subject.cpus))
        text += f"\n\nos.sched_setaffinity(0, {{{cpus}}})  # it takes as many threads as there are CPUs"
    return text


def _screened(work: Work, each: list[str]) -> str:
    every = f"read({work.source!r}, index=':')" if work.source else "[atoms]"
    share, number = (f"[{_SHARE}::{work.processes}]", f"{_SHARE} + {work.processes} * n") if work.shared else ("", "n")
    begin = "# put your own file in the place of this one" + "; each process takes its share" * work.shared
    body = [*each, f'atoms.write(f"relaxed-{{{number}}}.xyz")']
    return f"{begin}\nfor n, atoms in enumerate({every}{share}):\n" + textwrap.indent("\n".join(body), "    ")

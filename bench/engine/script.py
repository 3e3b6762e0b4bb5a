"""Writes a plain ASE script that does for one structure what a method's row does, without pesbench."""

from __future__ import annotations

import ast
import dataclasses
import re
import shlex
from typing import Any

import bench
from bench.core.message import PlainLines, Result
from bench.core.records import NotMeasured
from bench.core.settings import Settings
from bench.core.strain import relaxed_components
from bench.core.task import Task
from bench.data.structures import DataSet
from bench.engine import tasks
from bench.engine.plan import timeout
from bench.engine.ready import Ready
from bench.engine.start import start, variables
from bench.engine.tasks import VARIABLES, Prepared
from bench.environments.header import Method
from bench.errors import BadInput

THREAD_VARIABLES = tuple(name for name in VARIABLES if name != "CUDA_VISIBLE_DEVICES")
"""What sets the threads of a worker, and what a shell usually does not set."""
DISPLACEMENT = 0.01  # Angstrom, as in a worker's warm-up
EXPANSIONS = (1.0, 1.0, 1.03, 1.06, 1.1)
OPTIMIZERS = {
    "CG": ("ase.optimize.sciopt", "SciPyFminCG"),
    "PreconLBFGS": ("ase.optimize.precon", "PreconLBFGS"),
    **{
        name: ("ase.optimize", name)
        for name in ("BFGS", "LBFGS", "BFGSLineSearch", "GoodOldQuasiNewton", "RFO", "FIRE", "FIRE2")
    },
}
"""The module and the class of each optimiser that a script can use."""


@dataclasses.dataclass(frozen=True)
class PlainScript:
    """A plain script, and how it is run."""

    text: str
    command: tuple[str, ...]
    """The interpreter of the method's environment and its options; the script's path follows."""
    variables: dict[str, str]
    """With the threads of the row."""

    def told(self, file: str) -> str:
        """Return the command line of a shell that runs it from a file."""
        set_first = [f"{name}={shlex.quote(value)}" for name, value in self.variables.items() if value]
        return " ".join([*set_first, shlex.join([*self.command, file])])


def make(ready: Ready, method: Method, device: str, index: int, repeats: int, file: str) -> PlainScript:
    """Return the script that measures a structure of the data set; raises BadInput where there is none.

    `repeats` is how often it does so, `file` its path as its first lines tell it.
    """
    dataset = ready.dataset
    assert dataset is not None
    if not 0 <= index < len(dataset.atoms):
        raise BadInput(f"{dataset.name} has no structure {index}; it has 0 to {len(dataset.atoms) - 1}.")
    prepared = ready.or_refuse(method, device)
    if ready.settings.relax_cell and prepared.weights.mode == "random":
        raise BadInput(f"{method.name} has only random weights here, which relax no cell; leave out --relax-cell.")
    task = tasks.script(prepared, ready.settings, dataset, index)
    lines = ask(prepared, ready, task)
    script = empty(prepared, ready, task)
    head = _head(method, dataset, index, task, script.told(file))
    return dataclasses.replace(script, text=write(task, lines, head, ready.settings, repeats))


def empty(prepared: Prepared, ready: Ready, task: Task) -> PlainScript:
    """Return how a script of a task is run, without its text."""
    environ = variables(task, ready.parallel)
    set_there = {name: environ[name] for name in VARIABLES if name in environ}
    # isolated like a worker: nothing from PYTHONPATH or from the user's own site-packages
    return PlainScript("", (str(prepared.environment.python), "-I"), set_there)


def ask(prepared: Prepared, ready: Ready, task: Task) -> str:
    """Return the adapter's part of the script, from a worker in the method's environment."""
    name = prepared.method.name
    limit = timeout(ready.settings, prepared.method.kind)
    with start(task, prepared.environment, parallel=ready.parallel, timeout_s=limit) as worker:
        said = list(worker.messages())
        failures = [
            one.record.failure for one in said if isinstance(one, Result) and isinstance(one.record, NotMeasured)
        ]
        failure = failures[0] if failures else worker.failure()
    if failure is not None:
        raise BadInput(f"the adapter of {name} wrote no script: {failure.message.rstrip('.')}.")
    (text,) = (one.text for one in said if isinstance(one, PlainLines))
    if text is None:
        raise BadInput(
            f"{prepared.method.adapter.name} does not say how a plain script loads {name}; it needs 'script'."
        )
    return text


def _head(method: Method, dataset: DataSet, index: int, task: Task, command: str) -> str:
    weights = {"none": "", "pretrained": ", its pretrained weights", "random": ", random weights"}[task.told.weights]
    threads = task.subject.threads
    number = f"{threads} thread{'s' * (threads > 1)}"
    does = "a step of its row costs" if task.told.weights != "random" else "a force call costs"
    return f"""\
# {method.label}: this script measures what {does} in pesbench's table, without pesbench.
# {dataset.name}, structure {index}{weights}. Run it in the method's own environment:
#
#   {command}
#
# The variables give it the threads of the row: {number} for the method, one for the optimiser's linear algebra.
# Leave them out, and it has what your shell and the libraries choose.
# Written by 'pesbench script {method.name}', version {bench.__version__}.
"""


def write(task: Task, lines: str, head: str, settings: Settings, repeats: int) -> str:
    """Return the source of the script for the task's one structure, around the adapter's `lines`."""
    assert task.criterion is not None
    replayed = task.told.weights == "random"
    defined = names_in(lines)
    prepare = ["prepare(atoms)"] if "prepare" in defined else []
    wait = ["synchronize()"] if "synchronize" in defined else []
    (structure,) = task.structures
    native = task.subject.native
    module, optimizer = OPTIMIZERS[task.criterion.optimizer]
    imports = ["import time", "", "import numpy as np", "from ase import Atoms"]
    if structure.molecule.fixed:
        imports.append("from ase.constraints import FixAtoms")
    if replayed:
        imports.append("from ase.build import minimize_rotation_and_translation")
    elif not native:
        imports += [*([FILTER] if relaxes_cell(task) else []), f"from {module} import {optimizer}"]
    if task.subject.cpus:
        imports.insert(0, "import os")
        cpus = ", ".join(map(str, task.subject.cpus))
        imports += ["", f"os.sched_setaffinity(0, {{{cpus}}})  # it takes as many threads as there are CPUs"]
    blocks = [
        head,
        "\n".join(imports),
        f"FMAX, MAX_STEPS, REPEATS = {task.criterion.fmax:g}, {task.criterion.max_steps}, {repeats}  # eV/Angstrom"
        if not replayed
        else f"POINTS, REPEATS = {settings.replay_points}, {repeats}",
        "# the undistorted molecule, and the structure that is measured; Angstrom\n"
        + "\n".join([inline("reference", task.reference), inline("structure", structure.molecule)]),
        f"# the method\n{lines.strip()}\n" + "\n" * lines.rstrip().splitlines()[-1].startswith(" "),
    ]
    if task.subject.warm_up:
        blocks.append(_warm_up(prepare, "" if native or replayed else f"{optimizer}({moved(task)}", relaxes_cell(task)))
    driver = None if native else f"{optimizer}({moved(task)}"
    blocks.append(_replay(prepare, wait) if replayed else _relax(prepare, wait, driver, relaxes_cell(task)))
    return re.sub(r"\n{4,}", "\n\n\n", "\n\n".join(block.strip("\n") for block in blocks)) + "\n"


FILTER = "from ase.filters import FrechetCellFilter"


def relaxes_cell(task: Task) -> bool:
    """Return whether the script relaxes the cell, too."""
    (structure,) = task.structures
    return task.criterion is not None and task.criterion.relax_cell and structure.molecule.cell is not None


def moved(task: Task) -> str:
    """Return what the script's optimiser moves: the atoms, or the filter of atoms and cell."""
    if not relaxes_cell(task):
        return "atoms"
    (structure,) = task.structures
    atoms = structure.molecule.atoms()
    components = relaxed_components(atoms.cell.array.tolist(), atoms.pbc.tolist())
    return "FrechetCellFilter(atoms)" if all(components) else f"FrechetCellFilter(atoms, mask={components})"


def names_in(lines: str) -> set[str]:
    """Return the names that the adapter's lines set."""
    found: set[str] = set()
    for node in ast.parse(lines).body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return found


def inline(name: str, molecule: Any) -> str:
    """Return the statement that makes a :class:`bench.core.task.Molecule` as ase.Atoms of a name."""
    atoms = molecule.atoms()
    rows = "\n".join(f"        ({', '.join(f'{x:.8f}' for x in row)})," for row in atoms.positions)
    more = [f"info={atoms.info!r}"] if atoms.info else []
    if atoms.pbc.any():
        more += [f"cell={atoms.cell.array.round(8).tolist()!r}", f"pbc={atoms.pbc.tolist()!r}"]
    if molecule.fixed:
        more.append(f"constraint=FixAtoms({molecule.fixed!r})")
    if molecule.masses is not None:
        more.append(f"masses={molecule.masses!r}")
    formula = atoms.get_chemical_formula(mode="reduce")
    return (
        f'{name} = Atoms(\n    "{formula}",\n    [\n{rows}\n    ],\n' + "".join(f"    {one},\n" for one in more) + ")"
    )


def _warm_up(prepare: list[str], optimizer: str, stress: bool) -> str:
    first = f"""\
# warm-up: discarded force calls at slightly displaced and expanded copies
random = np.random.default_rng(0)
for start in (reference, structure):
    for factor in {EXPANSIONS}:
        atoms = start.copy()
        atoms.positions = factor * start.positions + random.normal(0.0, {DISPLACEMENT}, start.positions.shape)
        {_inside(prepare, 8)}atoms.calc = calculator
        {_first(stress)}"""
    return first + (f"\n{optimizer}, logfile=None).run(fmax=FMAX, steps=3)" if optimizer else "")


def _first(stress: bool) -> str:
    return "atoms.get_stress(), atoms.get_forces()" if stress else "atoms.get_forces()"


def _relax(prepare: list[str], wait: list[str], optimizer: str | None, stress: bool) -> str:
    """Return the relaxation; `optimizer` is the call that makes one, without its last arguments."""
    driver = f"optimizer = {optimizer}, logfile=None)\n    {_first(stress)}  # this one is no step\n    "
    run = "optimizer.run(fmax=FMAX, steps=MAX_STEPS)" if optimizer else "steps = relax(atoms, MAX_STEPS)"
    steps = "steps = optimizer.nsteps\n    " if optimizer else ""
    return f"""\
for _ in range(REPEATS):
    atoms = structure.copy()
    {_inside(prepare, 4)}atoms.calc = calculator
    {driver if optimizer else ""}{_inside(wait, 4)}begin = time.perf_counter()
    {run}
    {_inside(wait, 4)}seconds = time.perf_counter() - begin
    {steps}print(f"{{steps}} steps, {{1e3 * seconds / max(steps, 1):.5g}} ms/step", flush=True)"""


def _replay(prepare: list[str], wait: list[str]) -> str:
    return f"""\
# With random weights a relaxation means nothing. So force calls are timed, at the fixed geometries of the row: on the
# straight way from the structure to the undistorted molecule.
target = reference.copy()
minimize_rotation_and_translation(structure, target)
way = target.positions - structure.positions
atoms = structure.copy()
{_inside(prepare, 0)}atoms.calc = calculator
first = atoms.positions.copy()
for _ in range(REPEATS):
    seconds = 0.0
    for part in np.linspace(0.0, 1.0, POINTS):
        atoms.positions = first + part * way
        {_inside(wait, 8)}begin = time.perf_counter()
        atoms.get_forces()
        {_inside(wait, 8)}seconds += time.perf_counter() - begin
    print(f"{{POINTS}} force calls, {{1e3 * seconds / POINTS:.5g}} ms/force call", flush=True)"""


def _inside(statements: list[str], indent: int) -> str:
    """Return statements that come before others on the same level."""
    return "".join(f"{one}\n{' ' * indent}" for one in statements)

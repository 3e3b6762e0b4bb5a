"""A task crosses the pipe as it was, and a worker refuses one that it does not know how to do."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ase.build import molecule

import bench
from bench.core.message import (
    Beat,
    Begins,
    CannotWrite,
    Check,
    Done,
    Pair,
    Phase,
    PlainLines,
    Result,
    Waits,
    from_json,
    to_json,
)
from bench.core.plain import to_plain
from bench.core.records import Answer
from bench.core.task import MEASURE, Allowance, Criterion, Molecule, Promises, Structure, Subject, Task, Told
from bench.protocols.md.plan import TrajectoryPlan

WATER = molecule("H2O")
TASK = Task(
    MEASURE,
    Subject("x.py", "toy", "toy", "cuda:1", "float64", threads=2, seed=3, cpus=(0, 1), native=True),
    round=4,
    told=Told("random", 153, {"file": "RANDOM-x"}, {"torch_backend": "cpu"}, ("OMP_NUM_THREADS",), 99),
    systems=(Molecule.of(WATER, {"charge": 1, "spin": 2}),),
    structures=(Structure(7, Molecule.of(WATER), np.zeros((2, 3, 3)).tolist()),),
    criterion=Criterion("BFGS", 0.05, 500),
    items=(("relax", 7), ("md", 0)),
    allowances={"structures": Allowance(1.5, None)},
    answers=(7,),
    plans={"md": (to_plain(TrajectoryPlan(0, "nve", 0, 0.5, 500.0, 20.0)),)},
    promises=Promises(charge=True, force_tolerance=0.1),
)


def test_a_task_comes_out_of_the_pipe_as_it_went_in():
    line = TASK.to_json()
    assert "\n" not in line
    assert Task.from_json(line) == TASK


def test_a_molecule_keeps_its_charge_and_its_multiplicity():
    atoms = Task.from_json(TASK.to_json()).systems[0].atoms()
    assert atoms.info == {"charge": 1, "spin": 2}
    assert np.array_equal(atoms.positions, WATER.positions)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"version": 1}, "does tasks of version 5, not of version 1"),
        ({"job": "dance"}, "knows no job 'dance'"),
        ({"colour": "red"}, "a Task has no field 'colour'"),
        ({"subject": {}}, "this is not a Subject"),
    ],
)
def test_a_worker_refuses_a_task_that_it_does_not_know_and_does_nothing(change, says):
    worker = Path(bench.__file__).parent / "measure" / "worker.py"
    line = json.dumps({**json.loads(TASK.to_json()), **change}) + "\n"
    done = subprocess.run(
        [sys.executable, "-I", worker], input=line, capture_output=True, text=True, env=dict(os.environ), timeout=60
    )
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    "said",
    [
        Beat(3, 7),
        Phase("md"),
        Begins("vibrations", 0),
        Waits(),
        CannotWrite("No space left on device"),
        Done(),
        Pair(1, 0, 100, 5, 110, 5, 3, 95),
        PlainLines("calculator = EMT()\n"),
        PlainLines(None),
        Check("units", None, "skipped because"),
        Result(Answer("toy", "cpu", 0, structure=3, energy=-1.5, forces=[[0.0, 0.0, 1.0]], changed=[])),
    ],
)
def test_a_message_comes_out_of_the_pipe_as_it_went_in(said):
    line = to_json(said)
    assert "\n" not in line
    assert from_json(line) == said


@pytest.mark.parametrize(
    "line", ["Hello!", "[]", '{"message":"beat"}', '{"message":"beat","version":3}', '{"version":3}']
)
def test_what_is_no_message_is_told_apart(line):
    with pytest.raises(ValueError):
        from_json(line)


def test_the_fields_of_a_task_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        TASK.round = 5

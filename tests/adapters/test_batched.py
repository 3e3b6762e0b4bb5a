"""Batches of real models: molecules of unlike sizes in one call get the answers of single calls, and leave nothing."""

import json
import os
from pathlib import Path

import pytest

from bench.environments.catalogue import Catalogue

pytestmark = pytest.mark.environment

SCRIPT = """
import json, sys
from pathlib import Path
import numpy as np
from ase.build import molecule
from bench.measure.batches import compute
from bench.measure.loading import load_adapter

path, method, dtype, checkpoint = sys.argv[1:]
adapter = load_adapter(path)
calculator = adapter.load(method, "cpu", dtype, 1, Path(checkpoint) if checkpoint else None)
given = []
for number, name in enumerate(("CH3CH2OH", "H2O", "H2O")):
    atoms = molecule(name)
    atoms.rattle(0.05, seed=number)
    given.append(adapter.prepare(atoms))


def alone(atoms):
    fresh = adapter.new_structure(calculator, atoms)
    forces = np.array(fresh.get_forces(atoms))
    return float(fresh.get_potential_energy(atoms)), forces


before = [alone(atoms) for atoms in given]
together = compute(adapter, calculator, given)
again = compute(adapter, calculator, given[::-1])[::-1]
after = [alone(atoms) for atoms in given]
worst = {}
for name, answers in (("together", together), ("again", again), ("after", after)):
    worst[name] = [
        max(abs(one[0] - other[0]) for one, other in zip(answers, before)),
        max(float(np.abs(one[1] - other[1]).max()) for one, other in zip(answers, before)),
    ]
print(json.dumps({"worst": worst, "sizes": [len(forces) for _, forces in together], "dtype": dtype}))
"""
CATALOGUE = Catalogue()
WEIGHTS = os.environ.get("PESBENCH_WEIGHTS")
METHODS = ["7net-0", "7net-mf-0", "so3lr", "ani-1ccx"]
for name in ("mace-mp-0-small", "orb-d3-xs-v2", "nequix-mp-1"):
    file = CATALOGUE.methods[name].checkpoint.file
    missing = pytest.mark.skipif(
        not (WEIGHTS and list(Path(WEIGHTS).rglob(file))), reason=f"{file} is not in PESBENCH_WEIGHTS"
    )
    METHODS.append(pytest.param(name, marks=missing))


@pytest.mark.parametrize("name", METHODS)
def test_a_batch_of_unlike_molecules_has_the_answers_of_single_calls(in_environment, name):
    method = CATALOGUE.methods[name]
    found = [] if method.checkpoint.shipped else [*Path(WEIGHTS).rglob(method.checkpoint.file)]
    done = in_environment(method.adapter.name, SCRIPT, name, method.dtypes[0], found[0] if found else "")
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["sizes"] == [9, 3, 3]
    tolerance = 1e-3 if seen["dtype"] == "float32" else 1e-8
    assert seen["worst"]["together"] == pytest.approx([0.0, 0.0], abs=tolerance)
    assert seen["worst"]["again"] == pytest.approx([0.0, 0.0], abs=tolerance)
    assert seen["worst"]["after"] == pytest.approx([0.0, 0.0], abs=0.1 * tolerance)

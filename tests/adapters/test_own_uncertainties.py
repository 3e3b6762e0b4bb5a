"""What Orb's confidence head and PET's ensemble of last layers say of their own errors, in the units of the harness.

The weights are random: the numbers mean nothing, but what is computed from them can be computed by hand.
"""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.environment

START = """
import json
import sys
from pathlib import Path
import numpy as np
import torch
from ase.build import molecule
from bench.measure.loading import load_adapter

adapter = load_adapter(sys.argv[1])
path = Path(sys.argv[2])
adapter.make_random(METHOD, path, 0)
calculator = adapter.load(METHOD, "cpu", "float32", 1, path)
atoms = molecule("CH3CH2OH")
atoms.rattle(0.05, seed=1)
atoms = adapter.prepare(atoms)
adapter.new_structure(calculator, atoms)
forces = calculator.get_forces(atoms)
"""
ORB = """
head = adapter.model.heads["confidence"]
last = [layer for layer in head.mlp.modules() if isinstance(layer, torch.nn.Linear)][-1]
with torch.no_grad():  # all the probability in the eleventh of the fifty bins
    last.weight.zero_()
    last.bias.fill_(-100.0)
    last.bias[10] = 100.0
energy, per_atom = adapter.uncertainty(calculator, atoms)
"""
PET = """
energy, per_atom = adapter.uncertainty(calculator, atoms)
members = calculator.get_forces_ensemble(atoms)
by_hand = np.sqrt(np.var(members, axis=-1).sum(axis=1)).tolist()
"""
END = """
again = calculator.get_forces(atoms)
said = {"energy": energy, "per_atom": per_atom.tolist(), "forces_stay": bool((again == forces).all())}
print(json.dumps(said | {"by_hand": globals().get("by_hand")}))
"""


@pytest.fixture
def told(in_environment, tmp_path):
    def run(adapter, method, middle):
        done = in_environment(adapter, f"METHOD = {method!r}{START}{middle}{END}", tmp_path / "random.ckpt")
        return json.loads(done.stdout.splitlines()[-1])

    return run


def test_orbs_confidence_is_the_mean_error_of_its_bins_as_a_deviation_of_the_vector(told):
    found = told("orb.py", "orb-v3-conservative-inf-omat", ORB)
    # bins of 6 meV/Angstrom; sigma = sqrt(pi/2) times the mean absolute component, and three components
    assert found["per_atom"] == pytest.approx([0.063 * (1.5 * 3.14159265) ** 0.5] * 9, rel=1e-5)
    assert found["energy"] is None
    assert found["forces_stay"]


def test_pets_ensemble_is_asked_for_and_leaves_the_forces_as_they_were(told):
    found = told("pet.py", "pet-mad-1.5-s", PET)
    assert found["energy"] > 0
    assert found["per_atom"] == pytest.approx(found["by_hand"], rel=1e-6)
    assert len(found["per_atom"]) == 9 and min(found["per_atom"]) > 0
    assert found["forces_stay"]

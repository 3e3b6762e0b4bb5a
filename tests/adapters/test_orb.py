"""What Orb's loader would let pass or leave behind: heads without weights, and a folder in the home directory."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from bench.paths import PROJECT, adapters_dir

pytestmark = pytest.mark.environment

SCRIPT = """
import json
import sys
from pathlib import Path
import torch
from ase.build import molecule
from bench.measure.loading import load_adapter

adapter = load_adapter(sys.argv[1])
path = Path(sys.argv[2])
said = {}
method = "orb-v3-conservative-omol"
adapter.make_random(method, path, 0)
calculator = adapter.load(method, "cpu", "float32", 1, path)
water, cation, triplet = (molecule("H2O") for _ in range(3))
cation.info = {"charge": 1, "spin": 2}
triplet.info = {"charge": 0, "spin": 3}
said["energies"] = []
for atoms in (water, cation, triplet):
    prepared = adapter.prepare(atoms)
    said["energies"].append(adapter.new_structure(calculator, prepared).get_potential_energy(prepared))
said["info"] = [water.info, cation.info]

method = "orb-v3-conservative-inf-omat"
adapter.make_random(method, path, 0)
adapter.load(method, "cpu", "float32", 1, path)
try:
    adapter.prepare(cation)
except ValueError as error:
    said["charged"] = str(error)
weights = torch.load(path)
old = {name.replace("heads.energy.", "graph_head."): weight for name, weight in weights.items()}
for name, of in (("heads.energy.", weights), ("graph_head.", old)):
    torch.save(of, path)
    adapter.load(method, "cpu", "float32", 1, path)
    del of[name + "mlp.NN-0.weight"]
    torch.save(of, path)
    try:
        adapter.load(method, "cpu", "float32", 1, path)
    except ValueError as error:
        said[name] = str(error)
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def said(method_python, home, tmp_path_factory):
    checkpoint = tmp_path_factory.mktemp("weights") / "broken.ckpt"
    done = subprocess.run(
        [method_python("orb.py"), "-c", SCRIPT, adapters_dir() / "orb.py", checkpoint],
        env={**os.environ, "PYTHONPATH": str(PROJECT), "OMP_NUM_THREADS": "1", "HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_a_head_that_the_file_lacks_is_an_error_and_not_a_random_one(said):
    for names in ("heads.energy.", "graph_head."):  # those of today and of Orb-v2's time
        assert said[names] == "broken.ckpt lacks weights of this Orb model, among them heads.energy.mlp.NN-0.weight"


def test_charge_and_spin_of_the_structure_reach_the_model_that_takes_them(said):
    neutral, cation, triplet = said["energies"]
    assert min(abs(neutral - cation), abs(neutral - triplet), abs(cation - triplet)) > 1e-2


def test_a_charge_is_refused_by_the_model_that_does_not_take_it(said):
    assert said["charged"] == "this Orb model knows neutral singlets only, not charge 1, multiplicity 2"


def test_the_structures_that_were_given_are_left_as_they_are(said):
    assert said["info"] == [{}, {"charge": 1, "spin": 2}]


def test_nothing_is_written_to_the_home_directory(said, home):
    assert list(home.rglob("*")) == []

"""ANI's ensemble: its uncertainty, its precisions, and that it is loaded without a network."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from bench.paths import PROJECT, adapters_dir

pytestmark = pytest.mark.environment

SCRIPT = """
import json
import socket
import sys
from pathlib import Path
import numpy as np
from ase.build import molecule
from bench.measure.loading import load_adapter


def refuse(*arguments):
    raise RuntimeError("there is no network here")


socket.socket.connect = socket.getaddrinfo = refuse
adapter = load_adapter(sys.argv[1])
seen = {}
energies = {}
for dtype in ("float32", "float64"):
    calculator = adapter.load("ani-1ccx", "cpu", dtype, 1, None)
    atoms = molecule("CH3CH2OH")
    atoms.rattle(0.05, seed=1)
    prepared = adapter.prepare(atoms)
    energies[dtype] = float(calculator.get_potential_energy(prepared))
seen["energies"] = [energies["float32"], energies["float64"]]
members = [network.ase() for network in (adapter.model[number] for number in range(len(adapter.model)))]
of_energy = np.std([member.get_potential_energy(prepared) for member in members], ddof=1)
forces = np.array([member.get_forces(prepared) for member in members])
of_forces = np.sqrt(np.var(forces, axis=0, ddof=1).sum(axis=1))
seen["by hand"] = [float(of_energy), of_forces.tolist()]
energy, per_atom = adapter.uncertainty(calculator, prepared)
seen["uncertainty"] = [energy, per_atom.tolist()]
seen["mean force"] = float(np.abs(forces.mean(axis=0) - calculator.get_forces(prepared)).max())
try:
    adapter.load("ani-1ccx", "cpu", "float64", 1, Path("mine"))
except ValueError as error:
    seen["other"] = str(error)
print(json.dumps(seen))
"""


@pytest.fixture(scope="module")
def seen(method_python):
    done = subprocess.run(
        [method_python("ani.py"), "-c", SCRIPT, adapters_dir() / "ani.py"],
        env={**os.environ, "PYTHONPATH": str(PROJECT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_uncertainty_is_the_standard_deviation_over_the_eight_networks(seen):
    energy, of_forces = seen["uncertainty"]
    assert energy == pytest.approx(seen["by hand"][0], rel=1e-6)
    assert of_forces == pytest.approx(seen["by hand"][1], rel=1e-6)
    assert 1e-3 < energy < 1
    assert len(of_forces) == 9
    assert all(1e-3 < one < 1 for one in of_forces)


def test_the_force_is_the_mean_of_theirs(seen):
    assert seen["mean force"] < 1e-10


def test_both_precisions_have_one_energy(seen):
    single, double = seen["energies"]
    assert single != double
    assert single == pytest.approx(double, abs=5e-3)  # a float32 of this size has steps of 0.5 meV


def test_another_checkpoint_is_refused(seen):
    assert seen["other"] == "TorchANI's models take no other checkpoint than those of its package"

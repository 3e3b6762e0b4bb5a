"""Where the SCF of the PySCF adapter starts, and how often it runs; water."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from bench.paths import PROJECT, adapters_dir

pytestmark = pytest.mark.environment

SCRIPT = """
import json, sys
from ase.build import molecule
from bench.measure.loading import load_adapter

adapter = load_adapter(sys.argv[1])
adapter.reference = molecule("H2O")
loaded = adapter.load("pbe0-def2-svp", "cpu", "float64", 1, None)
cycles = []
for structure in range(2):
    atoms = molecule("H2O")
    atoms.calc = adapter.new_structure(loaded, atoms)
    for call in range(2):
        cycles.append([])
        atoms.calc.method_scan.callback = lambda scf: cycles[-1].append(scf["cycle"])
        atoms.rattle(0.01, seed=call)
        atoms.get_forces()
        atoms.get_potential_energy()
print(json.dumps({"cycles": cycles, "settings": adapter.settings()}))
"""


@pytest.fixture(scope="module")
def seen(method_python):
    """What two structures of two calls each did, forces asked for before the energy as the harness does."""
    done = subprocess.run(
        [method_python("pyscf_dft.py"), "-c", SCRIPT, adapters_dir() / "pyscf_dft.py"],
        env={**os.environ, "PYTHONPATH": str(PROJECT), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_forces_and_energy_of_a_geometry_take_one_scf(seen):
    assert [call.count(0) for call in seen["cycles"]] == [1, 1, 1, 1]


def test_the_density_is_taken_over_within_a_structure_and_not_between_two(seen):
    first, second, again_first, again_second = map(len, seen["cycles"])
    assert second < first
    assert (again_first, again_second) == (first, second)  # the same geometries: nothing was left over


def test_the_settings_name_what_really_runs(seen):
    expected = {"xc": "pbe0", "functions": 24, "density-fitting": "def2-svp-jkfit", "grid-level": 2, "threads": 1}
    assert seen["settings"].items() >= expected.items()

"""Adapters also run earlier releases of their packages, which a timeline compares: the answers are the same."""

import json
import os
import subprocess

import pytest

from bench.engine import versions
from bench.environments import environments
from bench.environments.header import read_header
from bench.paths import PROJECT, adapters_dir

pytestmark = pytest.mark.environment

SCRIPT = """
import json, sys
from ase.build import molecule
from bench.measure.loading import load_adapter

adapter = load_adapter(sys.argv[1])
atoms = molecule("CH3CH2OH")
atoms.rattle(0.05, seed=1)
adapter.reference = atoms
calculator = adapter.load(sys.argv[2], "cpu", "float64", 1, None)
atoms = adapter.prepare(atoms)
atoms.calc = adapter.new_structure(calculator, atoms)
found = {"energy": float(atoms.get_potential_energy()), "forces": atoms.get_forces().tolist()}
batch = adapter.batched(calculator, [atoms, atoms])
print(json.dumps({**found, "settings": adapter.settings(), "batch": batch and [energy for energy, _ in batch]}))
"""


def answers(adapter, method, folder, *pins):
    path = versions.write(folder, adapters_dir() / adapter, versions.with_pins(adapters_dir() / adapter, pins))
    python = environments.prepare(read_header(path)).python
    done = subprocess.run(
        [python, "-W", "ignore", "-c", SCRIPT, path, method],
        env={**os.environ, "PYTHONPATH": str(PROJECT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_tblite_before_its_mixers(tmp_path):
    new = answers("xtb.py", "gfn2-xtb", tmp_path / "new")
    old = answers("xtb.py", "gfn2-xtb", tmp_path / "old", "tblite==0.6.0")
    assert new["settings"]["mixer"] == "broyden"
    assert old["settings"]["mixer"] == "cannot be set in this release"
    assert old["energy"] == pytest.approx(new["energy"], abs=1e-4)


def test_torchani_whose_calculator_passes_no_atomic_numbers(tmp_path):
    """The model of 1.2 would take the calculator's indices for atomic numbers: forces were off by 5.8 eV/Angstrom."""
    new = answers("ani.py", "ani-1ccx", tmp_path / "new")
    old = answers("ani.py", "ani-1ccx", tmp_path / "old", "torchani==1.2")
    assert old["energy"] == pytest.approx(new["energy"], abs=1e-6)
    for found, expected in zip(old["forces"], new["forces"], strict=True):
        assert found == pytest.approx(expected, abs=1e-6)
    assert old["batch"] == pytest.approx([old["energy"]] * 2, abs=1e-6)
    assert "elements" in old["settings"] and "elements" not in new["settings"]

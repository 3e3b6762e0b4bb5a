"""Charge and spin from a user's file to a real method, or to a row that says why not; water."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest
from ase.build import molecule
from ase.io import write

import bench
from bench.paths import PROJECT, adapters_dir

pytestmark = pytest.mark.environment

STATES = {"neutral": {}, "cation": {"charge": 1}, "triplet": {"spin": 3}}
TAKE = ["gfn2-xtb", "pbe0-def2-svp", *(["pbe0-def2-svp-nwchem"] if shutil.which("nwchem") else [])]


@pytest.fixture(scope="module")
def runs(pesbench, tmp_path_factory):
    """Rows and energies (eV) by method, for each state of the same water molecule."""
    found = {}
    for state, info in STATES.items():
        folder = tmp_path_factory.mktemp(state)
        water = molecule("H2O")
        water.info = dict(info)
        write(folder / "water.xyz", water, format="extxyz")
        done = pesbench(
            *("run", "--methods", ",".join([*TAKE, "uff"]), "--structures", folder / "water.xyz", "--rounds", "1"),
            *("--threads", "1", "--max-steps", "1", "--budget", "none", "--no-repeats", "--json"),
            *("--output", folder / "runs"),
        )
        assert "Traceback" not in done.stderr
        rows = {row["method"]: row for row in json.loads(done.stdout)["rows"]}
        structures = bench.load(folder / "runs").structures
        found[state] = rows, dict(zip(structures.method, structures.energy, strict=True))
    return found


@pytest.mark.parametrize("method", TAKE)
def test_a_method_that_takes_them_gives_another_energy_for_a_cation_and_for_a_triplet(runs, method):
    neutral, cation, triplet = (runs[state][1][method] for state in STATES)
    assert 10 < cation - neutral < 20  # eV; measured: 12.6, and 18 by GFN2-xTB
    assert 5 < triplet - neutral < 16  # measured: 7.1


def test_a_method_that_does_not_take_them_is_a_row_that_names_which(runs):
    assert runs["neutral"][0]["uff"]["failures"] == {}
    assert runs["cation"][0]["uff"]["failures"] == {"charge": 1}
    assert runs["triplet"][0]["uff"]["failures"] == {"spin": 1}
    assert "charge +1" in runs["cation"][0]["uff"]["message"]


OXYGEN = """
import sys
from ase import Atoms
from bench.measure.loading import load_adapter

adapter = load_adapter(sys.argv[1])
calculator = adapter.load("gfn2-xtb", "cpu", "float64", 1, None)
for spin in (1, 3):
    atoms = adapter.prepare(Atoms("O2", [(0, 0, 0), (0, 0, 1.21)], info={"charge": 0, "spin": spin}))
    print(adapter.new_structure(calculator, atoms).get_potential_energy(atoms))
"""


def test_gfn2_xtb_has_no_exchange_between_unpaired_electrons(method_python):
    done = subprocess.run(
        [method_python("xtb.py"), "-c", OXYGEN, adapters_dir() / "xtb.py"],
        env={**os.environ, "PYTHONPATH": str(PROJECT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    singlet, triplet = map(float, done.stdout.split())
    # both fill oxygen's two highest orbitals alike, but for the entropy of four half-filled ones at 300 K
    entropy_term = 4 * 0.6931472 * 8.617333e-5 * 300
    assert triplet - singlet == pytest.approx(entropy_term, abs=1e-3)

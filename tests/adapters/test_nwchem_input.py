"""What the NWChem adapter gives to the program, and what it leaves behind; water, with the real program."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest

from bench.paths import PROJECT, adapters_dir

pytestmark = [
    pytest.mark.environment,
    pytest.mark.skipif(shutil.which("nwchem") is None, reason="nwchem is not on PATH"),
]

SCRIPT = """
import json, sys
from pathlib import Path
from ase.build import molecule
from bench.measure.loading import load_adapter

path, method = sys.argv[1:]
adapter = load_adapter(path)
loaded = adapter.load(method, "cpu", "float64", 1, None)
calls = []
for structure in range(2):
    atoms = molecule("H2O")
    atoms.rattle(0.05, seed=structure)
    atoms.calc = adapter.new_structure(loaded, atoms)
    for call in range(2):
        atoms.rattle(0.01, seed=call)
        atoms.get_forces()
        output = Path(atoms.calc.directory, "nwchem.nwo")
        stamp = output.stat().st_mtime_ns
        energy = atoms.get_potential_energy()
        calls.append({
            "energy": energy,
            "ran once": output.stat().st_mtime_ns == stamp,
            "input": output.with_suffix(".nwi").read_text(),
            "cycles": output.read_text().count(" d= 0,ls="),
        })
adapter.dft["iterations"] = 2
atoms.calc = adapter.new_structure(loaded, atoms)
try:
    atoms.get_forces()
except Exception as error:
    failure = str(error)
open_shells = []
for info in ({"charge": 1}, {"charge": 0, "spin": 3}):
    atoms.info = info
    calculator = adapter.new_structure(loaded, atoms)
    calculator.write_input(atoms, ["energy"])
    open_shells.append(Path(calculator.directory, "nwchem.nwi").read_text())
print(json.dumps({"calls": calls, "failure": failure, "open": open_shells, "settings": adapter.settings()}))
"""

AS_ASE = """
import json, re, sys
from pathlib import Path
from ase.build import molecule
from ase.calculators.nwchem import NWChem
from bench.measure.loading import load_adapter

path, method = sys.argv[1:]
adapter = load_adapter(path)
loaded = adapter.load(method, "cpu", "float64", 1, None)
water = molecule("H2O")
adapters = adapter.new_structure(loaded, water)
energy = adapters.get_potential_energy(water)
adapters.write_input(water, ["energy", "forces"])
bare = NWChem(label=str(Path(adapters.directory, "bare", "nwchem")), theory="dft", xc="pbe0", basis="def2-svp")
bare.write_input(water, ["energy", "forces"])
texts = [Path(one.directory, "nwchem.nwi").read_text().replace(one.directory, ".") for one in (adapters, bare)]
own = load_adapter(path)
spherical = own.load("pbe0-def2-svp-nwchem", "cpu", "float64", 1, None)
cation = water.copy()
cation.info = {"charge": 1}
ion = adapter.new_structure(loaded, cation)
ion.write_input(cation, ["energy", "forces"])
print(json.dumps({
    "texts": texts,
    "energies": [energy, own.new_structure(spherical, water).get_potential_energy(water)],
    "settings": adapter.settings(),
    "ion": Path(ion.directory, "nwchem.nwi").read_text(),
}))
"""

TWO_RANKS = """
import json, sys
from bench.measure.loading import load_adapter

path, method = sys.argv[1:]
adapters = [load_adapter(path), load_adapter(path)]
energies = [a.load(method, "cpu", "float64", ranks, None).results["energy"] for a, ranks in zip(adapters, (1, 2))]
print(json.dumps({"energies": energies}))
"""


@pytest.fixture(scope="module")
def run(method_python, tmp_path_factory):
    """Return a function that runs a script in the adapter's environment, with a temporary folder of its own."""

    def run(script, method):
        scratch = tmp_path_factory.mktemp("Scratch")  # with a capital: NWChem's input could fold it
        # as inside a job step of Slurm, where a program that is started without mpirun takes srun for its parent
        slurm = {"SLURM_JOBID": "1", "SLURM_STEPID": "0", "SLURM_PROCID": "0", "SLURM_NODELIST": "here"}
        done = subprocess.run(
            [method_python("nwchem_dft.py"), "-c", script, adapters_dir() / "nwchem_dft.py", method],
            env={
                **os.environ,
                **slurm,
                "PYTHONPATH": str(PROJECT),
                "OMP_NUM_THREADS": "1",
                "OPENBLAS_NUM_THREADS": "1",
                "TMPDIR": str(scratch),
            },
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, done.stderr
        return {**json.loads(done.stdout), "left": list(scratch.iterdir())}

    return run


# two structures of two calls each, and one that fails
@pytest.fixture(scope="module")
def cold(run):
    return run(SCRIPT, "pbe0-def2-svp-nwchem")


@pytest.fixture(scope="module")
def warm(run):
    return run(SCRIPT, "pbe0-def2-svp-nwchem-warm")


@pytest.fixture(scope="module")
def as_ase(run):
    return run(AS_ASE, "pbe0-def2-svp-nwchem-as-ase")


def test_the_published_rows_input_is_what_ase_writes_when_it_is_told_functional_and_basis_alone(as_ase):
    ours, bare = as_ase["texts"]
    assert ours == bare
    assert "basis noprint" in ours
    assert not any(word in ours for word in ("spherical", "direct", "memory"))


def test_with_ases_input_the_d_functions_are_cartesian_and_lower_the_energy(as_ase):
    assert as_ase["settings"]["functions-of-water"] == "25"
    cartesian, spherical = as_ase["energies"]
    assert cartesian - spherical == pytest.approx(-0.041, abs=0.005)  # eV: 1.5 mhartree for one function more


def test_an_ion_has_its_charge_and_multiplicity_in_ases_input_too(as_ase):
    assert all(word in as_ase["ion"] for word in ("charge 1", "mult 2", "odft"))


def test_the_d_functions_are_spherical(cold):
    assert all("basis spherical" in call["input"] for call in cold["calls"])
    assert cold["settings"]["functions-of-water"] == "24"  # 25 Cartesian


def test_the_default_method_starts_every_step_from_the_atomic_guess(cold):
    assert not any("vectors" in call["input"] for call in cold["calls"])


def test_the_warm_method_takes_orbitals_over_within_a_structure_and_not_between_two(warm):
    assert ["vectors input" in call["input"] for call in warm["calls"]] == [False, True, False, True]


def test_the_orbitals_that_are_taken_over_are_really_read(cold, warm):
    # the program falls back to the atomic guess without a word where it does not find them
    for call in (1, 3):
        assert warm["calls"][call]["cycles"] < cold["calls"][call]["cycles"]


def test_the_guess_changes_no_energy(cold, warm):
    for one, two in zip(cold["calls"], warm["calls"], strict=True):
        assert one["energy"] == pytest.approx(two["energy"], abs=1e-5)  # eV; the SCF ends at 1e-6 hartree


def test_two_ranks_give_the_energy_of_one(run):
    one, two = run(TWO_RANKS, "pbe0-def2-svp-nwchem")["energies"]
    assert one == pytest.approx(two, abs=1e-6)


def test_forces_and_energy_of_a_geometry_take_one_run_of_the_program(cold):
    assert all(call["ran once"] for call in cold["calls"])


def test_a_failure_carries_the_programs_own_words(cold):
    assert cold["failure"].startswith("NWChem: calculation failed to converge; dft gradient failed")


def test_unpaired_electrons_are_unrestricted_and_paired_ones_are_not(cold):
    def said(text):
        return [word for word in ("charge 0", "charge 1", "mult 1", "mult 2", "mult 3", "odft") if word in text]

    assert {tuple(said(call["input"])) for call in cold["calls"]} == {("charge 0", "mult 1")}
    assert [said(text) for text in cold["open"]] == [["charge 1", "mult 2", "odft"], ["charge 0", "mult 3", "odft"]]


def test_nothing_is_left_in_the_temporary_folder(cold, warm):
    assert cold["left"] == warm["left"] == []


def test_the_version_of_the_program_is_known_before_the_first_step(cold):
    assert cold["settings"]["version"]
    assert cold["settings"]["grid"] == "medium"

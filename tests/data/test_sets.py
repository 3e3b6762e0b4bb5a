"""The sets of different systems that come with pesbench: what they hold, and that their scripts write them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import ase.io
import numpy as np
import pytest
from rdkit import Chem

from bench.data.distances import bonds, closest_pair
from bench.data.naphthalene import naphthalene
from bench.data.structures import load_dataset
from bench.data.systems import fixed_atoms
from bench.paths import datasets_dir

# as pharmacopoeias and textbooks have them
FORMULAS = {
    "aminothiazole": "C3H4N2S",
    "fluorouracil": "C4H3FN2O2",
    "taurine": "C2H7NO3S",
    "sevoflurane": "C4H3F7O",
    "isoniazid": "C6H7N3O",
    "sulfanilamide": "C6H8N2O2S",
    "metformin": "C4H11N5",
    "clonidine": "C9H9Cl2N3",
    "caffeine": "C8H10N4O2",
    "nicotine": "C10H14N2",
    "captopril": "C9H15NO3S",
    "furosemide": "C12H11ClN2O5S",
    "ibuprofen": "C13H18O2",
    "clopidogrel": "C16H16ClNO2S",
    "lidocaine": "C14H22N2O",
    "fluoxetine": "C17H18F3NO",
    "ciprofloxacin": "C17H18FN3O3",
    "ranitidine": "C13H22N4O3S",
    "flucloxacillin": "C19H17ClFN3O5S",
    "haloperidol": "C21H23ClFNO2",
    "levocetirizine": "C21H25ClN2O3",
    "gefitinib": "C22H24ClFN4O3",
    "dexamethasone": "C22H29FO5",
    "lisinopril": "C21H31N3O5",
}
SIZES = {"druglike": 24, "ions": 8, "crystals": 16}


def test_the_bonds_of_the_distorted_naphthalene_are_those_of_the_undistorted_one():
    system = load_dataset("hard").systems[2]
    assert (system.name, list(system.reference.symbols)) == ("naphthalene-off", list(naphthalene().symbols))
    assert (system.reference.positions == naphthalene().positions).all()
    start = load_dataset("hard").atoms[system.frames[0]]
    assert (start.numbers == system.reference.numbers).all()


def test_the_hard_set_has_four_starts_of_each_of_three_systems():
    dataset = load_dataset("hard")
    found = [(one.name, one.formula, len(one.frames)) for one in dataset.systems]
    assert found == [
        ("dodecanediol", "C12H26O2", 4),
        ("water-octamer", "H16O8", 4),
        ("naphthalene-off", "C10H8", 4),
    ]
    assert not dataset.unused


@pytest.fixture(scope="module", params=SIZES)
def loaded(request):
    return load_dataset(request.param)


def test_each_structure_is_a_system_with_a_name_of_its_own(loaded):
    assert len(loaded.systems) == len(loaded.atoms) == SIZES[loaded.name]
    assert len({one.name for one in loaded.systems}) == SIZES[loaded.name]
    assert "CC0" in loaded.description
    assert not loaded.unused
    for one in loaded.systems:
        assert closest_pair(one.reference).ratio > 0.7, one.name


def test_druglike_molecules_have_the_formulas_that_are_known_of_them():
    systems = load_dataset("druglike").systems
    assert {one.name: one.formula for one in systems} == FORMULAS
    sizes = [len(one.reference) for one in systems]
    assert (min(sizes), sizes) == (10, sorted(sizes))
    assert 55 <= max(sizes) <= 60
    assert {symbol for one in systems for symbol in one.reference.symbols} == set("CHNOFS") | {"Cl"}
    assert all((one.charge, one.spin) == (0, 1) for one in systems)


@pytest.mark.parametrize(("name", "table"), [("druglike", "MOLECULES"), ("ions", "IONS")])
def test_the_geometries_have_the_bonds_of_their_smiles(monkeypatch, name, table):
    monkeypatch.syspath_prepend(str(datasets_dir()))
    module = __import__(f"generate_{name}")
    written = getattr(module, table)
    for one in load_dataset(name).systems:
        smiles = written[one.name]
        molecule = Chem.AddHs(Chem.MolFromSmiles(smiles if isinstance(smiles, str) else smiles[0]))
        wanted = {tuple(sorted((bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()))) for bond in molecule.GetBonds()}
        assert [atom.GetSymbol() for atom in molecule.GetAtoms()] == list(one.reference.symbols)
        assert {tuple(map(int, pair)) for pair in bonds(one.reference)} == wanted, one.name


def test_ions_have_the_electrons_of_their_names():
    states = {one.name: (one.formula, one.charge, one.spin) for one in load_dataset("ions").systems}
    assert states == {
        "methylammonium": ("CH6N", 1, 1),
        "naphthalene-cation": ("C10H8", 1, 2),
        "acetate": ("C2H3O2", -1, 1),
        "nitrate": ("NO3", -1, 1),
        "ethyl": ("C2H5", 0, 2),
        "phenoxyl": ("C6H5O", 0, 2),
        "betaine": ("C5H11NO2", 0, 1),
        "oxygen": ("O2", 0, 3),
    }


def test_crystals_are_periodic_and_the_lower_half_of_each_slab_is_fixed():
    for one in load_dataset("crystals").systems:
        atoms, fixed = one.reference, fixed_atoms(one.reference)
        assert len(atoms) >= 2
        assert atoms.pbc.tolist() == [True, True, not one.name.endswith("slab")]
        if one.name.endswith("slab"):
            assert len(fixed) == len(atoms) / 2
            assert atoms.positions[fixed, 2].max() < np.delete(atoms.positions[:, 2], fixed).min()
        else:
            assert not fixed


@pytest.mark.processes
@pytest.mark.parametrize("name", SIZES)
def test_a_script_writes_its_set(tmp_path, name):
    script = datasets_dir() / f"generate_{name}.py"
    done = subprocess.run([sys.executable, script, tmp_path], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    ours, again = (ase.io.read(Path(folder) / f"{name}.extxyz", ":") for folder in (datasets_dir(), tmp_path))
    for one, other in zip(ours, again, strict=True):
        assert one.numbers.tolist() == other.numbers.tolist()
        assert one.cell.array == pytest.approx(other.cell.array)
        if name == "crystals":
            assert one.positions == pytest.approx(other.positions, abs=1e-5)
        else:  # another RDKit may embed a molecule otherwise, but not another molecule
            assert bonds(one).tolist() == bonds(other).tolist()

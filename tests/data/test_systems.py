"""bench.data.systems: what makes frames one system, their names, and what a run keeps of them."""

from __future__ import annotations

import dataclasses

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111, molecule
from ase.constraints import FixAtoms

from bench.core.description import DataSetFacts, Description, SystemFacts
from bench.core.task import Molecule
from bench.data.structures import Wanted, load_dataset, series_of
from bench.data.systems import as_kept, fixed_atoms, own_masses
from bench.engine.coverage import in_words, left_out, reasons, takes_none
from bench.engine.describing import _system
from bench.environments.catalogue import Catalogue
from bench.errors import BadInput
from bench.results import store


def water(**info) -> Atoms:
    atoms = molecule("H2O")
    atoms.info = info
    return atoms


def slab() -> Atoms:
    atoms = fcc111("Al", (2, 2, 3), vacuum=8.0)
    atoms.set_constraint(FixAtoms([index for index, tag in enumerate(atoms.get_tags()) if tag == 3]))
    return Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=atoms.pbc, constraint=atoms.constraints)


def heavy() -> Atoms:
    atoms = water()
    atoms.set_masses([15.999, 2.014, 2.014])
    return atoms


@pytest.fixture
def written(tmp_path):
    def write(*images: Atoms, name: str = "mine.extxyz"):
        path = tmp_path / name
        ase.io.write(path, list(images), format="extxyz")
        return path

    return write


def shapes(dataset) -> list[tuple[str, tuple[int, ...]]]:
    return [(one.name, one.frames) for one in dataset.systems]


def test_frames_of_one_molecule_are_one_system(written):
    stretched = water()
    stretched.positions[1] *= 1.15
    data = load_dataset(written(water(), stretched))
    assert shapes(data) == [("mine", (0, 1))]


def test_other_atoms_another_order_another_state_and_other_bonds_are_other_systems(written):
    hcn = Atoms("CHN", [[0, 0, 0], [0, 0, -1.07], [0, 0, 1.16]])
    hnc = Atoms("CHN", [[0, 0, 0], [0, 0, 2.16], [0, 0, 1.17]])
    data = load_dataset(written(water(), water(charge=1), water(spin=3), water()[[1, 0, 2]], hcn, hnc, water()))
    assert [frames for _, frames in shapes(data)] == [(0, 6), (1,), (2,), (3,), (4,), (5,)]
    assert [(one.charge, one.spin) for one in data.systems[:3]] == [(0, 1), (1, 2), (0, 3)]
    assert data.system_of == (0, 1, 2, 3, 4, 5, 0)


def test_a_bond_that_a_vibration_stretches_stays_one(written):
    frames = [Atoms("H2", [[0, 0, 0], [0, 0, far]]) for far in (0.74, 0.9, 2.0, 4.0)]
    assert [frames for _, frames in shapes(load_dataset(written(*frames)))] == [(0, 1), (2, 3)]


def test_all_naphthalene_sets_are_one_system():
    (system,) = load_dataset("naphthalene-gfn2").systems
    assert (system.name, len(system.frames)) == ("naphthalene", 101)


def test_fixed_atoms_cells_and_masses_are_kept_and_tell_systems_apart(written):
    free = water()
    fixed = water()
    fixed.set_constraint(FixAtoms([0]))
    data = load_dataset(written(free, fixed, heavy(), slab(), bulk("NaCl", "rocksalt", a=5.64, cubic=True)))
    assert len(data.systems) == 5
    assert [fixed_atoms(one.reference) for one in data.systems] == [[], [0], [], [0, 1, 2, 3], []]
    assert own_masses(data.systems[2].reference) == [15.999, 2.014, 2.014]
    assert [one.reference.pbc.tolist() for one in data.systems[3:]] == [[True, True, False], [True] * 3]


def test_the_name_is_the_files_or_the_formula_and_never_the_same_twice(written):
    names = [name for name, _ in shapes(load_dataset(written(water(), water(charge=1), water()[[1, 0, 2]])))]
    assert names == ["H2O", "H2O+1", "H2O-2"]
    named = [Atoms(one, info={"name": name}) for one, name in ((water(), "a, b"), (molecule("CH4"), "c"))]
    assert [name for name, _ in shapes(load_dataset(written(*named)))] == ["a b", "c"]


def test_a_run_keeps_every_system_as_it_is_measured(written, tmp_path):
    mixed = [water(charge=1), heavy(), slab(), bulk("Si", cubic=True), water(charge=1)]
    rng = np.random.default_rng(0)
    for one in mixed:
        one.positions += rng.normal(0, 0.01, one.positions.shape)  # more digits than a file has
    data = load_dataset(written(*mixed))
    facts = DataSetFacts(name=data.name, digest=data.digest, systems=tuple(map(_system, data.systems)))
    described = Description(dataset=facts)
    store.create(tmp_path / "run", described, data).close()
    stored = store.stored_dataset(tmp_path / "run", described)
    assert [Molecule.of(one) for one in stored.atoms] == [Molecule.of(one) for one in data.atoms]
    for one, other in zip(stored.systems, data.systems, strict=True):
        assert Molecule.of(one.reference) == Molecule.of(other.reference)
        assert (one.name, one.charge, one.spin, one.frames) == (other.name, other.charge, other.spin, other.frames)


def test_a_molecule_comes_back_from_a_task_with_its_cell_fixed_atoms_and_masses():
    for atoms in (slab(), heavy(), bulk("Si", cubic=True)):
        back = Molecule.of(atoms).atoms()
        assert back.pbc.tolist() == atoms.pbc.tolist()
        assert np.allclose(back.cell.array, atoms.cell.array)
        assert fixed_atoms(back) == fixed_atoms(atoms)
        assert np.allclose(back.get_masses(), atoms.get_masses())


def test_what_is_measured_is_what_a_run_keeps(tmp_path):
    """Coordinates with nine decimals, half of which round differently once they are written with eight."""
    path = tmp_path / "nine.xyz"
    path.write_text("3\n\nO 0.123457497 0 .119\nH 0.123459497 .763 -.477\nH 0.123461497 -.763 -.477\n")
    data = load_dataset(path)
    described = Description(dataset=DataSetFacts(name=data.name, digest=data.digest))
    store.create(tmp_path / "run", described, data).close()
    assert store.stored_dataset(tmp_path / "run", described).digest == data.digest
    many = np.random.default_rng(1).uniform(-9, 9, 540).round(9)
    assert (as_kept(as_kept(many)) == as_kept(many)).all()


def test_all_systems_are_reached_before_any_is_measured_twice(written):
    methane = molecule("CH4")
    frames = [water() for _ in range(5)] + [methane.copy() for _ in range(2)] + [molecule("NH3")]
    for number, one in enumerate(frames):
        one.positions += 0.001 * number * one.positions
    data = load_dataset(written(*frames))
    assert sorted(data.order) == list(range(8))
    assert {data.system_of[index] for index in data.order[:3]} == {0, 1, 2}
    assert {data.system_of[index] for index in data.order[3:5]} == {0, 1}


def test_systems_and_elements_choose_a_part_of_a_set(written):
    path = written(water(), molecule("CH4"), water(), molecule("CO"))
    data = load_dataset(path, wanted=Wanted(elements=("C", "O", "H"), systems=("H2O", "CH4")))
    assert shapes(data) == [("H2O", (0, 2)), ("CH4", (1,))]
    assert data.digest != load_dataset(path).digest
    assert shapes(load_dataset(path, wanted=Wanted(elements=("C", "H")))) == [("CH4", (0,))]
    with pytest.raises(BadInput, match="has no system 'H20'; it has H2O, CH4, CO"):
        load_dataset(path, wanted=Wanted(systems=("H20",)))
    with pytest.raises(BadInput, match="has no system that consists of N only"):
        load_dataset(path, wanted=Wanted(elements=("N",)))


def test_a_cell_must_have_the_vectors_of_its_periodic_directions(written):
    atoms = water()
    atoms.pbc = True
    with pytest.raises(BadInput, match="is periodic in a direction in which it has no cell"):
        load_dataset(written(atoms))


def test_a_slab_without_a_third_vector_gets_a_vacuum(written):
    atoms = slab()
    atoms.cell[2] = 0
    reference = load_dataset(written(atoms)).reference
    assert reference.cell[2, 2] == pytest.approx(np.ptp(atoms.positions[:, 2]) + 20, abs=1e-6)
    assert reference.pbc.tolist() == [True, True, False]


@pytest.mark.parametrize("name", [name for name, one in Catalogue(()).methods.items() if one.kind == "dft"])
def test_every_dft_method_refuses_a_crystal_by_name(name, written):
    method = Catalogue(()).methods[name]
    failure = takes_none(method, load_dataset(written(bulk("Si", cubic=True))))
    assert failure.kind == "periodic"
    assert failure.message == f"{method.label} takes no periodic systems"


def test_a_method_is_given_only_what_its_header_takes(written):
    catalogue = Catalogue(())
    data = load_dataset(written(water(), water(charge=1), bulk("Si", cubic=True), molecule("CH4")))
    uff, sevennet = catalogue.methods["uff"], catalogue.methods["7net-0"]
    assert reasons(uff, data.systems) == {"H2O+1": "takes no charge", "Si8": "takes no periodic systems"}
    assert reasons(sevennet, data.systems) == {"H2O+1": "takes no charge"}
    out = left_out(uff, data, ())
    assert out.structures == {1, 2}
    assert out.kept(data.order) == [index for index in data.order if index in (0, 3)]
    assert takes_none(uff, data) is None
    failure = takes_none(uff, load_dataset(written(bulk("Si", cubic=True))))
    assert failure is not None
    assert failure.kind == "periodic"


def test_reasons_to_refuse_all_systems_name_those_that_they_are_about(written):
    data = load_dataset(written(water(charge=1), bulk("Si", cubic=True)))
    uff = Catalogue(()).methods["uff"]
    each = "takes no charge (1 of 2 systems: H2O+1); takes no periodic systems (1 of 2 systems: Si8)"
    assert takes_none(uff, data).message == f"{uff.label} {each}"
    assert in_words(reasons(uff, data.systems), 2) == each


def test_a_series_takes_the_first_system_of_each_size(written):
    data = load_dataset(written(molecule("CH4"), water(charge=1), water(), molecule("H2")))
    assert [(len(one.reference), one.charge) for one in data.series] == [(2, 0), (3, 1), (5, 0)]
    assert series_of(data.systems[:1]) == ()


def test_a_description_tells_what_is_special_about_a_system():
    facts = SystemFacts("slab", "Al12", 12, periodic="TTF", fixed=4, frames=(0,))
    described = Description(dataset=DataSetFacts(systems=(facts, dataclasses.replace(facts, frames=(1, 2)))))
    assert Description.of(described.plain()).dataset.systems == described.dataset.systems
    assert described.dataset.system_of == {0: 0, 1: 1, 2: 1}


def test_a_left_handed_cell_is_measured_as_the_same_lattice(tmp_path):
    cell = [[4.1, 0, 0], [0.3, 4.1, 0], [0.1, 0.2, 4.3]]
    right = Atoms("CsCl", positions=[[0, 0, 0], [2.1, 2.0, 2.2]], cell=cell, pbc=True)
    left = Atoms("CsCl", positions=right.positions, cell=right.cell[[1, 0, 2]], pbc=True)
    ase.io.write(tmp_path / "left.extxyz", left)
    (atoms,) = load_dataset(tmp_path / "left.extxyz").atoms
    assert np.linalg.det(atoms.cell.array) == pytest.approx(right.get_volume())
    steps = right.cell.scaled_positions(atoms.cell.array)
    assert np.allclose(steps, np.rint(steps), atol=1e-6), "each vector is one of the same lattice"
    assert np.allclose(atoms.positions, right.positions)
    assert atoms.get_all_distances(mic=True) == pytest.approx(right.get_all_distances(mic=True))

"""Clusters of naphthalene from its crystal, and series of the user's own."""

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from ase.neighborlist import neighbor_list
from scipy.spatial import cKDTree

from bench.data import clusters
from bench.data.clusters import CARBONS, LATTICE, cluster, doublings, sizes_of, supercell, systems
from bench.data.structures import load_dataset, naphthalene, read_series
from bench.errors import BadInput


def between_molecules(atoms, cutoff=4.0):
    """Return the pairs of atoms of different molecules within a cutoff, and their distances."""
    pairs = cKDTree(atoms.positions).query_pairs(cutoff, output_type="ndarray")
    pairs = pairs[pairs[:, 0] // 18 != pairs[:, 1] // 18]
    return pairs, np.linalg.norm(atoms.positions[pairs[:, 0]] - atoms.positions[pairs[:, 1]], axis=1)


def test_the_published_coordinates_are_those_of_naphthalene():
    half = np.array(CARBONS) @ clusters.cellpar_to_cell(LATTICE)
    carbons = np.concatenate([half, -half])
    distances = np.linalg.norm(carbons[:, None] - carbons[None], axis=2)
    bonds = np.sort(distances[np.triu_indices(10, 1)])[:11]
    assert bonds.min() == pytest.approx(1.354, abs=0.001)
    assert bonds.max() == pytest.approx(1.421, abs=0.001)
    assert np.linalg.svd(carbons)[1][2] < 0.02  # planar


def test_each_molecule_of_a_cluster_is_the_undistorted_one():
    reference = naphthalene()
    atoms = cluster(reference, 16)
    wanted = reference.get_all_distances()
    for start in range(0, len(atoms), 18):
        one = atoms[start : start + 18]
        assert one.numbers.tolist() == reference.numbers.tolist()
        assert one.get_all_distances() == pytest.approx(wanted, abs=1e-5)


def test_molecules_touch_as_in_the_crystal():
    pairs, distances = between_molecules(cluster(naphthalene(), 64))
    symbols = cluster(naphthalene(), 64).symbols
    kinds = np.array(["".join(sorted((symbols[i], symbols[j]))) for i, j in pairs])
    assert 2.3 < distances[kinds == "HH"].min() < 2.5
    assert 2.7 < distances[kinds == "CH"].min() < 2.9
    assert 3.4 < distances[kinds == "CC"].min() < 3.7


def test_the_density_is_that_of_the_crystal():
    atoms = cluster(naphthalene(), 512)
    radius = 26.0  # Angstrom, inside
    centres = atoms.positions.reshape(-1, 18, 3).mean(axis=1)
    density = (np.linalg.norm(centres, axis=1) < radius).sum() / (4 / 3 * np.pi * radius**3)
    volume = abs(np.linalg.det(clusters.cellpar_to_cell(LATTICE)))
    assert density == pytest.approx(2 / volume, rel=0.05)


def test_a_larger_cluster_begins_with_the_smaller_one():
    small, large = (cluster(naphthalene(), count) for count in (4, 32))
    assert large.positions[: len(small)] == pytest.approx(small.positions, abs=2e-6)


def test_atoms_double():
    assert doublings(5000) == (18, 36, 72, 144, 288, 576, 1152, 2304, 4608)
    assert sizes_of((), 40) == (18, 36)
    with pytest.raises(BadInput, match="--max-atoms is 17"):
        sizes_of((), 17)


def test_systems_have_the_planned_sizes():
    assert [len(atoms) for atoms in systems((), (18, 72))] == [18, 72]


def test_the_users_series_is_sorted_and_kept(tmp_path):
    path = tmp_path / "series.xyz"
    ase.io.write(path, [molecule("C6H6"), molecule("CH4"), molecule("C2H6")], format="extxyz")
    dataset = load_dataset(path, series=True)
    assert [len(atoms) for atoms in dataset.series] == [5, 8, 12]
    assert dataset.formula == "CH4"
    assert sizes_of(dataset.series, 10) == (5, 8)
    assert [len(atoms) for atoms in systems(dataset.series, (5, 8))] == [5, 8]
    assert [atoms.get_chemical_formula() for atoms in read_series(path)] == ["CH4", "C2H6", "C6H6"]


def test_a_series_has_one_system_of_each_size(tmp_path):
    path = tmp_path / "series.xyz"
    ase.io.write(path, [molecule("CH4"), molecule("CH4"), molecule("C2H6")], format="extxyz")
    with pytest.raises(BadInput, match="have 5 atoms; a series holds one system of each size"):
        load_dataset(path, series=True)


def test_without_scaling_a_file_holds_one_molecule(tmp_path):
    path = tmp_path / "series.xyz"
    ase.io.write(path, [molecule("CH4"), molecule("C2H6")], format="extxyz")
    with pytest.raises(BadInput, match="only '--protocols scaling' alone takes several"):
        load_dataset(path)


@pytest.mark.parametrize("cells", [1, 2, 8])
def test_a_supercell_is_the_crystal(cells):
    atoms = supercell(naphthalene(), cells)
    assert len(atoms) == 36 * cells
    assert atoms.pbc.all()
    assert atoms.get_volume() == pytest.approx(cells * abs(np.linalg.det(clusters.cellpar_to_cell(LATTICE))))
    # the surroundings of a molecule are those in the middle of a large cluster
    inner = cluster(naphthalene(), 64)
    counts = [np.bincount(neighbor_list("i", where, 4.0), minlength=len(where))[:18] for where in (atoms, inner)]
    assert counts[0].tolist() == counts[1].tolist()


def test_supercells_double():
    assert sizes_of((), 300, periodic=True) == (36, 72, 144, 288)
    assert [len(atoms) for atoms in systems((), (36, 288), periodic=True)] == [36, 288]


def test_ones_own_series_is_not_periodic():
    with pytest.raises(BadInput, match="--periodic measures supercells of naphthalene"):
        sizes_of((molecule("CH4"),), 100, periodic=True)


def test_a_system_that_is_too_large_is_left_out_before_anything_is_computed(tmp_path):
    path = tmp_path / "mine.xyz"
    large = Atoms("H20000", [(1.6 * number, 0, 0) for number in range(19_999)] + [(0, 0, 0)])  # two in one place
    ase.io.write(path, [molecule("H2O"), large], format="xyz")
    assert [len(atoms) for atoms in load_dataset(path, series=True, largest=1000).series] == [3]
    with pytest.raises(BadInput, match=r"image 0 of .* has the atoms 0 .* and 19999 .* only 0\.000"):
        load_dataset(path, series=True, largest=20_000)

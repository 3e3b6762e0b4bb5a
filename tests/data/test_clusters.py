"""Clusters of naphthalene from its crystal, and series of the user's own."""

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.build import fcc111, molecule
from ase.constraints import FixAtoms
from ase.neighborlist import neighbor_list
from scipy.spatial import cKDTree

from bench.data import clusters
from bench.data.clusters import CARBONS, LATTICE, cluster, doublings, sizes_of, supercell, supercells, systems
from bench.data.naphthalene import naphthalene
from bench.data.structures import Wanted, load_dataset
from bench.data.systems import System, fixed_atoms
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
    assert [len(one.reference) for one in systems((), (18, 72))] == [18, 72]


def test_the_users_series_is_sorted_with_one_system_of_each_size(tmp_path):
    path = tmp_path / "series.xyz"
    ion = Atoms("CH3", molecule("CH3").positions)
    ion.info["charge"] = 1
    ase.io.write(path, [molecule("C6H6"), molecule("CH4"), ion, molecule("C2H6"), molecule("NH3")], format="extxyz")
    dataset = load_dataset(path)
    assert [(len(one.reference), one.formula, one.charge) for one in dataset.series] == [
        (4, "CH3", 1),
        (5, "CH4", 0),
        (8, "C2H6", 0),
        (12, "C6H6", 0),
    ]
    assert sizes_of(dataset.series, 10) == (4, 5, 8)
    assert [len(one.reference) for one in systems(dataset.series, (5, 8))] == [5, 8]


def test_a_crystal_of_ones_own_grows_by_supercells_that_keep_what_is_fixed(tmp_path):
    slab = fcc111("Al", (2, 2, 3), vacuum=8.0)
    slab.set_constraint(FixAtoms([index for index, tag in enumerate(slab.get_tags()) if tag == 3]))
    path = tmp_path / "slab.xyz"
    ase.io.write(path, slab, format="extxyz")
    (system,) = load_dataset(path).systems
    grown = supercells(system, 100)
    assert [len(one.reference) for one in grown] == [12, 24, 48, 96]
    assert [len(fixed_atoms(one.reference)) for one in grown] == [4, 8, 16, 32]
    heights = {round(float(one.reference.cell[2, 2]), 6) for one in grown}
    assert heights == {round(float(slab.cell[2, 2]), 6)}


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
    assert [len(one.reference) for one in systems((), (36, 288), periodic=True)] == [36, 288]


def test_a_system_that_is_too_large_is_left_out_before_anything_is_computed(tmp_path):
    path = tmp_path / "mine.xyz"
    large = Atoms("H20000", [(1.6 * number, 0, 0) for number in range(19_999)] + [(0, 0, 0)])  # two in one place
    ase.io.write(path, [molecule("H2O"), large], format="xyz")
    dataset = load_dataset(path, wanted=Wanted(largest=1000))
    assert [len(one.reference) for one in dataset.systems] == [3]
    assert dataset.notes == ("1 structure with more than 1000 atoms is left out (--max-atoms).",)
    with pytest.raises(BadInput, match=r"frame 1 of .* has the atoms 0 .* and 19999 .* only 0\.000"):
        load_dataset(path, wanted=Wanted(largest=20_000))


def test_ones_own_series_is_not_periodic():
    with pytest.raises(BadInput, match="--periodic measures supercells of naphthalene"):
        sizes_of((System("CH4", molecule("CH4"), 0, 1, ()),), 100, periodic=True)

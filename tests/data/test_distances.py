"""The closest pair and the bonds, against all distances computed one by one."""

import time

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111, molecule
from ase.data import covalent_radii
from ase.neighborlist import neighbor_list

from bench.data.distances import bonds, closest_pair


def of_all(atoms):
    radii = covalent_radii[atoms.numbers]
    ratios = atoms.get_all_distances() / np.add.outer(radii, radii)
    np.fill_diagonal(ratios, np.inf)
    return ratios


@pytest.mark.parametrize("name", ["H2O", "C6H6", "CH3CONH2", "SiH4", "LiF"])
def test_molecules(name):
    atoms = molecule(name)
    atoms.rattle(0.05, seed=1)
    ratios = of_all(atoms)
    found = closest_pair(atoms)
    assert found.ratio == pytest.approx(ratios.min())
    assert ratios[found.first, found.second] == pytest.approx(found.ratio)
    assert found.distance == pytest.approx(atoms.get_distance(found.first, found.second))
    assert np.array_equal(bonds(atoms), np.argwhere(np.triu(ratios < 1.3)))


def test_the_closest_pair_is_that_of_the_smallest_ratio_not_distance():
    atoms = Atoms("HHCsCs", [(0, 0, 0), (0.74, 0, 0), (50, 0, 0), (51.0, 0, 0)])
    found = closest_pair(atoms)
    assert (found.first, found.second) == (2, 3)
    assert found.distance == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("atoms", "pair", "distance"),
    [
        (Atoms("H"), None, None),
        (Atoms("H2", [(1, 2, 3)] * 2), (0, 1), 0.0),
        (bulk("Cu"), (0, 0), 3.61 / np.sqrt(2)),  # its own image
        (bulk("NaCl", "rocksalt", a=5.64), (0, 1), 2.82),
        (Atoms("H2", [(0.1, 0, 0), (9.9, 0, 0)], cell=[10, 10, 10], pbc=(True, False, False)), (0, 1), 0.2),
        (Atoms("H2", [(0.1, 0, 0), (9.9, 0, 0)], cell=[10, 10, 10], pbc=(False, True, True)), (0, 1), 9.8),
        (Atoms("H2", [(0.1, 0, 0), (49.9, 0, 0)], cell=[10, 10, 10], pbc=(True, False, False)), (0, 1), 0.2),
        (Atoms("He", cell=[0.4, 10, 0], pbc=(True, False, False)), (0, 0), 0.4),  # a wire with an incomplete cell
        # a very oblique cell of a square lattice, as it comes out of a search for cells
        (Atoms("Po", cell=[[3, 0, 0], [9000, 3, 0], [0, 0, 3]], pbc=True), (0, 0), 3.0),
    ],
)
def test_edges(atoms, pair, distance):
    found = closest_pair(atoms)
    assert (found and found[:2]) == pair
    assert distance is None or found.distance == pytest.approx(distance)


def test_periodic_systems_of_any_shape():
    random = np.random.default_rng(3)
    for seed in range(30):
        cell = random.normal(size=(3, 3)) + 6 * np.eye(3)
        pbc = random.random(3) < 0.6
        atoms = Atoms(random.choice([1, 6, 17, 55], 6), random.uniform(-9, 9, (6, 3)), cell=cell, pbc=pbc)
        i, j, d = neighbor_list("ijd", atoms, 14.0)  # farther than any nearest neighbour here
        ratios = d / (covalent_radii[atoms.numbers[i]] + covalent_radii[atoms.numbers[j]])
        assert closest_pair(atoms).ratio == pytest.approx(ratios.min()), seed
        near = ratios < 1.3
        expected = {(a, b) for a, b in zip(i[near], j[near], strict=True) if a < b}
        assert set(map(tuple, bonds(atoms).tolist())) == expected, seed


def test_a_slab_has_no_bonds_across_its_vacuum():
    slab = fcc111("Al", (2, 2, 3), vacuum=8.0)
    slab.positions[:, 2] += 100.0  # outside its cell, along the direction without periodicity
    assert len(bonds(slab)) == len(bonds(fcc111("Al", (2, 2, 3), vacuum=8.0)))
    assert closest_pair(slab).distance == pytest.approx(4.05 / np.sqrt(2))


def test_many_atoms_take_neither_long_nor_much_memory():
    count = 27
    grid = np.stack(np.meshgrid(*[np.arange(count) * 1.6] * 3), axis=-1).reshape(-1, 3)
    atoms = Atoms(np.resize([6, 1, 8], len(grid)), grid)  # 19,683
    start = time.process_time()
    assert closest_pair(atoms).distance == pytest.approx(1.6)
    assert len(bonds(atoms)) < 40 * len(atoms)
    assert closest_pair(Atoms(atoms.numbers, grid / 10)).distance == pytest.approx(0.16)
    assert closest_pair(Atoms(atoms.numbers, 0 * grid)).distance == 0.0
    assert time.process_time() - start < 20

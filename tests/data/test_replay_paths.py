"""Where replayed paths lead: no atoms pass through one another, and every point is another geometry."""

import itertools

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111, molecule
from ase.constraints import FixAtoms
from ase.data import covalent_radii

from bench.data.selection import GROWN, REORDERED, SHAKEN, TO_REFERENCE, is_safe, replay_path, replay_way


def least_ratio(structure, path):
    """Return the smallest distance over the sum of the radii, over all pairs and points of a path of 200 parts."""
    radii = covalent_radii[structure.numbers]
    first, second = np.triu_indices(len(structure), 1)
    ratios = []
    for share in np.linspace(0, 1, 200):
        positions = structure.positions + share * path[-1]
        ratios.append(np.linalg.norm(positions[first] - positions[second], axis=1) / (radii[first] + radii[second]))
    return np.min(ratios)


def test_two_exchanged_hydrogens_of_methane_do_not_pass_through_one_another():
    """Straight ahead they come within 0.2 Angstrom, where forces are of hundreds of eV/Angstrom."""
    one = molecule("CH4")
    other = one[[0, 2, 1, 3, 4]]
    path = replay_path(other, one, 10)
    assert least_ratio(other, path) > 0.8
    assert replay_way(other, one)[1] == GROWN, "the same geometry, once the hydrogens have changed places"
    other.rattle(0.05, seed=2)
    way, kind = replay_way(other, one)
    assert kind == REORDERED
    assert least_ratio(other, way[None]) > 0.8
    arrived = Atoms(other.numbers, other.positions + way)
    assert np.sort(arrived.get_all_distances().ravel()) == pytest.approx(np.sort(one.get_all_distances().ravel()))


def test_hydrogens_exchanged_between_two_groups_do_not_break_bonds():
    one = molecule("C2H6")
    hydrogens = np.flatnonzero(one.numbers == 1)
    order = np.arange(8)
    order[hydrogens[[0, -1]]] = hydrogens[[-1, 0]]
    other = one[order]
    assert least_ratio(other, replay_path(other, one, 10)) > 0.6


@pytest.mark.parametrize("name", ["CH4", "C2H6", "NH3", "C6H6", "CH3CH2OH"])
def test_any_exchange_of_like_atoms_leaves_a_safe_path(name):
    one = molecule(name)
    random = np.random.default_rng(0)
    for seed in range(5):
        order = np.arange(len(one))
        for number in np.unique(one.numbers):
            alike = np.flatnonzero(one.numbers == number)
            order[alike] = random.permutation(alike)
        other = one[order]
        other.rattle(0.03, seed=seed)
        other.rotate(70, (1, 2, 3))
        path = replay_path(other, one, 10)
        assert least_ratio(other, path) > 0.6
        assert all(np.abs(a - b).max() > 1e-5 for a, b in itertools.combinations(path, 2))


def test_an_ordinary_path_leads_to_the_reference():
    one = molecule("CH3CH2OH")
    other = one.copy()
    other.rattle(0.05, seed=1)
    assert replay_way(other, one)[1] == TO_REFERENCE


def test_the_smallest_distance_is_looked_for_between_the_ends():
    atoms = Atoms("H2", [(0, 0, 0), (0.74, 0, 0)])
    through = np.array([(0.0, 0, 0), (-1.48, 0, 0)])  # to the other side of the first one
    assert not is_safe(atoms, through)
    assert is_safe(atoms, -through)
    assert is_safe(Atoms("H"), np.ones((1, 3)))


def test_periodic_systems_and_those_with_fixed_atoms_are_shaken_where_they_may_move():
    crystal = bulk("NaCl", "rocksalt", a=5.64, cubic=True)
    way, kind = replay_way(crystal, crystal)
    assert kind == SHAKEN
    assert np.linalg.norm(way, axis=1).max() == pytest.approx(0.15)
    slab = fcc111("Al", (2, 2, 3), vacuum=8.0)
    slab.set_constraint(FixAtoms([0, 1, 2, 3]))
    way, kind = replay_way(slab, slab)
    assert kind == SHAKEN
    assert not way[:4].any()
    assert np.abs(way[4:]).max() > 0.05
    assert (replay_way(slab, slab)[0] == way).all()

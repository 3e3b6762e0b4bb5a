"""The neighbours in crystals, and what counts as parted: planted hops and vibrations."""

import numpy as np
import pytest
from ase.build import bulk, fcc111
from ase.data import covalent_radii

from bench.analysis.events import BOND_BROKEN, BOND_FORMED, H_DETACHED, INTACT, outcome
from bench.analysis.neighbours import topology


def of(atoms, minimum=None):
    return topology(
        atoms.numbers, atoms.positions, atoms.positions if minimum is None else minimum, atoms.cell.array, atoms.pbc
    )


def fate(frames, crystal):
    return outcome(np.array(frames), np.arange(len(frames)) * 0.01, crystal, 1)


@pytest.mark.parametrize(
    ("atoms", "pairs", "length"),
    [
        (bulk("Al", cubic=True), 24, 2.864),
        (bulk("Al").repeat(2), 48, 2.864),
        (bulk("Si", cubic=True), 16, 2.351),
        (fcc111("Cu", (2, 2, 3), vacuum=6.0), 60, 2.553),
    ],
)
def test_each_pair_of_neighbours_counts_once_through_the_walls_of_the_cell(atoms, pairs, length):
    found = of(atoms)
    assert len(found.bonds) == pairs
    assert found.lengths == pytest.approx(np.full(pairs, length), abs=0.01)
    assert (found.limits >= 0.5).all()


def test_a_solid_that_vibrates_is_intact():
    salt = bulk("NaCl", "rocksalt", a=5.64, cubic=True)
    random = np.random.default_rng(0)
    found = fate(salt.positions + random.normal(0.0, 0.15, (500, 8, 3)), of(salt))
    assert found.kind == INTACT
    assert not found.ended
    assert found.largest > 0.3


def test_an_atom_that_leaves_its_site_is_seen_at_that_step():
    copper = bulk("Cu", cubic=True)
    frames = np.repeat(copper.positions[None], 100, axis=0)
    frames[60:, 1] += 0.6 * copper.cell.array[0]
    found = fate(frames, of(copper))
    assert found.kind in (BOND_BROKEN, BOND_FORMED)  # it comes near others, which is the worse of the two
    assert (found.step, found.ended) == (60, True)
    assert found.stable_ps == pytest.approx(0.6)


def test_lengths_are_those_of_the_methods_own_minimum():
    silicon = bulk("Si", cubic=True)
    minimum = silicon.positions.copy()
    minimum[0] += 0.1
    found = of(silicon, minimum)
    assert fate([minimum, minimum], found).largest == pytest.approx(0.0, abs=1e-9)


def test_drift_of_the_whole_crystal_breaks_nothing():
    copper = bulk("Cu", cubic=True)
    frames = copper.positions + np.linspace(0, 30, 50)[:, None, None]
    assert fate(frames, of(copper)).kind == INTACT


def test_a_hydrogen_keeps_its_heavy_atom_in_the_next_cell_and_is_missed_when_it_leaves():
    from ase import Atoms

    atoms = Atoms("OH", positions=[(0.1, 4, 4), (7.15, 4, 4)], cell=[8, 8, 8], pbc=True)
    assert covalent_radii[1] + covalent_radii[8] + 0.1 > 0.95
    crystal = of(atoms)
    assert len(crystal.bonds) == 1
    assert fate([atoms.positions] * 3, crystal).kind == INTACT
    gone = atoms.positions.copy()
    gone[1] = (4.1, 4, 4)
    found = fate([atoms.positions, gone], crystal)
    assert found.kind == H_DETACHED

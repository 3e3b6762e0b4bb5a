"""Bonds and planes of geometries with planted changes."""

import ase.io
import numpy as np
import pytest
from synthetic import rotation

from bench.analysis.fidelity import kabsch_rmsd
from bench.paths import PROJECT
from bench.protocols.accuracy import geometry

NAPHTHALENE = ase.io.read(PROJECT / "datasets" / "naphthalene.xyz")
NUMBERS, POSITIONS = NAPHTHALENE.numbers, NAPHTHALENE.positions
# C 0 bears H 10
OUTWARD = (POSITIONS[10] - POSITIONS[0]) / np.linalg.norm(POSITIONS[10] - POSITIONS[0])


def test_a_molecule_that_was_only_turned_and_shifted_has_no_errors():
    found = geometry.bond_errors(NUMBERS, POSITIONS @ rotation(np.random.default_rng(0)) + 5.0, POSITIONS)
    assert found.bonds == {"C-C": 11, "C-H": 8}
    assert found.mae == pytest.approx({"C-C": 0.0, "C-H": 0.0}, abs=1e-9)
    assert found.lost == 0


def test_a_molecule_grown_by_a_percent_has_bonds_longer_by_a_percent():
    found = geometry.bond_errors(NUMBERS, 1.01 * POSITIONS, POSITIONS)
    assert found.mae["C-C"] == pytest.approx(14.0, abs=0.3)
    assert found.mae["C-H"] == pytest.approx(10.9, abs=0.3)


def test_one_stretched_bond_of_eight_has_an_eighth_of_its_error():
    moved = POSITIONS.copy()
    moved[10] += 0.008 * OUTWARD
    assert geometry.bond_errors(NUMBERS, moved, POSITIONS).mae == pytest.approx({"C-C": 0.0, "C-H": 1.0}, abs=1e-6)


def test_a_broken_bond_stays_in_the_mean_and_is_counted():
    moved = POSITIONS.copy()
    moved[10] += 0.8 * OUTWARD
    found = geometry.bond_errors(NUMBERS, moved, POSITIONS)
    assert (found.lost, found.bonds["C-H"], found.mae["C-H"]) == (1, 8, pytest.approx(100.0))


def test_a_method_that_forms_a_bond_adds_none_to_the_comparison():
    moved = POSITIONS.copy()
    moved[10] = POSITIONS[11] + [0.0, 0.0, 0.7]
    assert geometry.bond_errors(NUMBERS, moved, POSITIONS).bonds == {"C-C": 11, "C-H": 8}


def test_each_pair_of_elements_is_named_with_the_heavier_first():
    found = geometry.bond_errors([1, 8, 1], [(0.9, 0, 0), (0, 0, 0), (0, 1.0, 0)], [(1, 0, 0), (0, 0, 0), (0, 1, 0)])
    assert found.mae == {"O-H": pytest.approx(50.0)}


def test_a_measured_bond_is_compared_with_the_mean_of_its_equivalents():
    positions = [(0.0, 0, 0), (1.40, 0, 0), (1.40, 1.44, 0), (1.40, 1.44, 1.10)]
    measured = [(((0, 1), (1, 2)), 1.41), (((2, 3),), 1.08)]
    # the mean of 1.40 and 1.44 is 0.01 too long, the other bond 0.02
    assert geometry.unique_bonds_error(positions, measured) == pytest.approx(15.0)


@pytest.mark.parametrize("measured", [[], [((), 1.4)]])
def test_an_experiment_without_bonds_is_an_error(measured):
    with pytest.raises(ValueError, match="at least one bond"):
        geometry.unique_bonds_error(POSITIONS, measured)


def test_a_plane_is_found_in_any_orientation():
    flat = np.random.default_rng(2).normal(size=(12, 3)) * [1.0, 1.0, 0.0]
    found = geometry.planarity(flat @ rotation(np.random.default_rng(3)) + 7.0)
    assert (found.rms, found.largest) == pytest.approx((0.0, 0.0), abs=1e-12)


def test_planted_distances_from_the_plane_are_recovered():
    square = np.array([(x, y, 0.1 * x * y) for x in (-1, 1) for y in (-1, 1)] + [(0, 0, 0)], dtype=float)
    found = geometry.planarity(square @ rotation(np.random.default_rng(4)))
    assert found.largest == pytest.approx(0.1)
    assert found.rms == pytest.approx(0.1 * np.sqrt(4 / 5))


@pytest.mark.parametrize("atoms", [1, 2, 3])
def test_three_atoms_are_always_in_a_plane(atoms):
    found = geometry.planarity(POSITIONS[:atoms])
    assert found.largest == pytest.approx(0.0, abs=1e-12)


def test_the_mirror_image_of_a_planar_molecule_is_the_molecule():
    flat = np.random.default_rng(2).normal(size=(12, 3)) * [1.0, 1.0, 0.0]
    assert kabsch_rmsd(flat * [-1.0, 1.0, 1.0] @ rotation(np.random.default_rng(5)), flat) < 1e-12


@pytest.mark.parametrize("positions", [np.zeros((4, 2)), np.full((18, 3), np.nan), np.zeros((0, 3))])
def test_positions_that_are_none_are_an_error(positions):
    with pytest.raises(ValueError, match="finite"):
        geometry.planarity(positions)


def test_positions_of_another_molecule_are_an_error():
    with pytest.raises(ValueError, match="18 atoms"):
        geometry.bond_errors(NUMBERS, POSITIONS[:10], POSITIONS)

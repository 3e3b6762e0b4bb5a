from __future__ import annotations

import numpy as np
import pytest
from synthetic import NAPHTHALENE, relaxed, rotation

from bench.analysis import fidelity

CHIRAL = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.5, 0.0], [0.0, 0.0, 2.0]])


def test_a_turned_and_shifted_molecule_is_the_same_molecule():
    moved = NAPHTHALENE @ rotation(np.random.default_rng(0)) + [3.0, -7.0, 11.0]
    assert np.abs(moved - NAPHTHALENE).max() > 1.0
    assert fidelity.kabsch_rmsd(moved, NAPHTHALENE) < 1e-12


def test_superposing_brings_back_the_coordinates_themselves():
    moved = CHIRAL @ rotation(np.random.default_rng(4)) + [1.0, 2.0, 3.0]
    np.testing.assert_allclose(fidelity.superpose(moved, CHIRAL), CHIRAL, atol=1e-12)


def test_a_mirror_image_is_not_superposed_by_a_reflection():
    assert fidelity.kabsch_rmsd(CHIRAL * [1.0, 1.0, -1.0], CHIRAL) > 0.3


def test_the_rmsd_is_the_smallest_over_all_rotations():
    rng = np.random.default_rng(8)
    other = CHIRAL + rng.normal(0.0, 0.4, CHIRAL.shape)
    best = fidelity.kabsch_rmsd(other, CHIRAL)
    target = CHIRAL - CHIRAL.mean(axis=0)
    centred = other - other.mean(axis=0)
    tried = [np.sqrt(((centred @ rotation(rng) - target) ** 2).sum(axis=1).mean()) for _ in range(20_000)]
    assert best <= min(tried) < 1.1 * best


def test_one_stretched_bond_has_the_rmsd_worked_out_by_hand():
    # two atoms, 0.2 Angstrom longer: each is off by 0.1
    assert fidelity.kabsch_rmsd([[0, 0, 0], [0, 0, 1.2]], [[0, 0, 0], [0, 0, 1.0]]) == pytest.approx(0.1)


def test_a_stack_of_geometries_is_superposed_like_each_of_them_alone():
    stack = relaxed(7, scatter=0.2)
    together = fidelity.superpose(stack, NAPHTHALENE)
    for one, alone in zip(together, stack, strict=True):
        np.testing.assert_allclose(one, fidelity.superpose(alone, NAPHTHALENE), atol=1e-12)


def test_the_median_geometry_lies_nearer_the_truth_than_any_relaxed_one():
    stack = relaxed(101, scatter=0.05)
    errors = [fidelity.kabsch_rmsd(one, NAPHTHALENE) for one in stack]
    assert fidelity.kabsch_rmsd(fidelity.median_geometry(stack), NAPHTHALENE) < min(errors) / 3


def test_a_first_geometry_that_is_broken_does_not_pull_the_median_to_itself():
    stack = relaxed(21, scatter=0.01)
    stack[0][3] += [0.0, 0.0, 6.0]
    assert fidelity.kabsch_rmsd(fidelity.median_geometry(stack), NAPHTHALENE) < 0.01


def test_the_spread_counts_the_geometries_that_are_another_minimum():
    stack = relaxed(50, scatter=0.01)
    stack[4][0] += [0.0, 0.0, 1.0]
    stack[9][5] += [2.0, 0.0, 0.0]
    found = fidelity.spread(stack)
    assert (found.n, found.outliers) == (50, 2)
    assert found.median == pytest.approx(0.01 * np.sqrt(3), rel=0.2)
    assert found.max > 0.3


def test_a_single_geometry_is_its_own_median():
    assert fidelity.spread(relaxed(1)) == fidelity.Fidelity(
        pytest.approx(0.0, abs=1e-9), pytest.approx(0.0, abs=1e-9), 1, 0
    )


@pytest.mark.parametrize(("mobile", "message"), [(np.zeros((4, 3)), "shape"), (np.full((18, 3), np.nan), "not finite")])
def test_coordinates_that_do_not_fit_are_an_error(mobile, message):
    with pytest.raises(ValueError, match=message):
        fidelity.kabsch_rmsd(mobile, NAPHTHALENE)

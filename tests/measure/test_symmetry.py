"""The tests of forces, on force fields whose faults are known."""

import numpy as np
import pytest

from bench.protocols.md.symmetry import jacobian, loop_work, net, rotation_error

RANDOM = np.random.default_rng(5)
POSITIONS = RANDOM.normal(size=(6, 3))
SYMMETRIC = (lambda a: a + a.T)(RANDOM.normal(size=(18, 18)))
SKEW = (lambda a: a - a.T)(RANDOM.normal(size=(18, 18)))


def linear(matrix):
    return lambda positions: (matrix @ positions.ravel()).reshape(-1, 3)


def pairwise(positions):
    """Springs of length 1.5 between all pairs."""
    vectors = positions[:, None] - positions
    lengths = np.linalg.norm(vectors, axis=-1) + np.eye(len(positions))
    return -(((lengths - 1.5) / lengths * (1 - np.eye(len(positions))))[..., None] * vectors).sum(axis=1)


def test_the_jacobian_of_a_linear_force_is_its_matrix():
    assert jacobian(linear(SYMMETRIC + SKEW), POSITIONS) == pytest.approx(SYMMETRIC + SKEW, abs=1e-9)


def test_a_planted_asymmetry_is_found_within_a_percent():
    for share in (0.01, 0.1, 1.0):
        skew = share * SKEW * np.linalg.norm(SYMMETRIC) / np.linalg.norm(SKEW)
        found = jacobian(linear(SYMMETRIC + skew), POSITIONS)
        ratio = np.linalg.norm(found - found.T) / np.linalg.norm(found + found.T)
        assert ratio == pytest.approx(share, rel=0.01)


def test_springs_have_a_symmetric_jacobian():
    found = jacobian(pairwise, POSITIONS)
    assert np.linalg.norm(found - found.T) / np.linalg.norm(found + found.T) < 1e-4


def test_the_work_around_a_circle_is_pi_times_its_square_times_the_curl():
    plane = np.linalg.qr(np.random.default_rng(7).normal(size=(18, 2)))[0].T
    radius = 0.05 * np.sqrt(6)
    expected = np.pi * radius**2 * (plane[1] @ SKEW @ plane[0] - plane[0] @ SKEW @ plane[1])
    work, absolute = loop_work(linear(SYMMETRIC + SKEW), POSITIONS, seed=7)
    assert work == pytest.approx(expected, rel=0.01)
    assert absolute > abs(work)


def test_springs_do_no_work_around_a_circle():
    work, absolute = loop_work(pairwise, POSITIONS)
    assert abs(work) < 1e-8 * absolute


def test_springs_turn_with_the_molecule_and_pull_it_nowhere():
    assert rotation_error(pairwise, POSITIONS) < 1e-12
    force, torque = net(pairwise(POSITIONS), POSITIONS)
    assert force < 1e-12
    assert torque < 1e-12


def test_a_field_along_z_does_not_turn_with_the_molecule():
    def field(positions):
        return pairwise(positions) + np.array([0.0, 0.0, 0.1])

    # the components along the old and the new z axis differ; over all rotations the mean square is 0.1^2 * 2/3
    assert rotation_error(field, POSITIONS, rotations=2000) == pytest.approx(0.1 * np.sqrt(2 / 3), rel=0.05)
    assert net(field(POSITIONS), POSITIONS)[0] == pytest.approx(0.6)


def test_a_swirl_has_a_torque_that_is_known():
    positions = np.array([(1.0, 0, 0), (-1.0, 0, 0)])
    force, torque = net(np.cross((0, 0, 0.2), positions), positions)
    assert (force, torque) == pytest.approx((0.0, 0.4))

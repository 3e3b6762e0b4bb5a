"""Harmonic vibrations, recovered from Hessians in which they were planted."""

import dataclasses

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.data import atomic_masses
from ase.vibrations import VibrationsData
from scipy import constants
from scipy.stats import ortho_group
from synthetic import rotation

from bench.analysis import vibrations
from bench.paths import PROJECT
from bench.protocols.accuracy import matching

NAPHTHALENE = ase.io.read(PROJECT / "datasets" / "naphthalene.xyz")
NUMBERS, POSITIONS = NAPHTHALENE.numbers, NAPHTHALENE.positions
MASSES = atomic_masses[NUMBERS]
ROOT = np.repeat(np.sqrt(MASSES), 3)
EXTERNAL = vibrations.external_motions(MASSES, POSITIONS)
MODES = 48
PLANTED = np.concatenate([np.linspace(160.0, 1650.0, 40), np.linspace(3040.0, 3100.0, 8)])


def internal(seed=0):
    """Return a random orthonormal basis of all motions but translations and rotations."""
    basis = np.linalg.svd(EXTERNAL)[0][:, 6:]
    return basis @ ortho_group.rvs(MODES, random_state=seed)


INTERNAL = internal()


def hessian(wavenumbers, modes=INTERNAL, external=0.0):
    """Return the Hessian of these modes: M^1/2 Q diag(omega^2) Q^T M^1/2, in eV/Angstrom^2."""
    squares = np.sign(wavenumbers) * (np.asarray(wavenumbers) / vibrations.CM1) ** 2
    weighted = (modes * squares) @ modes.T + (external / vibrations.CM1) ** 2 * (EXTERNAL @ EXTERNAL.T)
    return ROOT[:, None] * weighted * ROOT


def turned(curvature, matrix):
    """Return the Hessian of a molecule that was rotated: r becomes R r."""
    blocks = np.kron(np.eye(len(NUMBERS)), matrix)
    return blocks @ curvature @ blocks.T


def analysed(curvature, positions=POSITIONS):
    return vibrations.harmonic(curvature, MASSES, positions)


REFERENCE = analysed(hessian(PLANTED))


def compared(found, positions=POSITIONS):
    return matching.compare(found, REFERENCE, MASSES, positions, POSITIONS)


def test_planted_wavenumbers_and_modes_are_recovered():
    np.testing.assert_allclose(REFERENCE.wavenumbers, PLANTED, rtol=0, atol=1e-6)
    np.testing.assert_allclose(np.abs((REFERENCE.modes * INTERNAL).sum(axis=0)), 1.0, atol=1e-9)
    np.testing.assert_allclose(REFERENCE.modes.T @ REFERENCE.modes, np.eye(MODES), atol=1e-12)
    assert np.abs(EXTERNAL.T @ REFERENCE.modes).max() < 1e-12
    assert REFERENCE.residue < 1e-3
    assert REFERENCE.asymmetry < 1e-12


def test_translations_and_rotations_with_a_force_constant_are_projected_out_and_told():
    found = analysed(hessian(PLANTED, external=83.0))
    np.testing.assert_allclose(found.wavenumbers, PLANTED, rtol=0, atol=1e-6)
    assert found.residue == pytest.approx(83.0, abs=1e-6)


def test_the_asymmetry_of_a_hessian_is_told_and_its_symmetric_part_used():
    curvature = hessian(PLANTED)
    noise = np.triu(np.random.default_rng(1).normal(size=curvature.shape), 1)
    noise = (noise - noise.T) * 0.03 * np.linalg.norm(curvature) / np.linalg.norm(noise - noise.T)
    found = analysed(curvature + noise)
    assert found.asymmetry == pytest.approx(0.03)
    np.testing.assert_allclose(found.wavenumbers, PLANTED, rtol=0, atol=1e-6)


def test_wavenumbers_are_those_of_ase():
    found = VibrationsData.from_2d(NAPHTHALENE, hessian(PLANTED))
    theirs = np.sort(found.get_frequencies().real)[-MODES:]
    np.testing.assert_allclose(REFERENCE.wavenumbers, theirs, rtol=1e-6)
    assert vibrations.zero_point_energy(PLANTED) == pytest.approx(1000 * found.get_zero_point_energy(), rel=1e-4)


def test_a_diatomic_molecule_has_one_mode_the_root_of_k_over_mu():
    # carbon monoxide: 1902 N/m makes the harmonic 2170 cm^-1 of the textbooks
    k = 1902.0 * constants.angstrom**2 / constants.e
    mass = np.array([12.0, 15.9949])
    along_z, along_x = np.zeros((6, 6)), np.zeros((6, 6))
    for bond, axis in ((along_z, 2), (along_x, 0)):
        bond[np.ix_([axis, axis + 3], [axis, axis + 3])] = k * np.array([[1.0, -1.0], [-1.0, 1.0]])
    found = vibrations.harmonic(along_z, mass, [(0, 0, 0), (0, 0, 1.128)])
    mu = mass.prod() / mass.sum() * constants.atomic_mass
    assert found.wavenumbers == pytest.approx([np.sqrt(1902.0 / mu) / (2 * np.pi * constants.c * 100)])
    assert found.wavenumbers == pytest.approx([2170], abs=1)
    positions = [(0, 0, 0), (1.2, 0, 0)]
    longer = vibrations.harmonic(along_x, mass, positions)
    same = matching.compare(longer, found, mass, positions, [(0, 0, 0), (0, 0, 1.128)])
    assert same.errors.all.largest_cm1 == pytest.approx(0.0, abs=1e-9)
    assert same.pairs[0].overlap == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("positions", "count"),
    [
        ([(0, 0, 0)], 3),
        ([(0, 0, 0), (0, 0, 1.1)], 5),
        ([(0, 0, -1.2), (0, 0, 0), (0, 1e-5, 1.2)], 5),  # a linear molecule as an optimiser leaves it
        ([(0, 0, 0), (0.76, 0.59, 0), (-0.76, 0.59, 0)], 6),
    ],
)
def test_an_atom_a_linear_and_a_bent_molecule_have_three_five_and_six_external_motions(positions, count):
    assert vibrations.external_motions(np.ones(len(positions)), positions).shape == (3 * len(positions), count)


def test_an_imaginary_mode_is_negative_and_counted_and_has_no_zero_point_energy():
    wavenumbers = np.concatenate([[-250.0, -4.0], PLANTED[2:]])
    found = analysed(hessian(wavenumbers))
    np.testing.assert_allclose(found.wavenumbers, wavenumbers, rtol=0, atol=1e-6)
    assert vibrations.imaginary(found.wavenumbers) == 1  # noise may have made the other
    assert vibrations.imaginary(PLANTED) == 0
    assert vibrations.zero_point_energy(found.wavenumbers) == pytest.approx(0.5 * 0.1239842 * PLANTED[2:].sum())


def test_modes_are_matched_by_their_motion_and_not_by_their_order():
    # three motions changed places in a circle, which is another permutation backwards, and two with each other
    wavenumbers = PLANTED.copy()
    wavenumbers[[3, 5, 7]], wavenumbers[[20, 21]] = wavenumbers[[5, 7, 3]], wavenumbers[[21, 20]]
    found = compared(analysed(hessian(wavenumbers)))
    np.testing.assert_allclose([pair.wavenumber_cm1 for pair in found.pairs], wavenumbers, atol=1e-6)
    np.testing.assert_allclose([pair.reference_cm1 for pair in found.pairs], PLANTED, atol=1e-6)
    assert min(pair.overlap for pair in found.pairs) == pytest.approx(1.0)
    assert found.errors.all.largest_cm1 == pytest.approx(PLANTED[7] - PLANTED[3])
    assert found.mixed == 0


def test_a_mode_spread_over_others_is_counted_as_mixed():
    mixed = INTERNAL.copy()
    mixed[:, 10:13] = INTERNAL[:, 10:13] @ (np.eye(3) - 2 / 3)  # each new one is at most 4/9 of an old one
    found = compared(analysed(hessian(PLANTED, mixed)))
    assert found.mixed == 3
    assert [found.pairs[mode].overlap for mode in (10, 11, 12)] == pytest.approx([4 / 9] * 3)
    assert found.pairs[13].overlap == pytest.approx(1.0)


def test_a_method_whose_molecule_is_turned_and_shifted_is_compared_like_any():
    wavenumbers = PLANTED * 0.97
    still = compared(analysed(hessian(wavenumbers)))
    matrix = rotation(np.random.default_rng(6))
    positions = POSITIONS @ matrix.T + [3.0, -2.0, 9.0]
    moved = compared(analysed(turned(hessian(wavenumbers), matrix), positions), positions)
    for one, other in zip(still.pairs, moved.pairs, strict=True):
        assert dataclasses.astuple(other) == pytest.approx(dataclasses.astuple(one), abs=1e-6)
    assert min(pair.overlap for pair in moved.pairs) == pytest.approx(1.0)
    assert moved.mixed == still.mixed == 0
    # and so is a reference that lies elsewhere
    place = POSITIONS + np.array([5.0, 1.0, -4.0])
    reference = analysed(hessian(PLANTED), place)
    apart = matching.compare(analysed(hessian(wavenumbers)), reference, MASSES, POSITIONS @ matrix.T, place)
    assert apart.mixed > 10, "its modes were not turned with its atoms"
    turned_too = analysed(turned(hessian(wavenumbers), matrix), POSITIONS @ matrix.T)
    assert matching.compare(turned_too, reference, MASSES, POSITIONS @ matrix.T, place).mixed == 0


def test_without_the_rotation_the_modes_would_not_match():
    matrix = rotation(np.random.default_rng(6))
    found = analysed(turned(hessian(PLANTED), matrix), POSITIONS @ matrix.T)
    assert matching.match(found.modes, REFERENCE.modes).mixed > 10
    assert matching.match(matching.aligned(found, matrix.T).modes, REFERENCE.modes).mixed == 0


def test_errors_are_those_of_the_references_ranges():
    found = matching.frequency_errors([110.0, 190.0, 2010.0, 3030.0], [100.0, 210.0, 1990.0, 3000.0])
    assert found.all == matching.Deviation(pytest.approx(np.sqrt(1800 / 4)), pytest.approx(30.0), 4)
    assert found.below == matching.Deviation(pytest.approx(np.sqrt(900 / 3)), pytest.approx(20.0), 3)
    assert found.above == matching.Deviation(pytest.approx(30.0), pytest.approx(30.0), 1)


def test_a_range_without_modes_has_no_error():
    assert matching.frequency_errors([100.0], [110.0]).above is None
    assert matching.frequency_errors([100.0], [110.0], split=50.0).below is None


def test_a_scaled_method_has_the_error_of_the_scale():
    found = compared(analysed(hessian(1.02 * PLANTED)))
    assert found.errors.all.rmsd_cm1 == pytest.approx(0.02 * np.sqrt((PLANTED**2).mean()))
    assert (found.errors.below.modes, found.errors.above.modes) == (40, 8)
    assert found.errors.above.largest_cm1 == pytest.approx(0.02 * 3100.0)


@pytest.mark.parametrize(
    ("curvature", "masses", "positions", "message"),
    [
        (np.zeros((6, 6)), np.ones(3), np.zeros((3, 3)), "do not fit"),
        (np.full((6, 6), np.nan), np.ones(2), np.eye(3)[:2], "finite"),
        (np.zeros((6, 6)), [1.0, 0.0], np.eye(3)[:2], "positive"),
    ],
)
def test_what_is_no_hessian_of_the_molecule_is_an_error(curvature, masses, positions, message):
    with pytest.raises(ValueError, match=message):
        vibrations.harmonic(curvature, masses, positions)


def test_modes_of_different_molecules_cannot_be_matched():
    with pytest.raises(ValueError, match="cannot be matched"):
        matching.match(np.eye(9)[:, :3], np.eye(9)[:, :4])
    with pytest.raises(ValueError, match="cannot be compared"):
        matching.frequency_errors([1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="no mode"):
        matching.frequency_errors([], [])


def test_an_atom_has_no_vibrations():
    found = vibrations.harmonic(np.zeros((3, 3)), [12.0], [(0, 0, 0)])
    assert (found.wavenumbers.size, found.modes.shape, found.residue) == (0, (3, 0), 0)


def test_ase_agrees_on_a_molecule_that_is_not_planted():
    # water, with stretches and a bend as springs between all pairs
    water = Atoms("OH2", [(0, 0, 0), (0.757, 0.586, 0), (-0.757, 0.586, 0)])
    springs = np.zeros((9, 9))
    for first, second, k in ((0, 1, 50.0), (0, 2, 50.0), (1, 2, 5.0)):
        along = water.positions[first] - water.positions[second]
        block = k * np.outer(along, along) / (along @ along)
        for a, b, sign in ((first, first, 1), (second, second, 1), (first, second, -1), (second, first, -1)):
            springs[3 * a : 3 * a + 3, 3 * b : 3 * b + 3] += sign * block
    theirs = np.sort(VibrationsData.from_2d(water, springs).get_frequencies().real)[-3:]
    found = vibrations.harmonic(springs, water.get_masses(), water.positions)
    assert found.wavenumbers == pytest.approx(theirs, rel=1e-6)


def test_modes_of_different_species_are_no_pair_however_they_overlap():
    # two modes that a method mixed: by overlap alone each would go to the other species
    angle = np.radians(50.0)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    ours = np.eye(6)[:, :2] @ turn
    theirs = np.eye(6)[:, :2]
    assert matching.match(ours, theirs).order.tolist() == [1, 0]
    found = matching.match(ours, theirs, ["ag", "b1u"], ["ag", "b1u"])
    assert found.order.tolist() == [0, 1]
    assert found.mixed == 2, "what does not overlap is still counted"
    assert matching.match(ours, theirs, [None, None], ["ag", "b1u"]).order.tolist() == [1, 0]


def test_the_scale_factor_is_that_of_least_squares():
    ours = np.array([1000.0, 2000.0])
    assert vibrations.scale_factor(ours, 0.96 * ours) == pytest.approx(0.96)
    assert vibrations.scale_factor(ours, [960.0, 1960.0]) == pytest.approx((960e3 + 3920e3) / 5e6)
    with pytest.raises(ValueError, match="cannot be scaled"):
        vibrations.scale_factor(ours, [1.0])
    with pytest.raises(ValueError, match="cannot be scaled"):
        vibrations.scale_factor([0.0], [1.0])


def test_an_error_of_the_residues_size_moves_a_soft_mode_more():
    assert vibrations.shift(29.0, 170.0) == pytest.approx(np.sqrt(170.0**2 + 29.0**2) - 170.0, rel=0.01)
    assert vibrations.shift(29.0, 1700.0) == pytest.approx(0.247, rel=0.01)

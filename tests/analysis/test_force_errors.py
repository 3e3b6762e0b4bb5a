"""Errors of forces and energies, recovered from noise of a known size."""

import numpy as np
import pytest

from bench.protocols.accuracy import force_errors as errors

STRUCTURES, ATOMS = 30, 8
SIGMA = 0.05  # eV/Angstrom
MAE = 1000 * SIGMA * np.sqrt(2 / np.pi)


def reference(seed=0, structures=STRUCTURES):
    return np.random.default_rng(seed).normal(0.0, 1.0, (structures, ATOMS, 3))


def noisy(seed, structures=STRUCTURES, sigma=SIGMA):
    """Return reference forces, and the same with Gaussian noise on each component."""
    truth = reference(seed, structures)
    return truth + np.random.default_rng(1000 + seed).normal(0.0, sigma, truth.shape), truth


def covered(estimates, truth):
    return float(np.mean([one.low <= truth <= one.high for one in estimates]))


def test_planted_noise_has_its_mean_absolute_and_root_mean_square_error():
    forces, truth = noisy(0, structures=2000)
    assert errors.force_mae(forces, truth).estimate == pytest.approx(MAE, rel=0.01)
    assert errors.force_rmse(forces, truth).estimate == pytest.approx(1000 * SIGMA, rel=0.01)


@pytest.mark.parametrize("structures", [4, 30])
def test_19_of_20_intervals_contain_the_planted_force_errors(structures):
    draws = [noisy(seed, structures) for seed in range(400)]
    assert 0.90 <= covered([errors.force_mae(*draw) for draw in draws], MAE) <= 0.99
    assert 0.90 <= covered([errors.force_rmse(*draw) for draw in draws], 1000 * SIGMA) <= 0.99


def test_an_interval_is_over_structures_that_differ_and_not_over_their_components():
    # each structure has its own size of noise: the scatter of components within a structure says nothing about it
    rng = np.random.default_rng(3)
    estimates = []
    for _ in range(300):
        sizes = rng.uniform(0.5, 1.5, 20)[:, None, None]
        truth = np.zeros((20, ATOMS, 3))
        estimates.append(errors.force_mae(truth + rng.normal(0.0, SIGMA, truth.shape) * sizes, truth))
    assert 0.90 <= covered(estimates, MAE) <= 0.99


def test_the_cosine_is_that_of_planted_directions():
    truth = np.zeros((3, 2, 3))
    truth[:, 0, 0] = 1.0
    turned = np.zeros_like(truth)
    turned[0, 0] = [2.0, 0.0, 0.0]
    turned[1, 0] = [1.0, np.sqrt(3.0), 0.0]
    turned[2, 1] = [0.0, 0.0, 1.0]
    found = errors.force_cosine(turned, truth)
    assert found.estimate == pytest.approx((1.0 + 0.5 + 0.0) / 3)
    assert found.low < found.estimate < found.high <= 1.0


def test_a_structure_without_forces_has_no_cosine():
    forces, truth = noisy(1)
    forces[0] = 0.0
    assert errors.force_cosine(forces, truth).n == STRUCTURES - 1
    assert errors.force_cosine(np.zeros_like(truth), truth) is None


def test_another_zero_of_energy_is_no_error():
    energies = np.random.default_rng(0).normal(0.0, 0.3, 20)
    found = errors.energy_mae(energies - 10_000.0, energies)
    assert found.estimate == pytest.approx(0.0, abs=1e-6)
    assert found.high == pytest.approx(0.0, abs=1e-6)
    assert errors.energy_rank_correlation(energies - 10_000.0, energies).estimate == pytest.approx(1.0)


def test_scaled_energies_have_the_error_of_the_scale_and_the_right_order():
    energies = np.array([0.0, 0.1, 0.2, 0.3, 0.4])
    # 10 % of the distances from the mean, which are 200, 100, 0, 100 and 200 meV; the mean is of five values
    assert errors.energy_mae(1.1 * energies + 5.0, energies).estimate == pytest.approx(12.0 * np.sqrt(5 / 4))
    found = errors.energy_rank_correlation(1.1 * energies + 5.0, energies)
    assert (found.estimate, found.low, found.high) == pytest.approx((1.0, 1.0, 1.0))
    assert errors.energy_rank_correlation(-energies, energies).estimate == pytest.approx(-1.0)


def test_the_rank_correlation_is_that_worked_out_by_hand():
    # 1 - 6 sum of d^2 / (s (s^2 - 1)) with d = 1, 1, 0, 1, 1
    found = errors.energy_rank_correlation([2.0, 1.0, 3.0, 5.0, 4.0], [1.0, 2.0, 3.0, 4.0, 5.0])
    assert found.estimate == pytest.approx(1 - 6 * 4 / (5 * 24))


@pytest.mark.parametrize("structures", [10, 40])
def test_19_of_20_intervals_contain_the_planted_energy_error(structures):
    rng = np.random.default_rng(5)
    truth = np.zeros(structures)
    expected = 1000 * 0.02 * np.sqrt(2 / np.pi)
    found = [errors.energy_mae(rng.normal(0.0, 0.02, structures), truth) for _ in range(100)]
    assert 0.90 <= covered(found, expected) <= 0.99
    assert np.mean([one.estimate for one in found]) == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("structures", [2, 3, 10])
def test_the_energy_error_of_few_structures_is_not_smaller_for_being_about_their_own_mean(structures):
    rng = np.random.default_rng(structures)
    found = [errors.energy_mae(rng.normal(0.0, 0.02, structures), np.zeros(structures)) for _ in range(150)]
    # as plain means they would be 29, 18 and 5 % smaller
    mean = np.mean([one.estimate for one in found])
    assert mean == pytest.approx(20 * np.sqrt(2 / np.pi), rel=0.04 if structures == 10 else 0.12)


@pytest.mark.parametrize("structures", [2, 3, 10])
def test_intervals_of_few_structures_hold_where_their_errors_are_skewed(structures):
    """The errors of structures differ by half of themselves; an interval as far down as up covers 85 % with three."""
    rng, inside = np.random.default_rng(structures), np.zeros(2)
    every = rng.normal(size=(20_000, 12, 3)) * 0.1 * rng.gamma(4.0, 0.25, (20_000, 1, 1))
    truths = 1000 * np.abs(every).mean(), 1000 * np.sqrt((every**2).mean())
    for number in range(400):
        mine = every[number * structures : (number + 1) * structures]
        for k, measure in enumerate((errors.force_mae, errors.force_rmse)):
            found = measure(mine, np.zeros_like(mine))
            inside[k] += found.low <= truths[k] <= found.high
    assert inside[0] > 366, "within three standard errors of 95 %"
    assert inside[1] > 354, "one of squares is more skewed: 91 to 95 %"


def test_each_resample_is_centred_on_its_own_mean():
    # about the mean of all ten, every resample would have an error of 20 meV exactly, and the interval no width
    found = errors.energy_mae([0.02, -0.02] * 5, np.zeros(10))
    assert found.estimate == pytest.approx(20.0 * np.sqrt(10 / 9))
    assert found.low < 0.97 * found.estimate


def test_19_of_20_intervals_contain_the_planted_rank_correlation():
    rng = np.random.default_rng(6)
    found = []
    for _ in range(60):
        energies = rng.normal(size=40)
        found.append(errors.energy_rank_correlation(0.8 * energies + 0.6 * rng.normal(size=40), energies))
    # of a bivariate normal distribution with Pearson's correlation 0.8
    assert 0.90 <= covered(found, 6 / np.pi * np.arcsin(0.4)) <= 0.99


def test_a_single_structure_has_errors_without_intervals_and_no_energy_error():
    found = errors.force_errors(*noisy(0, structures=1), [1.0], [2.0])
    assert (found.structures, found.force_mae.low, found.force_rmse.high, found.force_mae.over) == (1, None, None, None)
    assert (found.energy_mae, found.energy_rank_correlation) == (None, None)


def test_two_structures_have_an_interval_of_forces_and_cannot_be_ranked():
    found = errors.force_errors(*noisy(0, structures=2), [1.0, 2.0], [1.0, 2.5])
    assert 0.0 <= found.force_mae.low < found.force_mae.estimate < found.force_mae.high
    assert (found.force_rmse.low is None, found.force_rmse.n) == (False, 2)
    assert found.energy_mae.estimate == pytest.approx(250.0 * np.sqrt(2))
    assert (found.energy_mae.low, found.energy_rank_correlation) == (None, None)


def test_energies_that_are_all_equal_have_no_order():
    assert errors.energy_rank_correlation(np.ones(9), np.arange(9.0)) is None


def test_all_errors_together_are_those_alone():
    forces, truth = noisy(0)
    energies = np.random.default_rng(1).normal(size=(2, STRUCTURES))
    found = errors.force_errors(forces, truth, *energies)
    assert found == errors.ForceErrors(
        STRUCTURES,
        errors.force_mae(forces, truth),
        errors.force_rmse(forces, truth),
        errors.force_cosine(forces, truth),
        errors.energy_mae(*energies),
        errors.energy_rank_correlation(*energies),
    )


def uncertain(claimed=1.0, structures=60, seed=0):
    """Return claimed uncertainties and true errors whose real size differs from atom to atom."""
    rng = np.random.default_rng(seed)
    sigma = rng.uniform(0.01, 0.2, (structures, ATOMS))
    components = rng.normal(0.0, 1.0, (structures, ATOMS, 3)) * (sigma / np.sqrt(3))[..., None]
    return claimed * sigma, np.linalg.norm(components, axis=-1)


@pytest.mark.parametrize(("claimed", "calibration"), [(1.0, 1.0), (0.5, 2.0), (4.0, 0.25)])
def test_the_calibration_is_how_much_larger_errors_are_than_was_claimed(claimed, calibration):
    found = errors.uncertainty_quality(*uncertain(claimed))
    assert found.calibration.estimate == pytest.approx(calibration, rel=0.1)
    assert found.calibration.low < calibration < found.calibration.high
    assert 0.6 < found.rank_correlation.estimate < 0.95


def test_uncertainties_that_know_nothing_do_not_rank_the_errors():
    sigma, error = uncertain()
    found = errors.uncertainty_quality(np.random.default_rng(9).permutation(sigma.ravel()).reshape(sigma.shape), error)
    assert found.rank_correlation.low < 0.0 < found.rank_correlation.high
    perfect = errors.uncertainty_quality(error, error)
    assert perfect.rank_correlation.estimate == pytest.approx(1.0)


def test_19_of_20_intervals_contain_the_planted_calibration():
    found = [errors.uncertainty_quality(*uncertain(0.5, structures=12, seed=seed)).calibration for seed in range(60)]
    assert 0.90 <= covered(found, 2.0) <= 0.99


def test_a_constant_uncertainty_is_calibrated_but_ranks_nothing():
    _, error = uncertain()
    found = errors.uncertainty_quality(np.full_like(error, np.sqrt((error**2).mean())), error)
    assert (found.structures, found.rank_correlation, found.calibration.estimate) == (60, None, pytest.approx(1.0))
    assert errors.uncertainty_quality(np.zeros_like(error), error).calibration is None


@pytest.mark.parametrize(
    ("one", "other", "message"),
    [
        (np.zeros((2, 3, 3)), np.zeros((2, 4, 3)), "shapes"),
        (np.zeros((2, 3)), np.zeros((2, 3)), "shapes"),
        (np.full((2, 3, 3), np.nan), np.zeros((2, 3, 3)), "finite"),
        (np.zeros((0, 3, 3)), np.zeros((0, 3, 3)), "finite"),
    ],
)
def test_forces_that_cannot_be_compared_are_an_error(one, other, message):
    with pytest.raises(ValueError, match=message):
        errors.force_mae(one, other)


def test_forces_and_energies_of_different_structures_are_an_error():
    with pytest.raises(ValueError, match="another number"):
        errors.force_errors(*noisy(0), np.zeros(7), np.zeros(7))


def test_a_negative_uncertainty_is_an_error():
    with pytest.raises(ValueError, match="negative"):
        errors.uncertainty_quality([[-0.1, 0.1]], [[0.1, 0.1]])

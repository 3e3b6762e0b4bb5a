"""Drift, noise and temperatures, recovered from series in which they were planted."""

import ase.io
import numpy as np
import pytest
from ase import units
from ase.data import atomic_masses

from bench.analysis import energies
from bench.analysis.vibrations import external_motions
from bench.paths import PROJECT

NAPHTHALENE = ase.io.read(PROJECT / "datasets" / "naphthalene.xyz")
NUMBERS, POSITIONS = NAPHTHALENE.numbers, NAPHTHALENE.positions
STEP_FS = 0.5


def vibrating(seed, length=40_001, drift_ev_ps=0.0, noise=0.002):
    """Return total and kinetic energy of a molecule: vibrations of known periods, and a drift, in eV."""
    random = np.random.default_rng(seed)
    times = np.arange(length) * STEP_FS / 1000
    total, kinetic = np.full(length, 2.3), np.full(length, 2.3)
    for period_ps in (0.0107, 0.0222, 0.05, 0.196):
        phase = random.uniform(0, 2 * np.pi)
        total += noise * np.sin(2 * np.pi * times / period_ps + phase)
        kinetic += 0.15 * np.sin(2 * np.pi * times / period_ps + phase)
    return total + drift_ev_ps * times, kinetic


def test_a_planted_drift_is_recovered_within_a_percent():
    for seed in range(5):
        found = energies.drift(*vibrating(seed, drift_ev_ps=1e-3), STEP_FS, 18)
        assert found.slope == pytest.approx(1000 * 1e-3 / 18, rel=0.01)


def test_the_drift_ratio_is_the_change_over_the_spread_of_the_kinetic_energy():
    total, kinetic = vibrating(0, drift_ev_ps=1e-3)
    found = energies.drift(total, kinetic, STEP_FS, 18)
    assert found.ratio == pytest.approx(1e-3 * 18.0 / kinetic[4001:].std(), rel=0.01)  # 20 ps less a tenth


def test_the_error_of_a_drift_is_that_of_its_scatter():
    # noise with a memory of 0.1 ps, in which neighbouring steps look alike
    random = np.random.default_rng(1)
    slopes, errors = [], []
    for _ in range(200):
        noise = np.convolve(random.normal(size=4200), np.exp(-np.arange(200) / 40), "valid")
        found = energies.drift(noise, 1 + noise, 2.5, 18)
        slopes.append(found.slope)
        errors.append(found.error)
    assert np.mean(errors) == pytest.approx(np.std(slopes), rel=0.2)


def test_no_drift_is_claimed_of_a_series_too_short_for_one():
    assert energies.drift(np.ones(80), np.ones(80), STEP_FS, 18) is None
    assert energies.drift(np.full(500, np.nan), np.ones(500), STEP_FS, 18) is None


def test_over_seeds_the_larger_error_counts():
    alike = [energies.Drift(slope=0.1, error=0.03, ratio=0, noise=0)] * 4
    assert energies.over_seeds(alike) == pytest.approx((0.1, 0.015))
    apart = [energies.Drift(slope=s, error=0.001, ratio=0, noise=0) for s in (0.0, 0.2)]
    assert energies.over_seeds(apart) == pytest.approx((0.1, 0.1))
    assert energies.over_seeds([]) is None


def test_the_noise_is_the_scatter_about_the_slope():
    total, kinetic = vibrating(3, drift_ev_ps=1e-2)
    expected = 1000 * 0.002 * np.sqrt(4 / 2) / 18
    assert energies.drift(total, kinetic, STEP_FS, 18).noise == pytest.approx(expected, rel=0.01)


def test_a_noise_that_a_half_step_quarters_has_exponent_two():
    assert energies.noise_exponent(4.0, 1.0) == pytest.approx(2.0)
    assert energies.noise_exponent(1.0, 1.0) == pytest.approx(0.0)
    assert energies.noise_exponent(1.0, 0.0) is None


def thermal(temperature, frames=4000, seed=0):
    """Return velocities of equipartition in ASE's unit, without motion of the molecule as a whole."""
    random = np.random.default_rng(seed)
    basis = external_motions(atomic_masses[NUMBERS], POSITIONS)
    noise = random.normal(size=(frames, 54)) * np.sqrt(units.kB * temperature)
    noise -= noise @ basis @ basis.T
    return noise.reshape(frames, 18, 3) / np.sqrt(atomic_masses[NUMBERS])[:, None]


def test_hydrogen_is_expected_to_be_1_18_times_as_warm_as_carbon():
    assert energies.expected_ratio(NUMBERS, POSITIONS, NUMBERS == 1) == pytest.approx(1.18, abs=0.005)


def test_equipartition_without_rigid_motions_has_the_expected_ratio():
    velocities = thermal(500.0)
    light = NUMBERS == 1
    ratio = energies.temperature(NUMBERS, velocities, light) / energies.temperature(NUMBERS, velocities, ~light)
    assert ratio == pytest.approx(energies.expected_ratio(NUMBERS, POSITIONS, light), rel=0.01)
    assert energies.temperature(NUMBERS, velocities) == pytest.approx(500 * 48 / 54, rel=0.01)


def test_a_planted_offset_of_temperature_is_recovered_within_a_percent():
    velocities = thermal(500.0)
    light = NUMBERS == 1
    before = energies.temperature(NUMBERS, velocities, light)
    velocities[:, light] *= np.sqrt(1.07)
    assert energies.temperature(NUMBERS, velocities, light) / before == pytest.approx(1.07, rel=0.01)


def test_rigid_motion_is_the_share_of_the_kinetic_energy_that_was_planted():
    velocities = thermal(500.0, frames=3)
    frames = np.repeat(POSITIONS[None], 3, axis=0)
    assert energies.rigid_share(NUMBERS, frames, velocities) < 1e-20
    masses = atomic_masses[NUMBERS]
    kinetic = (masses[:, None] * velocities[1] ** 2).sum()
    velocities[1] += np.array([np.sqrt(0.25 * kinetic / masses.sum()), 0, 0])
    assert energies.rigid_share(NUMBERS, frames, velocities) == pytest.approx(0.2, rel=0.01)

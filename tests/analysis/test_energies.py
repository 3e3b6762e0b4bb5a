"""Drift, noise and temperatures, recovered from series in which they were planted."""

import ase.io
import numpy as np
import pytest
from ase import units
from ase.data import atomic_masses
from scipy.signal import lfilter

from bench.analysis.vibrations import external_motions
from bench.paths import PROJECT
from bench.protocols.md import energies
from bench.protocols.md.body import Body
from bench.protocols.md.seeds import mean

NAPHTHALENE = ase.io.read(PROJECT / "datasets" / "naphthalene.xyz")
NUMBERS, POSITIONS = NAPHTHALENE.numbers, NAPHTHALENE.positions
MASSES, BODY = atomic_masses[NUMBERS], Body.of(NAPHTHALENE)
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


WHITE, MEMORY, WALK = "white noise", "noise with a memory of 0.1 ps", "a random walk"


def wandering(kind, random, length=2001):
    """Return a total energy without drift, 20 ps in steps of 10 fs, eV."""
    noise = random.normal(size=length)
    if kind == MEMORY:
        return lfilter([1.0], [1.0, -np.exp(-0.1)], noise)
    return np.cumsum(noise) if kind == WALK else noise


def covered(kind, seeds, repeats=400):
    """Return how often the interval of the drift has the true one, 0, in it."""
    random = np.random.default_rng(seeds)
    hits = 0
    for _ in range(repeats):
        totals = [wandering(kind, random) for _ in range(seeds)]
        found = energies.over_seeds([energies.drift(total, np.ones_like(total), 10.0, 18) for total in totals])
        hits += abs(found.value) <= found.half_width
    return hits / repeats


@pytest.mark.parametrize("seeds", [1, 2, 3, 5])
@pytest.mark.parametrize("kind", [WHITE, MEMORY, WALK])
def test_95_percent_of_the_intervals_of_a_drift_have_the_true_one_in_them(kind, seeds):
    assert 0.92 <= covered(kind, seeds) <= 0.98


@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_95_percent_of_the_intervals_of_any_mean_over_seeds_have_the_true_one_in_them(seeds):
    random = np.random.default_rng(1)
    found = [mean(values) for values in random.normal(size=(2000, seeds))]
    share = np.mean([abs(one.value) <= one.half_width for one in found])
    assert share == pytest.approx(0.95, abs=0.015)
    with_the_normal_distribution = np.mean([abs(one.value) <= 1.96 * one.error for one in found])
    assert with_the_normal_distribution == pytest.approx({2: 0.70, 3: 0.81, 5: 0.88}[seeds], abs=0.02)


def test_an_energy_that_wanders_has_the_error_of_its_scatter():
    random = np.random.default_rng(4)
    found = []
    for _ in range(300):
        total = wandering(WALK, random)
        found.append(energies.over_seeds([energies.drift(total, np.ones_like(total), 10.0, 18)]))
    errors = np.sqrt(np.mean([one.error**2 for one in found]))
    assert errors == pytest.approx(np.std([one.value for one in found]), rel=0.1)


def test_the_drift_of_a_single_short_trajectory_has_no_error():
    total, kinetic = vibrating(0, length=10_001, drift_ev_ps=1e-3)  # 5 ps, of which 4 count
    found = energies.over_seeds([energies.drift(total, kinetic, STEP_FS, 18)])
    assert found.value == pytest.approx(1000 * 1e-3 / 18, rel=0.01)
    assert (found.error, found.half_width) == (None, None)


def test_a_trajectory_is_settled_after_a_time_and_not_after_a_share_of_a_short_one():
    assert energies.settled(561, STEP_FS).start == 2000, "nothing of 0.28 ps counts"
    assert energies.settled(10_001, STEP_FS).start == 2000, "1 ps of 5"
    assert energies.settled(40_001, STEP_FS).start == 4001, "a tenth of 20 ps"
    assert energies.settled(4001, 10 * STEP_FS).start == 401


def test_no_drift_is_claimed_of_a_series_too_short_for_one():
    assert energies.drift(np.ones(2080), np.ones(2080), STEP_FS, 18) is None
    assert energies.drift(np.full(5000, np.nan), np.ones(5000), STEP_FS, 18) is None


def of_slope(slope, duration=10.0):
    return energies.Drift(slope=slope, pieces=(), duration_ps=duration, ratio=0, noise=0)


def test_over_seeds_the_scatter_counts_and_a_long_trajectory_counts_more():
    found = energies.over_seeds([of_slope(0.0), of_slope(0.2)])
    assert (found.value, found.error, found.freedom) == (pytest.approx(0.1), pytest.approx(0.1), 1)
    assert found.half_width == pytest.approx(1.27, abs=0.01)
    assert energies.over_seeds([of_slope(0.0, 30.0), of_slope(0.4, 10.0)]).value == pytest.approx(0.1)
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
    assert energies.expected_ratio(BODY, NUMBERS == 1) == pytest.approx(1.18, abs=0.005)


def test_equipartition_without_rigid_motions_has_the_expected_ratio():
    velocities = thermal(500.0)
    light = NUMBERS == 1
    ratio = energies.temperature(MASSES, velocities, light) / energies.temperature(MASSES, velocities, ~light)
    assert ratio == pytest.approx(energies.expected_ratio(BODY, light), rel=0.01)
    assert energies.temperature(MASSES, velocities) == pytest.approx(500 * 48 / 54, rel=0.01)


def test_a_planted_offset_of_temperature_is_recovered_within_a_percent():
    velocities = thermal(500.0)
    light = NUMBERS == 1
    before = energies.temperature(MASSES, velocities, light)
    velocities[:, light] *= np.sqrt(1.07)
    assert energies.temperature(MASSES, velocities, light) / before == pytest.approx(1.07, rel=0.01)


def test_rigid_motion_is_the_share_of_the_kinetic_energy_that_was_planted():
    velocities = thermal(500.0, frames=3)
    frames = np.repeat(POSITIONS[None], 3, axis=0)
    assert energies.rigid_share(BODY, frames, velocities) < 1e-20
    masses = atomic_masses[NUMBERS]
    kinetic = (masses[:, None] * velocities[1] ** 2).sum()
    velocities[1] += np.array([np.sqrt(0.25 * kinetic / masses.sum()), 0, 0])
    assert energies.rigid_share(BODY, frames, velocities) == pytest.approx(0.2, rel=0.01)

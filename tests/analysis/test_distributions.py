"""Distances against a reference: what is the same, what is shifted, and the noise of few frames."""

import ase.io
import numpy as np
import pytest

from bench.data import rmd17
from bench.paths import PROJECT, cache_dir
from bench.protocols.md.distributions import Distances, Reference, h_error, planarity, wasserstein

NAPHTHALENE = ase.io.read(PROJECT / "datasets" / "naphthalene.xyz")
NUMBERS = NAPHTHALENE.numbers


def frames(count, seed=0, scale=1.0):
    rattled = np.random.default_rng(seed).normal(0, 0.05, (count, 18, 3))
    return scale * NAPHTHALENE.positions + rattled


@pytest.fixture(scope="module")
def md17():
    try:
        numbers, found = rmd17.frames(cache_dir(), fetch=False)
    except rmd17.Unavailable as error:
        pytest.skip(f"{error}; PESBENCH_DATA names no folder that has it")
    return Reference("rMD17", numbers, np.array(list(found.values())))


def test_the_same_frames_have_no_error():
    reference = Reference("", NUMBERS, frames(50))
    h, by_class = reference.errors(Distances(NUMBERS, frames(50)))
    assert h == 0
    assert by_class == {"C-C": 0, "C-H": 0, "H-H": 0}


def test_the_density_of_distances_is_one_in_all():
    assert Distances(NUMBERS, frames(10)).h.sum() * 10 / 500 == pytest.approx(1)


def test_atoms_that_left_are_missing_in_the_density():
    gone = frames(10)
    gone[:, 17] += 100
    assert h_error(Distances(NUMBERS, gone).h, Distances(NUMBERS, frames(10)).h) == pytest.approx(17 / 153)


def test_a_shift_of_all_distances_is_their_wasserstein_distance():
    one = Distances(NUMBERS, frames(200))
    shifted = Distances(NUMBERS, frames(200))
    shifted.each = one.each + 0.03
    for name, counts in one.fine.items():
        assert wasserstein(shifted.fine[name], counts) == pytest.approx(0.03, rel=0.02)


def test_independent_frames_of_the_same_kind_are_at_the_floor():
    reference = Reference("", NUMBERS, frames(2000))
    found = [reference.errors(Distances(NUMBERS, frames(100, seed))) for seed in range(1, 11)]
    h_floor, floors = reference.least_floor(100)
    assert np.mean([h for h, _ in found]) == pytest.approx(h_floor, rel=0.1)
    for name, floor in floors.items():
        assert np.mean([by_class[name] for _, by_class in found]) == pytest.approx(floor, rel=0.35)


def trapped(trajectories, seed, each=40):
    """Return trajectories in each of which each C-H stretch keeps its energy, which differs from one to the next.

    The energies are those of a harmonic oscillator at a temperature, and the other motions know nothing of each other.
    """
    random = np.random.default_rng(seed)
    outward = NAPHTHALENE.positions[10:] - NAPHTHALENE.positions[[0, 1, 2, 3, 5, 6, 7, 8]]
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    found = []
    for _ in range(trajectories):
        amplitude = 0.08 * np.sqrt(2 * random.exponential(size=8))
        phase = random.uniform(0, 2 * np.pi, (each, 8))
        positions = NAPHTHALENE.positions + random.normal(0, 0.02, (each, 18, 3))
        positions[:, 10:] += (amplitude * np.cos(phase))[..., None] * outward
        found.append(positions)
    return found


def test_trajectories_in_which_a_stretch_keeps_its_energy_are_at_the_floor_and_their_frames_are_not_independent():
    reference = Reference("", NUMBERS, np.concatenate(trapped(400, 0, each=5)))
    ratios, as_if_independent = [], []
    for seed in range(1, 31):
        simulated = trapped(3, seed)
        _, found = reference.errors(Distances(NUMBERS, np.concatenate(simulated)))
        floor = reference.floor([Distances(NUMBERS, one) for one in simulated])[1]
        ratios.append(found["C-H"] / floor["C-H"])
        as_if_independent.append(found["C-H"] / reference.least_floor(120)[1]["C-H"])
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.15)
    assert np.mean(as_if_independent) > 1.5


def test_a_shift_of_every_trajectory_is_above_the_floor():
    reference = Reference("", NUMBERS, np.concatenate(trapped(400, 0, each=5)))
    longer = [NAPHTHALENE.positions * 0.02 + one for one in trapped(3, 1)]
    found = reference.errors(Distances(NUMBERS, np.concatenate(longer)))[1]["C-C"]
    assert found > 5 * reference.floor([Distances(NUMBERS, one) for one in longer])[1]["C-C"]


def test_two_trajectories_of_unlike_length_are_worth_less_than_two_of_the_same():
    reference = Reference("", NUMBERS, frames(2000))
    alike = [Distances(NUMBERS, frames(50, seed)) for seed in (1, 2)]
    unlike = [Distances(NUMBERS, frames(90, 1)), Distances(NUMBERS, frames(10, 2))]
    assert reference.floor(unlike)[0] > 1.3 * reference.floor(alike)[0]


def test_more_frames_than_the_reference_has_are_still_as_noisy_as_the_reference():
    reference = Reference("", NUMBERS, frames(200))
    assert reference.least_floor(20_000)[0] == pytest.approx(
        h_error(Distances(NUMBERS, frames(20_000, 9)).h, reference.distances.h), rel=0.15
    )


def test_a_flat_skeleton_is_flat_and_a_bent_one_is_as_far_from_its_plane_as_it_was_bent():
    assert planarity(NUMBERS, NAPHTHALENE.positions[None]) == pytest.approx(0, abs=1e-4)
    bent = NAPHTHALENE.positions.copy()
    bent[:10, 2] += 0.1 * np.array([1, -1, 1, -1, 0, 1, -1, 1, -1, 0])
    assert planarity(NUMBERS, bent[None]) == pytest.approx(0.1 * np.sqrt(0.8), rel=0.05)
    assert planarity(np.array([8, 1, 1]), np.zeros((1, 3, 3))) is None


def test_the_noise_floors_of_md17_are_the_measured_ones(md17):
    assert md17.drawn(101)[0] == pytest.approx(0.094, rel=0.15)
    assert md17.drawn(1000)[0] == pytest.approx(0.028, rel=0.15)
    assert md17.least_floor(101)[0] == pytest.approx(0.094, rel=0.15)
    assert md17.least_floor(1000)[0] == pytest.approx(0.028, rel=0.15)


def test_the_skeleton_of_md17_is_as_planar_as_measured(md17):
    assert md17.planarity == pytest.approx(0.091, rel=0.05)


def test_no_bond_of_md17_comes_near_the_early_warning(md17):
    from bench.analysis import events

    molecule = events.topology(NUMBERS, NAPHTHALENE.positions, md17.frames)
    found = events.outcome(md17.frames, np.arange(len(md17.frames)) * 1.0, molecule, 1)
    assert (found.kind, found.warned_ps) == (events.INTACT, None)
    assert found.largest == pytest.approx(0.192, abs=0.002)


def test_the_planarity_is_the_mean_over_frames_of_the_distance_from_the_plane_wherever_it_lies():
    ring = np.array([[1.0, 1, 0], [-1, 1, 0], [-1, -1, 0], [1, -1, 0], [9, 9, 9]])
    bent = ring + np.array([0, 0, 0.1]) * np.array([1, -1, 1, -1, 0])[:, None]
    elements = np.array([6, 6, 7, 6, 1])
    far = np.array([3.0, -2.0, 5.0])
    assert planarity(elements, np.array([ring + far])) == pytest.approx(0.0, abs=1e-9), "hydrogen does not count"
    assert planarity(elements, np.array([ring, bent + far, bent])) == pytest.approx(2 / 3 * 0.1)
    assert planarity(elements[1:], np.array([ring[1:]])) is None, "three atoms are always in a plane"

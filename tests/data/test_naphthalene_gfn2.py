"""The committed data: naphthalene-gfn2 is what datasets/README.md says it is."""

from __future__ import annotations

import ase.io
import numpy as np
import pytest
from ase import Atoms, units

from bench.data.structures import load_dataset
from bench.paths import datasets_dir

FILE = datasets_dir() / "naphthalene-gfn2.extxyz"
CARBON_CARBON = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6), (6, 7), (7, 8), (8, 9), (9, 0), (4, 9)]
CARBON_HYDROGEN = [(0, 10), (1, 11), (2, 12), (3, 13), (5, 14), (6, 15), (7, 16), (8, 17)]
# of all 9,633 frames of the rMD17 files, Angstrom, all bonds of a kind pooled
MD17_SPREAD = {"C-C": 0.0430, "C-H": 0.0389}


@pytest.fixture(scope="module")
def frames() -> list[Atoms]:
    return ase.io.read(FILE, index=":")


def lengths(images: list[Atoms], bonds: list[tuple[int, int]]) -> np.ndarray:
    first, second = np.transpose(bonds)
    return np.array([np.linalg.norm(image.positions[first] - image.positions[second], axis=1) for image in images])


def test_the_generated_set_is_101_naphthalene_molecules_with_a_pinned_digest():
    data = load_dataset("naphthalene-gfn2")
    assert (data.formula, len(data.atoms), data.fallback) == ("C10H8", 101, "")
    assert data.labels[:2] == ("5000 fs", "5250 fs")
    assert data.digest == "623637502ed1b2860e5aeba05e205e11e949aea96ce5a8d842a9dc8a31adf273"


def test_the_file_is_small_and_says_how_it_was_made(frames):
    assert FILE.stat().st_size < 300_000
    assert frames[0].info["made_by"].startswith("generate_naphthalene_gfn2.py, GFN2-xTB (tblite 0.8.0), seed ")


def test_the_internal_temperature_is_that_of_md17(frames):
    temperatures = np.array([2 * atoms.get_kinetic_energy() / (48 * units.kB) for atoms in frames])
    # one frame scatters by 562.5 K * sqrt(2 / 48) = 115 K; neighbouring frames are correlated a little
    assert temperatures.mean() == pytest.approx(562.5, abs=3 * 115 / np.sqrt(101))
    assert temperatures.std() == pytest.approx(115, rel=0.3)


def test_linear_and_angular_momentum_are_zero_to_the_six_decimals_of_the_file(frames):
    for atoms in frames:
        assert np.abs(atoms.get_momenta().sum(axis=0)).max() < 2e-5
        assert np.abs(atoms.get_angular_momentum()).max() < 5e-5


@pytest.mark.parametrize(("kind", "bonds"), [("C-C", CARBON_CARBON), ("C-H", CARBON_HYDROGEN)])
def test_the_bonds_spread_as_in_md17(frames, kind, bonds):
    assert lengths(frames, bonds).std() == pytest.approx(MD17_SPREAD[kind], rel=0.15)


def test_the_stored_forces_add_up_to_nothing_and_belong_to_stretched_bonds(frames):
    for atoms in frames:
        assert np.abs(atoms.get_forces().sum(axis=0)).max() < 1e-3
    rms = np.sqrt(np.mean([atoms.get_forces() ** 2 for atoms in frames]))
    assert 1.0 < rms < 1.5  # eV/Angstrom; MD17's own is 1.25
    assert np.ptp([atoms.get_potential_energy() for atoms in frames]) > 0.5  # eV


def test_frames_are_far_enough_apart_to_forget_each_other(frames):
    stretches = lengths(frames, CARBON_CARBON)
    stretches = stretches - stretches.mean(axis=0)
    correlation = (stretches[1:] * stretches[:-1]).mean() / (stretches**2).mean()
    assert abs(correlation) < 0.2


def test_the_reference_molecule_is_planar_and_has_the_bonds_of_the_frames():
    reference = load_dataset("naphthalene-gfn2").reference
    assert np.abs(reference.positions[:, 2]).max() < 1e-5
    assert ((lengths([reference], CARBON_CARBON) > 1.35) & (lengths([reference], CARBON_CARBON) < 1.45)).all()
    assert ((lengths([reference], CARBON_HYDROGEN) > 1.07) & (lengths([reference], CARBON_HYDROGEN) < 1.10)).all()
    distances = reference.get_all_distances()[:10, :]
    assert (distances[:, :10] < 1.6).sum() - 10 == 2 * len(CARBON_CARBON)
    assert (distances[:, 10:] < 1.3).sum() == len(CARBON_HYDROGEN)

"""The same answer: what counts as a change, and what is a last digit."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from ase.build import molecule
from synthetic import campaign, method

from bench.analysis.fingerprint import Fingerprint, Relaxed, bonds_of, differences, fingerprints, lengths
from bench.core.device import computes_in_tf32

FORCES = np.random.default_rng(1).normal(0.0, 1.0, (3, 3))


def fingerprint(**changes) -> Fingerprint:
    fields = {
        "method": "a",
        "kind": "mlip",
        "dataset": "sha256:0123",
        "weights": "pretrained",
        "dtype": "float64",
        "checkpoint": "ab" * 32,
        "criterion": "BFGS, fmax 0.05",
        "energies": {0: -100.0, 5: -99.5},
        "forces": {0: FORCES, 5: FORCES},
        "relaxed": {0: Relaxed(-101.0, (1.4, 1.09))},
    }
    return Fingerprint(**(fields | changes))


def test_the_same_answer_is_the_same_to_the_last_digits():
    assert differences(fingerprint(), fingerprint()) == []
    near = fingerprint(energies={0: -100.0 + 1e-7}, forces={0: FORCES + 1e-6})
    assert differences(near, fingerprint()) == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"energies": {0: -100.001}}, "energies by up to 0.001 eV"),
        ({"energies": {0: float("nan")}}, "energies by up to nan eV"),
        ({"forces": {0: FORCES + 0.01, 5: FORCES}}, "forces by up to 0.01 eV/Å"),
        ({"forces": {0: FORCES[:2], 5: FORCES}}, "forces by up to inf eV/Å"),
        ({"relaxed": {0: Relaxed(-101.1, (1.4, 1.09))}}, "relaxed energies by up to 0.1 eV"),
        ({"relaxed": {0: Relaxed(-101.0, (1.43, 1.09))}}, "relaxed bonds by up to 0.03 Å"),
        ({"checkpoint": "cd" * 32}, "other weights (SHA-256 cdcdcdcdcdcd instead of abababababab)"),
        ({"dtype": "float32"}, "float32 instead of float64"),
    ],
)
def test_a_change_is_named(changes, says):
    assert differences(fingerprint(**changes), fingerprint()) == [says]


def test_single_precision_is_given_the_room_that_large_energies_take():
    old = fingerprint(dtype="float32", energies={0: -10_500.0})
    assert differences(dataclasses.replace(old, energies={0: -10_500.004}), old) == []
    assert differences(dataclasses.replace(old, energies={0: -10_500.1}), old) == ["energies by up to 0.1 eV"]


def test_relaxations_by_another_criterion_are_not_held_against_each_other():
    other = fingerprint(criterion="CG, fmax 0.01", relaxed={0: Relaxed(-101.2, (1.5, 1.09))})
    assert differences(other, fingerprint()) == []


@pytest.mark.parametrize("changes", [{"dataset": "sha256:4567"}, {"energies": {7: -1.0}}, {"weights": "random"}])
def test_what_has_nothing_in_common_cannot_be_told(changes):
    assert differences(fingerprint(**changes), fingerprint()) is None


def test_a_molecules_bonds_are_found_and_measured():
    water = molecule("H2O")
    pairs = bonds_of(water.numbers, water.positions)
    assert pairs.tolist() == [[0, 1], [0, 2]]
    assert lengths(water.positions, pairs) == pytest.approx((0.969, 0.969), abs=0.001)


def test_a_fingerprint_is_made_of_a_runs_answers_and_its_converged_relaxations():
    water = molecule("H2O")
    answers = pd.DataFrame(
        [("a", "cpu", 0, -14.2, np.zeros((3, 3))), ("a", "cpu", 50, -14.1, np.ones((3, 3)))],
        columns=["method", "device", "structure", "energy", "forces"],
    )
    structures = pd.DataFrame(
        [("a", "cpu", 0, "converged", -14.5, water.positions), ("a", "cpu", 50, "censored", -14.4, water.positions)],
        columns=["method", "device", "structure", "status", "energy", "positions"],
    )
    pairs = bonds_of(water.numbers, water.positions)
    found = fingerprints(campaign(), [method("a"), method("b")], answers, structures, lambda _: pairs)
    assert set(found) == {("a", "cpu")}
    one = found["a", "cpu"]
    assert one.energies == {0: -14.2, 50: -14.1}
    assert one.forces[50].shape == (3, 3)
    assert set(one.relaxed) == {0}
    assert one.relaxed[0].energy == -14.5
    assert one.criterion == "BFGS, fmax 0.05"


def test_answers_rounded_to_tf32_on_a_gpu_may_differ_more():
    forces = {0: np.zeros((2, 3))}
    apart = {0: np.full((2, 3), 5e-3)}
    single = fingerprint(dtype="float32", forces=forces, energies={0: -100.0})
    other = fingerprint(dtype="float32", forces=apart, energies={0: -100.0})
    assert differences(other, single)
    assert not differences(dataclasses.replace(other, tf32=True), single)
    assert computes_in_tf32("cuda", {"float32_matmul_precision": "high"})
    assert not computes_in_tf32("cpu", {"float32_matmul_precision": "high"})
    assert not computes_in_tf32("cuda", {"float32_matmul_precision": "highest"})

"""How far methods disagree where there is no reference."""

import numpy as np
import pytest

from bench.analysis.disagreement import apart, disagreement, order, rmsd

ZERO = np.zeros((3, 3))


def shifted(by):
    return {0: ZERO + by}


def test_forces_are_apart_by_the_root_mean_square_of_their_components_in_mev():
    assert apart(shifted(0.0), shifted(0.1)) == pytest.approx(100.0)
    assert apart(shifted(0.3), shifted(0.2)) == pytest.approx(100.0)
    assert apart({0: ZERO, 1: ZERO}, {1: ZERO + 0.3, 2: ZERO}) == pytest.approx(300.0)
    broken = {0: ZERO + 0.1, 1: ZERO + 0.2, 2: ZERO + 50.0}
    assert apart({0: ZERO, 1: ZERO, 2: ZERO}, broken) == pytest.approx(200.0)
    assert apart({0: ZERO}, {1: ZERO}) is None


def test_five_potentials_of_one_level_are_one_voice():
    forces = {"a": shifted(0.0), "b": shifted(0.1), "c": shifted(0.2)} | {f"pbe{i}": shifted(0.5) for i in range(5)}
    levels = {name: "pbe" if name.startswith("pbe") else name for name in forces}
    alone = {name: name for name in forces}
    # 100, 200 and once 500, not five times
    assert disagreement("a", forces, levels, alone) == pytest.approx(200.0)
    unlike = forces | {"pbe0": shifted(0.15), "pbe1": shifted(0.15), "pbe2": shifted(0.15)}
    assert disagreement("a", unlike, levels, alone) == pytest.approx(150.0), "the median of a level's methods"
    one_is_wrong = forces | {"c": shifted(9.0)}
    assert disagreement("a", one_is_wrong, levels, alone) == pytest.approx(500.0), "the median, which it does not move"


def test_one_method_by_two_programs_does_not_agree_with_itself():
    forces = {"uff": shifted(1.0), "uff-ase": shifted(1.0), "gfn2": shifted(0.0)}
    levels = {"uff": "uff", "uff-ase": "uff", "gfn2": "gfn2"}
    assert disagreement("uff", forces, levels, levels) == pytest.approx(1000.0)
    assert disagreement("uff", {"uff": shifted(1.0)}, levels, levels) is None


def test_molecules_are_superposed_and_crystals_are_not_turned():
    square = np.array([[0.0, 0, 0], [1, 0, 0], [0, 2, 0], [0, 0, 3]])
    turned = square @ np.array([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]]) + 5.0
    assert rmsd({0: square}, {0: turned}) == pytest.approx(0.0, abs=1e-9)
    assert rmsd({0: square}, {0: turned}, periodic=True) > 0.5
    assert rmsd({0: square}, {0: square + 5.0}, periodic=True) == pytest.approx(0.0, abs=1e-9)
    assert rmsd({0: square}, {1: square}) is None


def test_the_order_is_that_within_each_system_and_absolute_energies_do_not_matter():
    one, other = {0: 1.0, 1: 2.0, 2: 3.0}, {0: -900.0, 1: -899.0, 2: -898.0}
    assert order(one, other, [(0, 1, 2)]) == pytest.approx(1.0)
    assert order(one, {0: 3.0, 1: 2.0, 2: 1.0}, [(0, 1, 2)]) == pytest.approx(-1.0)
    assert order(one, other, [(0, 1), (2,)]) is None

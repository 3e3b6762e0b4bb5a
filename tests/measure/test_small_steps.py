"""A force call is the same thing in every protocol: a small step from the last one."""

import numpy as np
from ase.build import molecule

from bench.data.selection import FEWEST_PARTS, measuring_order, replay_path
from bench.data.structures import load_dataset
from bench.measure.calls import STEP, Steps


def rms(displacements):
    return float(np.sqrt((np.asarray(displacements) ** 2).mean()))


def test_a_step_is_as_long_as_it_says_and_the_atoms_stay_near_where_they_were():
    atoms = molecule("C6H6")
    steps, seen = Steps(atoms, np.random.default_rng(1)), []
    for _ in range(2000):
        steps.make()
        seen.append(atoms.positions.copy())
    assert abs(rms(np.diff(seen, axis=0)) / STEP - 1) < 0.02
    assert rms(seen[-1] - steps.start) < STEP


def test_the_parts_of_a_replayed_path_are_about_as_long_however_few_points_it_has():
    data = load_dataset("naphthalene-gfn2")
    for points in (2, 4, 10):
        parts = [
            rms(np.diff(replay_path(data.atoms[i], data.reference, points), axis=0))
            for i in measuring_order(len(data.atoms))[:20]
        ]
        assert 0.5 * STEP < np.mean(parts) < 2 * STEP
    whole = replay_path(data.atoms[0], data.reference, FEWEST_PARTS + 1)[-1]
    assert np.allclose(replay_path(data.atoms[0], data.reference, 4)[-1], whole * 3 / FEWEST_PARTS)
    assert np.allclose(replay_path(data.atoms[0], data.reference, 31)[-1], whole), "more points make shorter parts"

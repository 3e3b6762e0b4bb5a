"""CHGNet is for crystals: the box in which it gets a molecule, and that the box changes nothing."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.environment

SCRIPT = """
import json
import sys
import numpy as np
from ase.build import molecule
from bench.measure.loading import load_adapter

adapter = load_adapter(sys.argv[1])
calculator = adapter.load("chgnet-0.3.0", "cpu", "float32", 1, None)
given = molecule("C6H6")
given.rattle(0.05, seed=1)
given.positions += 50
atoms = adapter.prepare(given)
positions, edge = atoms.positions, atoms.cell.lengths()[0]
images = [positions + edge * np.array(shift) for shift in ((1, 0, 0), (0, 1, 0), (0, 0, 1))]
nearest = min(np.linalg.norm(positions[:, None] - image, axis=2).min() for image in images)
forces = calculator.get_forces(atoms).copy()
larger = atoms.copy()
larger.set_cell([2 * edge] * 3)
print(json.dumps({
    "given": [bool(given.pbc.any()), float(given.cell.volume)],
    "prepared": [bool(atoms.pbc.all()), atoms.cell.angles().tolist(), float(np.ptp(atoms.cell.lengths()))],
    "nearest": float(nearest),
    "cutoffs": [adapter.settings()["cutoff"], adapter.settings()["angle_cutoff"]],
    "moved": float(np.abs(given.positions - positions).max()),
    "difference": float(np.abs(calculator.get_forces(larger) - forces).max()),
}))
"""


@pytest.fixture(scope="module")
def seen(in_environment):
    done = in_environment("chgnet.py", SCRIPT)
    return json.loads(done.stdout.splitlines()[-1])


def test_no_image_is_within_the_cutoffs(seen):
    assert seen["prepared"] == [True, [90.0, 90.0, 90.0], 0.0]
    assert seen["cutoffs"] == [6, 3]
    assert seen["nearest"] > 20


def test_a_larger_box_changes_nothing_but_roundings(seen):
    assert seen["difference"] < 1e-3


def test_the_molecule_that_was_given_is_left_as_it_is(seen):
    assert (seen["given"], seen["moved"]) == ([False, 0.0], 0.0)

"""The replay protocol: the same geometries for every method."""

import time

import numpy as np
import pytest
from ase.build import molecule
from ase.calculators.emt import EMT

from bench.adapter import Adapter
from bench.data.selection import replay_path
from bench.measure.replay import replay

KEY = {"method": "emt", "device": "cpu", "round": 0, "structure": 0}


@pytest.fixture
def distorted():
    atoms = molecule("C2H6")
    atoms.rattle(0.1, seed=1)
    atoms.rotate(40, (1, 2, 3))
    atoms.translate((5, 0, 0))
    return atoms


def test_a_path_leads_from_the_structure_to_the_reference_laid_over_it(distorted):
    reference = molecule("C2H6")
    path = replay_path(distorted, reference, 10)
    assert path.shape == (10, 8, 3)
    assert np.abs(path[0]).max() == 0
    arrived = distorted.copy()
    arrived.positions += path[-1]
    assert arrived.get_all_distances() == pytest.approx(reference.get_all_distances(), abs=1e-12)
    assert np.abs(path[-1]).max() < 0.5, "the way is short: the reference was turned onto the structure"
    assert np.allclose(np.diff(path, axis=0), path[1])


def test_a_path_has_as_many_force_calls_as_points(distorted):
    path = replay_path(distorted, molecule("C2H6"), 7)
    record = replay(Adapter(), EMT(), distorted.copy(), path, key=KEY)
    assert record.status == "converged"
    assert len(record.calculator_ns) == len(record.energies) == len(record.fmax) == 7
    assert min(record.calculator_ns) > 0
    assert record.energies[-1] < record.energies[0]


def test_the_energies_are_those_of_the_geometries(distorted):
    path = replay_path(distorted, molecule("C2H6"), 3)
    record = replay(Adapter(), EMT(), distorted.copy(), path, key=KEY)
    for energy, displacement in zip(record.energies, path, strict=True):
        atoms = distorted.copy()
        atoms.positions += displacement
        atoms.calc = EMT()
        assert energy == pytest.approx(atoms.get_potential_energy(), abs=1e-12)


def test_a_spent_budget_ends_a_path_after_at_least_one_call(distorted):
    path = replay_path(distorted, molecule("C2H6"), 5)
    record = replay(Adapter(), EMT(), distorted, path, key=KEY, deadline_ns=time.perf_counter_ns() - 1)
    assert (record.status, len(record.calculator_ns)) == ("censored", 1)


def test_what_goes_wrong_is_in_the_record_with_the_calls_before_it(distorted):
    class Broken(EMT):
        calls = 0

        def calculate(self, *arguments, **named):
            super().calculate(*arguments, **named)
            self.calls += 1
            if self.calls == 3:
                self.results["energy"] = float("nan")

    path = replay_path(distorted, molecule("C2H6"), 5)
    record = replay(Adapter(), Broken(), distorted, path, key=KEY)
    assert (record.status, record.failure.kind) == ("failed", "nan")
    assert len(record.calculator_ns) == 2

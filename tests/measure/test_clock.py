"""The clock around a force call, and what counts as warm."""

import time

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.emt import EMT

from bench.adapter import Adapter
from bench.measure.clock import WARM_UP_MOST, NotFinite, TimedCalculator, is_warm, warm_up


class Counting(Calculator):
    """A calculator that counts its evaluations and takes a known time."""

    implemented_properties = ("energy", "forces")

    def __init__(self, seconds=0.0, energy=1.0):
        super().__init__()
        self.evaluations = 0
        self.seconds = seconds
        self.energy = energy

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        self.evaluations += 1
        end = time.perf_counter() + self.seconds
        while time.perf_counter() < end:
            pass
        self.results = {"energy": self.energy, "forces": np.ones((len(atoms), 3))}


def timed(calculator):
    atoms = Atoms("H2", [(0, 0, 0), (0, 0, 0.8)])
    atoms.calc = TimedCalculator(calculator, lambda: None)
    return atoms


def test_a_geometry_is_one_force_call_however_often_an_optimiser_asks():
    inner = Counting()
    atoms = timed(inner)
    for _ in range(3):
        atoms.get_forces()
        atoms.get_potential_energy(force_consistent=True)
    assert (atoms.calc.calls, inner.evaluations) == (1, 1)
    atoms.positions[0, 0] += 1e-9
    atoms.get_potential_energy()
    assert (atoms.calc.calls, inner.evaluations) == (2, 2)


def test_the_time_of_a_force_call_is_the_calculators_and_nothing_elses():
    atoms = timed(Counting(seconds=0.02))
    atoms.get_forces()
    after_one = atoms.calc.nanoseconds
    assert after_one >= 20_000_000
    atoms.get_forces()
    time.sleep(0.01)
    assert atoms.calc.nanoseconds == after_one


def test_the_device_is_synchronised_before_and_after_a_force_call():
    calls = []
    inner = Counting()
    atoms = timed(inner)
    atoms.calc.synchronize = lambda: calls.append(inner.evaluations)
    atoms.get_forces()
    assert calls == [0, 1]


def test_forces_and_energy_pass_through_unchanged():
    plain, wrapped = molecule("H2O"), molecule("H2O")
    plain.calc = EMT()
    wrapped.calc = TimedCalculator(EMT(), lambda: None)
    assert np.array_equal(plain.get_forces(), wrapped.get_forces())
    assert plain.get_potential_energy() == wrapped.get_potential_energy()


def test_a_nan_is_found():
    atoms = timed(Counting(energy=float("nan")))
    atoms.get_forces()
    with pytest.raises(NotFinite):
        atoms.calc.check()


@pytest.mark.parametrize(
    ("milliseconds", "warm"),
    [
        ([10, 10, 10, 10], False),  # too few to tell
        ([900, 10, 10, 10, 10], True),  # a slow first call, as with XLA
        ([900, 1200, 10, 10, 10], True),  # a slow second one too, as with TorchScript
        ([900, 1200, 400, 10, 10], False),  # and a third: one more call settles it
        ([900, 1200, 400, 10, 10, 10], True),
        ([10, 10, 10, 10, 30], False),
    ],
)
def test_warm_means_that_the_last_three_calls_are_near_the_fastest(milliseconds, warm):
    assert is_warm([value * 1_000_000 for value in milliseconds]) is warm


def test_warming_up_is_capped_where_calls_never_settle():
    assert not is_warm([10, 20] * 5)
    assert is_warm([10, 20] * (WARM_UP_MOST // 2))


def test_warming_up_makes_fresh_calls_and_leaves_the_atoms_as_they_were():
    inner = Counting(seconds=0.001)
    atoms = molecule("H2O")
    before = atoms.positions.copy()
    durations = warm_up(Adapter(), inner, atoms, seed=0)
    assert len(durations) == inner.evaluations >= 5
    assert np.array_equal(atoms.positions, before)


def test_warming_up_stops_after_a_time():
    durations = warm_up(Adapter(), Counting(seconds=0.02), molecule("H2O"), seed=0, most_seconds=0.01)
    assert len(durations) == 1

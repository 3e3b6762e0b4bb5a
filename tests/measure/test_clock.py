"""The clock around a force call."""

import time

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.emt import EMT

from bench.measure.clock import NotFinite, TimedCalculator


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

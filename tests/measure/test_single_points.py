"""The accuracy protocol, on force fields whose forces and second derivatives are known."""

import gc
from time import perf_counter_ns
from types import SimpleNamespace

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.lj import LennardJones

from bench.adapter import Adapter
from bench.core.lines import from_json, to_json
from bench.core.message import Begins, Phase
from bench.core.task import Allowance, Item
from bench.measure import worker
from bench.measure.calls import STEP
from bench.measure.session import Deadlines
from bench.protocols.accuracy.measure import Measurer, single_point, vibrations

WATER = molecule("H2O")
POINT = {"method": "m", "device": "cpu", "round": 0, "structure": 4}
MOLECULE = {"method": "m", "device": "cpu", "round": 0, "molecule": 0}
NOISE = np.random.default_rng(3).normal(size=(9, 9))


def internal():
    """Return an orthonormal basis of the motions of water that are neither translations nor rotations."""
    arms = WATER.positions - WATER.positions.mean(axis=0)
    rigid = [np.broadcast_to(axis, arms.shape).ravel() for axis in np.eye(3)]
    rigid += [np.cross(axis, arms).ravel() for axis in np.eye(3)]
    return np.linalg.svd(np.array(rigid).T)[0][:, 6:]


def curvature(*force_constants):
    """Return a Hessian with these force constants of the three internal motions, eV/Angstrom^2."""
    return internal() @ np.diag(force_constants) @ internal().T


MINIMUM = curvature(20.0, 40.0, 50.0)


class Quadratic(Calculator):
    """An energy of second order about water's geometry; it keeps the atoms of each call."""

    implemented_properties = ("energy", "forces")

    def __init__(self, hessian=MINIMUM, wrong=lambda call, results: None):
        super().__init__()
        self.hessian, self.wrong = hessian, wrong
        self.given = []

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        self.given.append(atoms.copy())
        moved = (atoms.positions - WATER.positions).ravel()
        forces = -(self.hessian @ moved).reshape(-1, 3)
        self.results = {"energy": 0.5 * float(moved @ self.hessian @ moved) - 3.0, "forces": forces}
        self.wrong(len(self.given), self.results)


class Sure(Adapter):
    """Knows how uncertain it is."""

    def __init__(self, energy=0.02, forces=(0.1, 0.2, 0.3)):
        self.deviations = energy, forces

    def uncertainty(self, calculator, atoms):
        return self.deviations


class Analytic(Adapter):
    """Has a Hessian of its own."""

    def __init__(self, found):
        self.found = found

    def hessian(self, calculator, atoms):
        return self.found


def raises(call, results):
    raise RuntimeError("no convergence in the SCF cycle")


def is_nan(call, results):
    results["forces"] = results["forces"] * np.nan


def distorted():
    atoms = WATER.copy()
    atoms.rattle(0.05, seed=2)
    return atoms


def point(adapter=None, calculator=None):
    return single_point(adapter or Adapter(), calculator or Quadratic(), distorted(), key=POINT)


def vibrating(calculator=None, adapter=None, atoms=None, **changes):
    return vibrations(adapter or Adapter(), calculator or Quadratic(), atoms or distorted(), key=MOLECULE, **changes)


def test_a_single_point_has_the_energy_and_the_forces_at_the_geometry_itself():
    calculator, moved = Quadratic(), (distorted().positions - WATER.positions).ravel()
    record = point(calculator=calculator)
    assert (record.structure, record.status, record.failure) == (4, "done", None)
    assert record.energy == pytest.approx(0.5 * moved @ MINIMUM @ moved - 3.0)
    assert np.array(record.forces) == pytest.approx(-(MINIMUM @ moved).reshape(3, 3))
    assert len(calculator.given) == 1, "one force call, and no more"
    assert (record.energy_deviation, record.force_deviations) == (None, None)
    assert record.calculator_ns == 0, "the first call at a structure is no measure of others"


def test_a_timed_single_point_times_another_call_a_small_step_away_without_the_garbage_collector():
    collecting = []
    calculator = Quadratic(wrong=lambda call, results: collecting.append(gc.isenabled()))
    record = single_point(Adapter(), calculator, distorted(), key=POINT, seed=1)
    first, second = (one.positions for one in calculator.given)
    assert np.array(record.forces) == pytest.approx(np.array(point().forces)), "the answer is that of the structure"
    assert 0.1 * STEP < np.sqrt(((second - first) ** 2).mean()) < 2 * STEP
    assert collecting == [True, False]
    assert 0 < record.calculator_ns < record.wall_ns


def test_a_hessian_is_timed_without_the_garbage_collector():
    collecting = []
    vibrating(Quadratic(wrong=lambda call, results: collecting.append(gc.isenabled())))
    assert len(collecting) > 18
    assert not any(collecting[-18:])


def test_an_exception_in_a_single_point_is_a_record_without_an_answer():
    record = point(calculator=Quadratic(wrong=raises))
    assert (record.status, record.energy, record.forces) == ("failed", None, None)
    assert record.failure.kind == "calculator"
    assert "no convergence in the SCF cycle" in record.failure.message


def test_forces_that_are_not_numbers_are_a_failure_of_that_class():
    record = point(calculator=Quadratic(wrong=is_nan))
    assert (record.status, record.failure.kind, record.forces) == ("failed", "nan", None)


def test_the_uncertainty_that_a_method_knows_is_kept():
    record = point(Sure())
    assert record.energy_deviation == 0.02
    assert record.force_deviations == (0.1, 0.2, 0.3)


def test_an_uncertainty_that_is_not_a_number_is_left_out_and_the_answer_kept():
    record = point(Sure(np.nan, np.array([0.1, np.inf, 0.3])))
    assert (record.status, record.energy_deviation, record.force_deviations) == ("done", None, None)
    assert record.forces is not None


def test_an_uncertainty_that_cannot_be_had_leaves_the_answer_and_says_why():
    class Unsure(Adapter):
        def uncertainty(self, calculator, atoms):
            raise RuntimeError("its committee is missing")

    record = point(Unsure())
    assert (record.status, record.energy, record.forces) == ("done", point().energy, point().forces)
    assert (record.energy_deviation, record.force_deviations) == (None, None)
    assert record.failure.kind == "calculator"
    assert "its committee is missing" in record.failure.message


@pytest.mark.parametrize("made", [lambda: point(Sure()), lambda: point(calculator=Quadratic(wrong=raises)), vibrating])
def test_a_record_survives_the_way_through_a_file(made):
    record = made()
    again = from_json(to_json(record))
    assert to_json(again) == to_json(record)
    assert again.failure == record.failure


def test_the_hessian_of_a_quadratic_energy_is_its_matrix_at_its_minimum():
    record = vibrating()
    assert (record.status, record.source, record.failure) == ("converged", "central differences", None)
    assert record.fmax < 0.001
    assert record.energy == pytest.approx(-3.0, abs=1e-6)
    assert record.steps > 0
    assert np.array(record.hessian) == pytest.approx(MINIMUM, abs=1e-8)


def test_the_force_constant_of_a_dimer_is_that_of_the_lennard_jones_potential():
    dimer = Atoms("Ar2", positions=[(0, 0, 0), (0, 0, 3.3)])
    record = vibrating(LennardJones(sigma=3.0, epsilon=0.5, rc=60.0), atoms=dimer)
    assert record.status == "converged"
    assert np.ptp(np.array(record.positions)[:, 2]) == pytest.approx(3.0 * 2 ** (1 / 6), abs=1e-3)
    # V'' = 36 * 2^(2/3) eps / sigma^2 at the minimum
    assert np.array(record.hessian)[2, 2] == pytest.approx(36 * 2 ** (2 / 3) * 0.5 / 9.0, rel=2e-3)


def test_a_hessian_takes_six_force_calls_an_atom_and_tells_each():
    calculator, beats = Quadratic(), []
    record = vibrating(calculator, atoms=WATER.copy(), beat=beats.append)
    assert record.steps == 0
    assert record.force_calls == 18
    moved = [np.abs(one.positions - WATER.positions).max() for one in calculator.given]
    assert sum(distance > 1e-6 for distance in moved) == 18
    assert beats[-18:] == [*range(1, 19)]
    assert 0 < record.hessian_ns < record.wall_ns


def test_displaced_atoms_have_the_charge_and_the_box_that_the_method_was_given():
    calculator, atoms = Quadratic(), WATER.copy()
    atoms.info["charge"] = -1
    atoms.cell = (9, 9, 9)
    vibrating(calculator, atoms=atoms)
    assert {(one.info.get("charge"), round(one.cell.volume)) for one in calculator.given} == {(-1, 729)}


def test_a_hessian_is_kept_as_it_was_computed_and_not_made_symmetric():
    skew = MINIMUM + 0.1 * (NOISE - NOISE.T)
    record = vibrating(Quadratic(skew), atoms=WATER.copy())
    assert np.array(record.hessian) == pytest.approx(skew, abs=1e-8)


def test_the_hessian_that_a_method_has_itself_is_taken_at_once():
    calculator, own = Quadratic(), NOISE + NOISE.T
    record = vibrating(calculator, Analytic(own), atoms=WATER.copy())
    assert (record.status, record.source, record.force_calls) == ("converged", "native", None)
    assert np.array(record.hessian) == pytest.approx(own)
    assert all((one.positions == WATER.positions).all() for one in calculator.given)
    assert record.hessian_ns > 0


def test_a_hessian_that_is_not_finite_is_a_failure():
    record = vibrating(adapter=Analytic(np.full((9, 9), np.nan)))
    assert (record.status, record.failure.kind, record.hessian) == ("failed", "nan", None)


def test_a_relaxation_that_runs_out_of_time_is_censored_without_a_hessian():
    record = vibrating(deadline_ns=0)
    assert (record.status, record.hessian, record.force_calls) == ("censored", None, None)
    assert (record.steps, record.source, record.failure) == (1, "", None)


def test_a_hessian_that_runs_out_of_time_is_censored_and_the_minimum_kept():
    calculator = Quadratic()
    record = vibrating(calculator, atoms=WATER.copy(), deadline_ns=0)
    assert (record.status, record.hessian) == ("censored", None)
    assert np.array(record.positions) == pytest.approx(WATER.positions)
    assert record.energy == pytest.approx(-3.0)
    assert all((one.positions == WATER.positions).all() for one in calculator.given), "no call comes after its end"


def test_forces_that_never_vanish_end_at_the_step_cap_and_imaginary_modes_are_kept():
    noise = np.random.default_rng(5)

    def wrong(call, results):
        results["forces"] = results["forces"] + noise.normal(0.0, 0.01, (3, 3))

    record = vibrating(Quadratic(curvature(-30.0, 40.0, 50.0), wrong=wrong), atoms=WATER.copy())
    assert (record.status, record.steps, record.failure) == ("step-cap", 500, None)
    assert record.fmax > 0.001
    assert np.linalg.eigvalsh(np.array(record.hessian) + np.array(record.hessian).T)[0] / 2 == pytest.approx(-30, abs=2)


def test_a_relaxation_that_fails_is_a_record_with_the_reason():
    record = vibrating(Quadratic(wrong=raises))
    assert (record.status, record.hessian, record.energy) == ("failed", None, None)
    assert record.failure.kind == "calculator"
    assert "no convergence in the SCF cycle" in record.failure.message


def test_a_hessian_that_fails_half_way_is_a_failure_and_not_half_a_hessian():
    def wrong(call, results):
        if call > 10:
            is_nan(call, results)

    record = vibrating(Quadratic(wrong=wrong), atoms=WATER.copy())
    assert (record.status, record.failure.kind, record.hessian, record.force_calls) == ("failed", "nan", None, None)
    assert np.array(record.positions) == pytest.approx(WATER.positions)


def test_once_an_item_was_left_out_each_later_one_is_announced(monkeypatch):
    left_out = {1}

    class Some:
        def __init__(self, session, deadlines):
            pass

        def measure(self, item):
            return None if item.number in left_out else f"record {item.number}"

    said = []
    channel = SimpleNamespace(say=said.append, send=said.append)
    session = SimpleNamespace(
        channel=channel,
        task=SimpleNamespace(allowances={}, answers=(), revisits=False),
        pace=None,
        turn_to=lambda index: None,
    )
    monkeypatch.setattr("bench.measure.measurers.measurer", lambda name: Some)
    points = [Item("single-point", number) for number in range(4)]
    worker._phase(session, "accuracy", [*points, Item("vibrations", 0)])
    assert said == [
        Phase("accuracy"),
        "record 0",
        Begins("single-point", 2),
        "record 2",
        Begins("single-point", 3),
        "record 3",
        Begins("vibrations", 0),
        "record 0",
    ]


def test_minima_share_the_time_that_is_left():
    items = (("single-point", 0), ("vibrations", 0), ("vibrations", 3), ("vibrations", 7))
    measurer = Measurer(SimpleNamespace(task=SimpleNamespace(items=items)), Deadlines(Allowance(end_s=60.0)))
    parts = [(measurer._end_of_minimum() - perf_counter_ns()) * 1e-9 for _ in range(3)]
    assert parts == pytest.approx([20.0, 30.0, 60.0], abs=1.0), "the first two took no time"
    unlimited = Measurer(SimpleNamespace(task=SimpleNamespace(items=items)), Deadlines(Allowance()))
    assert unlimited._end_of_minimum() is None

"""The replay protocol: the same geometries for every method."""

import statistics
import time

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.emt import EMT
from ase.optimize import BFGS

from bench.adapter import Adapter
from bench.data.selection import replay_path
from bench.measure.relax import relax
from bench.protocols.replay.measure import STEPPED, replay, warm_up

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


def test_a_structure_that_is_the_reference_itself_has_a_path_too():
    """As the first structure of a user's file is; a calculator would answer a second call there from its memory."""
    for atoms in (molecule("C2H6"), Atoms("H", [(1.0, 2.0, 3.0)])):
        path = replay_path(atoms, atoms.copy(), 5)
        assert np.abs(path[0]).max() == 0
        assert (np.abs(np.diff(path, axis=0)).max(axis=(1, 2)) > 1e-4).all()
        assert np.abs(path).max() < 0.1

    calculator, itself = Slow(), molecule("C2H6")
    record = replay(Adapter(), calculator, itself, replay_path(itself, itself.copy(), 5), key=KEY)
    assert calculator.calls == 5
    assert min(record.calculator_ns) >= CALL * 1e9


class Rounding(EMT):
    """Takes geometries that differ by less than 0.01 Angstrom for one and the same, and counts its calls."""

    calls = 0

    def check_state(self, atoms, tol=1e-15):
        return super().check_state(atoms, 0.01)

    def calculate(self, *arguments, **named):
        super().calculate(*arguments, **named)
        self.calls += 1


@pytest.mark.parametrize("optimizer", [None, STEPPED["BFGS"]], ids=["calls", "steps"])
def test_no_point_is_timed_that_made_no_call(distorted, optimizer):
    path = replay_path(distorted, molecule("C2H6"), 5)
    twice = np.repeat(path, 2, axis=0)  # every second point is known already
    record = replay(Adapter(), Slow(), distorted.copy(), twice, key=KEY, optimizer=optimizer)
    assert (record.status, len(record.calculator_ns)) == ("converged", 5)
    assert min(record.calculator_ns) >= CALL * 1e9

    calculator = Rounding()
    fine = np.linspace(0, 1, 50)[:, None, None] * path[-1]
    record = replay(Adapter(), calculator, distorted.copy(), fine, key=KEY, optimizer=optimizer)
    assert calculator.calls == len(record.calculator_ns) < 50


def test_a_method_that_never_computes_has_failed(distorted):
    class Known(EMT):
        def calculation_required(self, atoms, properties):
            return False

    record = replay(Adapter(), Known(), distorted, replay_path(distorted, molecule("C2H6"), 5), key=KEY)
    assert (record.status, record.failure.kind) == ("failed", "calculator")
    assert "from its memory" in record.failure.message


CALL, UPDATE, WAIT = 0.01, 0.05, 0.12
"""Seconds that the force calls, the optimiser and the harness take in the following tests."""


def pause(seconds):
    """Take some time asleep: on a busy machine a process that computes is interrupted for longer."""
    time.sleep(seconds)


class Slow(Calculator):
    """Springs whose calls take a known time; it remembers where it was called."""

    implemented_properties = ("energy", "forces")
    calls = 0

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        self.calls += 1
        self.seen = [*getattr(self, "seen", []), atoms.positions.copy()]
        middle = np.linspace(0, 1, atoms.positions.size).reshape(-1, 3)
        away = atoms.positions - middle
        stiffness = np.linspace(1, 3, atoms.positions.size).reshape(-1, 3)
        pause(CALL)
        self.results = {"energy": float((stiffness * away**2).sum() / 2), "forces": -stiffness * away}


class SlowBFGS(BFGS):
    """Takes a known time for each step."""

    def step(self, *arguments):
        pause(UPDATE)
        return super().step(*arguments)


def test_the_times_of_the_call_and_of_the_optimiser_are_kept_apart_and_the_harness_is_in_neither(distorted):
    path = replay_path(distorted, molecule("C2H6"), 10)
    record = replay(
        *(Adapter(), Slow(), distorted, path),
        key=KEY,
        optimizer=SlowBFGS,
        beat=lambda calls: pause(WAIT),
        may_go_on=lambda: pause(WAIT) is None,
    )
    assert record.status == "converged"
    assert len(record.calculator_ns) == len(record.optimizer_ns) == 10
    calls, updates = ([ns / 1e9 for ns in times] for times in (record.calculator_ns, record.optimizer_ns))
    # the machine may be busy with something else in most of them
    assert CALL <= min(calls) < CALL + UPDATE / 2
    assert UPDATE <= min(updates) < UPDATE + WAIT / 2
    assert record.wall_ns / 1e9 > 10 * (CALL + UPDATE + 2 * WAIT)


def test_the_optimiser_makes_no_force_call_and_moves_nothing_for_good(distorted):
    path = replay_path(distorted, molecule("C2H6"), 6)
    start, calculator = distorted.positions.copy(), Slow()
    driven = replay(Adapter(), calculator, distorted, path, key=KEY, optimizer=BFGS)
    assert calculator.calls == 6
    assert np.array_equal(calculator.seen, start + path)
    assert distorted.calc is None
    again = molecule("C2H6")
    again.positions = start
    alone = replay(Adapter(), Slow(), again, path, key=KEY)
    assert (driven.energies, driven.fmax) == (alone.energies, alone.fmax)
    assert alone.optimizer_ns == ()


class Watched(BFGS):
    """Keeps the Hessian that it has after each step, and where it wanted to go."""

    hessians, wanted = [], []

    def step(self, *arguments):
        super().step(*arguments)
        self.hessians.append(self.H.copy())
        self.wanted.append(self.atoms.positions.copy())


def test_bfgs_along_a_path_has_the_hessian_of_a_bfgs_that_is_given_those_forces(distorted):
    start, path = distorted.positions.copy(), replay_path(distorted, molecule("C2H6"), 6)
    Watched.hessians, Watched.wanted = [], []
    replay(Adapter(), Slow(), distorted, path, key=KEY, optimizer=Watched)
    assert len(Watched.hessians) == 6
    # ASE's BFGS, put by hand where it is to be
    atoms = molecule("C2H6")
    atoms.calc = Slow()
    plain = BFGS(atoms, logfile=None)
    for hessian, wanted, displacement in zip(Watched.hessians, Watched.wanted, path, strict=True):
        atoms.positions = start + displacement
        plain.step()
        assert np.allclose(plain.H, hessian, rtol=1e-12)
        assert np.allclose(atoms.positions, wanted, rtol=1e-12)
    assert not np.allclose(Watched.hessians[-1], Watched.hessians[0])


def test_the_optimisers_share_is_that_of_a_relaxation(distorted):
    """The very loop of ASE runs in both."""
    warm_up(BFGS, distorted)
    path = replay_path(distorted, molecule("C2H6"), 20)
    along, relaxed = [], []
    for _ in range(5):
        record = replay(Adapter(), Slow(), distorted.copy(), path, key=KEY, optimizer=BFGS)
        along += record.optimizer_ns
        done = relax(*(Adapter(), Slow(), distorted.copy()), key=KEY, optimizer="BFGS", fmax=0.0, max_steps=20)
        relaxed += done.trace["optimizer_ns"][1:]
    quickest = [statistics.mean(sorted(times)[:20]) for times in (along, relaxed)]
    assert quickest[0] == pytest.approx(quickest[1], rel=0.3)


def test_an_optimiser_that_gives_up_leaves_the_force_calls(distorted):
    class GivesUp(BFGS):
        def step(self, *arguments):
            super().step(*arguments)
            if self.nsteps == 2:
                raise np.linalg.LinAlgError("Eigenvalues did not converge")

    calculator = Slow()
    path = replay_path(distorted, molecule("C2H6"), 6)
    record = replay(Adapter(), calculator, distorted, path, key=KEY, optimizer=GivesUp)
    assert (record.status, record.failure) == ("converged", None)
    assert len(record.calculator_ns) == calculator.calls == 6
    assert record.optimizer_ns == ()


def test_forces_that_move_nothing_do_not_stop_the_optimiser_on_its_path(distorted):
    class Still(Slow):
        def calculate(self, *arguments, **named):
            super().calculate(*arguments, **named)
            self.results["forces"] = np.zeros((8, 3))

    calculator = Still()
    path = replay_path(distorted, molecule("C2H6"), 6)
    record = replay(Adapter(), calculator, distorted, path, key=KEY, optimizer=BFGS)
    assert record.status == "converged"
    assert calculator.calls == len(record.calculator_ns) == 6


def test_a_spent_budget_and_a_failing_method_end_a_path_with_an_optimiser_in_the_same_way(distorted):
    path = replay_path(distorted, molecule("C2H6"), 5)
    spent = time.perf_counter_ns() - 1
    record = replay(Adapter(), Slow(), distorted.copy(), path, key=KEY, optimizer=BFGS, deadline_ns=spent)
    assert (record.status, len(record.calculator_ns), len(record.optimizer_ns)) == ("censored", 1, 1)
    turns = iter([True, True, False])
    record = replay(
        *(Adapter(), Slow(), distorted.copy(), path), key=KEY, optimizer=BFGS, may_go_on=lambda: next(turns)
    )
    assert (record.status, len(record.calculator_ns), len(record.optimizer_ns)) == ("censored", 2, 2)

    class Broken(Slow):
        def calculate(self, *arguments, **named):
            super().calculate(*arguments, **named)
            if self.calls == 3:
                raise RuntimeError("the neighbour list is full")

    record = replay(Adapter(), Broken(), distorted.copy(), path, key=KEY, optimizer=BFGS)
    assert (record.status, record.failure.kind, len(record.calculator_ns)) == ("failed", "calculator", 2)
    assert "neighbour list" in record.failure.message


def test_only_optimisers_that_ask_for_forces_once_in_a_step_walk_along_a_path():
    assert set(STEPPED) == {"BFGS"}

"""The relax protocol, on ASE's own EMT."""

import time

import numpy as np
import pytest
from ase.build import molecule
from ase.calculators.emt import EMT
from ase.optimize import BFGS

from bench.adapter import Adapter
from bench.measure.relax import largest_force, relax

KEY = {"method": "emt", "device": "cpu", "round": 0, "structure": 0}


class Plain(Adapter):
    """EMT; each structure gets a calculator of its own, as DFT adapters do."""

    def new_structure(self, calculator, atoms):
        return EMT()


class Broken(EMT):
    """Wrong from the third force call on."""

    def __init__(self, wrong):
        super().__init__()
        self.wrong = wrong
        self.calls = 0

    def calculate(self, *arguments, **named):
        super().calculate(*arguments, **named)
        self.calls += 1
        if self.calls > 2:
            self.wrong(self.results)


@pytest.fixture
def distorted():
    atoms = molecule("C2H6")
    atoms.rattle(0.1, seed=1)
    return atoms


def run(atoms, calculator=None, **changed):
    options = {"optimizer": "BFGS", "fmax": 0.05, "max_steps": 200, **changed}
    return relax(Plain(), calculator or EMT(), atoms, key=KEY, **options)


def test_it_does_the_steps_that_a_plain_ase_script_does(distorted):
    plain = distorted.copy()
    plain.calc = EMT()
    optimizer = BFGS(plain, logfile=None)
    optimizer.run(fmax=0.05)
    record = run(distorted)
    assert record.status == "converged"
    assert record.steps == optimizer.nsteps > 3
    assert np.allclose(record.positions, plain.positions, atol=1e-12)


def test_bfgs_makes_one_force_call_more_than_steps(distorted):
    record = run(distorted)
    assert record.force_calls == record.steps + 1
    assert set(record.trace["force_calls"]) == {1}


def test_conjugate_gradients_need_more_than_a_force_call_a_step(distorted):
    record = run(distorted, optimizer="CG")
    assert record.status == "converged"
    assert record.force_calls > 1.2 * record.steps


def test_the_shares_of_the_steps_add_up_to_the_wall_time(distorted):
    record = run(distorted)
    shares = sum(sum(record.trace[name]) for name in ("calculator_ns", "optimizer_ns", "harness_ns"))
    assert 0.9 * record.wall_ns < shares <= record.wall_ns
    assert min(record.trace["calculator_ns"]) > 0
    assert min(record.trace["optimizer_ns"]) > 0


def test_the_trace_has_an_entry_for_the_first_force_call_and_one_for_each_step(distorted):
    record = run(distorted)
    assert {len(column) for column in record.trace.values()} == {record.steps + 1}
    assert record.trace["energy"][-1] < record.trace["energy"][0]
    assert record.trace["fmax"][-1] < 0.05 < record.trace["fmax"][-2]


def test_the_final_force_is_computed_afresh(distorted):
    record = run(distorted)
    atoms = distorted.copy()
    atoms.calc = EMT()
    assert record.fmax == pytest.approx(largest_force(atoms.get_forces()), abs=1e-12)
    assert record.energy == pytest.approx(atoms.get_potential_energy(), abs=1e-12)


def test_the_step_cap_ends_a_relaxation_that_does_not_converge(distorted):
    record = run(distorted, max_steps=2)
    assert (record.status, record.steps) == ("step-cap", 2)
    assert record.fmax > 0.05


def test_a_spent_budget_cuts_a_relaxation_off_after_at_least_one_step(distorted):
    record = run(distorted, deadline_ns=time.perf_counter_ns() - 1)
    assert (record.status, record.steps) == ("censored", 1)
    assert len(record.trace["calculator_ns"]) == 2


def test_a_converged_structure_makes_no_step(distorted):
    run(distorted)
    record = run(distorted)
    assert (record.status, record.steps, record.force_calls) == ("converged", 0, 1)


def set_nan(results):
    results["forces"] = results["forces"] * np.nan


def fail(results):
    raise RuntimeError("the matrix\nis singular")


def run_out(results):
    raise MemoryError


@pytest.mark.parametrize(
    ("wrong", "kind", "says"),
    [
        (set_nan, "nan", "not finite in force call"),
        (fail, "calculator", "RuntimeError: the matrix is singular"),
        (run_out, "out-of-memory", "MemoryError"),
    ],
)
@pytest.mark.parametrize("optimizer", ["BFGS", "CG"])
def test_what_a_method_does_wrong_is_in_the_record_with_the_steps_before_it(distorted, optimizer, wrong, kind, says):
    record = run(distorted, Broken(wrong), optimizer=optimizer)
    assert (record.status, record.failure.kind) == ("failed", kind)
    assert says in record.failure.message
    assert len(record.trace["calculator_ns"]) >= 1


def test_garbage_is_collected_between_relaxations_and_not_in_them(distorted):
    import gc

    seen = []

    class Watching(EMT):
        def calculate(self, *arguments, **named):
            seen.append(gc.isenabled())
            super().calculate(*arguments, **named)

    run(distorted, Watching())
    assert not any(seen)
    assert gc.isenabled()

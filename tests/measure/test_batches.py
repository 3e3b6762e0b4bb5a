"""Batches: what is wrong in one is found, and molecules relaxed together take the steps that they take alone."""

import dataclasses
import itertools
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from ase.build import molecule
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms

from bench.adapter import Adapter, by_molecule
from bench.core.device import CPU
from bench.core.failure import Failure
from bench.core.plain import to_plain
from bench.core.records import CENSORED, DONE, FAILED
from bench.core.task import Allowance, Criterion, Item, Molecule, Structure, Subject, Task, Told
from bench.measure import process
from bench.measure.batches import WrongBatch, _Relaxation, check, compute, probe_of, relax_together
from bench.measure.clock import NotFinite
from bench.measure.conform import _batch
from bench.measure.relax import relax
from bench.measure.session import Deadlines
from bench.protocols.throughput import measure as throughput
from bench.protocols.throughput.measure import Measurer, Points
from bench.protocols.throughput.plan import PointPlan, points_of

SINGLY, FIRST, SECOND, FOURTH = 0, 1, 2, 3  # points: one after another, batches of 1, 2 and 4


class Together(Adapter):
    """EMT, one molecule after another, as a batch; subclasses spoil it."""

    def __init__(self):
        self.sizes = []

    def batched(self, calculator, structures):
        self.sizes.append(len(structures))
        return [self.answer(calculator, atoms, i) for i, atoms in enumerate(structures)]

    def answer(self, calculator, atoms, place):
        return calculator.get_potential_energy(atoms), calculator.get_forces(atoms)


class SwapsTwo(Together):
    def batched(self, calculator, structures):
        answers = super().batched(calculator, structures)
        return answers[:1] + answers[:0:-1]


class WrongForce(Together):
    def answer(self, calculator, atoms, place):
        energy, forces = super().answer(calculator, atoms, place)
        return energy, forces + (0.01 if place == 2 else 0.0)


class NotANumber(Together):
    def answer(self, calculator, atoms, place):
        return float("nan"), np.zeros((len(atoms), 3))


class TooFew(Together):
    def batched(self, calculator, structures):
        return super().batched(calculator, structures)[:-1]


class KeepsTheFirst(Together):
    """Answers for the molecules of the first batch of a size, whatever it is given later."""

    def batched(self, calculator, structures):
        first = vars(self).setdefault("first", {}).setdefault(len(structures), [atoms.copy() for atoms in structures])
        return super().batched(calculator, first)


class FailsFarAway(Together):
    """Fails where an optimiser has moved a molecule."""

    def answer(self, calculator, atoms, place):
        if min(np.abs(atoms.positions - image.positions).max() for image in images(5)) > 0.06:
            raise RuntimeError("too far away")
        return super().answer(calculator, atoms, place)


class Alone(Adapter):
    """Computes no batches."""


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Give each point little time; without a limit, none is cut off."""
    monkeypatch.setattr(throughput, "UNLIMITED_S", 0.1)


def images(count):
    made = [molecule("CH3OH") for _ in range(count)]
    for number, atoms in enumerate(made):
        atoms.rattle(0.05, seed=number)
    return made


def session_of(adapter, count=5, weights="none", optimizer="BFGS", seconds=None, cores=2):
    """Return what a worker has when its method is loaded, without the worker."""
    structures = dict(enumerate(images(count)))
    task = Task(
        "measure",
        Subject("x.py", "emt", "emt", CPU, "float64", threads=1, seed=0),
        told=Told(weights=weights),
        structures=tuple(Structure(number, Molecule.of(atoms)) for number, atoms in structures.items()),
        criterion=Criterion(optimizer, 0.05, 200),
        items=tuple(("throughput", one.point) for one in points_of(1, cores)),
        plans={"throughput": tuple(map(to_plain, points_of(1, cores)))},
        allowances={"throughput": Allowance(end_s=seconds)},
    )
    calculator = EMT()

    def fresh(structure):
        return adapter.prepare(structure.copy()), adapter.new_structure(calculator, structure)

    def relaxed(number, structure, max_steps, deadline_ns):
        atoms, fresh_one = fresh(structure)
        return relax(
            adapter,
            fresh_one,
            atoms,
            key={**task.key, "structure": number},
            optimizer=task.optimizer,
            fmax=0.05,
            max_steps=max_steps,
            deadline_ns=deadline_ns,
        )

    return SimpleNamespace(
        adapter=adapter,
        calculator=calculator,
        task=task,
        structures=structures,
        fresh=fresh,
        relax=relaxed,
        of_this_system=lambda: list(structures),
        beat=lambda number: lambda steps: None,
        pace=None,
    )


def points_at(session, deadlines=None):
    """Return what measures the points of a session's only system."""
    plans = session.task.plans_of("throughput", PointPlan)
    return Points(session, deadlines or Deadlines(session.task.allowances["throughput"]), plans)


def measured(session, *points):
    measurer = Measurer(session, Deadlines(session.task.allowances["throughput"]))
    return [measurer.measure(Item("throughput", point)) for point in points]


def test_a_right_batch_passes_and_repeats_structures_where_it_is_larger_than_their_number():
    adapter = Together()
    energy, force = check(probe_of(session_of(adapter, count=3)), size=8, known=3)
    assert (energy, force) == (pytest.approx(0.0, abs=1e-9), pytest.approx(0.0, abs=1e-9))
    assert adapter.sizes == [8]


def test_one_wrong_molecule_is_named_with_its_difference():
    with pytest.raises(
        WrongBatch, match=r"in a batch of 4, molecule 3 differs from its single call: up to 0 eV"
    ) as error:
        check(probe_of(session_of(WrongForce())), size=4, known=4)
    assert error.value.force == pytest.approx(0.01 * 3**0.5, rel=1e-6)
    check(probe_of(session_of(WrongForce())), size=2, known=4)  # the third place is not in it


def test_answers_in_another_order_are_found():
    with pytest.raises(WrongBatch, match="molecule 2"):
        check(probe_of(session_of(SwapsTwo())), size=4, known=4)


@pytest.mark.parametrize(("adapter", "error"), [(NotANumber, NotFinite), (TooFew, ValueError), (Alone, ValueError)])
def test_answers_that_are_missing_or_not_finite_are_refused(adapter, error):
    made = adapter()
    with pytest.raises(error):
        compute(made, EMT(), images(3))


def test_the_forces_of_all_atoms_are_dealt_out_in_order():
    water, methanol = molecule("H2O"), molecule("CH3OH")
    forces = np.arange(27.0).reshape(9, 3)
    found = by_molecule([1.0, 2.0], forces, [water, methanol])
    assert [energy for energy, _ in found] == [1.0, 2.0]
    assert np.array_equal(found[1][1], forces[3:])


def test_molecules_relaxed_together_take_the_steps_that_they_take_alone():
    session = session_of(Together())
    alone = [session.relax(number, atoms, 200, None) for number, atoms in session.structures.items()]
    assert {one.status for one in alone} == {"converged"}
    most = max(one.force_calls for one in alone)
    seen = []  # the first coordinate of each molecule in each batch
    original = session.adapter.batched

    def watched(calculator, structures):
        if len(seen) == most:
            raise KeyboardInterrupt
        seen.append([atoms.positions[0, 0] for atoms in structures])
        return original(calculator, structures)

    session.adapter.batched = watched
    queue = itertools.chain(session.structures.values(), itertools.repeat(session.structures[0]))
    with pytest.raises(KeyboardInterrupt):
        relax_together(session, 5, queue, until_ns=10**30)
    for place, one in enumerate(alone):
        assert seen[one.force_calls - 1][place] == pytest.approx(one.positions[0][0], abs=1e-6)
        if one.force_calls < most:  # another molecule takes its place
            assert seen[one.force_calls][place] == session.structures[0].positions[0, 0]


def test_a_block_of_relaxations_has_two_batches_even_where_its_time_is_over():
    session = session_of(Together())
    found = relax_together(session, 3, itertools.cycle(session.structures.values()), until_ns=0)
    assert found["relax_calls"] == (6,)


def test_molecules_that_do_not_converge_leave_after_the_last_step():
    session = session_of(Together())
    session.task = dataclasses.replace(session.task, criterion=Criterion("BFGS", 1e-9, 3))
    taken = []

    def queue():
        for number in itertools.count():
            taken.append(number)
            yield session.structures[number % 5]

    found = relax_together(session, 2, queue(), until_ns=0)
    assert (found["relaxed"], len(taken)) == ((0,), 2)
    session.task = dataclasses.replace(session.task, criterion=Criterion("BFGS", 1e-9, 1))
    taken.clear()
    relax_together(session, 2, queue(), until_ns=0)
    assert len(taken) == 4, "after one step, which is two force calls, both places are free"


def test_a_series_of_batches_has_a_record_for_each_size_and_single_calls_in_turn():
    single, first, second = measured(session_of(Together()), SINGLY, FIRST, SECOND)
    assert [one.status for one in (single, first, second)] == [DONE] * 3
    assert (first.size, second.size) == (1, 2)
    assert second.force_calls[0] % 2 == 0
    assert second.single_calls > 0
    assert second.single_ns > 0
    assert single.relaxed[0] == sum(single.ended["converged"]) > 0
    assert single.relax_calls[0] == sum(single.ended["force_calls"])
    assert second.relax_calls[0] >= 4
    assert second.force_difference == pytest.approx(0.0, abs=1e-9)


def test_a_wrong_batch_ends_the_series_and_keeps_the_difference():
    _, second, fourth, after = measured(session_of(WrongForce()), FIRST, SECOND, FOURTH, FOURTH + 1)
    assert second.status == DONE
    assert (fourth.status, fourth.failure.kind) == (FAILED, "batch")
    assert fourth.force_difference > 1e-3
    assert not fourth.force_calls
    assert after is None


def test_a_batch_that_keeps_its_first_geometries_is_found():
    first, second = measured(session_of(KeepsTheFirst()), SINGLY, SECOND)
    assert first.status == DONE
    assert (second.status, second.failure.kind) == (FAILED, "batch")


def test_a_relaxation_that_fails_in_a_batch_leaves_the_figures_of_its_force_calls():
    _, second = measured(session_of(FailsFarAway()), SINGLY, SECOND)
    assert second.status == DONE
    assert second.force_calls[0] > 0
    assert second.relax_ns == ()
    assert second.failure == Failure("calculator", "RuntimeError: too far away")


def test_an_adapter_without_batches_says_so_once():
    single, first, second = measured(session_of(Alone()), SINGLY, FIRST, SECOND)
    assert single.status == DONE
    assert (first.status, first.failure.kind) == (FAILED, "no-batch")
    assert second is None


@pytest.mark.parametrize("known", [{"batch_s": 1.0}, {"setup_s": 9.0}], ids=["slow", "compiled anew"])
def test_a_batch_that_would_not_end_in_time_is_not_begun(known):
    adapter = Together()
    session = session_of(adapter, seconds=2.0)
    measurer = points_at(session)
    vars(measurer).update(known)
    record = measurer.measure(Item("throughput", FOURTH))
    assert (record.status, record.failure) == (CENSORED, None)
    assert 4 not in adapter.sizes


def test_a_batch_for_which_memory_lacks_is_not_begun(monkeypatch):
    adapter = Together()
    session = session_of(adapter)
    measurer = points_at(session)
    peaks = iter([10**9, 10**9, 3 * 10**9, 3 * 10**9, 3 * 10**9, 3 * 10**9])
    monkeypatch.setattr(process, "peak_memory", lambda: next(peaks))
    monkeypatch.setattr(process, "free_memory", lambda: 2 * 10**9)
    first, second = (measurer.measure(Item("throughput", point)) for point in (FIRST, SECOND))
    assert first.status == DONE
    assert (second.status, second.failure.kind) == (FAILED, "out-of-memory")
    assert second.failure.message == "a batch of 2 would need about 2.0 GB more; 2.0 GB are free"
    assert 2 not in adapter.sizes


def test_random_weights_relax_nothing():
    single, second = measured(session_of(Together(), weights="random"), SINGLY, SECOND)
    assert single.force_calls[0] > 0
    assert second.force_calls[0] > 0
    assert single.relax_ns == second.relax_ns == ()


def test_conjugate_gradients_are_relaxed_one_after_another_only():
    single, second = measured(session_of(Together(), optimizer="CG"), SINGLY, SECOND)
    assert single.relaxed[0] > 0
    assert (second.status, second.relax_ns) == (DONE, ())


def test_rounds_begin_at_different_structures():
    orders = []
    for number in range(3):
        session = session_of(Together(), count=6)
        session.task = dataclasses.replace(session.task, round=number)
        orders.append(points_at(session, Deadlines(Allowance())).order)
    assert [order[0] for order in orders] == [0, 2, 4]
    assert all(sorted(order) == list(range(6)) for order in orders)


def test_the_free_memory_is_read_where_the_system_tells():
    free = process.free_memory()
    assert free is None or 0 < free < 10**15
    assert (free is None) == (not Path("/proc/meminfo").exists())


@pytest.mark.parametrize(("adapter", "passed"), [(Together, True), (SwapsTwo, False)])
def test_the_conformance_kit_compares_a_batch(adapter, passed):
    assert _batch(probe_of(session_of(adapter(), count=2))).passed is passed


def test_atoms_that_do_not_move_stay_and_their_forces_do_not_count():
    structure = images(1)[0]
    structure.set_constraint(FixAtoms([0]))
    forces = np.zeros((len(structure), 3))
    forces[:2] = (0.0, 0.0, 1.0)
    one = _Relaxation(structure.copy(), structure)
    before = structure.positions.copy()
    assert not one.ends(forces, 0.05, 10)
    assert one.given.positions[0] == pytest.approx(before[0])
    assert one.given.positions[1, 2] > before[1, 2]
    forces[1] = 0.0
    assert one.ends(forces, 0.05, 10), "only the fixed atom has a force"


def test_systems_share_the_time_of_a_worker_and_what_one_leaves_goes_to_the_others():
    session = session_of(Together(), seconds=3.0)
    plans = [plan for start in (0, 2, 4) for plan in points_of(1, 2, start)]
    session.task = dataclasses.replace(session.task, plans={"throughput": tuple(map(to_plain, plans))})
    measurer = Measurer(session, Deadlines(Allowance(end_s=3.0)))
    first, second, third = (measurer._share() for _ in range(3))
    assert first.seconds == pytest.approx(1.0, abs=0.2)
    assert second.seconds == pytest.approx(1.5, abs=0.2), "the first took no time"
    assert third is measurer.deadlines

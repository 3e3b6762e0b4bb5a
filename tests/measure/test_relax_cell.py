"""Relaxations of cells, on ASE's own EMT."""

import numpy as np
import pytest
from ase.build import bulk, fcc111
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms
from ase.filters import FrechetCellFilter
from ase.optimize import BFGS

from bench.adapter import Adapter
from bench.core.task import OptimizerFile
from bench.environments.optimizers import optimizers
from bench.measure.clock import NotFinite, TimedWithStress
from bench.measure.optimizers import Optimizers
from bench.measure.relax import relax

KEY = {"method": "emt", "device": "cpu", "round": 0, "structure": 0}


class Plain(Adapter):
    """EMT; each structure gets a calculator of its own."""

    def new_structure(self, calculator, atoms):
        return EMT()


class Counting(EMT):
    """Counts its evaluations."""

    calls = 0

    def calculate(self, *arguments, **named):
        super().calculate(*arguments, **named)
        self.calls += 1


def copper():
    atoms = bulk("Cu", cubic=True, a=3.7)
    atoms.set_cell(atoms.cell.array @ np.diag([1.0, 1.02, 0.99]), scale_atoms=True)
    atoms.rattle(0.05, seed=1)
    return atoms


def run(atoms, calculator=None, **changed):
    options = {"optimizer": "BFGS", "fmax": 0.005, "max_steps": 200, "periodic": True, "relax_cell": True, **changed}
    return relax(Plain(), calculator or EMT(), atoms, key=KEY, **options)


def test_the_cell_relaxes_to_the_lattice_constant_of_the_method():
    atoms = copper()
    before = atoms.get_volume()
    record = run(atoms)
    assert record.status == "converged"
    lengths = np.linalg.norm(record.cell, axis=1)
    assert lengths == pytest.approx([3.590] * 3, abs=0.005)  # EMT's own for copper
    assert record.volume_change == pytest.approx(abs(np.linalg.det(record.cell)) / before - 1)
    assert record.volume_change < -0.05
    assert record.fmax < 0.01


def test_it_does_the_steps_that_a_plain_ase_script_does():
    plain, atoms = copper(), copper()
    plain.calc = EMT()
    optimizer = BFGS(FrechetCellFilter(plain), logfile=None)
    optimizer.run(fmax=0.005)
    record = run(atoms)
    assert record.steps == optimizer.nsteps > 3
    assert np.allclose(record.cell, plain.cell.array, atol=1e-10)
    assert np.allclose(record.positions, plain.positions, atol=1e-10)


def test_a_force_call_is_one_evaluation_with_stress_forces_and_energy():
    calculator = Counting()
    record = run(copper(), calculator)
    assert calculator.calls == record.force_calls == record.steps + 1


def test_an_atom_that_cannot_move_does_not_hide_that_its_cell_does():
    atoms = bulk("Cu", a=3.7)  # one atom at the origin
    record = run(atoms)
    assert record.status == "converged"
    assert record.steps > 1
    assert record.trace["fmax"][0] > 0.1 > record.trace["fmax"][-1]
    assert record.energy < record.trace["energy"][0] - 0.01


def test_the_trace_converges_where_the_optimiser_does():
    record = run(copper(), fmax=0.02)
    assert record.trace["fmax"][-1] < 0.02 <= record.trace["fmax"][-2]


def test_a_slab_keeps_its_height():
    slab = fcc111("Cu", (1, 1, 3), a=3.7, vacuum=6.0)
    assert slab.pbc.tolist() == [True, True, False]
    before = slab.cell.array.copy()
    record = run(slab)
    assert record.status == "converged"
    assert np.allclose(np.array(record.cell)[2], before[2])
    assert np.allclose(np.array(record.cell)[:, 2], before[:, 2])
    areas = [np.linalg.norm(np.cross(cell[0], cell[1])) for cell in (np.array(record.cell), before)]
    assert record.volume_change == pytest.approx(areas[0] / areas[1] - 1)
    assert record.volume_change < -0.03


def test_fixed_atoms_keep_their_place_relative_to_the_cell():
    atoms = copper()
    atoms.set_constraint(FixAtoms([0, 2]))
    before = atoms.get_scaled_positions()
    record = run(atoms)
    assert record.status == "converged"
    after = np.linalg.solve(np.array(record.cell).T, np.array(record.positions).T).T
    moved = after - before - np.round(after - before)  # scaled positions are wrapped
    assert np.abs(moved[[0, 2]]).max() < 1e-9
    assert np.abs(moved[[1, 3]]).max() > 1e-3


def test_a_cell_that_is_not_to_relax_is_not_in_the_record():
    record = run(copper(), relax_cell=False)
    assert record.cell is record.volume_change is None


def test_a_stress_that_is_not_finite_fails():
    class Wrong(EMT):
        def get_stress(self, atoms):
            return np.full(6, np.nan)

    record = run(copper(), Wrong())
    assert record.status == "failed"
    assert record.failure.kind == "nan"
    assert "stress" in record.failure.message


def test_a_method_without_stress_is_a_failure_of_its_own():
    from ase.calculators.lj import LennardJones

    class NoStress(LennardJones):
        implemented_properties = ("energy", "forces")

    record = run(copper(), NoStress(sigma=2.3, rc=5.0))
    assert record.status == "failed"
    assert record.failure.kind == "calculator"


def test_the_clock_asks_again_where_only_the_cell_has_changed():
    atoms = bulk("Cu", a=3.7)
    timed = TimedWithStress(EMT(), lambda: None)
    first = timed.get_stress(atoms)
    assert timed.calls == 1
    atoms.set_cell(0.98 * atoms.cell.array)  # the atom stays at the origin
    assert not np.allclose(timed.get_stress(atoms), first)
    assert timed.calls == 2
    timed.check()
    timed.calculator.stress = np.array([np.inf] * 6)
    with pytest.raises(NotFinite):
        timed.check()


@pytest.mark.parametrize("name", [name for name, one in optimizers().items() if one.cell])
def test_every_optimiser_that_says_so_relaxes_a_cell(name):
    file = OptimizerFile(name, str(optimizers()[name].header.path))
    record = run(copper(), optimizer=name, make=Optimizers([file]).make, max_steps=400)
    assert record.status == "converged", record.failure
    assert np.linalg.norm(record.cell, axis=1) == pytest.approx([3.590] * 3, abs=0.01)

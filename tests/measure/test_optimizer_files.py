"""Optimisers from files: one's own is a file, what it lacks is a failure, and bonds that changed are counted."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from ase.calculators.calculator import Calculator, all_changes
from ase.constraints import FixAtoms

from bench.adapter import Minimizer
from bench.core.task import OptimizerFile
from bench.measure.bonding import changed_bonds
from bench.measure.optimizers import NoOptimizer, Optimizers


class Bowl(Calculator):
    """A harmonic bowl around a point."""

    implemented_properties = ("energy", "forces")

    def calculate(self, atoms=None, properties=None, system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        away = self.atoms.positions - 1.0
        self.results = {"energy": 0.5 * float((away**2).sum()), "forces": -away}


class HalfWay(Minimizer):
    """Goes half of the way at each step."""

    def minimize(self):
        positions = self.atoms.positions.copy()
        while True:
            _, forces = self.evaluate(positions)
            positions = positions + 0.5 * forces


class GivesUp(Minimizer):
    """Ends by itself."""

    def minimize(self):
        self.evaluate(self.atoms.positions)


def bowl():
    atoms = Atoms("H2", positions=[[0, 0, 0], [3, 0, 0]])
    atoms.calc = Bowl()
    return atoms


def test_an_optimiser_that_only_asks_for_forces_runs_as_those_of_ase_do():
    driver, seen = HalfWay(bowl()), []
    driver.attach(lambda: seen.append(1))
    assert driver.run(fmax=0.01, steps=50)
    # the largest force is sqrt(6) at first and halves at each step
    assert len(seen) == 1 + int(np.ceil(np.log2(np.sqrt(6) / 0.01)))
    assert not HalfWay(bowl()).run(fmax=0.01, steps=3)
    with pytest.raises(RuntimeError, match="ended by itself"):
        GivesUp(bowl()).run(fmax=0.01, steps=3)


def test_ones_own_optimiser_is_a_file(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("def make(name, atoms):\n    return (name, len(atoms))\n")
    made = Optimizers([OptimizerFile("Mine", str(file))]).make("Mine", bowl())
    assert made == ("Mine", 2)


def test_what_cannot_be_used_says_why(tmp_path):
    with pytest.raises(NoOptimizer, match="no optimiser 'Other'"):
        Optimizers().make("Other", bowl())
    with pytest.raises(NoOptimizer, match="no network"):
        Optimizers([OptimizerFile("A", "a.py", obstacle="no network")]).make("A", bowl())
    foreign = str(tmp_path / "python2.7" / "site-packages")
    with pytest.raises(NoOptimizer, match=r"its packages are for python2\.7"):
        Optimizers([OptimizerFile("A", "a.py", packages=foreign)]).make("A", bowl())


def test_bonds_that_a_relaxation_made_or_broke_are_counted_and_stretched_ones_are_not():
    water = molecule("H2O")
    before = water.positions.copy()
    assert changed_bonds(water.numbers, before, before) == 0
    stretched = before.copy()
    stretched[1] = before[0] + 1.35 * (before[1] - before[0])
    assert changed_bonds(water.numbers, before, stretched) == 0
    broken = before.copy()
    broken[1] = before[0] + 2.0 * (before[1] - before[0])
    assert changed_bonds(water.numbers, before, broken) == 1
    assert changed_bonds(water.numbers, broken, before) == 1
    assert changed_bonds(water.numbers, before, np.zeros((3, 3))) == 1, "the hydrogens came together"
    assert changed_bonds(water.numbers, before, np.full((3, 3), np.nan)) is None


def test_an_optimiser_for_free_molecules_is_given_no_others_whatever_box_a_method_makes():
    found = Optimizers([OptimizerFile("Internal", "a.py", free=True), OptimizerFile("Any", "a.py")])
    boxed = Atoms("H2", cell=[20, 20, 20], pbc=True)
    found.check("Internal", molecule("H2O"))
    found.check("Any", boxed)
    with pytest.raises(NoOptimizer, match="Internal relaxes free molecules"):
        found.check("Internal", boxed)
    held = molecule("H2O")
    held.set_constraint(FixAtoms([0]))
    with pytest.raises(NoOptimizer, match="without fixed atoms"):
        found.check("Internal", held)

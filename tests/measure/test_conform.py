"""The conformance kit: a right method passes, and each way to go wrong is caught by the check that is there for it."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.emt import EMT

from bench.adapter import Adapter, charge_and_spin
from bench.core.message import from_json, to_json
from bench.measure.conform import conform
from bench.measure.physics import automorphism, bonds

FACTS = {
    "method": "toy",
    "device": "cpu",
    "dtype": "float64",
    "threads": 2,
    "conservative": True,
    "native": False,
    "parameters": 3,
    "weights": "none",
    "charge": False,
    "spin": False,
    "periodic": False,
}
PREPARE = "prepare() keeps the molecule"
SHAPES = "energy and forces have their types and shapes"
FINITE = "energy and forces are finite"
REPEATS = "the same answer comes twice"
LEFT = "nothing is left over from another molecule"
MUTATED = "a force call leaves the atoms alone"
EVALUATED = "a geometry is evaluated once"
DERIVATIVE = "forces are minus the energy's derivative"
UNITS = "units are eV and Angstrom"
PERMUTED = "like atoms can change places"
SHIFTED = "a shift changes nothing"
ROTATED = "a rotation only turns the forces"
MIRRORED = "a mirror image"
CELL = "twice the cell, twice the energy"
STRESS = "the stress is the derivative"
TOGETHER = "a batch gives the answers of single calls"
CHARGE = "the charge reaches the method"
SPIN = "the spin multiplicity reaches the method"
TF32 = "TF32 is as the settings say"
NATIVE = "its own relaxation goes downhill"
SETTINGS = "settings are plain JSON"
DTYPE = "the dtype is the declared one"
THREADS = "threads are as asked"
PARAMETERS = "the number of parameters is the published one"
DEVICE = "the device is as asked"


class Springs(Calculator):
    """Pairs that repel and attract smoothly: right in every respect; subclasses spoil it."""

    implemented_properties = ("energy", "forces")
    well = 3.0  # eV
    width = 2.0  # 1/Angstrom

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        energy, forces = self.surface(atoms)
        self.results = {"energy": energy, "forces": forces}

    def surface(self, atoms):
        vectors = atoms.get_all_distances(vector=True)
        lengths = np.linalg.norm(vectors, axis=-1) + np.eye(len(atoms))
        well = self.well * self.weights(len(atoms)) * ~np.eye(len(atoms), dtype=bool)
        decay = np.exp(-self.width * (lengths - 1.2))
        energy = 0.5 * (well * (decay**2 - 2 * decay)).sum()
        slope = 2 * self.width * well * (decay - decay**2)
        return float(energy), ((slope / lengths)[..., None] * vectors).sum(axis=1)

    def weights(self, count):
        return np.ones((count, count))


class Toy(Adapter):
    """The adapter of the toys."""

    def count_parameters(self):
        return 3

    def settings(self):
        return {"parameter_dtypes": ["float64"], "device": "cpu", "threads": 1}


def distorted(count=2):
    structures = []
    for seed in range(count):
        structures.append(molecule("CH3CH2OH"))
        structures[-1].rattle(0.08, seed=seed)
    return structures


def check(calculator, adapter=None, structures=None, **facts):
    """Return the outcomes by name; all of them have to survive the pipe."""
    adapter = adapter or Toy()
    if adapter.reference is None:
        adapter.reference = molecule("CH3CH2OH")
    found = list(conform(adapter, calculator, structures or distorted(), {**FACTS, **facts}))
    assert [from_json(to_json(one)) for one in found] == found
    assert all(bool(one.advice) == (one.passed is False) for one in found)
    return {one.name: one for one in found}


def failed(found):
    return [name for name, one in found.items() if one.passed is False]


def test_a_right_method_passes():
    found = check(Springs())
    assert failed(found) == []
    assert [name for name, one in found.items() if one.passed is None] == [CELL, STRESS, TOGETHER, CHARGE, SPIN, TF32]
    assert NATIVE not in found


def test_emt_passes():
    reference = Atoms("Cu4", [(0, 0, 0), (2.4, 0, 0), (1.2, 2.1, 0), (1.2, 0.7, 2.0)])
    structures = [reference.copy(), reference.copy()]
    for seed, structure in enumerate(structures):
        structure.rattle(0.1, seed=seed)
    adapter = Toy()
    adapter.reference = reference
    found = check(EMT(), adapter, structures)
    assert failed(found) == []
    assert "rms force" in found[UNITS].figure


def test_one_structure_is_enough():
    assert failed(check(Springs(), structures=distorted(1))) == []


class MarksAtoms(Springs):
    def get_forces(self, atoms):
        atoms.info["seen"] = True
        return super().get_forces(atoms)


class BoxesAtoms(Springs):
    def get_forces(self, atoms):
        forces = super().get_forces(atoms)
        atoms.set_cell([20, 20, 20])
        atoms.center()
        return forces


class ScalesForces(Springs):
    def surface(self, atoms):
        energy, forces = super().surface(atoms)
        return energy, 0.9 * forces


class ForgetsATerm(Springs):
    """A small part of the energy that the forces do not know of, as a dispersion correction can be."""

    def surface(self, atoms):
        energy, forces = super().surface(atoms)
        return energy + 0.005 * atoms.get_all_distances().sum(), forces


class FieldAlongZ(Springs):
    """Energy and forces agree, but z is special."""

    def surface(self, atoms):
        energy, forces = super().surface(atoms)
        z = atoms.positions[:, 2] - atoms.positions[:, 2].mean()
        forces[:, 2] -= 0.2 * z
        return energy + 0.1 * (z**2).sum(), forces


class PinnedInSpace(Springs):
    def surface(self, atoms):
        energy, forces = super().surface(atoms)
        # turns with nothing that a rotation about the origin changes
        return energy + 0.01 * (atoms.positions**2).sum(), forces - 0.02 * atoms.positions


class PrefersFirstAtoms(Springs):
    def weights(self, count):
        return 1 + 0.05 * np.add.outer(np.arange(count), np.arange(count))


class Noisy(Springs):
    def __init__(self):
        super().__init__()
        self.random = np.random.default_rng(0)

    def surface(self, atoms):
        energy, forces = super().surface(atoms)
        return energy + 0.01 * self.random.normal(), forces


class Remembers(Springs):
    """Starts from what another molecule left behind, as an SCF does from a density."""

    last = None
    before = 0.0

    def surface(self, atoms):
        energy, forces = super().surface(atoms)
        if self.last is not None and not np.array_equal(self.last, atoms.positions):
            self.before = 1e-3 * float(np.abs(self.last).sum())
        self.last = atoms.positions.copy()
        return energy + self.before, forces


class GivesNaN(Springs):
    def surface(self, atoms):
        energy, forces = super().surface(atoms)
        forces[-1] = np.nan
        return energy, forces


class WrongShape(Springs):
    def surface(self, atoms):
        energy, forces = super().surface(atoms)
        return energy, forces.ravel()


class EnergyInAList(Springs):
    def surface(self, atoms):
        energy, forces = super().surface(atoms)
        return np.array([energy]), forces


class EvaluatesTwice(Springs):
    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        self.results = {name: self.results[name] for name in properties}


class InKilocalories(Springs):
    def surface(self, atoms):
        energy, forces = super().surface(atoms)
        return 23.06 * energy, 23.06 * forces


class Single(Springs):
    def surface(self, atoms):
        energy, forces = super().surface(atoms)
        return float(np.float32(energy)), forces


class Raises(Springs):
    def surface(self, atoms):
        raise RuntimeError("the matrix\nis singular")


@pytest.mark.parametrize(
    ("calculator", "caught_by"),
    [
        (MarksAtoms, MUTATED),
        (BoxesAtoms, MUTATED),
        (ScalesForces, DERIVATIVE),
        (ForgetsATerm, DERIVATIVE),
        (FieldAlongZ, ROTATED),
        (PinnedInSpace, SHIFTED),
        (PrefersFirstAtoms, PERMUTED),
        (Noisy, REPEATS),
        (Remembers, LEFT),
        (GivesNaN, FINITE),
        (WrongShape, SHAPES),
        (EnergyInAList, SHAPES),
        (EvaluatesTwice, EVALUATED),
        (InKilocalories, UNITS),
        (Raises, SHAPES),
    ],
)
def test_what_is_wrong_is_caught_by_the_check_that_is_there_for_it(calculator, caught_by):
    assert failed(check(calculator())) == [caught_by]


def test_an_exception_is_told_on_one_line():
    found = check(Raises())
    assert found[SHAPES].figure == "RuntimeError: the matrix is singular"
    assert found[SHAPES].passed is False
    assert found[SHAPES].advice.startswith("raised in surface() of test_conform.py, line ")


def test_what_stands_on_a_failed_check_is_skipped_and_what_does_not_is_made():
    found = check(GivesNaN())
    assert found[DERIVATIVE].passed is None
    assert FINITE in found[DERIVATIVE].figure
    assert found[PARAMETERS].passed is True


def test_forces_that_are_predicted_beside_the_energy_are_stated_as_direct():
    found = check(ScalesForces(), conservative=False)
    assert failed(found) == []
    assert found[DERIVATIVE].figure.startswith("direct: rms difference")


def test_a_header_may_say_how_inexact_upstream_is_known_to_be():
    assert failed(check(FieldAlongZ(), rotation_tolerance=2.0)) == []
    assert failed(check(ScalesForces(), force_tolerance=1.0)) == []


def test_random_weights_have_no_units_and_have_learnt_no_symmetry():
    found = check(FieldAlongZ(), weights="random")
    assert failed(found) == []
    assert found[UNITS].passed is None
    assert found[ROTATED].passed is None
    assert "learnt" in found[ROTATED].figure


class Tiny(PrefersFirstAtoms):
    """Too soft for any tolerance in eV, as a random model can be."""

    well = 1e-6


def test_tiny_forces_of_random_weights_hide_nothing():
    assert failed(check(Tiny(), weights="random")) == [PERMUTED]


class SinglePrecision(Springs):
    """The arithmetic of a model in float32, with the large energy that total energies have."""

    def surface(self, atoms):
        rounded = atoms.copy()
        rounded.positions = atoms.positions.astype(np.float32)
        energy, forces = super().surface(rounded)
        return np.float32(energy - 10_000), forces.astype(np.float32)


class SinglePrecisionScaled(SinglePrecision):
    def surface(self, atoms):
        energy, forces = super().surface(atoms)
        return energy, np.float32(0.9) * forces


def test_the_rounding_of_large_energies_in_single_precision_is_no_error_and_hides_none():
    adapter = Toy()
    adapter.settings = lambda: {"parameter_dtypes": ["float32"]}
    assert failed(check(SinglePrecision(), adapter, dtype="float32")) == []
    assert failed(check(SinglePrecisionScaled(), adapter, dtype="float32")) == [DERIVATIVE]


class OfTheReference(Springs):
    """Bonded terms only, between the atoms that are bonded in the reference, whatever comes."""

    def __init__(self, reference):
        super().__init__()
        self.bonded = bonds(reference)

    def surface(self, atoms):
        vectors = atoms.get_all_distances(vector=True)
        lengths = np.linalg.norm(vectors, axis=-1) + np.eye(len(atoms))
        stretch = np.where(self.bonded, lengths - 1.2, 0.0)
        return 7.5 * float((stretch**2).sum()), ((30.0 * stretch / lengths)[..., None] * vectors).sum(axis=1)


def test_a_fixed_topology_only_has_to_bear_orders_that_keep_the_bonds():
    found = check(OfTheReference(molecule("CH3CH2OH")))
    assert failed(found) == []
    assert "where bonds stay bonds" in found[PERMUTED].figure


class Refuses(Springs):
    def surface(self, atoms):
        if (np.diff(atoms.get_tags()) < 0).any():
            raise ValueError("this is another order than the reference's")
        return super().surface(atoms)


def test_a_method_may_refuse_another_order():
    structures = distorted()
    for structure in structures:
        structure.set_tags(range(len(structure)))
    found = check(Refuses(), structures=structures)
    assert failed(found) == []
    assert found[PERMUTED].passed is None
    assert found[PERMUTED].figure == "refused: this is another order than the reference's"


def test_a_molecule_without_equal_atoms_has_nothing_to_permute():
    structure = Atoms("CO", [(0, 0, 0), (0.1, 0.2, 1.2)])
    adapter = Toy()
    adapter.reference = structure
    found = check(Springs(), adapter, [structure])
    assert found[PERMUTED].passed is None
    assert failed(found) == []


@pytest.mark.parametrize(
    ("changed", "facts", "caught_by"),
    [
        ({"count_parameters": lambda: 4}, {}, PARAMETERS),
        ({"count_parameters": lambda: None}, {}, PARAMETERS),
        ({"settings": lambda: {"parameter_dtypes": ["float32"]}}, {}, DTYPE),
        ({"settings": lambda: {"parameter_dtypes": ["float64"], "device": "cuda:0"}}, {}, DEVICE),
        ({"settings": lambda: {"parameter_dtypes": ["float64"], "device": "cuda:0"}}, {"device": "cuda:1"}, DEVICE),
        ({"peak_device_memory": lambda: 0, "settings": dict}, {"device": "cuda:0"}, DEVICE),
        ({"settings": lambda: {"threads": 64}}, {}, THREADS),
        ({"settings": lambda: {"energy": np.float64}}, {}, SETTINGS),
        ({"prepare": lambda atoms: atoms[::-1]}, {}, PREPARE),
    ],
)
def test_what_the_adapter_declares_is_compared_with_what_was_asked_for(changed, facts, caught_by):
    adapter = Toy()
    for name, function in changed.items():
        setattr(adapter, name, function)
    assert failed(check(Springs(), adapter, **facts)) == [caught_by]


def test_settings_may_have_numpys_numbers_and_sets_and_what_json_cannot_hold_is_named():
    adapter = Toy()
    adapter.settings = lambda: {"cutoff": np.float32(5), "kernels": {"a", "b"}, "grid": np.arange(2)}
    assert check(Springs(), adapter)[SETTINGS].passed
    adapter.settings = lambda: {"grid": {"points": object()}}
    assert (
        check(Springs(), adapter)[SETTINGS].figure == "settings()['grid']['points'] is a object, which JSON cannot hold"
    )


def test_a_random_model_may_miss_a_thousandth_of_the_parameters():
    adapter = Toy()
    adapter.count_parameters = lambda: 10_009
    assert PARAMETERS not in failed(check(Springs(), adapter, parameters=10_000, weights="random"))
    assert PARAMETERS in failed(check(Springs(), adapter, parameters=10_000, weights="pretrained"))


def test_energies_that_fit_into_single_precision_are_not_those_of_a_double_precision_method():
    adapter = Toy()
    adapter.settings = dict
    assert failed(check(Springs(), adapter)) == []
    assert DTYPE in failed(check(Single(), adapter))


def test_a_box_that_follows_the_molecule_is_no_change():
    adapter = Toy()

    def prepare(atoms):
        atoms.center(vacuum=6.0)
        atoms.pbc = True
        return atoms

    adapter.prepare = prepare
    assert failed(check(EMTLike(), adapter)) == []


class EMTLike(Springs):
    """Springs within the cell: the box is large enough."""

    def surface(self, atoms):
        free = atoms.copy()
        free.pbc = False
        return super().surface(free)


class Downhill:
    criterion = "never"

    def __init__(self, calculator, atoms, sign):
        self.calculator, self.atoms, self.sign = calculator, atoms.copy(), sign

    def step(self):
        self.atoms.positions += self.sign * 1e-3 * self.calculator.get_forces(self.atoms)
        return False

    def finish(self, atoms):
        atoms.positions = self.atoms.positions


@pytest.mark.parametrize(("sign", "caught"), [(1, []), (-1, [NATIVE])])
def test_a_native_relaxation_has_to_go_downhill(sign, caught):
    adapter = Toy()
    adapter.native_relax = lambda calculator, atoms, max_steps: Downhill(calculator, atoms, sign)
    assert failed(check(Springs(), adapter, native=True)) == caught


class Charged(Springs):
    """Shifts the energy with charge and spin, as each structure says."""

    def surface(self, atoms):
        energy, forces = super().surface(atoms)
        charge, spin = charge_and_spin(atoms)
        return energy + 9.0 * charge + 0.5 * (spin - 1), forces


class OnlyFirst(Charged):
    """Takes the charge of the first structure for all."""

    first = None

    def surface(self, atoms):
        if self.first is None:
            self.first = dict(atoms.info)
        other = atoms.copy()
        other.info = self.first
        return super().surface(other)


class Sticks(Springs):
    """Keeps the last charge that it was told."""

    charge = 0

    def surface(self, atoms):
        energy, forces = super().surface(atoms)
        self.charge = max(self.charge, charge_and_spin(atoms)[0])
        return energy + self.charge, forces


BOTH = {"charge": True, "spin": True}


def test_charge_and_spin_have_to_change_the_answer_where_the_header_says_that_they_are_taken():
    found = check(Charged(), **BOTH)
    assert failed(found) == []
    assert found[CHARGE].figure == "+9.5 eV for charge 1, multiplicity 2"
    assert found[SPIN].figure == "+1 eV for charge 0, multiplicity 3"
    assert failed(check(Springs(), **BOTH)) == [CHARGE, SPIN]
    assert failed(check(OnlyFirst(), **BOTH)) == [CHARGE, SPIN]


def test_a_charge_must_not_stick_to_the_next_structure():
    found = check(Sticks(), charge=True)
    assert failed(found) == [CHARGE]
    assert "afterwards the molecule itself is off by 1e+00 eV" in found[CHARGE].figure


def test_a_method_that_takes_charges_alone_is_told_no_spin():
    told = []

    class Asks(Charged):
        def surface(self, atoms):
            told.append(set(atoms.info))
            return super().surface(atoms)

    assert failed(check(Asks(), charge=True)) == []
    assert set.union(*told) == {"charge"}


def test_a_molecule_with_one_electron_has_no_spin_to_change():
    atom = Atoms("H", [(0, 0, 0)])
    adapter = Toy()
    adapter.reference = atom
    assert check(Charged(), adapter, [atom], spin=True)[SPIN].figure == "1 electron cannot have the multiplicity 4"


def test_what_is_no_ase_calculator_is_not_counted():
    class Bare:
        def get_forces(self, atoms):
            return Springs().get_forces(atoms)

        def get_potential_energy(self, atoms):
            return Springs().get_potential_energy(atoms)

    found = check(Bare())
    assert failed(found) == []
    assert found[EVALUATED].passed is None


def test_an_automorphism_keeps_elements_and_bonds():
    for name in ("C6H6", "CH3CH2OH", "C2H6"):
        atoms = molecule(name)
        order = automorphism(atoms.numbers, bonds(atoms))
        assert sorted(order) == list(range(len(atoms)))
        assert (order != np.arange(len(atoms))).any()
        assert (atoms.numbers[order] == atoms.numbers).all()
        assert (bonds(atoms)[np.ix_(order, order)] == bonds(atoms)).all()
    carbon_monoxide = molecule("CO")
    assert automorphism(carbon_monoxide.numbers, bonds(carbon_monoxide)) is None


class SeesImages(EMT):
    """A method with a cutoff, which knows the cell."""


def test_a_periodic_method_passes():
    found = check(SeesImages(), Toy(), periodic=True)[CELL]
    assert found.passed, found.figure


def test_a_method_that_ignores_the_cell_is_caught():
    found = check(Springs(), Toy(), periodic=True)[CELL]
    assert found.passed is False
    assert "pass cell and pbc on to the method" in found.advice


class Metal(EMT):
    """EMT with a stress that is wrong by a factor."""

    factor = 1.0

    def get_stress(self, atoms=None):
        return self.factor * super().get_stress(atoms)


def test_a_stress_that_is_the_derivative_passes():
    found = check(Metal(), Toy(), periodic=True, stress=True)[STRESS]
    assert found.passed is True, found


@pytest.mark.parametrize("factor", [-1.0, 1.6])
def test_a_stress_of_the_wrong_sign_or_unit_is_caught(factor):
    calculator = Metal()
    calculator.factor = factor
    found = check(calculator, Toy(), periodic=True, stress=True)[STRESS]
    assert found.passed is False
    assert "positive under tension" in found.advice


def test_without_the_promise_nothing_is_periodic():
    assert check(Springs(), Toy())[CELL].passed is None


@pytest.mark.parametrize(
    ("error", "said", "passed"),
    [
        (2e-7, {"float32_matmul_precision": "highest"}, True),
        (3e-4, {"float32_matmul_precision": "highest"}, False),
        (3e-4, {"float32_matmul_precision": "high"}, True),
        (3e-4, {"matmul_precision": "tensorfloat32"}, True),
        (3e-4, {}, False),
    ],
)
def test_a_product_in_tf32_has_to_be_told_by_the_settings(error, said, passed):
    class Measured(Toy):
        def product_error(self):
            return error

        def settings(self):
            return super().settings() | said

    assert check(Springs(), Measured(), device="cuda")[TF32].passed is passed

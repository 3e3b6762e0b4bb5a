"""Second derivatives by symmetry: a planted potential, whose full Hessian is known."""

import ase.io
import numpy as np
import pytest
from ase.build import molecule
from ase.calculators.emt import EMT
from synthetic import rotation

from bench.adapter import Adapter
from bench.analysis.vibrations import harmonic
from bench.paths import PROJECT
from bench.protocols.accuracy import symmetric
from bench.protocols.accuracy.measure import vibrations
from bench.protocols.md.symmetry import jacobian

NAPHTHALENE = ase.io.read(PROJECT / "datasets" / "naphthalene.xyz")
NUMBERS = NAPHTHALENE.numbers
POSITIONS = symmetric.symmetrised(NUMBERS, symmetric.in_principal_axes(NAPHTHALENE.positions))


class Springs:
    """Anharmonic springs between all atoms at their distances in a molecule, whose minimum that is."""

    def __init__(self, positions=POSITIONS):
        self.rest = np.linalg.norm(positions[:, None] - positions, axis=-1)
        self.calls = 0

    def __call__(self, positions):
        self.calls += 1
        vectors = positions[:, None] - positions
        lengths = np.linalg.norm(vectors, axis=-1) + np.eye(len(positions))
        stretch = lengths - self.rest - np.eye(len(positions))
        pull = 30 * np.exp(-self.rest) * (stretch + 2 * stretch**2)
        return -(pull[..., None] * vectors / lengths[..., None]).sum(axis=1)


def test_naphthalene_has_all_operations_and_their_species_hold_all_motions():
    assert len(symmetric.operations(NUMBERS, POSITIONS)) == 8
    bases = symmetric.adapted(NUMBERS, POSITIONS)
    assert sorted(basis.shape[1] for basis in bases) == [4, 4, 5, 5, 9, 9, 9, 9]
    whole = np.concatenate(bases, axis=1)
    assert whole.T @ whole == pytest.approx(np.eye(54), abs=1e-12)


def test_the_hessian_of_a_symmetric_molecule_takes_a_sixth_of_the_calls():
    forces, plain = Springs(), Springs()
    found = symmetric.hessian(forces, NUMBERS, POSITIONS)
    expected = -jacobian(plain, POSITIONS)
    assert (forces.calls, plain.calls) == (18, 108)
    assert found == pytest.approx(expected, abs=2e-4 * np.abs(expected).max())


def test_a_molecule_without_symmetry_takes_all_calls_and_is_right_too():
    bent = POSITIONS + 0.1 * np.random.default_rng(1).normal(size=POSITIONS.shape)
    assert len(symmetric.operations(NUMBERS, bent)) == 1
    forces = Springs(bent)
    found = symmetric.hessian(forces, NUMBERS, bent)
    assert forces.calls == 108
    assert found == pytest.approx(-jacobian(Springs(bent), bent), abs=1e-3)


def test_the_principal_axes_are_found_however_the_molecule_lies_and_it_is_not_mirrored():
    random = np.random.default_rng(2)
    for _ in range(5):
        turned = NAPHTHALENE.positions @ rotation(random).T + random.normal(size=3)
        found = symmetric.in_principal_axes(turned)
        assert len(symmetric.operations(NUMBERS, found)) == 8
        assert np.ptp(found, axis=0).argsort().tolist() == [2, 1, 0]
        distances = np.linalg.norm(found[:, None] - found, axis=-1)
        assert distances == pytest.approx(NAPHTHALENE.get_all_distances(), abs=1e-9)
    chiral = random.normal(size=(4, 3))
    volume = np.linalg.det(chiral[1:] - chiral[0])
    found = symmetric.in_principal_axes(chiral)
    assert np.linalg.det(found[1:] - found[0]) == pytest.approx(volume)


def test_a_geometry_that_is_nearly_symmetric_becomes_so_exactly():
    nearly = POSITIONS + 1e-4 * np.random.default_rng(3).normal(size=POSITIONS.shape)
    found = symmetric.symmetrised(NUMBERS, nearly)
    assert np.abs(found - POSITIONS).max() < 3e-4
    for signs, images in symmetric.operations(NUMBERS, found):
        assert found[images] == pytest.approx(found * signs, abs=1e-12)


def test_an_atom_of_another_element_is_no_image():
    numbers = NUMBERS.copy()
    numbers[0] = 7
    assert len(symmetric.operations(numbers, POSITIONS)) == 2


@pytest.mark.parametrize(("exact", "calls"), [(False, 36), (True, 6)])
def test_only_an_adapter_that_says_so_gets_its_hessian_by_symmetry(exact, calls):
    adapter = Adapter()
    adapter.symmetric = exact
    atoms = molecule("C2H4")
    atoms.rotate(40, (1, 2, 3))
    record = vibrations(adapter, EMT(), atoms, key={"method": "m", "device": "cpu", "round": 0, "molecule": 0})
    assert (record.status, record.source, record.force_calls) == ("converged", "central differences", calls)
    found = harmonic(record.hessian, atoms.get_masses(), record.positions)
    relaxed = molecule("C2H4")
    relaxed.positions = record.positions
    relaxed.calc = EMT()
    expected = -jacobian(lambda positions: moved_forces(relaxed, positions), relaxed.positions.copy())
    there = harmonic(expected, atoms.get_masses(), record.positions)
    assert found.wavenumbers == pytest.approx(there.wavenumbers, abs=3.0)


def moved_forces(atoms, positions):
    atoms.positions = positions
    return atoms.get_forces()

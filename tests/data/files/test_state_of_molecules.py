"""bench.data.files.state: the charge and the spin of a molecule, as users write them."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule

from bench.data.files.state import state_of
from bench.errors import BadInput


def changed(name: str = "H2O", charges=None, magmoms=None, **info) -> Atoms:
    atoms = molecule(name)
    atoms.set_initial_magnetic_moments(magmoms)  # ASE's own of O2 and radicals would be in the way
    atoms.set_initial_charges(charges)
    atoms.info = info
    return atoms


@pytest.mark.parametrize(
    ("atoms", "state"),
    [
        (changed(), (0, 1)),
        (changed("CH3"), (0, 2)),
        (changed(charge=1), (1, 2)),
        (changed(charge=-2), (-2, 1)),
        (changed(spin=3), (0, 3)),
        (changed(charge=np.int64(1), spin=4.0), (1, 4)),
        (changed(charges=[0.96, 0.02, 0.0]), (1, 2)),
        (changed(charges=[-0.8, 0.4, 0.4], magmoms=[2.0, 0.0, 0.0]), (0, 3)),
        (changed(magmoms=[-1.0, -1.0, 0.0]), (0, 3)),
        (changed(magmoms=[1.0, -1.0, 0.0]), (0, 1)),
        (changed(charge=1, charges=[1, 0, 0], spin=2, magmoms=[1, 0, 0]), (1, 2)),
        (changed(charge=1, charges=[0, 0, 0], magmoms=[0, 0, 0]), (1, 2)),
        (Atoms("H", info={"charge": 1}), (1, 1)),
        (molecule("O2"), (0, 3)),
    ],
)
def test_charge_and_spin_are_taken_from_either_place_and_else_the_lowest_spin(atoms, state):
    assert state_of(atoms, "image 0") == state


@pytest.mark.parametrize(
    ("atoms", "says"),
    [
        (changed(charge=0, charges=[1, 0, 0]), "has charge 0, but its initial charges give 1"),
        (changed(spin=1, magmoms=[2, 0, 0]), "has spin 1, but its initial magnetic moments give 3"),
        (changed(charges=[0.5, 0, 0]), "has initial charges that add up to 0.50, which is no whole number"),
        (changed(charge=0.5), "has charge 0.5, which is no whole number"),
        (changed(charge="plus"), "has charge 'plus', which is no whole number"),
        (changed(charge=float("nan")), "which is no whole number"),
        (changed(spin=0), "spin is the multiplicity 2S+1, at least 1"),
        (changed(spin=2), "has spin multiplicity 2, which 10 electrons (charge +0) cannot have"),
        (changed(charge=1, spin=3), "has spin multiplicity 3, which 9 electrons (charge +1) cannot have"),
        (changed("H2", spin=5), "has spin multiplicity 5, which 2 electrons"),
        (changed("H2", charge=3), "has charge +3, more than its nuclei have"),
        (changed(magmoms=np.ones((3, 3))), "with directions, which no method takes; give its spin instead"),
    ],
)
def test_what_no_molecule_can_have_is_refused_in_one_sentence(atoms, says):
    with pytest.raises(BadInput) as caught:
        state_of(atoms, "image 4 of file.xyz")
    sentence = str(caught.value)
    assert sentence.startswith("image 4 of file.xyz has ")
    assert says in sentence
    assert "\n" not in sentence


def test_an_odd_number_of_electrons_without_a_charge_is_said(reading):
    ammonium = "5\n{}\nN 0 0 0\nH .6 .6 .6\nH .6 -.6 -.6\nH -.6 .6 -.6\nH -.6 -.6 .6\n"
    contents = reading(ammonium.format(""))
    assert any("odd" in note and "--charge" in note for note in contents.notes)
    for text, options in ((ammonium.format("charge=1"), {}), (ammonium.format(""), {"charge": 1})):
        assert not reading(text, **options).notes, "a charge that is stated needs no question"
    assert not reading(ammonium.format("spin=2")).notes, "and so does a radical"


def test_what_is_unclear_does_not_matter_where_charge_and_spin_are_stated(reading):
    text = "3\n{}num_ecp_electrons=0 s_squared=0.0\nO 0 0 .119\nH 0 .763 -.477\nH 0 -.763 -.477\n"
    contents = reading(text.format("charge=0 spin=1 "))
    assert (contents.frames[0].charge, contents.frames[0].spin) == (0, 1)
    assert len([what for what in contents.unused if "num_ecp" in what or "s_squared" in what]) == 2
    with pytest.raises(BadInput, match="unclear"):
        reading(text.format("charge=0 "))


@pytest.mark.parametrize("moments", ["2 2", "3 0", "2.2 2.2"])
def test_the_moments_of_a_crystal_are_no_multiplicity(reading, moments):
    one, other = moments.split()
    head = 'Lattice="2.87 0 0 0 2.87 0 0 0 2.87" magmom=3 Properties=species:S:1:pos:R:3:magmoms:R:1'
    contents = reading(f"2\n{head}\nFe 0 0 0 {one}\nCo 1.435 1.435 1.435 {other}\n")
    assert contents.frames[0].spin is None and len(contents.unused) == 2

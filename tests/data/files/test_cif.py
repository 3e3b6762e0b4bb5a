"""bench.data.files.cif: the atoms of the cell, or a sentence on why they are uncertain."""

import gemmi
import numpy as np
import pytest
from ase.spacegroup import crystal

from bench.errors import BadInput

CUBIC = (5.64, 5.64, 5.64, 90, 90, 90)
MONOCLINIC = (8, 9, 10, 90, 100, 90)
ROCK_SALT = "Na1 Na 0 0 0\nCl1 Cl .5 .5 .5\n"
PAIR = "C1 C .1 .2 .3\nO1 O .2 .2 .3\n"
P21N = ["x,y,z", "1/2-x,1/2+y,1/2-z", "-x,-y,-z", "1/2+x,1/2-y,1/2+z"]


def cif(symmetry, atoms, cell=CUBIC, extra="", operations=()):
    """Return a CIF; `extra` names more columns of the atoms, or columns of its own in place of all if it begins so."""
    names = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    text = "data_x\n" + "".join(f"_cell_{name} {value}\n" for name, value in zip(names, cell, strict=True)) + symmetry
    if operations:
        text += "loop_\n_symmetry_equiv_pos_as_xyz\n" + "".join(f"'{one}'\n" for one in operations)
    columns = (
        extra.split() if extra.startswith("label") else f"label type_symbol fract_x fract_y fract_z {extra}".split()
    )
    return text + "loop_\n" + "".join(f"_atom_site_{name}\n" for name in columns) + atoms


def group(name):
    return f"_symmetry_space_group_name_H-M '{name}'\n"


def shape(atoms):
    distances = atoms.get_all_distances(mic=True)[np.triu_indices(len(atoms), 1)]
    return np.sort(distances)


@pytest.mark.parametrize(
    ("name", "cell", "sites"),
    [
        ("F m -3 m", CUBIC, [("Na", 0, 0, 0), ("Cl", 0.5, 0.5, 0.5)]),
        ("P 42/m n m", (4.594, 4.594, 2.959, 90, 90, 90), [("Ti", 0, 0, 0), ("O", 0.305, 0.305, 0)]),
        ("P 32 2 1", (4.913, 4.913, 5.405, 90, 90, 120), [("Si", 0.47, 0, 2 / 3), ("O", 0.413, 0.267, 0.786)]),
        ("P 21/c", MONOCLINIC, [("C", 0.1, 0.2, 0.3), ("O", 0.2, 0.2, 0.3)]),
        ("R -3 m", (4.546, 4.546, 11.862, 90, 90, 120), [("Bi", 0, 0, 0.234)]),
    ],
)
@pytest.mark.parametrize("operations", [False, True])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_cell_of_a_space_group_is_ases(reading, name, cell, sites, operations):
    rows = "".join(f"{s}1 {s} {x} {y} {z}\n" for s, x, y, z in sites)
    found = gemmi.find_spacegroup_by_name(name, cell[3], cell[5])
    listed = [one.triplet() for one in found.operations()] if operations else ()
    (frame,) = reading(cif(group(name), rows, cell, operations=listed), "a.cif").frames
    right = crystal([s for s, *_ in sites], [xyz for _, *xyz in sites], spacegroup=found.number, cellpar=cell)
    assert frame.atoms.get_chemical_formula() == right.get_chemical_formula() and frame.atoms.pbc.all()
    assert frame.atoms.get_volume() == pytest.approx(right.get_volume())
    assert shape(frame.atoms) == pytest.approx(shape(right), abs=2e-3)


def test_other_settings_than_the_standard_one(reading):
    listed = reading(cif(group("P 1 21/n 1"), PAIR, MONOCLINIC, operations=P21N), "a.cif").frames[0].atoms
    named = reading(cif(group("P 1 21/n 1"), PAIR, MONOCLINIC), "a.cif").frames[0].atoms
    assert listed.get_chemical_formula() == named.get_chemical_formula() == "C4O4"
    assert shape(listed) == pytest.approx(shape(named))
    assert listed.get_scaled_positions()[1] == pytest.approx([0.4, 0.7, 0.2])
    diamond = cif(group("F d -3 m :2"), "C1 C .125 .125 .125\n", (3.57, 3.57, 3.57, 90, 90, 90))
    assert len(reading(diamond, "a.cif").frames[0].atoms) == 8
    assert len(reading(diamond.replace(" :2", " Z"), "a.cif").frames[0].atoms) == 8
    with pytest.raises(BadInput, match="two choices of origin"):
        reading(diamond.replace(" :2", ""), "a.cif")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (cif(group("P 1"), ROCK_SALT, operations=["x,y,z", "-x,-y,-z"]), "not those of its space group P 1"),
        (cif("_space_group_IT_number 14\n", PAIR, MONOCLINIC), "only the number of its space group"),
        (cif(group("Q 17"), PAIR), "space group Q 17, which is not known"),
        (cif("", PAIR, operations=["x,y"]), "symmetry that cannot be read"),
        (cif("", "C1 C .1 .1 .1 1\nO1 O .3 .1 .1 .\n", extra="disorder_group"), "disordered"),
        (cif("", "C1 C .1 .1 .1 0.98(2)\n", extra="occupancy"), "occupancies below 1"),
        (cif("", "C1 C .1 .1 .1 dum\n", extra="calc_flag"), "dummy atoms"),
        (cif("", "C1 C .1 .1 .1 3\n", extra="attached_hydrogens"), "hydrogen atoms without coordinates"),
        (
            cif("_chemical_formula_sum 'C2 H6 O'\n", "C1 C .1 .1 .1\nC2 C .4 .1 .1\nO O .7 .1 .1\n"),
            "formula is C2 H6 O",
        ),
        (cif("", "C1 C .1 .1 ?\n"), "no coordinates of its atom 0"),
        (cif("", "W1 Wat .1 .1 .1\n"), "'Wat' of an atom, which is no element"),
        (cif("", "HO1 .1 .1 .1\n", extra="label fract_x fract_y fract_z"), "may be Ho or H"),
        (cif("", "OW1 .1 .1 .1\n", extra="label fract_x fract_y fract_z"), "'OW1', which is no element"),
        (cif("", "Fe Fe 0 0 0\nNi Ni 0 0 0\n"), "0.000 Angstrom apart"),
        (cif(group("P -1"), "Fe Fe 0 0 0\nNi Ni 0 0 0\n"), "two atoms (Fe, Ni) at one place"),
        (cif("", ROCK_SALT).replace("_cell_length_a", "_cell_length_x"), "no complete cell"),
        (cif("_space_group_symop_magn_operation.xyz x,y,z,+1\n", ROCK_SALT), "magnetic symmetry"),
        ("<!DOCTYPE html>\n", "no valid CIF"),
        ("data_x\n_cell_length_a 5\n", "holds no structure"),
    ],
)
def test_what_leaves_the_atoms_uncertain_is_refused(load, text, says):
    with pytest.raises(BadInput) as caught:
        load(text, "a.cif")
    assert says in str(caught.value) and "\n" not in str(caught.value)


def test_what_is_said_and_listed(reading):
    contents = reading(cif("", "Na Na1+ 0 0 0 ?\nCl Cl1- .5 0 0 .\n", extra="occupancy"), "a.cif")
    assert contents.unused == ("the oxidation states of the elements (1 frame of a.cif)",)
    assert contents.notes == ("a.cif states no symmetry; its atoms are read as all those of the cell (P 1).",)
    labels = cif("_chemical_formula_sum 'C H'\n", "CA1 0 0 0\nHO1 .2 0 0\n", extra="label fract_x fract_y fract_z")
    contents = reading(labels, "a.cif")
    assert contents.frames[0].atoms.get_chemical_formula() == "CH"
    assert any("taken from the labels" in note for note in contents.notes)
    moments = "loop_\n_atom_site_moment_label\n_atom_site_moment_crystalaxis_x\nNa1 2\n"
    assert "the magnetic moments (1 frame of a.cif)" in reading(cif("", ROCK_SALT) + moments, "a.cif").unused


def test_rounded_special_positions_are_one_atom(reading):
    magnesium = cif(group("P 63/m m c"), "Mg Mg .33 .67 .25\n", (3.2, 3.2, 5.2, 90, 90, 120))
    atoms = reading(magnesium, "a.cif").frames[0].atoms
    assert atoms.get_scaled_positions() == pytest.approx(
        np.array([[1 / 3, 2 / 3, 0.25], [2 / 3, 1 / 3, 0.75]]), abs=1e-6
    )


def test_atoms_that_symmetry_makes_and_the_file_lists_are_read_once(reading):
    every = "Cu1 Cu 0 0 0\nCu2 Cu .5 .5 0\nCu3 Cu .5 0 .5\nCu4 Cu 0 .5 .5\n"
    contents = reading(cif(group("F m -3 m"), every), "a.cif")
    assert len(contents.frames[0].atoms) == 4 and any("read once" in note for note in contents.notes)


def test_all_blocks_with_atoms_are_frames(reading):
    one = cif(group("P 1"), ROCK_SALT)
    frames = reading("data_global\n_journal_year 1999\n" + one + one.replace("data_x", "data_y"), "a.cif").frames
    assert [frame.name for frame in frames] == ["x", "y"]

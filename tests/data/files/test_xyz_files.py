"""bench.data.files: XYZ files of all kinds."""

import numpy as np
import pytest
from structure_texts import W, water

from bench.errors import BadInput

FULL = "Properties=species:S:1:pos:R:3:"


@pytest.mark.parametrize(
    ("comment", "state"),
    [
        ("total_charge=1 multiplicity=2", (1, 2)),
        ("Charge=1", (1, None)),
        ("net_charge=-1", (-1, None)),
        ("tot_charge=1 uhf=1", (1, 2)),
        ("spin_multiplicity=3", (None, 3)),
        ("charge=1 mult=2", (1, 2)),
        ("TOTAL_CHARGE=+1", (1, None)),
        ("molecule_charge=2", (2, None)),
        ("charge=1 nelec=9", (1, None)),
        ('charge="1" spin=2.0', (1, 2)),
        ("magmom=2.0", (None, 3)),
        ("water charge 0 mult 1", (0, 1)),
        ("Charge: -1, Multiplicity: 2", (-1, 2)),
        ("1 2", (1, 2)),
        ("0   1", (0, 1)),
        ("a title", (None, None)),
        ("", (None, None)),
    ],
)
def test_the_state_is_read_from_every_way_of_saying_it(reading, comment, state):
    (frame,) = reading(water(comment)).frames
    assert (frame.charge, frame.spin) == state


@pytest.mark.parametrize(
    ("comment", "key"),
    [
        ("nelec=9", "nelec"),
        ("charge=True", "charge"),
        ("charge energy=-3", "charge"),
        ("the charge of water", "charge"),
        ("charge=0.5", "charge"),
        ('charge="1 0 0"', "charge"),
        ('charge="-0.8 0.4"', "charge"),
        ("spin_density=1", "spin_density"),
        ("q=1 a=2", "q"),
        ("total_spin=0.5", "total_spin"),
        ("uhf=1.5", "uhf"),
        ("charge=0 charge=1", "charge"),
        ("charge=0 net_charge=1", "net_charge"),
        ("mult=1 uhf=2", "uhf"),
        ("charge=0 nelec=9", "nelec"),
        ("charge=nan", "charge"),
        ("charge=1 spin=1", "spin"),
        ("spin=0", "spin"),
        ("charge=11", "charge"),
    ],
)
def test_what_is_unclear_about_the_electrons_is_refused_by_the_name_of_its_key(reading, comment, key):
    with pytest.raises(BadInput) as caught:
        reading(water(comment))
    assert key in str(caught.value) and "frame 0 of a.xyz" in str(caught.value)


def test_two_whole_numbers_are_a_state_where_the_atoms_can_have_it(reading):
    contents = reading("2\n-1 1\nO 0 0 0\nH 0 0 .97\n")
    assert (contents.frames[0].charge, contents.frames[0].spin) == (-1, 1)
    assert "charge and multiplicity" in contents.notes[0]
    contents = reading(water("-1 1"))
    assert (contents.frames[0].charge, contents.frames[0].spin) == (None, None)
    assert contents.unused == ("the comment line (1 frame of a.xyz)",) and "'-1 1'" in contents.notes[0]


def test_the_command_line_agrees_with_the_file_or_both_are_named(reading):
    assert reading(water(), charge=1, spin=2).frames[0].charge == 1
    assert reading(water("charge=1"), charge=1).frames[0].charge == 1
    with pytest.raises(BadInput, match="states charge 1, but the command line gives 0"):
        reading(water("charge=1"), charge=0)
    with pytest.raises(BadInput, match="states spin multiplicity 1, but the command line gives 3"):
        reading(water("spin=1"), spin=3)


def test_columns_of_moments_and_charges_give_the_state(reading):
    (frame,) = reading(f"2\n{FULL}magmoms:R:1 magmom=2.0\nO 0 0 0 1.0\nO 0 0 1.21 1.0\n").frames
    assert frame.spin == 3
    (frame,) = reading(f"2\n{FULL}initial_charges:R:1\nO 0 0 0 -1.2\nH 0 0 .97 0.2\n").frames
    assert frame.charge == -1
    contents = reading(f"2\n{FULL}mulliken_charges:R:1\nO 0 0 0 -.4\nH 0 0 .97 0.1\n")
    assert contents.frames[0].charge is None and "mulliken_charges" in contents.unused[0]
    with pytest.raises(BadInput, match="directions"):
        reading(f"2\n{FULL}magmoms:R:3\nO 0 0 0 0 0 1\nO 0 0 1.21 0 0 1\n")


@pytest.mark.parametrize("between", ["", "\n", "\n\n \t\n"])
def test_every_frame_is_read_whatever_is_between(reading, between):
    frames = reading(water() + between + water() + "\n\n").frames
    assert [frame.name for frame in frames] == ["a 0", "a 1"] and frames[1].where == "frame 1 of a.xyz"


@pytest.mark.parametrize("after", ["hello\n", "O 0 0 0\n", "3\n\nO 0 0 0\n", "0.5\n", "VEC1 1 0 0\n"])
def test_text_after_a_frame_is_no_silent_end(reading, after):
    with pytest.raises(BadInput, match=r"frame [01] of a\.xyz"):
        reading(water() + after)


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbf" + water().encode(),
        water("w\xe4sser").encode("latin-1"),
        water().replace("\n", "\r\n").encode(),
        water().replace("\n", "\r").encode(),
        water().replace(" ", "\t").replace("\n", "  \n").encode(),
        water().encode("utf-16"),
        water().replace("O ", "8 ").replace("H ", "1 ").encode(),
        water().replace("O ", "o ").encode(),
        water().replace(".119", "1.19D-1").encode(),
    ],
)
def test_encodings_line_ends_numbers_and_letter_cases(reading, text):
    (frame,) = reading(text).frames
    assert frame.atoms.numbers.tolist() == [8, 1, 1]
    assert np.allclose(frame.atoms.positions[:, 2], [0.119, -0.477, -0.477])


def test_heavy_hydrogen_has_its_mass_and_is_said(reading):
    contents = reading(water().replace("H", "D"))
    assert contents.frames[0].atoms.get_masses() == pytest.approx([15.999, 2.0141, 2.0141], abs=1e-3)
    assert "deuterium" in contents.notes[0]
    (frame,) = reading(f"1\n{FULL}masses:R:1\nH 0 0 0 2.014\n").frames
    assert frame.atoms.get_masses() == pytest.approx([2.014])
    (frame,) = reading(f"1\n{FULL}masses:R:1\nH 0 0 0 1.008\n").frames
    assert not frame.atoms.has("masses")


@pytest.mark.parametrize("symbol", ["X", "Bq", "Gh", "Q", "*", "0", "CA", "C1", "119"])
def test_what_is_no_element_is_refused(reading, symbol):
    with pytest.raises(BadInput, match=r"frame 0 of a\.xyz"):
        reading(water().replace("O ", f"{symbol} "))


def test_trailing_columns_are_listed(reading):
    contents = reading(water().replace(".119", ".119 0.5 1.0"))
    assert contents.unused == ("the columns after the coordinates (up to 2) (1 frame of a.xyz)",)


def test_fixed_atoms_are_kept_and_partial_ones_refused(reading):
    (frame,) = reading(f"2\n{FULL}move_mask:L:1\nO 0 0 0 F\nH 0 0 .97 T\n").frames
    assert frame.atoms.constraints[0].index.tolist() == [0]
    with pytest.raises(BadInput, match="some directions only"):
        reading(f"2\n{FULL}move_mask:L:3\nO 0 0 0 F T T\nH 0 0 .97 T T T\n")
    with pytest.raises(BadInput, match="'fixed'"):
        reading(f"2\n{FULL}fixed:I:1\nO 0 0 0 1\nH 0 0 .97 0\n")


def test_cells(reading):
    (frame,) = reading(water('Lattice="5 0 0 0 6 0 1 0 7" pbc="T T F"')).frames
    assert frame.atoms.pbc.tolist() == [True, True, False] and frame.atoms.cell[2].tolist() == [1, 0, 7]
    (frame,) = reading(water('lattice="5 0 0 0 6 0 1 0 7"')).frames
    assert frame.atoms.pbc.all() and frame.atoms.cell[2].tolist() == [1, 0, 7]
    assert not reading(water('Lattice="5 0 0 0 6 0 1 0 7" pbc="F F F"')).frames[0].atoms.pbc.any()
    for bad in ('pbc="T T T"', 'Lattice="1 2 3 4"', 'Lattice="0 0 0 0 0 0 0 0 0" pbc="T T T"', 'pbc="1 2 3"'):
        with pytest.raises(BadInput, match=r"cell|Lattice|pbc"):
            reading(water(bad))
    (frame,) = reading(water('Lattice="0 0 0 0 0 0 0 0 0"')).frames
    assert not frame.atoms.pbc.any(), "QUIP writes nine zeros for a molecule"


REF = f"2\n{FULL}REF_forces:R:3 REF_energy=-3.5\nO 0 0 0 0 0 {{}}\nH 0 0 .97 0 0 -1\n"


def test_labels_by_option_or_as_ase_has_them(reading):
    keys = {"energy_key": "REF_energy", "forces_key": "REF_forces"}
    labels = reading(REF.format(1), **keys).frames[0].labels
    assert labels.energy == -3.5 and labels.forces[1].tolist() == [0, 0, -1]
    assert labels.source == "REF_energy, REF_forces"
    contents = reading(REF.format(1))
    assert contents.frames[0].labels is None
    assert any("--energy-key REF_energy" in what for what in contents.unused)
    labels = reading(REF.format(1).replace("REF_", "")).frames[0].labels
    assert labels.energy == -3.5 and labels.source == "ASE's energy, forces"
    assert any("net force of up to 1 eV" in note for note in reading(REF.format(2), **keys).notes)
    assert not reading(REF.format(1), charge=-1, **keys).notes
    with pytest.raises(BadInput, match="'dft_energy'"):
        reading(REF.format(1), energy_key="dft_energy")
    with pytest.raises(BadInput, match="finite"):
        reading(REF.format("nan"), **keys)


def test_everything_else_is_listed_once_with_its_number_of_frames(reading):
    text = f'1\n{FULL}tags:I:1:vel:R:3 dipole="0 0 1" config_type=a virial="1 0 0 0 1 0 0 0 1"\nAr 0 0 0 1 1 2 3\n'
    unused = reading(text * 3).unused
    for word in ("'tags'", "'vel'", "'dipole'", "'config_type'", "'virial'"):
        assert sum(word in what and "(3 frames of a.xyz)" in what for what in unused) == 1


def test_units_that_are_not_angstrom_are_asked_about(reading):
    assert "Bohr" in reading("3\n\nO 0 0 .225\nH 0 1.442 -.901\nH 0 -1.442 -.901\n").notes[0]
    assert "nanometres" in reading("3\n\nO 0 0 .0119\nH 0 .0763 -.0477\nH 0 -.0763 -.0477\n").notes[0]
    assert not reading(water()).notes


@pytest.mark.parametrize(
    "text", ["", "\n", "abc\n", "0\n\n", "3\n\n", water().replace(".119", "nan"), water().replace(".119", "x"), W]
)
def test_what_is_no_structure_is_refused(reading, text):
    with pytest.raises(BadInput, match=r"a\.xyz"):
        reading(text)


@pytest.mark.parametrize("key", ["energy-unit=hartree", "energy_units=kcal/mol", "units=Bohr", 'length_unit="nm"'])
def test_other_units_than_ev_and_angstrom_are_refused(reading, key):
    text = f"2\nenergy=-1.0 {key}\nH 0 0 0\nH 0 0 0.74\n"
    with pytest.raises(BadInput, match="are read in Angstrom"):
        reading(text)


@pytest.mark.parametrize("key", ["energy-unit=eV", "force_unit=eV/Angstrom", "units=Angstrom", "stress-unit=GPa"])
def test_our_units_are_taken_and_those_of_what_is_unused_are_listed(reading, key):
    contents = reading(f"2\nenergy=-1.0 {key}\nH 0 0 0\nH 0 0 0.74\n")
    assert contents.frames[0].labels.energy == -1.0
    assert bool(contents.unused) == ("stress" in key)


def test_units_of_labels_that_are_not_used_are_listed(reading):
    assert "energy_unit" in "".join(reading("2\nE=-1.0 energy_unit=au\nH 0 0 0\nH 0 0 0.74\n").unused)


@pytest.mark.parametrize("symbols", ["1 2 2", "1 2 3", "2 1 1"])
def test_types_and_numbers_of_atoms_are_no_elements(reading, symbols):
    rows = "".join(f"{s} {row[1:]}\n" for s, row in zip(symbols.split(), W.splitlines(), strict=True))
    with pytest.raises(BadInput, match="seem to count its atoms or types"):
        reading("3\nwater\n" + rows)
    with pytest.raises(BadInput, match="seem to count its atoms or types"):
        reading("2\nAtoms. Timestep: 0\n1 0 0 0\n1 0 0 2\n")
    assert reading("2\nhydrogen\n1 0 0 0\n1 0 0 .74\n").frames[0].atoms.numbers.tolist() == [1, 1]


@pytest.mark.parametrize(
    "comment",
    [
        "# CELL(abcABC): 10.0 10.0 10.0 90.0 90.0 90.0  Step: 0  Bead: 0 positions{angstrom} cell{angstrom}",
        "Lattice 4.0 0 0 0 4 0 0 0 4",
        "cell: 4.0, 4.0, 4.0",
        "box = 4 4 4",
        'cell="4 0 0 0 4 0 0 0 4" pbc="F F F"',
        'unit_cell="4 4 4 90 90 90"',
    ],
)
def test_cells_that_are_not_read_are_refused(reading, comment):
    with pytest.raises(BadInput, match=r"Lattice"):
        reading(water(comment))


def test_a_cell_without_periodicity_is_listed(reading):
    cell = 'Lattice="{0} 0 0 0 {0} 0 0 0 {0}" pbc="F F F"'
    assert reading(water(cell.format(9))).unused == ("the cell (pbc is F in all directions) (1 frame of a.xyz)",)
    assert not reading(water(cell.format(0))).unused


@pytest.mark.parametrize(
    "comment", ["coordinates in bohr", "positions{atomic_unit} cell{atomic_unit}", "geometry in a.u."]
)
def test_units_in_words_are_refused(reading, comment):
    with pytest.raises(BadInput, match="Angstrom"):
        reading(water(comment))
    assert reading(water("E = -5.07 a.u.")).frames


@pytest.mark.parametrize(
    "comment", ["-1 2 water", "1 2 H2O", "0 3 O", "water cation", "H2O+", "OH2- in ice", "a dianion"]
)
def test_comments_that_may_name_an_ion_need_a_charge(reading, comment):
    with pytest.raises(BadInput, match=r"may name an ion; state its charge \(--charge\)"):
        reading(water(comment))
    assert reading(water(comment), charge=-1).frames[0].charge == -1
    assert reading(water(f'Lattice="5 0 0 0 5 0 0 0 5" name="{comment}"')).frames[0].charge is None, "of a crystal"


@pytest.mark.parametrize("comment", ["0 1 H2O", "12 1 water", "0 2 water", "1 1 water", "water 1 2", "H2O-2 H3O+"])
def test_comments_that_name_no_ion(reading, comment):
    assert reading(water(comment)).frames[0].charge is None


@pytest.mark.parametrize("row", ["{s} {z} {xyz}", "{s} {m} {xyz}", "{s} 0 {xyz}", "{s} {x}. 1 {y} 1 {z} 1"])
def test_columns_before_and_between_coordinates_are_refused(reading, row):
    rows = [("O", 8, 15.999, "0.0 0.0 .119"), ("H", 1, 1.008, "0.0 .763 -.477"), ("H", 1, 1.008, "0.0 -.763 -.477")]
    text = "".join(row.format(s=s, z=z, m=m, xyz=xyz, x=0, y=xyz.split()[1]) + "\n" for s, z, m, xyz in rows)
    with pytest.raises(BadInput, match="before or between its coordinates"):
        reading("3\n\n" + text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (water('Lattice="4 0 0 0 4 0 0 0 4" Lattice="5 0 0 0 5 0 0 0 5"'), "'Lattice' twice"),
        (water("energy=-1 energy=-2"), "'energy' twice"),
        (water("frozen=0"), "key 'frozen', which may fix atoms"),
        (water('distance="bohr"'), "read in Angstrom"),
        (water("coordinates=fractional a=1"), "read in Angstrom"),
        (water("E = -17.1 [bohr]"), "read in Angstrom"),
        (f"1\n{FULL}ghost:L:1\nO 0 0 0 T\n", "not real"),
        (f"1\n{FULL}mass:R:1\nO 0 0 0 29164.4\n", "give them in u"),
        ("2\n\nO 0 0 1e300\nH 0 0 1\n", "more than 1e\\+06 Angstrom apart"),
    ],
)
def test_statements_that_cannot_be_used_are_refused(reading, text, says):
    with pytest.raises(BadInput, match=says):
        reading(text)


@pytest.mark.parametrize("mark", ["\x85", "\u2028", "\x0b", "\x0c"])
def test_what_python_takes_for_the_end_of_a_line_is_none(reading, mark):
    assert reading(water(f"a{mark}b")).frames[0].atoms.numbers.tolist() == [8, 1, 1]


def test_qm9(reading):
    text = "3\ngdb 3\t799.5\t437.9\t\n" + W.replace("0 0 .119", "0\t2.5*^-6\t.119\t-0.7")
    text += "1671.4\t3803.6\t3907.6\nO\tO\t\nInChI=1S/H2O/h1H2\tInChI=1S/H2O/h1H2\n"
    contents = reading(text * 2)
    assert [frame.atoms.positions[0, 1] for frame in contents.frames] == [2.5e-6, 2.5e-6]
    assert any("frequencies, SMILES and InChI" in what for what in contents.unused)
    with pytest.raises(BadInput, match="text follows"):
        reading(text.replace("InChI=", ""))


@pytest.mark.parametrize("name", ["xtbopt.log", "water", "water.txt", "xtb.trj", "a.XYZ", "a.dat"])
def test_xyz_files_are_told_by_their_text(reading, name):
    assert len(reading(water(" energy: -5.07 gnorm: 0.0004 xtb: 6.6.1") * 2, name).frames) == 2


def test_properties_in_small_letters(reading):
    text = '1\npbc="T T T" lattice="4 0 0 0 4 0 0 0 4" properties=species:s:1:pos:r:3:group:i:1\nCu 0 0 0 1\n'
    assert reading(text).frames[0].atoms.pbc.all()


def test_crystals_without_bonds_and_molecules_in_boxes_are_said(reading):
    salt = '2\nLattice="{0} 0 0 0 {0} 0 0 0 {0}"\nCs 0 0 0\nCl {1} {1} {1}\n'
    assert not reading(salt.format(4.12, 2.06)).notes
    assert "Bohr" in reading(salt.format(7.79, 3.895)).notes[0]
    (note,) = reading(water('Lattice="20 0 0 0 20 0 0 0 20"')).notes
    assert "empty space on all sides" in note
    assert not reading(water('Lattice="20 0 0 0 20 0 0 0 5"')).notes

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
    for bad in ('pbc="T T T"', 'Lattice="1 2 3 4"', 'Lattice="0 0 0 0 0 0 0 0 0"', 'pbc="1 2 3"'):
        with pytest.raises(BadInput, match=r"cell|Lattice|pbc"):
            reading(water(bad))


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

"""bench.data.files: comments, columns and separators of XYZ files as collections and programs write them."""

import numpy as np
import pytest
from structure_texts import W, water

from bench.errors import BadInput

OH = "O 0 0 0\nH 0 0 .97\n"
O2 = "O 0 0 0\nO 0 0 1.21\n"
CELL = 'Lattice="3 0 0 0 3 0 0 0 20"'


@pytest.mark.parametrize(("charge", "spin", "state"), [(-1, 0, (-1, 1)), (1, "1.0", (1, 3)), (0, 0.5, (0, 2))])
def test_fields_between_bars_are_charge_and_total_spin(reading, charge, spin, state):
    comment = f"CSD_code = ABCDEF | q = {charge} | S = {spin} | Stoichiometry = HO | MND = 1 | 2020-2024 CSD"
    contents = reading(f"2\n{comment}\n{OH}")
    (frame,) = contents.frames
    assert (frame.charge, frame.spin, frame.name) == (*state, "ABCDEF")
    assert len(contents.unused) == 3 and "2S+1" in contents.notes[0]


@pytest.mark.parametrize("fields", ["q = 0 | S = 0", "q = 0.5 | S = 0.5", "q = 0 | S = 0.25", "q = 0 | S = x"])
def test_fields_between_bars_that_these_atoms_cannot_have_are_refused(reading, fields):
    with pytest.raises(BadInput, match=r"q and S|spin multiplicity 1"):
        reading(f"2\nCSD_code = A | {fields}\n{OH}")


def test_charges_of_the_parts_of_a_complex_are_listed_where_its_own_is_stated(reading):
    parts = "charge_a=1 charge_b=-1 selection_a=1-2 selection_b=3-3 benchmark_Eint=-5 benchmark_unit=kcal/mol"
    contents = reading(water(f"charge=0 {parts}"))
    assert contents.frames[0].charge == 0
    assert "the key 'charge_a' (1 frame of a.xyz)" in contents.unused
    with pytest.raises(BadInput, match="charge_a"):
        reading(water(parts))


def test_units_of_energies_are_listed_and_those_of_lengths_refused(reading):
    assert reading(water("unit=Hartree")).unused == ("the key 'unit' (1 frame of a.xyz)",)
    with pytest.raises(BadInput, match="Angstrom"):
        reading(water("unit=Bohr"))


@pytest.mark.parametrize(
    ("comment", "atoms", "option"),
    [
        ("Coordinates from ORCA-job water_cation_opt E -76.1", W, "--charge"),
        ("hydroxide_anion_opt", OH, "--charge"),
        ("deprotonated water", OH, "--charge"),
        ("[OH-] hydroxide", OH, "--charge"),
        ('smiles="[OH-:1]" pbc="F F F"', OH, "--charge"),
        ("InChI=1S/H2O/h1H2/p-1", OH, "--charge"),
        ("[OH2+]", W, "--charge"),
        ("H2O+. B3LYP", W, "--charge"),
        ("oxygen, triplet state", O2, "--spin"),
        ("OH_quartet", OH, "--spin"),
    ],
)
def test_a_comment_that_names_an_ion_or_a_state_needs_it_stated(reading, comment, atoms, option):
    text = f"{atoms.count(chr(10))}\n{comment}\n{atoms}"
    with pytest.raises(BadInput, match=option):
        reading(text)
    stated = {"charge": 1 if atoms == W else -1} if option == "--charge" else {"spin": 3 if atoms == O2 else 4}
    assert reading(text, **stated).frames


def test_a_comment_may_name_an_ion_and_its_state(reading):
    text = f"2\ntriplet dication of oxygen\n{O2}"
    with pytest.raises(BadInput, match="an ion and a triplet; state its charge and spin"):
        reading(text)
    with pytest.raises(BadInput, match="state its spin"):
        reading(text, charge=2)
    assert reading(text, charge=2, spin=3).frames[0].spin == 3


@pytest.mark.parametrize("comment", ["singlet water", "a cationizer", "tripleted", "C[NH3+].[O-]C", "[step-1] [1-3]"])
def test_other_comments_need_nothing(reading, comment):
    assert reading(water(comment)).frames[0].spin is None


def test_s_is_a_total_spin_that_is_unclear(reading):
    with pytest.raises(BadInput, match="has S 1, and it is unclear"):
        reading(f"2\nS=1\n{O2}")


def test_an_entropy_is_no_total_spin(reading):
    assert reading(water("S=188.8 T=298")).unused[0] == "the key 'S' (1 frame of a.xyz)"


def test_a_column_of_magnetic_moments_under_a_short_name(reading):
    (frame,) = reading("2\nProperties=species:S:1:pos:R:3:mag:R:1\nO 0 0 0 1\nO 0 0 1.21 1\n").frames
    assert frame.spin == 3
    head = f"{CELL} Properties=species:S:1:pos:R:3:mag:R:3"
    assert "magnetic moments" in reading(f"1\n{head}\nFe 0 0 0 0 0 2.2\n").unused[0]


def test_sites_that_are_occupied_in_part_are_refused(reading):
    occupancy = '"_JSON {\\"0\\": {\\"Na\\": 0.5, \\"K\\": 0.5}}"'
    for text in (
        f"1\n{CELL} Properties=species:S:1:pos:R:3 occupancy={occupancy}\nNa 0 0 0\n",
        "2\nProperties=species:S:1:pos:R:3:occupancy:R:1\nO 0 0 0 1\nH 0 0 .97 .5\n",
    ):
        with pytest.raises(BadInput, match="occupancy below 1"):
            reading(text)
    full = occupancy.replace('{\\"Na\\": 0.5, \\"K\\": 0.5}', '{\\"Na\\": 1.0}')
    assert reading(f"1\n{CELL} Properties=species:S:1:pos:R:3 occupancy={full}\nNa 0 0 0\n").frames


@pytest.mark.parametrize("words", [("F F F", "T T T"), ("freeze", ""), (".false.", ".true.")])
def test_words_after_the_coordinates_that_may_fix_atoms_are_refused(reading, words):
    first, other = words
    with pytest.raises(BadInput, match="move_mask"):
        reading(f"2\n\nO 0 0 0 {first}\nH 0 0 .97 {other}\n")
    assert "columns after" in reading("2\n\nO 0 0 0 O.3\nH 0 0 .97 H\n").unused[0]


@pytest.mark.parametrize("key", ["periodic=F", 'boundary="p p f"'])
def test_periodicity_under_another_key_is_refused(reading, key):
    text = f"2\n{CELL} {key} {{}}\nCu 0 0 0\nCu 1.5 1.5 1.8\n"
    with pytest.raises(BadInput, match="write it as pbc"):
        reading(text.format(""))
    assert reading(text.format('pbc="T T F"')).frames[0].atoms.pbc.tolist() == [True, True, False]


def test_orcas_separator_between_frames(reading):
    assert len(reading(water("first") + ">\n" + water("second"), "a.allxyz").frames) == 2


def test_a_hint_can_be_typed(reading):
    assert "--energy-key 'energy_our GAP' would" in reading(water('pbc="F F F" "energy_our GAP"=-22.9')).unused[0]


def test_a_name_ends_before_its_comma(reading):
    assert reading(f"2\nname=hydroxide, charge=-1\n{OH}").frames[0].name == "hydroxide"


def test_atomic_units_in_words_are_refused(reading):
    with pytest.raises(BadInput, match="Angstrom"):
        reading(water("water in atomic units"))


def test_an_origin_of_the_cell_moves_nothing(reading):
    contents = reading(f'1\n{CELL} Origin="-1 -1 -1" Properties=id:I:1:species:S:1:pos:R:3\n7 Cu 0 0 1\n')
    assert np.allclose(contents.frames[0].atoms.positions, [[0, 0, 1]])
    assert "the key 'Origin' (1 frame of a.xyz)" in contents.unused

"""bench.data.files: cells under short names, packed files, settings and symbols given twice, as programs write them."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile

import pytest
from structure_texts import W, water

from bench.data.files import read
from bench.errors import BadInput

CUBE = 'Lattice="3.6 0 0 0 3.6 0 0 0 3.6"'
POSCAR = "t\n1.0\n3 0 0\n0 3 0\n0 0 12\nCu O\n1 1\nDirect\n0 0 0 {}\n.5 .5 .2 {}\n"
GAUSSIAN = "# hf/3-21g scrf\n\nt\n\n{}\n{} 0 0 .119\nH 0 .763 -.477\nH 0 -.763 -.477\n\n"
SITES = "_atom_site_label\n_atom_site_type_symbol\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n"
CIF = f"data_a\n_cell_length_a 4\n_cell_length_b 4\n_cell_length_c 4\n{{}}loop_\n{SITES}Na1 Na 0 0 0\nCl1 Cl .5 .5 .5\n"


@pytest.mark.parametrize(
    "comment",
    [
        "# iron CELL{abcABC}: 5.7 5.7 5.7 90 90 90 positions{angstrom}",
        "64 H2O a = 12.4138",
        "ice xl=13.5 yl=15.6 zl=14.7",
        "step=1 cell 10 10 10",
        "Lx=10 Ly=10 Lz=10",
    ],
)
def test_cells_in_other_words_are_refused(reading, comment):
    with pytest.raises(BadInput, match="Lattice"):
        reading(water(comment))


@pytest.mark.parametrize("comment", ["A=12.5 B=3.2 C=2.1", "a=1", "job=cell"])
def test_what_is_no_cell_is_listed(reading, comment):
    assert len(reading(water(comment)).unused) == comment.count("=")


@pytest.mark.parametrize(
    "comment",
    [
        'freeze_list="[0]"',
        "fixed_atom_ids=[0,1]",
        'frozen_indices="0 1"',
        "n_constraints=1",
        "frozen atoms: 1 2",
        "atoms 1-2 are fixed",
        "Fixed indices 1",
    ],
)
def test_what_may_fix_atoms_is_refused(reading, comment):
    with pytest.raises(BadInput, match="move_mask"):
        reading(water(comment))


@pytest.mark.parametrize("comment", ["fixed_cell=F", "CCSD(T), frozen core", "prefix=w", "atoms of water"])
def test_what_fixes_no_atoms_is_listed(reading, comment):
    assert len(reading(water(comment)).unused) == 1


@pytest.mark.parametrize("text", [f"1\n{CUBE}\n1 0 0 0\n", "3\nargon\n1 0 0 0\n1 0 0 4\n1 0 0 8\n"])
def test_one_type_of_atoms_is_not_hydrogen(reading, text):
    with pytest.raises(BadInput, match="in place of elements"):
        reading(text)


@pytest.mark.parametrize(("edge", "asked"), [(0.5, True), (1.8, False)])
def test_fractional_coordinates_of_a_crystal_are_asked_about(reading, edge, asked):
    properties = "Properties=species:S:1:pos:R:3"
    contents = reading(f"2\n{CUBE} {properties}\nCu 0 0 0\nCu {edge} {edge} {edge}\n")
    assert any("fractional?" in note for note in contents.notes) == asked


@pytest.mark.parametrize("comment", ["chg=1", "qtot=-1", "ion=+1", "radical=T", "mul=3"])
def test_short_keys_of_the_electrons_are_refused(reading, comment):
    with pytest.raises(BadInput, match="unclear"):
        reading(water(comment))
    assert len(reading(water("radical=F")).unused) == 1


def test_a_charge_inside_a_text_must_be_stated(reading):
    with pytest.raises(BadInput, match="--charge"):
        reading(water('id=1 title="water, charge 1"'))
    assert reading(water('charge=1 title="water, charge 1"')).frames[0].charge == 1
    assert len(reading(water('id=1 title="water, charge 0"')).frames) == 1


@pytest.mark.parametrize("lattice", ['Lattice=""', 'Lattice="10 10 10"', 'Lattice "3 0 0 0 3 0 0 0 3"'])
def test_a_lattice_that_is_none_is_said_to_be(reading, lattice):
    with pytest.raises(BadInput, match="Lattice that is not nine numbers"):
        reading(water(f"{lattice} Properties=species:S:1:pos:R:3"))


@pytest.mark.parametrize(
    ("cell", "pbc"),
    [
        ("3 0 0 0 3 0 3 3 0", "T T T"),
        ("3 0 0 0 3 0 3 3 0", "T T F"),
        ("3 0 0 6 0 0 0 0 9", "T T F"),
        ("3 0 0 0 0 0 6 0 0", "T F F"),
    ],
)
def test_cell_vectors_in_one_plane_are_refused(reading, cell, pbc):
    with pytest.raises(BadInput, match="in one plane or on one line"):
        reading(f'2\nLattice="{cell}" pbc="{pbc}"\nCu 0 0 0\nCu 1.5 1.5 1.5\n')
    assert reading(f'2\nLattice="{cell}" pbc="F F F"\nCu 0 0 0\nCu 1.5 1.5 1.5\n').frames


def test_a_molecule_in_a_huge_box_is_read_at_once(reading):
    box = "1e4 0 0 0 1e4 0 0 0 1e4"
    contents = reading(f'2\nLattice="{box}" pbc="T T T"\nH 0 0 0\nH 0 0 0.74\n')
    assert any("empty space" in note for note in contents.notes)
    assert any("bonding distance" in note for note in reading(f'1\nLattice="{box}"\nCu 0 0 0\n').notes)


def test_a_setting_of_the_spin_is_listed(reading):
    assert reading(water("spin_polarized=T")).unused == ("the key 'spin_polarized' (1 frame of a.xyz)",)
    for key in ("is_charged=T", "spin_polarized=2"):
        with pytest.raises(BadInput, match="unclear"):
            reading(water(key))


@pytest.mark.parametrize(("comment", "charge"), [("charge=-1=", -1), ("charge=0= E=-3", 0), ("charge=+2=", 2)])
def test_charges_as_xyz2mol_writes_them(reading, comment, charge):
    assert reading(water(comment)).frames[0].charge == charge


def test_only_total_energies_are_recommended_as_labels(reading):
    (hinted, *others) = reading(water("dft_energy=-3 formation_energy=-1 energy_per_atom=-1")).unused
    assert "--energy-key" in hinted
    assert len(others) == 2 and not any("--energy-key" in one for one in others)


def _zipped(data):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.xyz", data)
    return packed.getvalue()


def _tarred(data):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        entry = tarfile.TarInfo("a.xyz")
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    return packed.getvalue()


@pytest.mark.parametrize(
    ("pack", "name", "says"),
    [
        (_zipped, "a.zip", "packed by zip; unpack it"),
        (_tarred, "a.tar.gz", "packed by tar; unpack it"),
        (gzip.compress, "a.xyz", r"packed by gzip; give it the suffix \.gz"),
        (bz2.compress, "a.xyz", r"suffix \.bz2"),
        (lzma.compress, "a.xyz", r"suffix \.xz"),
    ],
)
def test_packed_files_are_said_to_be(reading, pack, name, says):
    with pytest.raises(BadInput, match=says):
        reading(pack(water().encode()), name)


def test_what_is_no_structure_of_a_folder_is_passed_over_and_named(tmp_path):
    (tmp_path / "a.xyz").write_text(water("charge=1"))
    (tmp_path / "energies.csv").write_text("name,energy\na,-1\n")
    (tmp_path / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0\0")
    (tmp_path / "d.npz").write_bytes(_zipped(b""))
    contents = read([tmp_path])
    assert [frame.charge for frame in contents.frames] == [1]
    assert [sum(name in note for note in contents.notes) for name in ("energies.csv", "Thumbs.db", "d.npz")] == [
        1,
        1,
        1,
    ]
    with pytest.raises(BadInput, match="no table of states"):
        read([tmp_path / "a.xyz", tmp_path / "energies.csv"])
    (tmp_path / "energies.csv").write_text("molecule,charge\na,1\n")
    with pytest.raises(BadInput, match="no table of states"):
        read([tmp_path])


def test_symbols_after_the_positions_of_a_poscar_are_those_of_its_head(reading):
    assert len(reading(POSCAR.format("Cu1", "O"), "POSCAR").frames) == 1
    with pytest.raises(BadInput, match="O after the position of atom 0, which is Cu by its head"):
        reading(POSCAR.format("O", "Cu"), "POSCAR")


@pytest.mark.parametrize(("state", "oxygen"), [("0 1", "O-OW--0.8"), ("0 1 1 2 -1 2", "O(Fragment=1)")])
def test_fragments_and_types_of_a_gaussian_input_are_listed(reading, state, oxygen):
    contents = reading(GAUSSIAN.format(state, oxygen), "a.gjf")
    assert contents.frames[0].charge == 0 and contents.frames[0].atoms.get_chemical_formula() == "H2O"
    assert any("fragments" in what for what in contents.unused)
    plain = reading(GAUSSIAN.format("0 1", "O"), "a.gjf").unused
    assert plain == ("the settings of the job (1 frame of a.gjf)",)


def test_formal_charges_of_a_mol2_file_count(reading):
    head = "@<TRIPOS>MOLECULE\nw\n3 0\nSMALL\nUSER_CHARGES\n\n@<TRIPOS>ATOM\n"
    rows = "1 O 0 0 .119 O.3 1 W {}\n2 H 0 .763 -.477 H 1 W {}\n3 H 0 -.763 -.477 H 1 W {}\n"
    formal = "@<TRIPOS>UNITY_ATOM_ATTR\n1 1\ncharge -1\n"
    for charges in ((-1.8, 0.4, 0.4), (0, 0, 0)):
        assert reading(head + rows.format(*charges) + formal, "a.mol2").frames[0].charge == -1
    with pytest.raises(BadInput, match="formal charge, but its charges give 0"):
        reading(head + rows.format(-0.8, 0.4, 0.4) + formal, "a.mol2")


def test_atoms_of_a_pdb_that_are_not_there_are_said(reading):
    atom = "HETATM{:5d}  {:<3} LIG A   1    {:8.3f}{:8.3f}{:8.3f}{:6.2f}  0.00           {}\n"
    rows = [row.split() for row in W.splitlines()]

    def notes(occupancies):
        text = "".join(
            atom.format(k, symbol, float(x), float(y), float(z), occupancy, symbol)
            for k, ((symbol, x, y, z), occupancy) in enumerate(zip(rows, occupancies, strict=True))
        )
        return " ".join(reading(text + "END\n", "a.pdb").notes)

    assert "occupancies below 1" in notes((1, 1, 0))
    assert "occupancies" not in notes((0, 0, 0)) and "occupancies" not in notes((1, 1, 1))


@pytest.mark.parametrize(("mass", "listed"), [("1.0", False), ("1.008", False), ("2.014", True)])
def test_masses_of_quantum_espresso_are_listed(reading, mass, listed):
    text = f"&SYSTEM\n ibrav=0\n nat=1\n ntyp=1\n/\nATOMIC_SPECIES\nH1 {mass} H.upf\n\nATOMIC_POSITIONS angstrom\n"
    text += "H1 0 0 0\nCELL_PARAMETERS angstrom\n3 0 0\n0 3 0\n0 0 3\n"
    assert any("ATOMIC_SPECIES" in what for what in reading(text, "a.pwi").unused) == listed


def test_a_letter_in_a_pdb_that_moves_the_columns_is_refused(reading):
    with pytest.raises(BadInput, match="not ASCII"):
        reading("HETATM    1  O \xe9LIG A   1       0.000   0.000   0.119  1.00  0.00           O\n", "a.pdb")


def test_modulated_structures_and_components_are_refused(reading):
    assert len(reading(CIF.format("_cell_modulation_dimension 0\n"), "a.cif").frames) == 1
    with pytest.raises(BadInput, match="modulated"):
        reading(CIF.format("_cell_modulation_dimension 1\n"), "a.cif")
    with pytest.raises(BadInput, match="component of the PDB"):
        reading("data_HOH\nloop_\n_chem_comp_atom.comp_id\n_chem_comp_atom.atom_id\nHOH O\nHOH H1\n", "a.cif")

"""bench.data.files: SDF, MOL, MOL2, PDB, mmCIF, inputs of programs, and what ASE reads."""

import ase.build
import ase.db
import ase.io
import numpy as np
import pytest
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixAtoms, FixBondLength, FixCartesian
from rdkit import Chem
from rdkit.Chem import rdDistGeom
from structure_texts import GAUSSIAN, HYDROXIDE_MOL, MOL2, ORCA, QCHEM, WATER_MOL, XTB, atom, mol

from bench.errors import BadInput


def embedded(smiles, v3000=False):
    molecule = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert rdDistGeom.EmbedMolecule(molecule, randomSeed=1) == 0
    return Chem.MolToMolBlock(molecule, forceV3000=v3000)


@pytest.mark.parametrize("v3000", [False, True])
@pytest.mark.parametrize(
    ("smiles", "formula", "state"),
    [
        ("CC(=O)[O-]", "C2H3O2", (-1, None)),
        ("[NH4+]", "H4N", (1, None)),
        ("[NH3+]CC(=O)[O-]", "C2H5NO2", (0, None)),
        ("[CH3]", "CH3", (None, 2)),
        ("CCO", "C2H6O", (None, None)),
    ],
)
def test_mol_files_have_charges_and_radicals(reading, smiles, formula, state, v3000):
    (frame,) = reading(embedded(smiles, v3000), "a.mol").frames
    assert frame.atoms.get_chemical_formula() == formula
    assert (frame.charge, frame.spin) == state


def test_all_records_of_an_sdf_with_titles_and_fields(reading):
    text = HYDROXIDE_MOL + "> <PUBCHEM_TOTAL_CHARGE>\n-1\n\n> <activity>\n3\n\n$$$$\n" + WATER_MOL + "$$$$\n"
    contents = reading(text, "a.sdf")
    assert [(frame.name, frame.charge) for frame in contents.frames] == [("hydroxide", -1), ("a", None)]
    assert "the key 'activity' (1 frame of a.sdf)" in contents.unused
    with pytest.raises(BadInput, match="PUBCHEM_TOTAL_CHARGE"):
        reading(text.replace("\n-1\n\n>", "\n0\n\n>"), "a.sdf")


METHANOL = [("C", 0, 0, 0.1), ("O", 1.4, 0, 0), ("C", 2.0, 1.2, 0.3), ("C", 3, 1, 1)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (mol(METHANOL, [(1, 2, 1), (2, 3, 1), (3, 4, 1)]), "lacks 8 hydrogen"),
        (mol(METHANOL, flag="2D"), "two dimensions"),
        (mol([(s, x, y, 0) for s, x, y, _ in METHANOL], flag=""), "two dimensions"),
        (mol([("A", 0, 0, 0), ("H", 0, 0, 1)]), "dummy, a list or a query"),
        (mol([("R#", 0, 0, 0), ("H", 0, 0, 1)]), "dummy, a list or a query"),
        (mol([("L", 0, 0, 0), ("H", 0, 0, 1)], extra="M  ALS   1  2 F C   N   \n"), "dummy, a list or a query"),
        (WATER_MOL.replace("M  END\n", ""), "M  END"),
        (WATER_MOL.replace("  3  2  0", "  2  0  0"), "cannot be read"),
        (WATER_MOL.replace("O  ", "Oo "), "frame 0"),
    ],
)
def test_what_is_no_complete_structure_is_refused(reading, text, says):
    with pytest.raises(BadInput, match=says):
        reading(text, "a.mol")


def test_isotopes_of_a_mol_file_are_masses(reading):
    text = WATER_MOL.replace("M  END", "M  ISO  2   2   2   3   2\nM  END")
    assert reading(text, "a.mol").frames[0].atoms.get_masses() == pytest.approx([15.999, 2.014, 2.014], abs=2e-3)


def test_mol2_charges_add_up(reading):
    (frame,) = reading(MOL2, "a.mol2").frames
    assert (frame.charge, frame.name, frame.atoms.get_chemical_formula()) == (-1, "hydroxide", "HO")
    with pytest.raises(BadInput, match="dummy"):
        reading(MOL2.replace("O.3", "Du"), "a.mol2")


GLY = atom(1, " N", "GLY", 0, 0, 0) + atom(2, " CA", "GLY", 1.45, 0, 0) + atom(3, "CA", "GLY", 0, 1.5, 0)


def test_alpha_carbon_is_no_calcium(reading):
    assert reading(GLY, "a.pdb").frames[0].atoms.numbers.tolist() == [7, 6, 6]
    calcium = atom(1, "CA", "CA", 0, 0, 0, charge="2+", kind="HETATM")
    assert reading(calcium, "a.pdb").frames[0].atoms.numbers.tolist() == [20]
    with pytest.raises(BadInput, match="may be C or Ca"):
        reading(atom(1, "CA", "LIG", 0, 0, 0, kind="HETATM"), "a.pdb")


@pytest.mark.parametrize("text", ["MODEL        1\n{0}ENDMDL\nMODEL        2\n{0}ENDMDL\nEND\n", "{0}END\n{0}END\n"])
def test_models_of_a_pdb_are_frames(reading, text):
    frames = reading(text.format(GLY), "a.pdb").frames
    assert [len(frame.atoms) for frame in frames] == [3, 3]


def test_the_first_altloc_is_taken_and_said(reading):
    text = (
        atom(1, " O", "HOH", 0, 0, 0, "O")
        + atom(2, " H1", "HOH", 0, 0, 0.96, "H", "A")
        + atom(3, " H1", "HOH", 0, 0.2, 0.94, "H", "B")
        + atom(4, " H2", "HOH", 0, 0.9, -0.3, "H")
    )
    contents = reading(text, "a.pdb")
    assert contents.frames[0].atoms.numbers.tolist() == [8, 1, 1] and "altLoc" in contents.notes[0]


def test_altlocs_that_may_not_be_there_together_are_refused(reading):
    rows = [(" O  ", 0.119, 0), (" H1 ", -0.477, 0.763), (" H2 ", -0.477, -0.763)]
    text = "".join(
        atom(k, name, "HOH", x, y, z, name.strip()[0], altloc, occupancy=0.5).replace("A   1", f"A   {residue}")
        for residue, altloc, x in ((1, "A", 0), (2, "B", 1.0))
        for k, (name, z, y) in enumerate(rows, 1)
    )
    with pytest.raises(BadInput, match="altLoc") as caught:
        reading(text + "END\n", "a.pdb")
    assert "such as B of residue 2" in str(caught.value)
    assert len(reading(text.replace("BHOH", "AHOH") + "END\n", "a.pdb").frames[0].atoms) == 6


@pytest.mark.parametrize(
    ("group", "says"),
    [
        ("$fix\n atoms: 1\n", "holds atoms in \\$fix"),
        ("$constrain\n distance: 1,2,auto\n", "holds atoms in \\$constrain"),
        ("$intdef\n 1 f 1.0 stre 1 2 val= 1.8\n", "holds atoms in \\$intdef"),
        ("$set\nchrg -1\n", "in \\$set"),
    ],
)
def test_groups_of_xtb_and_turbomole_that_hold_atoms_or_state_a_charge_are_refused(reading, group, says):
    coord = "$coord\n0 0 .22 o\n0 1.44 -.9 h\n0 -1.44 -.9 h\n{}$end\n"
    with pytest.raises(BadInput, match=says):
        reading(coord.format(group), "coord")
    assert reading(coord.format("$intdef\n 1 k 1.0 stre 1 2 val= 1.8\n$set\nmaxcycle 5\n"), "coord").frames


def test_a_control_file_names_the_file_of_its_atoms(reading):
    with pytest.raises(BadInput, match="file=coord"):
        reading("$title\nx\n$coord    file=coord\n$end\n", "control")


@pytest.mark.parametrize("route", ["opt=readopt", "opt=(rdopt,tight)", "opt geom=addgic"])
def test_gaussian_keywords_that_may_fix_atoms_are_refused(reading, route):
    with pytest.raises(BadInput, match="may fix atoms by"):
        reading(GAUSSIAN.replace("# B3LYP", f"# {route} B3LYP") + "noatoms atoms=1\n\n", "a.gjf")


@pytest.mark.parametrize(
    ("text", "program"),
    [
        ("# psi4\nmolecule hydroxide {\n-1 1\nO 0 0 0\nH 0 0 .97\n}\nenergy('scf')\n", "Psi4"),
        ("***,water\nangstrom\ngeometry={\n2\nx\nO,0,0,0\nH,0,0,.97\n}\nhf\n", "Molpro"),
        ("&FORCE_EVAL\n&SUBSYS\n&COORD\nO 0 0 0\nH 0 0 .97\n&END COORD\n&END\n&END\n", "CP2K"),
        ("geometry units angstrom\n O 0 0 0\n H 0 0 .97\nend\ncharge -1\n", "NWChem"),
        (" $CONTRL ICHARG=-1 $END\n $DATA\nt\nC1\nO 8.0 0 0 0\nH 1.0 0 0 .97\n $END\n", "GAMESS"),
        ("x\n\n2 atoms\n2 atom types\n\nAtoms\n\n1 1 0 0 0\n2 2 0 0 .97\n", "LAMMPS"),
        ("<?xml version='1.0'?>\n<molecule><atomArray/></molecule>\n", "CML"),
        ("ATOMIC_SPECIES\nSi 28 Si.upf\n\nLATTICE_CONSTANT\n10.2\n", "ABACUS"),
    ],
)
def test_inputs_of_other_programs_are_refused_by_their_name(reading, text, program):
    for name in ("a.inp", "a.in", "a.dat"):
        with pytest.raises(BadInput, match=f"{program}.*(not read|no elements)"):
            reading(text, name)


def test_charges_and_cells_of_a_pdb(reading):
    (frame,) = reading(atom(1, "NA", "NA", 0, 0, 0, "NA", charge="1+", kind="HETATM"), "a.pdb").frames
    assert (frame.charge, frame.atoms.pbc.any()) == (1, False)
    cell = "CRYST1{0:9.3f}{0:9.3f}{0:9.3f}  90.00  90.00  90.00 {1:<11}   1\n"
    assert not reading(cell.format(1, "P 1") + GLY, "a.pdb").frames[0].atoms.pbc.any()
    contents = reading(cell.format(20, "P 1") + GLY, "a.pdb")
    assert contents.frames[0].atoms.pbc.all() and any("periodic" in note for note in contents.notes)
    with pytest.raises(BadInput, match="asymmetric unit"):
        reading(cell.format(20, "P 21 21 21") + GLY, "a.pdb")


def test_mmcif(reading):
    names = "group_PDB id type_symbol label_atom_id label_alt_id label_comp_id label_asym_id label_seq_id"
    names += " Cartn_x Cartn_y Cartn_z occupancy B_iso_or_equiv pdbx_formal_charge auth_asym_id auth_seq_id"
    text = "data_a\nloop_\n" + "".join(f"_atom_site.{name}\n" for name in names.split())
    text += "HETATM 1 O O . OH A 1 0 0 0 1 0 -1 A 1\nHETATM 2 H H . OH A 1 0 0 .97 1 0 ? A 1\n"
    (frame,) = reading(text, "a.cif").frames
    assert (frame.charge, frame.atoms.numbers.tolist(), frame.name) == (-1, [8, 1], "a")


@pytest.mark.parametrize(
    ("text", "name"),
    [(GAUSSIAN, "a.gjf"), (GAUSSIAN, "a.com"), (ORCA, "a.inp"), (QCHEM, "a.in"), (XTB, "coord"), (XTB, "a.tmol"),
     (XTB.replace("$chrg -1\n$spin 0", "$eht charge=-1 unpaired=0"), "coord")],
)  # fmt: skip
def test_inputs_of_programs_have_charge_and_multiplicity(reading, text, name):
    (frame,) = reading(text, name).frames
    assert (frame.charge, frame.spin, frame.atoms.numbers.tolist()) == (-1, 1, [8, 1])
    assert frame.atoms.get_distance(0, 1) == pytest.approx(0.97, abs=1e-3)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (GAUSSIAN.replace("-1 1\n", ""), "a.gjf"),
        (GAUSSIAN.replace("H 0.0 0.0 0.97", "H 1 0.97"), "a.gjf"),
        (GAUSSIAN.replace("O 0.0", "O-Bq 0.0"), "a.gjf"),
        (GAUSSIAN + "--Link1--\n" + GAUSSIAN, "a.gjf"),
        (ORCA.replace("xyz -1 1", "xyzfile -1 1 a.xyz"), "a.inp"),
        (ORCA.replace("H 0", "H: 0"), "a.inp"),
        (QCHEM.replace("-1 1\n", "read\n"), "a.in"),
        (XTB.replace("$chrg", "$periodic 3\n$chrg"), "coord"),
        (XTB.replace("-1", "-0.5"), "coord"),
    ],
)
def test_inputs_that_are_not_understood_are_refused(reading, text, name):
    with pytest.raises(BadInput, match=name.replace(".", r"\.")):
        reading(text, name)


def test_fixed_atoms_isotopes_and_units_of_inputs(reading):
    (frame,) = reading(GAUSSIAN.replace("O 0.0", "O -1 0.0").replace("H 0.0", "H(Iso=2) 0 0.0"), "a.gjf").frames
    assert frame.atoms.constraints[0].index.tolist() == [0]
    assert frame.atoms.get_masses()[1] == pytest.approx(2.0141, abs=1e-4)
    (frame,) = reading(XTB.replace("0 o", "0 o f"), "coord").frames
    assert frame.atoms.constraints[0].index.tolist() == [0]
    (frame,) = reading(GAUSSIAN.replace("# ", "# units=au ").replace("0.97", "1.833"), "a.gjf").frames
    assert frame.atoms.get_distance(0, 1) == pytest.approx(0.97, abs=1e-3)


@pytest.mark.parametrize("residue", ["LYS", "ASP", "DA", "CA"])
def test_residues_that_may_be_charged_need_a_charge(reading, residue):
    text = atom(1, " N", residue, 0, 0, 0, "N") + atom(2, " C", residue, 1.45, 0, 0, "C")
    with pytest.raises(BadInput, match=rf"may be charged \({residue}\).*--charge"):
        reading(text, "a.pdb")
    assert reading(text, "a.pdb", charge=1).frames[0].charge == 1


def test_types_of_force_fields_are_no_elements(reading):
    with pytest.raises(BadInput, match="'ca' of an atom, which is a force field's"):
        reading(MOL2.replace("O.3", "ca"), "a.mol2")


def test_mol2_charges_that_add_up_to_a_fraction_need_a_charge(reading):
    text = MOL2.replace("-1.1", "-0.6")
    with pytest.raises(BadInput, match=r"add up to -0.50; state its charge"):
        reading(text, "a.mol2")
    assert reading(text, "a.mol2", charge=-1).frames[0].charge == -1


def test_frozen_coordinates_of_a_gaussian_input_are_refused(reading):
    text = GAUSSIAN.replace("# ", "# opt=modredundant ") + "B 1 2 {}\n\n"
    with pytest.raises(BadInput, match="ModRedundant"):
        reading(text.format("F"), "a.gjf")
    assert reading(text.format("B"), "a.gjf").unused


SLAB = ase.build.fcc111("Cu", (1, 1, 3), vacuum=5, periodic=True)
SLAB.info.clear()


@pytest.mark.parametrize("name", ["a.traj", "a.json", "a.db", "geometry.in", "a.extxyz", "a.vasp", "a.cif", "a.gen"])
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_slabs_of_every_kind(reading, tmp_path, name):
    slab = SLAB.copy()
    slab.set_constraint(FixAtoms([0]))
    ase.io.write(tmp_path / name, slab)
    (frame,) = reading((tmp_path / name).read_bytes(), name).frames
    assert frame.atoms.pbc.all() and np.allclose(frame.atoms.cell.volume, slab.cell.volume)
    assert frame.atoms.symbols.get_chemical_formula() == "Cu3"
    assert bool(frame.atoms.constraints) == (name not in ("a.cif", "a.gen"))  # which have no place for them
    assert not frame.atoms.info and frame.atoms.calc is None


@pytest.mark.parametrize("name", ["a.traj", "a.json", "a.extxyz"])
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_cell_that_is_not_periodic_is_listed(reading, tmp_path, name):
    water = ase.build.molecule("H2O", cell=[9, 9, 9])
    ase.io.write(tmp_path / name, water)
    contents = reading((tmp_path / name).read_bytes(), name)
    assert f"the cell (pbc is F in all directions) (1 frame of {name})" in contents.unused
    assert not contents.frames[0].atoms.cell.any()


def test_properties_of_a_mol_file_that_nothing_uses_are_listed(reading):
    text = WATER_MOL.replace("M  END", "M  STY  1   1 MUL\nM  SAL   1  3   1   2   3\nM  END")
    assert {"the lines M  STY (1 frame of a.mol)", "the lines M  SAL (1 frame of a.mol)"} < set(
        reading(text, "a.mol").unused
    )


def test_the_end_of_orcas_coordinates_may_be_indented(reading):
    assert reading(ORCA.replace("\n*\n", "\n  *\n"), "a.inp").frames[0].charge == -1


def test_constraints_that_are_not_obeyed_are_refused(reading, tmp_path):
    for constraint in (FixCartesian([0], (True, False, False)), FixBondLength(0, 1)):
        slab = SLAB.copy()
        slab.set_constraint(constraint)
        ase.io.write(tmp_path / "a.traj", slab)
        with pytest.raises(BadInput, match="Fix"):
            reading((tmp_path / "a.traj").read_bytes(), "a.traj")


def test_states_and_labels_of_ase_files(reading, tmp_path):
    water = ase.build.molecule("H2O")
    water.info["charge"] = 1
    water.calc = SinglePointCalculator(water, energy=-3.0, forces=np.zeros((3, 3)), dipole=np.zeros(3))
    ase.io.write(tmp_path / "a.traj", water)
    contents = reading((tmp_path / "a.traj").read_bytes(), "a.traj")
    assert (contents.frames[0].charge, contents.frames[0].labels.energy) == (1, -3.0)
    assert contents.unused == ("the result 'dipole' (1 frame of a.traj)",)
    with ase.db.connect(tmp_path / "b.db") as database:
        database.write(ase.build.molecule("H2O"), total_charge=-1)
    assert reading((tmp_path / "b.db").read_bytes(), "b.db").frames[0].charge == -1


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("a.pqr", "PQR"),
        ("a.lmp", "LAMMPS"),
        ("a.smi", "SMILES"),
        ("a.foo", "foo"),
        ("a.gro", "no elements"),
        ("a.car", "first structure only"),
        ("a.nc", "no elements"),
        ("a.CONFIG", "dlp4"),
        ("inp", "octopus-in"),
        ("a.nwi", "nwchem-in"),
    ],
)
def test_formats_that_are_not_read_are_refused_by_name(reading, name, says):
    with pytest.raises(BadInput, match=says):
        reading("text\n", name)


def test_formats_whose_units_ase_leaves_are_refused(reading):
    text = '<?xml version="1.0"?>\n<fpmd:simulation xmlns:fpmd="http://www.quantum-simulation.org/ns/fpmd/fpmd-1.0">\n'
    with pytest.raises(BadInput, match="qbox"):
        reading(text + "<release>1.60 qbox</release>\n", "a.r")


def test_mol2_files_of_ions_without_charges_need_one(reading):
    text = "@<TRIPOS>MOLECULE\nammonium\n5 4\nSMALL\n{}\n\n@<TRIPOS>ATOM\n1 N 0 0 0 N.4 1 W {}\n"
    text += "".join(
        f"{k} H {x} {y} {z} H 1 W 0.0\n"
        for k, (x, y, z) in enumerate([(0.6, 0.6, 0.6), (0.6, -0.6, -0.6), (-0.6, 0.6, -0.6), (-0.6, -0.6, 0.6)], 2)
    )
    assert reading(text.format("GASTEIGER", "1.0"), "a.mol2").frames[0].charge == 1
    for kind in ("NO_CHARGES", "USER_CHARGES"):
        with pytest.raises(BadInput, match=r"N\.4.*state its charge \(--charge\)"):
            reading(text.format(kind, "0.0"), "a.mol2")
        assert reading(text.format(kind, "0.0"), "a.mol2", charge=1).frames[0].charge == 1


def test_a_cube_is_said_to_be_a_molecule(reading):
    text = "title\n\n2 0 0 0\n1 2 0 0\n1 0 2 0\n1 0 0 2\n1 0 0 0 0\n1 0 0 0 1.4\n0.5\n"
    contents = reading(text, "a.cube")
    assert contents.frames[0].atoms.get_distance(0, 1) == pytest.approx(0.7408, abs=1e-3)
    assert not contents.frames[0].atoms.pbc.any() and any("no cell" in note for note in contents.notes)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("title\n\n2 0 0 0\n1 2 0 0\n1 0 2 0\n2 0 0 2\n1 0 0 0 0\n1 0 0 0 1.4\n0.5\n", "cut off"),
        ("title\n\n2 0 0 0\n-1 2 0 0\n-1 0 2 0\n-1 0 0 2\n1 0 0 0 0\n1 0 0 0 .74\n0.5\n", "voxels"),
        ("title\n\n2 0 0 0\n1 2 0 0\n", "complete head"),
    ],
)
def test_cubes_that_ase_cannot_read_are_refused(reading, text, says):
    with pytest.raises(BadInput, match=says):
        reading(text, "a.cube")


def test_text_with_control_characters_is_binary(reading):
    with pytest.raises(BadInput, match="binary"):
        reading(b"\x93\xa9mixed\x01\n$molecule\n0 1\nO 0 0 0\n$end\n", "a.msgpack")


def test_a_mol_file_with_an_odd_number_of_electrons_states_why(reading):
    borohydride = [("B", 0, 0, 0), ("H", 0.7, 0.7, 0.7), ("H", 0.7, -0.7, -0.7), ("H", -0.7, 0.7, -0.7)]
    text = mol([*borohydride, ("H", -0.7, -0.7, 0.7)], [(1, k, 1) for k in (2, 3, 4, 5)])
    with pytest.raises(BadInput, match=r"odd number of electrons.*--charge"):
        reading(text, "a.mol")
    assert reading(text, "a.mol", charge=-1).frames[0].charge == -1

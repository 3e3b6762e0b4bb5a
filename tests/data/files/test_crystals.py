"""bench.data.files.crystals: inputs of VASP, Quantum ESPRESSO, FHI-aims, CASTEP, SHELX and SIESTA."""

import pytest
from structure_texts import POSCAR

from bench.errors import BadInput


def test_selective_dynamics(reading):
    (frame,) = reading(POSCAR.format(flags="Selective\n", one="F F F", two="T T T"), "POSCAR").frames
    assert frame.atoms.constraints[0].index.tolist() == [0] and frame.atoms.pbc.all()
    with pytest.raises(BadInput, match="some directions only"):
        reading(POSCAR.format(flags="Selective\n", one="T T F", two="T T T"), "POSCAR")
    with pytest.raises(BadInput, match="names no elements"):
        reading(POSCAR.format(flags="", one="", two="").replace("Cu\n", ""), "POSCAR")
    contents = reading(POSCAR.format(flags="", one="", two="") + "\n0 0 0\n0 0 0\n", "CONTCAR")
    assert "velocities" in contents.unused[0]


@pytest.mark.parametrize("flags", ["F F F", "f f f", ".FALSE. .FALSE. .FALSE.", ".F. F f Cu1"])
def test_fortrans_spellings_of_a_flag(reading, flags):
    (frame,) = reading(POSCAR.format(flags="selective\n", one=flags, two=".true. T t"), "POSCAR").frames
    assert frame.atoms.constraints[0].index.tolist() == [0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (POSCAR.format(flags="", one="", two="").replace("\n2\n", "\n3\n"), "announces 3 atoms and has lines for 2"),
        (POSCAR.format(flags="", one="", two="").replace("\n2\n", "\n1\n"), "announces 1 atom and has lines for more"),
        (
            POSCAR.format(flags="", one="", two="").replace("Cu\n2\n", "Ga H.75\n1 1\n"),
            "names 'H.75', which is not an element",
        ),
        (POSCAR.format(flags="S\n", one="T T F", two=".T. T T"), "some directions only"),
        (POSCAR.format(flags="S\n", one="", two="T T T"), "without three flags"),
    ],
)
def test_poscars_that_are_not_what_they_say_are_refused(reading, text, says):
    with pytest.raises(BadInput, match=says):
        reading(text, "POSCAR")


@pytest.mark.parametrize("symbols", ["Fe_pv Ti", "Fe/0a1b2c3d Ti_sv/f0e1d2c3"])
def test_names_of_potentials_are_elements(reading, symbols):
    text = POSCAR.format(flags="", one="", two="").replace("Cu\n2\n", f"{symbols}\n1 1\n")
    assert reading(text, "CONTCAR").frames[0].atoms.get_chemical_formula() == "FeTi"


QE = (
    "&SYSTEM\n ibrav=0\n nat=1\n ntyp=1\n celldm(1)=10.0\n/\nATOMIC_SPECIES\nH 1.0 H.upf\n"
    "CELL_PARAMETERS {}\n1 0 0\n0 1 0\n0 0 1\n"
    "ATOMIC_POSITIONS {}\nH 0 0 0\n"
)


@pytest.mark.parametrize("unit", ["alat", "{ alat }", "(alat)"])
def test_quantum_espresso_cells_have_a_unit(reading, unit):
    assert reading(QE.format(unit, "bohr"), "a.pwi").frames[0].atoms.get_volume() == pytest.approx(148.185, abs=0.01)
    for units in (("", "bohr"), (unit, "")):
        with pytest.raises(BadInput, match="no unit after"):
            reading(QE.format(*units), "a.pwi")


INPUT = QE.format("angstrom", "angstrom").replace("H 0 0 0", "H 0 0 0 {}\nO-a 0 0 0.5 {}")


@pytest.mark.parametrize(
    ("flags", "says"),
    [(("", ""), "announces 1 atom and has lines for 2"), (("", "0 1 1 ! x"), r"some directions only \(0 1 1\)")],
)
def test_atoms_and_flags_of_quantum_espresso(reading, flags, says):
    with pytest.raises(BadInput, match=says):
        reading(INPUT.format(*flags), "a.pwi")
    with pytest.raises(BadInput, match="nat = two, which is not a number of atoms"):
        reading(INPUT.format("", "").replace("nat=1", "nat=two"), "a.pwi")


AIMS = "lattice_vector 4 0 0\n{}lattice_vector 0 4 0\nlattice_vector 0 0 4\natom 0 0 0 Cs\n{}atom 2 2 2 {}\n"


def test_constraints_and_species_of_aims(reading):
    (frame,) = reading(AIMS.format("", " constrain_relaxation .true.\n", "Cl"), "geometry.in").frames
    assert frame.atoms.constraints[0].index.tolist() == [0]
    (frame,) = reading(AIMS.format("", " constrain_relaxation .false.\n", "Cl"), "geometry.in").frames
    assert not frame.atoms.constraints
    for text, says in (
        (AIMS.format(" constrain_relaxation .true.\n", "", "Cl"), "constrains its cell"),
        (AIMS.format("", " constrain_relaxation x\n", "Cl"), "some directions only"),
        (AIMS.format("", "", "Cl_tight"), "'Cl_tight', whose name is no element"),
    ):
        with pytest.raises(BadInput, match=says):
            reading(text, "geometry.in")


RES = "TITL x\nCELL 1.0 4.0 4.0 4.0 90 90 90\n{}SFAC Cs Cl\nCs 1 0 0 0 1.0\nCl 2 0.5 0.5 0.5 1.0\nEND\n"
CASTEP = (
    "%BLOCK LATTICE_CART\n4 0 0\n0 4 0\n0 0 4\n%ENDBLOCK LATTICE_CART\n%BLOCK POSITIONS_FRAC\nCs 0 0 0\n"
    "Cl 0.5 0.5 0.5\n%ENDBLOCK POSITIONS_FRAC\n"
)


@pytest.mark.parametrize("symmetry", ["LATT 1\n", "LATT -1\nSYMM -X, 0.5+Y, 0.5-Z\n", ""])
def test_asymmetric_units_of_shelx_are_refused(reading, symmetry):
    with pytest.raises(BadInput, match="symmetry"):
        reading(RES.format(symmetry), "a.res")


def test_a_castep_cell_is_read_without_talk_of_castep_itself(reading):
    assert len(reading(CASTEP, "a.cell").notes) == 1
    with pytest.raises(BadInput, match="FIX_ALL_IONS"):
        reading(CASTEP + "FIX_ALL_IONS : true\n", "a.cell")


@pytest.mark.parametrize(
    ("name", "text", "volume", "distance"),
    [
        ("a.res", RES.format("LATT -1\n"), 64.0, 3.4641),
        ("a.cell", CASTEP, 64.0, 3.4641),
        ("a.XV", "8 0 0 0 0 0\n0 8 0 0 0 0\n0 0 8 0 0 0\n2\n1 55 0 0 0 0 0 0\n2 17 4 4 4 0 0 0\n", 75.87, 3.6663),
        ("a.STRUCT_OUT", "4 0 0\n0 4 0\n0 0 4\n2\n1 55 0 0 0\n2 17 .5 .5 .5\n", 64.0, 3.4641),
    ],
)  # fmt: skip
def test_crystals_of_castep_airss_and_siesta(reading, name, text, volume, distance):
    (frame,) = reading(text, name).frames
    assert frame.atoms.get_chemical_formula() == "ClCs" and frame.atoms.pbc.all()
    assert frame.atoms.get_volume() == pytest.approx(volume, abs=0.05)
    assert frame.atoms.get_distance(0, 1, mic=True) == pytest.approx(distance, abs=2e-3)


IBRAV = (
    "&SYSTEM\n ibrav = {}\n nat=2\n ntyp=1\n/\nATOMIC_SPECIES\nSi 28.085 Si.upf\n"
    "ATOMIC_POSITIONS {}\nSi 0 0 0\nSi .25 .25 .25\n"
)


@pytest.mark.parametrize(
    ("lattice", "cell"),
    [
        ("1, A=4", (4, 4, 4, 90, 90, 90)),
        ("2, A=4", (8**0.5, 8**0.5, 8**0.5, 60, 60, 60)),
        ("3, a = 4.0d0", (12**0.5, 12**0.5, 12**0.5, 70.528779, 109.471221, 70.528779)),
        ("-3, A=4", (12**0.5, 12**0.5, 12**0.5, 109.471221, 109.471221, 109.471221)),
        ("4, A=4, C=6", (4, 4, 6, 90, 90, 120)),
        ("5, A=4, cosAB=0.5", (4, 4, 4, 60, 60, 60)),
        ("-5, A=4, cosAB=0.5", (4, 4, 4, 60, 60, 60)),
        ("6, A=4, C=6", (4, 4, 6, 90, 90, 90)),
        ("7, A=4, C=6", (17**0.5, 17**0.5, 17**0.5, 86.627713, 58.034281, 58.034281)),
        ("8, A=4, B=5, C=6", (4, 5, 6, 90, 90, 90)),
        ("9, A=6, B=8, C=6", (5, 5, 6, 90, 90, 73.739795)),
        ("-9, A=6, B=8, C=6", (5, 5, 6, 90, 90, 106.260205)),
        ("91, A=4, B=6, C=8", (4, 5, 5, 106.260205, 90, 90)),
        ("10, A=6, B=8, C=6", (18**0.5, 5, 5, 50.208, 64.896, 64.896)),
        ("11, A=4, B=4, C=4", (12**0.5, 12**0.5, 12**0.5, 70.528779, 109.471221, 70.528779)),
        ("12, A=4, B=5, C=6, cosAB=0.5", (4, 5, 6, 90, 90, 60)),
        ("-12, A=4, B=5, C=6, cosAC=0.5", (4, 5, 6, 90, 60, 90)),
        ("13, A=6, B=5, C=8, cosAB=0.5", (5, 5, 5, 72.542397, 106.260205, 72.542397)),
        ("14, A=4, B=5, C=6, cosBC=0.1, cosAC=0.2, cosAB=0.3", (4, 5, 6, 84.260830, 78.463041, 72.542397)),
        (
            "14, celldm(1)=7.558904535, celldm(2)=1.25, celldm(3)=1.5, celldm(4)=0.1, celldm(5)=0.2, celldm(6)=0.3",
            (4, 5, 6, 84.260830, 78.463041, 72.542397),
        ),
    ],
)
def test_the_lattices_of_quantum_espresso(reading, lattice, cell):
    (frame,) = reading(IBRAV.format(lattice, "crystal"), "a.pwi").frames
    assert frame.atoms.cell.cellpar() == pytest.approx(cell, abs=2e-3)
    assert frame.atoms.get_scaled_positions()[1] == pytest.approx([0.25] * 3)


def test_positions_in_units_of_the_lattice_constant(reading):
    for lattice in ("2, A=5.43", "2, celldm(1)=10.2612129"):
        (frame,) = reading(IBRAV.format(lattice, "alat"), "a.pwi").frames
        assert frame.atoms.get_distance(0, 1, mic=True) == pytest.approx(5.43 * 3**0.5 / 4, abs=1e-5)


@pytest.mark.parametrize(
    ("lattice", "says"),
    [
        ("99, A=4", "no lattice of pw.x"),
        ("-13, A=4, B=5, C=6, cosAC=0.1", "version of pw.x"),
        ("8, A=4, B=5", "no number for C"),
        ("7, celldm(1)=5", r"no number for celldm\(3\)"),
        ("1", r"neither celldm\(1\) and A"),
        ("1, A=4, celldm(1)=5", r"both celldm\(1\) and A"),
        ("5, A=4, cosAB=1.5", "no cell can have"),
    ],
)
def test_lattices_that_are_incomplete_are_refused(reading, lattice, says):
    with pytest.raises(BadInput, match=says):
        reading(IBRAV.format(lattice, "crystal"), "a.pwi")
    with pytest.raises(BadInput, match="remove one of the two"):
        reading(QE.format("alat", "bohr").replace("ibrav=0", "ibrav=1"), "a.pwi")


def test_asymmetric_units_of_quantum_espresso_are_refused(reading):
    with pytest.raises(BadInput, match="space_group"):
        reading(IBRAV.format("0, A=4, space_group=225", "crystal_sg"), "a.pwi")

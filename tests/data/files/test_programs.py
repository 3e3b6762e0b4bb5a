"""bench.data.files.programs: outputs of quantum programs, in small ones of our own writing."""

import pytest
from ase import Atoms
from ase.units import Hartree

from bench.data.files import programs
from bench.errors import BadInput

ORCA_STRUCTURE = """---------------------------------
CARTESIAN COORDINATES (ANGSTROEM)
---------------------------------
  O      0.000000    0.000000    0.000000
  O      0.000000    0.000000    {distance}

"""
ORCA = (
    """                                 * O   R   C   A *
Number of atoms                             ...      2
 Total Charge           Charge          ....    {charge}
 Multiplicity           Mult            ....    {spin}
"""
    + ORCA_STRUCTURE
)
ORCA_END = "FINAL SINGLE POINT ENERGY      -150.000000\n                ****ORCA TERMINATED NORMALLY****\n"

GAMESS = """          *  GAMESS VERSION = 1 JAN 2020  *
 ATOM      ATOMIC                      COORDINATES (BOHR)
           CHARGE         X                   Y                   Z
 O           8.0     0.0000000000        0.0000000000        0.0000000000
 O           8.0     0.0000000000        0.0000000000        2.2860000000

 CHARGE OF MOLECULE                           =    0
 SPIN MULTIPLICITY                            =    3
 FINAL ROHF ENERGY IS     -149.5000000000 AFTER  12 ITERATIONS
"""
GAMESS_STEP = """ COORDINATES OF ALL ATOMS ARE (ANGS)
   ATOM   CHARGE       X              Y              Z
 ------------------------------------------------------------
 O           8.0   0.0000000000   0.0000000000   0.0000000000
 O           8.0   0.0000000000   0.0000000000   {distance}

"""
GAUSSIAN = """ Entering Link 1 = l1.exe
 Charge =  0 Multiplicity = 3
                         {orientation} orientation:
 ---------------------------------------------------------------------
 Center     Atomic      Atomic             Coordinates (Angstroms)
 Number     Number       Type             X           Y           Z
 ---------------------------------------------------------------------
      1          8           0        0.000000    0.000000    0.000000
      2          8           0        0.000000    0.000000    1.210000
 ---------------------------------------------------------------------
 SCF Done:  E(UB3LYP) =  -150.250000000     A.U. after    9 cycles
{more} Center     Atomic                   Forces (Hartrees/Bohr)
 Number     Number              X              Y              Z
 -------------------------------------------------------------------
      1        8           0.000000000    0.000000000    0.010000000
      2        8           0.000000000    0.000000000   -0.010000000
 -------------------------------------------------------------------
"""


def gaussian(orientation="Input", more=""):
    return GAUSSIAN.format(orientation=orientation, more=more)


@pytest.mark.parametrize(
    ("name", "text", "state"),
    [
        ("a.out", ORCA.format(charge=-1, spin=2, distance=1.3) + ORCA_END, (-1, 2)),
        ("a.out", GAMESS, (0, 3)),
        ("a.log", gaussian(), (0, 3)),
    ],
)
def test_outputs_state_charge_and_multiplicity(reading, name, text, state):
    (frame,) = reading(text, name).frames
    assert (frame.charge, frame.spin) == state
    assert 1.2 < frame.atoms.get_distance(0, 1) < 1.31
    with pytest.raises(BadInput, match="charge"):
        reading(text, name, charge=state[0] + 2)


def test_nwchem_states_unpaired_electrons_or_a_multiplicity():
    scf = " charge          =   1.00\n open shells     =     1\n"
    dft = "          Charge           :     1\n          Spin multiplicity:     2\n"
    for text in (scf, dft):
        assert programs.state_of_output("nwchem-out", text, "a.out") == {"charge": 1, "multiplicity": 2}
    with pytest.raises(BadInput, match="several states"):
        programs.state_of_output("nwchem-out", scf + scf.replace("=     1", "=     3"), "a.out")


def test_a_state_that_is_not_read_must_be_given(reading):
    text = "$grad\n  cycle =      1    SCF energy =    -75.0   |dE/dxyz| =  0.1\n"
    text += "  0.0  0.0  0.0  o\n  0.0  0.0  1.8  h\n  0.0  0.0  0.1\n  0.0  0.0  -.1\n$end\n"
    with pytest.raises(BadInput, match=r"gradient.*--charge, --spin"):
        reading(text, "gradient")
    with pytest.raises(BadInput, match=r"state its spin \(--spin\)"):
        reading(text, "gradient", charge=0)
    (frame,) = reading(text, "gradient", charge=0, spin=2).frames
    assert (frame.charge, frame.spin) == (0, 2)


@pytest.mark.parametrize(
    "text",
    [
        ORCA.format(charge=0, spin=3, distance=1.2) + ORCA_STRUCTURE.format(distance=1.3) + ORCA_END,
        GAMESS + GAMESS_STEP.format(distance=1.21) + GAMESS_STEP.format(distance=1.25),
    ],
)
def test_structures_that_ase_leaves_out_are_refused(reading, text):
    with pytest.raises(BadInput, match="2 structures, of which ASE reads 1"):
        reading(text, "a.out")


def test_a_cell_that_ase_leaves_out_is_refused():
    text = "  lattice_vector 4.0 0.0 0.0\n"
    programs.check_images("aims-output", text, [Atoms("H", cell=[4, 4, 4], pbc=True)], "a.out")
    programs.check_images("aims-output", "", [Atoms("H")], "a.out")
    with pytest.raises(BadInput, match="cell"):
        programs.check_images("aims-output", text, [Atoms("H")], "a.out")


def test_labels_of_one_level_are_used(reading):
    (frame,) = reading(gaussian(), "a.log").frames
    assert frame.labels.energy == pytest.approx(-150.25 * Hartree)
    assert frame.labels.forces[0, 2] == pytest.approx(0.01 * Hartree / 0.529177, rel=1e-5)


@pytest.mark.parametrize(
    "text",
    [
        gaussian(more=" Excited State   1:      Triplet-SGU    1.2 eV\n"),
        gaussian(more=" E2 =    -0.1D+00 EUMP2 =    -0.1503D+03\n"),
        gaussian("Standard"),
    ],
)
def test_labels_of_another_level_state_or_orientation_are_not_used(reading, text):
    contents = reading(text, "a.log")
    assert contents.frames[0].labels is None
    assert "the result 'energy' (1 frame of a.log)" in contents.unused
    assert any("not used as labels" in note for note in contents.notes)


@pytest.mark.parametrize("name", ["a.log", "a.out"])
def test_the_output_of_another_program_is_not_taken_for_gaussian_or_espresso(reading, name):
    with pytest.raises(BadInput, match="a program that is not read"):
        reading("Some program\n energy = 1\n", name, charge=0, spin=1)

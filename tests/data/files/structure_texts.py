"""Small structure files in the shape in which programs write them."""

W = "O 0 0 .119\nH 0 .763 -.477\nH 0 -.763 -.477\n"
"""Water, as lines of an XYZ file."""


def water(comment="", properties=""):
    return f"3\n{comment}{properties}\n{W}"


def mol(atoms, bonds="", extra="", title="a", flag="3D"):
    """Return a V2000 record: atoms as (symbol, x, y, z), bonds as lines, extra lines of properties."""
    rows = "".join(f"{x:10.4f}{y:10.4f}{z:10.4f} {s:<3} 0  0  0  0  0  0  0  0  0  0  0  0\n" for s, x, y, z in atoms)
    bonds = "".join(f"{i:3d}{j:3d}{order:3d}  0\n" for i, j, order in bonds)
    count = bonds.count("\n")
    head = f"{title}\n  prog    0101010000{flag}\n\n{len(atoms):3d}{count:3d}  0  0  0  0            999 V2000\n"
    return f"{head}{rows}{bonds}{extra}M  END\n"


WATER_MOL = mol([("O", 0, 0, 0.119), ("H", 0, 0.763, -0.477), ("H", 0, -0.763, -0.477)], [(1, 2, 1), (1, 3, 1)])
HYDROXIDE_MOL = mol([("O", 0, 0, 0), ("H", 0, 0, 0.97)], [(1, 2, 1)], "M  CHG  1   1  -1\n", "hydroxide")


def atom(serial, name, residue, x, y, z, element="", altloc=" ", charge="", kind="ATOM", occupancy=1.0):
    """Return a line of a PDB file; `name` has its four columns."""
    return (
        f"{kind:<6}{serial:5d} {name:<4}{altloc}{residue:>3} A   1    {x:8.3f}{y:8.3f}{z:8.3f}{occupancy:6.2f}  0.00"
        f"          {element:>2}{charge}\n"
    )


POSCAR = "cell\n1.0\n3 0 0\n0 3 0\n0 0 3\nCu\n2\n{flags}Direct\n0 0 0 {one}\n.5 .5 .5 {two}\n"
GAUSSIAN = "%mem=1GB\n# B3LYP/6-31G*\n\nhydroxide\n\n-1 1\nO 0.0 0.0 0.0\nH 0.0 0.0 0.97\n\n"
ORCA = "! B3LYP def2-SVP\n* xyz -1 1\nO 0 0 0\nH 0 0 .97\n*\n"
QCHEM = "$molecule\n-1 1\nO 0 0 0\nH 0 0 .97\n$end\n$rem\nmethod b3lyp\n$end\n"
XTB = "$coord\n0 0 0 o\n0 0 1.833 h\n$chrg -1\n$spin 0\n$end\n"
MOL2 = (
    "@<TRIPOS>MOLECULE\nhydroxide\n2 1\nSMALL\nGASTEIGER\n\n@<TRIPOS>ATOM\n1 O 0 0 0 O.3 1 W -1.1\n"
    "2 H 0 0 .97 H 1 W .1\n@<TRIPOS>BOND\n1 1 2 1\n"
)

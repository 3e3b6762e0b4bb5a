"""bench.data.files on damaged files: used, refused or listed; no other exception, no other number of electrons."""

import random
import re

import pytest
from structure_texts import GAUSSIAN, HYDROXIDE_MOL, MOL2, ORCA, POSCAR, QCHEM, WATER_MOL, XTB, atom, water

from bench.errors import BadInput

NUMBER = r"[-+]?\d*\.?\d+"
ROW = rf"(?m)^(?:O|H)(?: {NUMBER}){{3}}$"
EXTENDED = "2\nProperties=species:S:1:pos:R:3:forces:R:3 charge=-1 spin=1 energy=-3\nO 0 0 0 0 0 1\nH 0 0 .97 0 0 -1\n"
PDB = "".join((atom(1, " O", "HOH", 0, 0, 0, "O"), atom(2, " H1", "HOH", 0, 0, 0.96, "H"), "END\n"))
SAMPLES = [
    ("a.xyz", water() + "\n" + water("charge=1 spin=2"), None, None),
    ("a.xyz", EXTENDED, None, None),
    ("a.xyz", "2\n-1 1\nO 0 0 0\nH 0 0 .97\n", None, None),
    ("a.sdf", HYDROXIDE_MOL + "> <id>\n1\n\n$$$$\n" + WATER_MOL + "$$$$\n", None, r"(?m)^M  CHG  1   1 *([-+]?\d+)"),
    ("a.mol2", MOL2, r"(?m)^\d+ [OH] .* W ", None),
    ("a.pdb", PDB, r"(?m)^(?:ATOM|HETATM)", None),
    ("a.gjf", GAUSSIAN, ROW, r"(?m)^([-+]?\d+) \d+$"),
    ("a.inp", ORCA, ROW, r"xyz ([-+]?\d+) "),
    ("a.in", QCHEM, ROW, r"(?m)^([-+]?\d+) \d+$"),
    ("coord", XTB, rf"(?m)^(?:{NUMBER} ){{3}}[oh]$", r"\$chrg\s+([-+]?\d+)"),
    ("POSCAR", POSCAR.format(flags="Selective\n", one="F F F", two="T T T"), None, None),
]


def check_xyz(text, contents):
    """Compare frames, electrons and charges with what a walk through the lines finds."""
    lines = re.split(r"\n|\r", text)
    found = []
    while lines:
        head = lines.pop(0).strip()
        if head:
            count = int(head)
            found.append((lines[0], [line.split() for line in lines[1 : 1 + count]]))
            del lines[: 1 + count]
    assert len(found) == len(contents.frames), text
    for (comment, rows), frame in zip(found, contents.frames, strict=True):
        if "Properties=" not in comment or "Properties=species" in comment:
            assert [row[0].capitalize() for row in rows] == list(frame.atoms.symbols), text
        charge = re.search(r"(?:^| )charge=([-+]?\d+)(?= |$)", comment, re.IGNORECASE)
        if charge:
            assert frame.charge == int(charge[1]), text


def mutated(text, rng):
    lines = text.split("\n")
    k, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    kind = rng.randrange(7)
    if kind == 0:
        del lines[k]
    elif kind == 1:
        lines.insert(k, lines[other])
    elif kind == 2:
        words = lines[k].split(" ")
        rng.shuffle(words)
        lines[k] = " ".join(words)
    elif kind == 3:
        lines[k] = re.sub(r"\b(charge|spin|forces|pos|species|CHG|chrg|xyz)\b", lambda m: m[1].swapcase(), lines[k])
    elif kind == 4:
        text = "\n".join(lines)
        return text[: rng.randrange(len(text) + 1)]
    elif kind == 5:
        at = rng.randrange(len(lines[k]) + 1)
        lines[k] = lines[k][:at] + rng.choice("0x-. \t=\"'é\x00\x0c9e{[") + lines[k][at + rng.randrange(2) :]
    else:
        lines[k], lines[other] = lines[other], lines[k]
    return "\n".join(lines)


@pytest.mark.parametrize("seed", range(20))
def test_damaged_files_are_used_refused_or_listed(reading, seed):
    rng = random.Random(seed)
    read = 0
    for k in range(66):
        name, text, atoms, charges = SAMPLES[k % len(SAMPLES)]
        for _ in range(rng.randrange(1, 3)):
            text = mutated(text, rng)
        try:
            contents = reading(text, name)
        except BadInput as error:
            assert str(error).strip() and "\n" not in str(error)
            continue
        read += 1
        if name == "a.xyz":
            check_xyz(text, contents)
        elif atoms:
            assert sum(len(frame.atoms) for frame in contents.frames) >= len(re.findall(atoms, text)), text
        if charges:
            stated = {int(value) for value in re.findall(charges, text, re.IGNORECASE)}
            assert {frame.charge for frame in contents.frames} - {None, 0} == stated - {0}, text
        for frame in contents.frames:
            assert not frame.atoms.info and frame.atoms.calc is None
    assert read > 5


@pytest.mark.parametrize("value", [-2, -1, 0, 1, 2])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.xyz", "3\ncharge={0}\nO 0 0 0\nH 0 0 .97\nH 0 .9 -.3\n"),
        ("a.xyz", "3\nCHARGE: {0}\nO 0 0 0\nH 0 0 .97\nH 0 .9 -.3\n"),
        ("a.gjf", GAUSSIAN.replace("-1 1", "{0} {1}")),
        ("a.inp", ORCA.replace("-1 1", "{0} {1}")),
        ("a.in", QCHEM.replace("-1 1", "{0} {1}")),
        ("coord", XTB.replace("-1", "{0}").replace("$spin 0\n", "")),
    ],
)
def test_the_number_of_electrons_is_what_the_file_says(reading, name, text, value):
    electrons = (10 if name == "a.xyz" else 9) - value
    (frame,) = reading(text.format(value, 1 + electrons % 2), name).frames
    assert frame.atoms.numbers.sum() - frame.charge == electrons

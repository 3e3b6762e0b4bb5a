"""bench.data.files on damaged files: used, refused or listed; no other exception, no other number of electrons."""

import random
import re

import pytest
from structure_texts import GAUSSIAN, HYDROXIDE_MOL, MOL2, ORCA, POSCAR, QCHEM, WATER_MOL, XTB, atom, water

from bench.errors import BadInput

NUMBER = r"[-+]?\d*\.?\d+"
XYZ_ATOM = rf"(?m)^ *(?:O|H) (?:{NUMBER}[ ]*){{3,}}"
ROW = rf"(?m)^(?:O|H)(?: {NUMBER}){{3}}$"
EXTENDED = "2\nProperties=species:S:1:pos:R:3:forces:R:3 charge=-1 spin=1 energy=-3\nO 0 0 0 0 0 1\nH 0 0 .97 0 0 -1\n"
PDB = "".join((atom(1, " O", "HOH", 0, 0, 0, "O"), atom(2, " H1", "HOH", 0, 0, 0.96, "H"), "END\n"))
SAMPLES = [
    ("a.xyz", water() + "\n" + water("charge=1 spin=2"), XYZ_ATOM, r"(?m)^(?!Properties).*\bcharge=([-+]?\d+)"),
    ("a.xyz", EXTENDED, XYZ_ATOM, r"\bcharge=([-+]?\d+)"),
    ("a.xyz", "2\n-1 1\nO 0 0 0\nH 0 0 .97\n", XYZ_ATOM, r"(?m)^([-+]?\d+) \d+$"),
    ("a.sdf", HYDROXIDE_MOL + "> <id>\n1\n\n$$$$\n" + WATER_MOL + "$$$$\n", None, r"(?m)^M  CHG  1   1 *([-+]?\d+)"),
    ("a.mol2", MOL2, r"(?m)^\d+ [OH] .* W ", None),
    ("a.pdb", PDB, r"(?m)^(?:ATOM|HETATM)", None),
    ("a.gjf", GAUSSIAN, ROW, r"(?m)^([-+]?\d+) \d+$"),
    ("a.inp", ORCA, ROW, r"xyz ([-+]?\d+) "),
    ("a.in", QCHEM, ROW, r"(?m)^([-+]?\d+) \d+$"),
    ("coord", XTB, rf"(?m)^(?:{NUMBER} ){{3}}[oh]$", r"\$chrg ([-+]?\d+)"),
    ("POSCAR", POSCAR.format(flags="Selective\n", one="F F F", two="T T T"), None, None),
]


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
        return text[: rng.randrange(len(text))]
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
        numbers = [frame.atoms.numbers for frame in contents.frames]
        lines = len(re.findall(atoms, text)) if atoms else None
        # a line that says an atom is read as one; those before a molecule or in another group may be listed
        if name == "a.xyz":
            assert sum(map(len, numbers)) >= (lines or 0), text
        if charges:
            stated = {int(value) for value in re.findall(charges, text, re.IGNORECASE)}
            for frame in contents.frames:
                assert frame.charge in stated | {None, 0} or contents.notes or "Properties" in text, text
            if stated and name in ("a.gjf", "a.inp", "a.in", "coord"):
                assert {frame.charge for frame in contents.frames} <= stated, text
        for frame in contents.frames:
            assert set(frame.atoms.numbers.tolist()) <= {1, 8, 29, *range(1, 119)}
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

"""Input files of quantum programs: Gaussian, ORCA, Q-Chem, Turbomole and xtb. Their charge and spin are read."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
from ase import Atoms
from ase.constraints import FixAtoms
from ase.units import Bohr

from bench.data.files.contents import Ledger, Record
from bench.data.files.elements import elements, number_of
from bench.errors import BadInput

_STATE = re.compile(r"\s*([+-]?\d+)[\s,]+(\d+)\s*")


def reader_of(text: str) -> Callable[[str, str, Ledger], list[Record]] | None:
    """Return the function that reads an input file, by its text; None where it is none of these."""
    if re.search(r"^\s*\$molecule\b", text, re.MULTILINE | re.IGNORECASE):
        return read_qchem
    if re.search(r"^\s*(\*\s*(xyz|int|internal|gzmt|xyzfile)|%coords)\b", text, re.MULTILINE | re.IGNORECASE):
        return read_orca
    if re.search(r"^\s*\$coord\b", text, re.MULTILINE | re.IGNORECASE):
        return read_turbomole
    if re.search(r"^\s*#", text, re.MULTILINE) and re.search(r"^\s*[+-]?\d+[\s,]+\d+", text, re.MULTILINE):
        return read_gaussian
    return None


_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][-+]?\d+)?"
_ATOM = re.compile(
    rf"^[ \t]*(?:[A-Za-z]{{1,2}}(?:[ \t]+{_NUMBER}){{3}}|(?:{_NUMBER}[ \t]+){{3}}[A-Za-z]{{1,2}})[ \t]*$", 8
)


def refuse_stray(text: str, file: str) -> None:
    """Raise BadInput where text that is no part of a molecule has a line that looks like an atom."""
    found = _ATOM.search(text)
    if found:
        raise BadInput(f"{file} has an atom outside its molecule ({found[0].strip()[:40]!r}); move or remove the line.")


def read_gaussian(text: str, file: str, ledger: Ledger) -> list[Record]:
    """Return the structure of a Gaussian input (.gjf, .com) with Cartesian coordinates."""
    here = f"frame 0 of {file}"
    if re.search(r"^\s*--link1--", text, re.MULTILINE | re.IGNORECASE):
        raise BadInput(f"{file} has several jobs (--Link1--); split it.")
    lines = [re.sub(r"!.*", "", line) for line in text.splitlines()]
    while lines and (not lines[0].strip() or lines[0].strip().startswith("%")):
        lines.pop(0)
    parts = re.split(r"\n[ \t]*\n", "\n".join(line.rstrip() for line in lines))
    if len(parts) < 3 or not parts[0].lstrip().startswith("#"):
        raise BadInput(f"{file} is no complete Gaussian input: route, title and molecule are expected.")
    title, (state, *rows) = parts[1].strip(), parts[2].strip("\n").split("\n")
    numbers = [cell for cell in re.split(r"[\s,]+", state.strip()) if cell]
    if len(numbers) < 2 or len(numbers) % 2 or not all(re.fullmatch(r"[+-]?\d+", cell) for cell in numbers):
        raise BadInput(f"{file} has no line of charge and multiplicity where it is expected ({state.strip()[:40]!r}).")
    symbols: list[str] = []
    positions: list[list[float]] = []
    fixed: list[bool] = []
    masses: dict[int, float] = {}
    extras = len(numbers) > 2
    for row in rows:
        cells = [cell for cell in re.split(r"[\s,]+(?![^(]*\))", row.strip()) if cell]
        name, *rest = cells
        if name.upper() == "TV":
            raise BadInput(f"{file} has translation vectors (Tv), which are not read; use CIF or extended XYZ.")
        if len(rest) == 4 and rest[0] in ("0", "-1"):
            fixed.append(rest.pop(0) == "-1")
        else:
            fixed.append(False)
        iso = re.search(r"iso=([\d.]+)", name, re.IGNORECASE)
        if iso:
            masses[len(symbols)] = float(iso[1])
        if "-" in name or re.search("fragment|spin", name, re.IGNORECASE):
            extras = True
        symbols.append(re.split(r"[-(]", name)[0] if not re.search(r"-?bq\b", name, re.IGNORECASE) else "Bq")
        positions.append(_three(rest, here, row))
    if re.search(r"units\s*=\s*\(?\s*(bohr|au)", parts[0], re.IGNORECASE):
        positions = [[x * Bohr for x in xyz] for xyz in positions]
    refuse_stray("\n".join([*parts[:2], *parts[3:]]), file)
    if re.search(r"modred", parts[0], re.IGNORECASE) and re.search(r"(?im)^.*\d[ \t]+[FS]\b", "\n".join(parts[3:])):
        raise BadInput(f"{file} has constraints of an optimisation (ModRedundant), which are not read; remove them.")
    fixes = re.search(r"read-?opt|rd-?opt|read-?freeze|rd-?freeze|add-?gic", parts[0], re.IGNORECASE)
    if fixes:
        raise BadInput(f"{file} may fix atoms by {fixes[0]}, which is not read; write 0 or -1 before x, or remove it.")
    ledger.unused("the settings of the job", file)
    if extras:
        ledger.unused("fragments, types and charges of atoms", file)
    if any(part.strip() for part in parts[3:]):
        ledger.unused("what follows the molecule", file)
    record = _made(symbols, positions, here, file, ledger, int(numbers[0]), int(numbers[1]), fixed)
    _isotopes(record, masses)
    record.name = title.split("\n")[0]
    return [record]


def _isotopes(record: Record, numbers: dict[int, float]) -> None:
    if not numbers:
        return
    masses = record.atoms.get_masses()
    for index, mass in numbers.items():
        masses[index] = {(1, 2.0): 2.01410177812, (1, 3.0): 3.01604928199}.get(
            (int(record.atoms.numbers[index]), mass), mass
        )
    record.atoms.set_masses(masses)


def read_orca(text: str, file: str, ledger: Ledger) -> list[Record]:
    """Return the structure of an ORCA input with a block '* xyz charge multiplicity'."""
    here = f"frame 0 of {file}"
    text = re.sub(r"#.*", "", text)
    blocks = list(re.finditer(r"^[ \t]*\*[ \t]*(\w+)[ \t]+(\S+)[ \t]+(\S+)(.*)$", text, re.MULTILINE))
    if len(blocks) != 1 or blocks[0][1].lower() != "xyz" or blocks[0][4].strip():
        raise BadInput(f"{file} has not one block '* xyz charge multiplicity'; only this one is read of ORCA's inputs.")
    state = _STATE.fullmatch(f"{blocks[0][2]} {blocks[0][3]}")
    body, end, after = re.sub(r"\n[ \t]+\*", "\n*", text[blocks[0].end() :]).partition("\n*")
    refuse_stray(text[: blocks[0].start()] + after, file)
    if not end or state is None:
        raise BadInput(
            f"{file} has a block '* xyz' without its end or without whole numbers for charge and multiplicity."
        )
    rows = [row.split() for row in body.split("\n") if row.strip()]
    for row in rows:
        if len(row) != 4 or row[0].endswith(":") or row[0].endswith(">"):
            raise BadInput(f"{here} has a line that is not an element and three coordinates ({' '.join(row)[:40]!r}).")
    positions = [_three(row[1:], here, " ".join(row)) for row in rows]
    if re.search(r"^[ \t]*!.*\bbohrs?\b", text, re.MULTILINE | re.IGNORECASE):
        positions = [[x * Bohr for x in xyz] for xyz in positions]
    _refuse_constraints(text, file)
    ledger.unused("the settings of the job", file)
    return [_made([row[0] for row in rows], positions, here, file, ledger, int(state[1]), int(state[2]))]


def read_qchem(text: str, file: str, ledger: Ledger) -> list[Record]:
    """Return the structure of a Q-Chem input ($molecule) with Cartesian coordinates."""
    here = f"frame 0 of {file}"
    blocks = re.findall(r"^\s*\$molecule\b(.*?)^\s*\$end", text, re.MULTILINE | re.IGNORECASE | re.DOTALL)
    refuse_stray(re.sub(r"(?ims)^\s*\$molecule\b.*?^\s*\$end", "", text), file)
    rows = [re.sub(r"!.*", "", row).strip() for row in blocks[0].strip().split("\n")] if len(blocks) == 1 else []
    state = _STATE.fullmatch(rows[0]) if rows else None
    if state is None:
        raise BadInput(f"{file} has not one $molecule with charge, multiplicity and coordinates; split or complete it.")
    cells = [row.split() for row in rows[1:] if row]
    if any(len(row) != 4 for row in cells):
        raise BadInput(f"{here} has a line that is not an element and three coordinates (fragments are not read).")
    positions = [_three(row[1:], here, " ".join(row)) for row in cells]
    if re.search(r"^\s*input_bohr\s*=?\s*true", text, re.MULTILINE | re.IGNORECASE):
        positions = [[x * Bohr for x in xyz] for xyz in positions]
    _refuse_constraints(text, file)
    ledger.unused("the settings of the job", file)
    return [_made([row[0] for row in cells], positions, here, file, ledger, int(state[1]), int(state[2]))]


def _refuse_constraints(text: str, file: str) -> None:
    found = re.search(r"^\s*(%geom\b.*?constraints|constraints\b|\$opt\b.*?\b(fixed|constraint))", text, _ANY)
    if found:
        raise BadInput(f"{file} has constraints of an optimisation, which are not read; give fixed atoms as move_mask.")


_ANY = re.MULTILINE | re.IGNORECASE | re.DOTALL
_USED = {"coord", "end", "chrg", "spin", "uhf", "eht"}
_PERIODIC = {"periodic", "cell", "lattice"}
_HOLDING = {"fix", "constrain", "freeze", "frozen", "constraints"}
"""Groups that hold atoms, of xtb and others."""


def read_turbomole(text: str, file: str, ledger: Ledger) -> list[Record]:
    """Return the structure of a Turbomole or xtb coord file, with charge and unpaired electrons where it has them."""
    here = f"frame 0 of {file}"
    groups = [
        (part.split("\n", 1)[0].strip(), part.partition("\n")[2]) for part in re.split(r"^\s*\$", text, flags=8)[1:]
    ]
    names = [head.split()[0].lower() if head else "" for head, _ in groups]
    if names.count("coord") != 1 or _PERIODIC & set(names):
        raise BadInput(f"{file} is not one molecule in one group $coord; periodic ones are not read from this format.")
    others = [
        re.split(r"^\s*\$", text, flags=8)[0],
        *(c for n, (_, c) in zip(names, groups, strict=True) if n != "coord"),
    ]
    refuse_stray("\n".join(others), file)
    options, body = groups[names.index("coord")]
    if "file=" in options.replace(" ", ""):
        raise BadInput(f"{file} has its atoms in another file (${options.strip()}); give that one.")
    words = options.lower().split()[1:]
    if "frac" in words:
        raise BadInput(f"{file} has fractional coordinates ($coord frac), which are not read; use extended XYZ.")
    scale = 1.0 if {"angs", "angstrom"} & set(words) else Bohr
    rows = [re.sub(r"#.*", "", row).split() for row in body.split("\n")]
    rows = [row for row in rows if row]
    if any(len(row) not in (4, 5) or (len(row) == 5 and row[4] != "f") for row in rows):
        raise BadInput(f"{here} has a line that is not three coordinates, an element and f for fixed atoms.")
    said: dict[str, Any] = {}
    for name, (head, content) in zip(names, groups, strict=True):
        values = (head + " " + content).split()[1:]
        if name in ("chrg", "charge", "spin", "uhf"):
            key = {"chrg": "charge", "charge": "charge"}.get(name, "uhf")
            said[key] = values[0] if values else ""
        elif name == "eht":
            said |= {
                {"charge": "charge", "unpaired": "uhf"}[key]: value
                for key, value in re.findall(r"(charge|unpaired)=(\S+)", head, re.IGNORECASE)
            }
        elif name in _HOLDING or (name == "intdef" and re.search(r"(?im)^[ \t]*\d+[ \t]+f\b", content)):
            raise BadInput(f"{file} holds atoms in ${name}, which is not read; write f after the lines of fixed atoms.")
        elif name == "set" and re.search(r"(?im)^[ \t]*(chrg|uhf)\b", content):
            raise BadInput(f"{file} has chrg or uhf in $set, which is not read; write $chrg and $uhf as groups.")
        elif name not in _USED:
            ledger.unused(f"the group ${name}", file)
    positions = [[x * scale for x in _three(row[:3], here, " ".join(row))] for row in rows]
    fixed = [len(row) == 5 for row in rows]
    record = _made([row[3] for row in rows], positions, here, file, ledger, None, None, fixed)
    record.said |= said
    return [record]


def _three(cells: list[str], here: str, row: str) -> list[float]:
    try:
        if len(cells) == 3 and all(re.search(r"[.nN]", cell) or cell.lstrip("+-").isdigit() for cell in cells):
            return [number_of(cell) for cell in cells]
    except ValueError:
        pass
    raise BadInput(f"{here} has a line without three Cartesian coordinates ({row.strip()[:50]!r}).")


def _made(
    symbols: list[str],
    positions: list[list[float]],
    here: str,
    file: str,
    ledger: Ledger,
    charge: int | None,
    spin: int | None,
    fixed: list[bool] | None = None,
) -> Record:
    if not symbols:
        raise BadInput(f"{here} has no atoms.")
    numbers, masses = elements(symbols, here, ledger)
    atoms = Atoms(numbers, np.array(positions))
    if masses is not None:
        atoms.set_masses(masses)
    if fixed and any(fixed):
        atoms.set_constraint(FixAtoms(np.flatnonzero(fixed)))
    said = {key: value for key, value in (("charge", charge), ("multiplicity", spin)) if value is not None}
    return Record(atoms, here, file, said=said)

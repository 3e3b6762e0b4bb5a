"""Inputs of programs for crystals, which ASE reads: what it leaves out of them is read or refused here."""

from __future__ import annotations

import re
from typing import Any

from ase.data import atomic_masses, atomic_numbers

from bench.data.files.contents import Ledger
from bench.errors import BadInput

_THREE_NUMBERS = re.compile(r"\s*[-+]?\d*\.?\d+\S*(\s+[-+]?\d*\.?\d+\S*){2}(\s|$)")
_OTHER_MASS = 0.02
"""Relative; inputs have masses that are rounded."""
BEFORE_KEY = r"(?<![\w(])"
"""What stands before a key in a namelist of Fortran: nothing that could belong to it."""


def fixed_in_poscar(text: str, file: str, ledger: Ledger) -> list[int]:
    """Return the atoms that the selective dynamics of VASP's POSCAR fixes; list what follows the positions.

    Raises BadInput where the file names no elements, has another number of atoms than it announces, or fixes an atom
    in some directions only.
    """
    lines = [*text.splitlines(), *[""] * 9]
    if not re.search(r"[A-Za-z]", lines[5]):
        raise BadInput(f"{file} names no elements (VASP 4); add a line of symbols before that of the numbers of atoms.")
    for word in lines[5].split("!")[0].split():
        if re.split(r"[_/]", word)[0] not in atomic_numbers:
            raise BadInput(f"{file} names {word!r}, which is not an element; correct it.")
    counts = lines[6].split("!")[0].split()
    if not counts or not all(cell.isdigit() for cell in counts):
        raise BadInput(f"{file} has no numbers of atoms in line 7 ({lines[6].strip()[:40]!r}); correct it.")
    selective = lines[7].strip()[:1].lower() == "s"
    first = 8 + selective
    total = sum(map(int, counts))
    rows = lines[first : first + total]
    found = next((k for k, row in enumerate(rows) if not _THREE_NUMBERS.match(row)), len(rows))
    if found < total:
        raise BadInput(_other_number(file, total, str(found)))
    _check_symbols(lines[5], counts, rows, file)
    rest = [line for line in lines[first + total :] if line.strip()]
    if rest:
        if _THREE_NUMBERS.match(lines[first + total]):
            raise BadInput(_other_number(file, total, "more"))
        ledger.unused("the lines after the positions (velocities)", file)
    return [k for k, row in enumerate(rows) if _is_fixed(row, file)] if selective else []


def _check_symbols(symbols: str, counts: list[str], rows: list[str], file: str) -> None:
    """Refuse elements after the positions, as pymatgen writes them, that are not those of the head."""
    kinds = [re.split(r"[_/]", word)[0] for word in symbols.split("!")[0].split()]
    of_head = [kind for kind, count in zip(kinds, counts, strict=False) for _ in range(int(count))]
    for k, (row, kind) in enumerate(zip(rows, of_head, strict=False)):
        last = re.match(r"[A-Za-z]*", row.split()[-1])[0]  # type: ignore[index]
        if last in set(atomic_numbers) - {"F", "T"} and last != kind:  # F may be a flag
            raise BadInput(
                f"{file} has {last} after the position of atom {k}, which is {kind} by its head; correct one."
            )


def _is_fixed(row: str, file: str) -> bool:
    """Return whether the flags of a line fix its atom; they are Fortran's: F, f and .FALSE. are one."""
    flags = [word.lstrip(".").lower()[:1] for word in row.split()[3:6]]
    if len(flags) != 3 or not set(flags) <= {"t", "f"}:
        raise BadInput(f"{file} has a line without three flags T or F ({row.strip()[:50]!r}); correct it.")
    if len(set(flags)) > 1:
        raise BadInput(
            f"{file} has selective dynamics that fix atoms in some directions only ({row.strip()[:50]!r}); pesbench "
            "fixes whole atoms: write T T T or F F F."
        )
    return flags[0] == "f"


def _other_number(file: str, announced: int, found: str) -> str:
    return f"{file} announces {announced} atom{'s' * (announced != 1)} and has lines for {found}; correct it."


def said_by_espresso(text: str, file: str) -> dict[str, Any]:
    """Return charge and total moment of an input of Quantum ESPRESSO.

    Raises BadInput where it has another number of atoms than `nat`, fixes atoms in some directions only, or names no
    unit: what ASE takes for a missing one is not what pw.x takes.
    """
    for card in ("CELL_PARAMETERS", "ATOMIC_POSITIONS"):
        if re.search(rf"^\s*{card}\b(?![ \t]*[({{]?[ \t]*[a-z])", text, re.MULTILINE | re.IGNORECASE):
            raise BadInput(f"{file} has no unit after {card}; add one, such as angstrom.")
    if re.search(r"(?im)^\s*ATOMIC_POSITIONS\b.*crystal_sg", text) or namelist(text, "space_group") is not None:
        raise BadInput(f"{file} has one asymmetric unit (space_group), which is not read; write all atoms.")
    lines = [re.split("[!#]", line)[0].split() for line in text.splitlines()]
    starts = [k for k, words in enumerate(lines) if words and words[0].upper() == "ATOMIC_POSITIONS"]
    rows: list[list[str]] = []
    for words in lines[starts[0] + 1 :] if starts else []:
        if words and len(words) not in (4, 7):
            break
        rows += [words] if words else []
    for flags in (row[4:] for row in rows if len(row) == 7):
        if len(set(flags)) > 1:
            raise BadInput(f"{file} fixes atoms in some directions only ({' '.join(flags)}); fix or free them in all.")
    announced = namelist(text, "nat")
    if announced is not None and str(len(rows)) != announced:
        if not announced.isdigit():
            raise BadInput(f"{file} has nat = {announced}, which is not a number of atoms; correct it.")
        raise BadInput(_other_number(file, int(announced), str(len(rows))))
    found = {key: namelist(text, key) for key in ("tot_charge", "tot_magnetization")}
    return {key: number(value) for key, value in found.items() if value is not None}


def has_own_masses(text: str) -> bool:
    """Return whether an input of Quantum ESPRESSO gives an element another mass than the usual one."""
    lines = [re.split("[!#]", line)[0].split() for line in text.splitlines()]
    start = next((k for k, words in enumerate(lines) if words and words[0].upper() == "ATOMIC_SPECIES"), len(lines))
    for words in lines[start + 1 :]:
        if words and len(words) != 3:
            break
        symbol = re.match(r"[A-Za-z]*", words[0])[0].capitalize() if words else ""  # type: ignore[index]
        mass = number(words[1]) if words else None
        usual = atomic_masses[atomic_numbers.get(symbol, atomic_numbers.get(symbol[:1], 0))]
        if isinstance(mass, float) and abs(mass - usual) > _OTHER_MASS * usual:
            return True
    return False


def namelist(text: str, key: str) -> str | None:
    """Return the value of a key (a pattern) in a namelist of Fortran as text; None where it is not there."""
    found = re.search(rf"^[^!\n]*?{BEFORE_KEY}{key}\s*=\s*([^\s,!/]+)", text, re.MULTILINE | re.IGNORECASE)
    return found[1] if found else None


def number(text: str) -> Any:
    """Return a number of Fortran, and any other text as it is."""
    try:
        return float(text.lower().replace("d", "e"))
    except ValueError:
        return text


def check_aims(text: str, file: str) -> None:
    """Refuse what ASE does not read of a geometry.in of FHI-aims."""
    last = ""
    for line in text.splitlines():
        words = line.split("#")[0].split()
        if not words:
            continue
        if words[0] == "constrain_relaxation":
            if last == "lattice_vector":
                raise BadInput(f"{file} constrains its cell ({' '.join(words)} after lattice_vector); remove the line.")
            if words[1:] not in ([".true."], [".false."]):
                raise BadInput(
                    f"{file} fixes atoms in some directions only ({' '.join(words)}); fix or free them in all."
                )
            continue
        last = words[0]
        if words[0] in ("empty", "pseudocore", "multipole", "homogeneous_field", "hessian_block"):
            raise BadInput(f"{file} has {words[0]}, which is not read; remove it.")


def check_res(text: str, file: str) -> None:
    """Refuse a SHELX file with symmetry, of which ASE reads the asymmetric unit as the cell."""
    lattice = re.search(r"^LATT\s+(\S+)", text, re.MULTILINE)
    if re.search(r"^SYMM\b", text, re.MULTILINE) or lattice is None or lattice[1] != "-1":
        raise BadInput(f"{file} has symmetry (LATT, SYMM), which is not read from SHELX files; write it as CIF.")


def check_castep(text: str, file: str) -> None:
    """Refuse what ASE does not read of a .cell file of CASTEP."""
    found = re.search(r"^\s*FIX_ALL_IONS\b[ \t:=]*(true|t|yes|\.true\.)?[ \t]*$", text, re.MULTILINE | re.IGNORECASE)
    if found:
        raise BadInput(f"{file} has FIX_ALL_IONS, which is not read; remove it.")

"""How the scripts of this folder write a structure: extended XYZ with six decimals."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.constraints import FixAtoms

FREE, FIXED = "T", "F"


def numbers(values: Sequence[float] | np.ndarray) -> str:
    """Return numbers with six decimals."""
    # adding zero turns a rounded -0.0 into 0.0
    return " ".join(f"{round(float(value), 6) + 0.0:.6f}" for value in values)


def extxyz(atoms: Atoms, name: str, charge: int, spin: int, made_by: str = "") -> str:
    """Return one structure as text: `charge` in elementary charges, `spin` the multiplicity 2S+1.

    A periodic structure gets its cell, and one with ASE's FixAtoms the column ``move_mask`` as ASE writes it.
    """
    fixed = {index for each in atoms.constraints if isinstance(each, FixAtoms) for index in each.index.tolist()}
    header = [f'Lattice="{numbers(atoms.cell.array.ravel())}"'] if atoms.pbc.any() else []
    header += [
        "Properties=species:S:1:pos:R:3" + (":move_mask:L:1" if fixed else ""),
        f"name={name}",
        f"charge={charge}",
        f"spin={spin}",
        f'pbc="{" ".join("T" if periodic else "F" for periodic in atoms.pbc)}"',
    ]
    if made_by:
        header.append(f'made_by="{made_by}"')
    lines = [str(len(atoms)), " ".join(header)]
    for index, (symbol, position) in enumerate(zip(atoms.symbols, atoms.positions, strict=True)):
        mask = f" {FIXED if index in fixed else FREE}" if fixed else ""
        lines.append(f"{symbol} {numbers(position)}{mask}")
    return "\n".join(lines) + "\n"


def save(texts: Sequence[str], name: str, arguments: Sequence[str]) -> None:
    """Write a file into the folder that the command line names, else into this one."""
    folder = Path(arguments[0]) if arguments else Path(__file__).resolve().parent
    (folder / name).write_text("".join(texts))

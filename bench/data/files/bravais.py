"""The cell of an input of Quantum ESPRESSO that names a Bravais lattice (ibrav) instead of giving vectors."""

from __future__ import annotations

import re

import numpy as np
from ase.units import Bohr

from bench.data.files.crystals import BEFORE_KEY, namelist, number
from bench.errors import BadInput

_HALVES = {
    1: ((2, 0, 0), (0, 2, 0), (0, 0, 2)),
    2: ((-1, 0, 1), (0, 1, 1), (-1, 1, 0)),
    3: ((1, 1, 1), (-1, 1, 1), (-1, -1, 1)),
    -3: ((-1, 1, 1), (1, -1, 1), (1, 1, -1)),
    6: ((2, 0, 0), (0, 2, 0), (0, 0, 2)),
    7: ((1, -1, 1), (1, 1, 1), (-1, -1, 1)),
    8: ((2, 0, 0), (0, 2, 0), (0, 0, 2)),
    9: ((1, 1, 0), (-1, 1, 0), (0, 0, 2)),
    -9: ((1, -1, 0), (1, 1, 0), (0, 0, 2)),
    91: ((2, 0, 0), (0, 1, -1), (0, 1, 1)),
    10: ((1, 0, 1), (1, 1, 0), (0, 1, 1)),
    11: ((1, 1, 1), (-1, 1, 1), (-1, -1, 1)),
}
"""Lattices with right angles, by ibrav: the vectors in halves of a, b and c along x, y and z."""
_LENGTHS = {4: "c", 6: "c", 7: "c"} | dict.fromkeys((8, 9, -9, 91, 10, 11, 12, -12, 13, 14), "bc")
"""The lengths besides a that a lattice needs."""
_COSINES = {5: "g", -5: "g", 12: "g", 13: "g", -12: "b", 14: "abg"}
"""The angles that a lattice needs: alpha, beta and gamma between b and c, a and c, a and b."""
_KEYS = {"a": "cosBC", "b": "cosAC", "g": "cosAB"}


def with_vectors(text: str, file: str) -> str:
    """Return an input with ibrav = 0 and the vectors of its lattice; unchanged where it has them.

    Raises BadInput where the lattice is unknown or lacks a parameter.
    """
    ibrav = namelist(text, "ibrav")
    if ibrav is None or not re.fullmatch(r"[+-]?\d+", ibrav):
        return text
    if int(ibrav) == 0:
        return _with_celldm(text) if re.search(r"(?im)^\s*CELL_PARAMETERS\b.*alat", text) else text
    if re.search(r"^\s*CELL_PARAMETERS\b", text, re.MULTILINE | re.IGNORECASE):
        raise BadInput(f"{file} has both ibrav = {ibrav} and CELL_PARAMETERS; remove one of the two.")
    vectors = _vectors(int(ibrav), text, file)
    rows = "\n".join(" ".join(f"{x:.12f}" for x in row) for row in vectors)
    without = re.sub(r"(?im)^([^!\n]*\bibrav\s*=\s*)[+-]?\d+", r"\g<1>0", _with_celldm(text), count=1)
    return f"{without.rstrip()}\nCELL_PARAMETERS alat\n{rows}\n"


def _with_celldm(text: str) -> str:
    """Return an input with celldm(1) (Bohr) in the place of A (Angstrom), which ASE does not find."""
    length = number(namelist(text, "A") or "")
    if not isinstance(length, float):
        return text
    given, instead = rf"(?im)^([^!\n]*?{BEFORE_KEY})A\s*=\s*[^\s,!/]+", rf"\g<1>celldm(1) = {length / Bohr:.12f}"
    return re.sub(given, instead, text, count=1)


def _vectors(ibrav: int, text: str, file: str) -> np.ndarray:
    """Return the (3, 3) vectors in units of a, as pw.x has them."""
    if ibrav == -13:
        raise BadInput(f"{file} has ibrav = -13, which depends on the version of pw.x; give CELL_PARAMETERS.")
    if ibrav not in _HALVES.keys() | _COSINES.keys() | {4}:
        raise BadInput(f"{file} has ibrav = {ibrav}, which is no lattice of pw.x; correct it.")
    lengths, cosines = _parameters(ibrav, text, file)
    b, c = lengths["b"], lengths["c"]
    if ibrav in _HALVES:
        return np.array(_HALVES[ibrav]) / 2 * (1.0, b, c)
    if ibrav == 4:
        return np.array([(1, 0, 0), (-0.5, np.sqrt(3) / 2, 0), (0, 0, c)])
    cos_a, cos_b, cos_g = (cosines[angle] for angle in "abg")
    if ibrav in (5, -5):
        return _rhombohedral(cos_g, on_diagonal=ibrav < 0)
    sin_b, sin_g = np.sqrt(1 - cos_b**2), np.sqrt(1 - cos_g**2)
    in_plane = (b * cos_g, b * sin_g, 0)
    if ibrav == 12:
        return np.array([(1, 0, 0), in_plane, (0, 0, c)])
    if ibrav == -12:
        return np.array([(1, 0, 0), (0, b, 0), (c * cos_b, 0, c * sin_b)])
    if ibrav == 13:
        return np.array([(0.5, 0, -c / 2), in_plane, (0.5, 0, c / 2)])
    y = (cos_a - cos_b * cos_g) / sin_g
    return np.array([(1, 0, 0), in_plane, (c * cos_b, c * y, c * np.sqrt(max(1 - cos_b**2 - y**2, 0.0)))])


def _rhombohedral(cosine: float, on_diagonal: bool) -> np.ndarray:
    """Return the vectors with their threefold axis along z or along the diagonal of x, y and z."""
    x, y, z = np.sqrt((1 - cosine) / 2), np.sqrt((1 - cosine) / 6), np.sqrt((1 + 2 * cosine) / 3)
    if not on_diagonal:
        return np.array([(x, -y, z), (0, 2 * y, z), (-x, -y, z)])
    u, v = z - 2 * np.sqrt(2) * y, z + np.sqrt(2) * y
    return np.array([(u, v, v), (v, u, v), (v, v, u)]) / np.sqrt(3)


def _parameters(ibrav: int, text: str, file: str) -> tuple[dict[str, float], dict[str, float]]:
    """Return b and c in units of a, and the cosines of the angles, from celldm or from A, B, C and cosAB."""
    by_name = namelist(text, "A") is not None
    if by_name == (namelist(text, r"celldm\(1\)") is not None):
        raise BadInput(f"{file} has ibrav = {ibrav} and {'both' if by_name else 'neither'} celldm(1) and A; give one.")

    def value(key: str) -> float:
        given = namelist(text, re.escape(key))
        found = number(given) if given is not None else None
        if not isinstance(found, float):
            raise BadInput(f"{file} has ibrav = {ibrav} and no number for {key}; add it.")
        return found

    lengths, cosines = {"b": 1.0, "c": 1.0}, dict.fromkeys("abg", 0.0)
    for name in _LENGTHS.get(ibrav, ""):
        lengths[name] = value(name.upper()) / value("A") if by_name else value(f"celldm({'bc'.index(name) + 2})")
    for name in _COSINES.get(ibrav, ""):
        place = 4 + "abg".index(name) if ibrav in (14, -12) else 4
        cosines[name] = value(_KEYS[name]) if by_name else value(f"celldm({place})")
    shape = 1 + 2 * np.prod(list(cosines.values())) - sum(cosine**2 for cosine in cosines.values())
    if min(lengths.values()) <= 0 or max(map(abs, cosines.values())) >= 1 or (ibrav == 14 and shape <= 0):
        raise BadInput(f"{file} has ibrav = {ibrav} with lengths or angles that no cell can have; correct them.")
    return lengths, cosines

"""Whose truth an error is measured against: levels of theory, the matching one, and what an error then means.

An error against another theory than the method's own is partly the difference between both theories. So it is judged
by the difference between good theories. Geometries are judged near the basis limit, because a small basis moves them
as far as many a potential errs. Frequencies depend more on the functional, so that it comes first there.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from bench.analysis.statistics import Estimate

Theory = Mapping[str, str | None]
"""A level of theory: ``functional``, ``basis``, ``dispersion`` and ``source``."""

SAME = "same theory"
WITHIN = "within the spread of theories"
EDGE = "at its edge"
BEYOND = "beyond it"

# J. P. Perdew and K. Schmidt, AIP Conf. Proc. 577, 1 (2001), and beyond it. Hybrids are parted, so that a
# range-separated one is nearest to its like
_LADDER = (
    ("pbe", "pbesol", "rpbe", "revpbe", "blyp"),  # GGA
    ("scan", "r2scan"),  # meta-GGA
    ("pbe0", "b3lyp"),  # hybrid
    ("wb97x", "wb97xd", "wb97xd3", "wb97xd3bj", "wb97xv", "wb97mv", "wb97md3bj"),  # range-separated hybrid
    ("ccsd", "ccsd(t)"),  # coupled cluster
)
_RUNGS = {functional: rung for rung, functionals in enumerate(_LADDER, start=1) for functional in functionals}
_NO_RUNG = 0

_DOUBLE_ZETA = (
    *("sto3g", "321g", "631g", "631g*", "631g(d)", "631g**", "631g(d,p)", "def2svp", "def2svpd", "ccpvdz", "augccpvdz"),
)
_TRIPLE_ZETA = (*("6311g**", "6311g(d,p)", "def2tzvp", "ccpvtz", "def2tzvpp", "def2tzvpd", "def2tzvppd", "augccpvtz"),)
_MORE = ("def2qzvp", "ccpvqz", "def2qzvpp", "def2qzvppd", "augccpvqz", "ccpv5z", "augccpv5z", "cbs")
_BASES = (*_DOUBLE_ZETA, *_TRIPLE_ZETA, *_MORE)
"""From the smallest to the most complete."""

STATED = ("PBE0", "wB97M-V")
"""The functionals by which theories are said to differ: a global and a range-separated hybrid without an empirical fit
to this molecule, each near the basis limit. Other levels that happen to be there have no say."""


def same_theory(theory: Theory, reference: Theory) -> bool:
    """Return whether two levels have the same functional, basis and dispersion, however they are spelt.

    What is unknown is not the same as anything.
    """
    keys = ("functional", "basis", "dispersion")
    return all(_plain(theory.get(key)) == _plain(reference.get(key)) != "" for key in keys)


def functional(theory: Theory) -> str:
    """Return the name of a level's functional, by which functionals are compared; PBE+U is PBE."""
    return _plain(theory.get("functional")).removesuffix("+u")


def is_known(theory: Theory) -> bool:
    """Return whether a functional or method has a rung, so that a reference could be of the same one."""
    return functional(theory) in _RUNGS


def rung(theory: Theory) -> int:
    """Return the rung of a functional: 1 for a GGA, more for better ones; 0 where it has none."""
    return _RUNGS.get(functional(theory), _NO_RUNG)


def near_limit(theory: Theory) -> bool:
    """Return whether a level's basis is at least of triple zeta quality, so that it hardly moves a geometry.

    A basis that is not known, such as plane waves, is not.
    """
    return _plain(theory.get("basis")) in (*_TRIPLE_ZETA, *_MORE)


def stated(theory: Theory) -> bool:
    """Return whether a level is one of those by which theories are said to differ: see :data:`STATED`."""
    return near_limit(theory) and functional(theory) in map(_plain, STATED)


def basis_rank(theory: Theory) -> int:
    """Return the place of a level's basis from the smallest to the most complete one; -1 for one that is not known."""
    basis = _plain(theory.get("basis"))
    return _BASES.index(basis) if basis in _BASES else -1


def own_functional(theory: Theory, reference: Theory) -> bool:
    """Return whether a reference has the method's own functional.

    PBE+U counts as PBE: its U acts on the d and f shells of metals in oxides and fluorides.
    """
    return functional(theory) == functional(reference) != ""


def for_minima(theory: Theory, references: Mapping[str, Theory]) -> list[str]:
    """Return the references whose minima and Hessians may judge a method.

    Those near the basis limit, and that of the method's very own functional and basis. Only where there is no such
    reference, all of them.
    """
    basis = _plain(theory.get("basis"))
    good = [
        name
        for name, reference in references.items()
        if near_limit(reference)
        or (own_functional(theory, reference) and basis == _plain(reference.get("basis")) != "")
    ]
    return good or list(references)


def for_vibrations(theory: Theory, references: Mapping[str, Theory]) -> list[str]:
    """Return the references whose Hessians may judge a method: those of the nearest functional, as for minima.

    From PBE to PBE0, naphthalene's wavenumbers change by 52 cm-1 (RMSD), from def2-SVP to def2-TZVPP by 12 (PBE).
    """
    closest = functional(references[nearest(theory, references)])
    return for_minima(theory, {name: one for name, one in references.items() if functional(one) == closest})


def nearest(theory: Theory, references: Mapping[str, Theory]) -> str:
    """Return the name of the reference that is nearest to a method's level of theory.

    The rule, each line deciding only where those before it leave several:

    1. the same functional (see :func:`own_functional`);
    2. the nearest rung: GGA, meta-GGA, hybrid, range-separated hybrid, coupled cluster; of two equally near ones the
       higher. A method without a rung (force fields, tight binding, unknown functionals) takes the highest there is;
    3. the method's own basis;
    4. the most complete basis;
    5. the first in `references`.

    Raises
    ------
    ValueError
        Where there is no reference.
    """
    if not references:
        raise ValueError("there is no reference to choose from")
    own, basis = functional(theory), _plain(theory.get("basis"))
    rung = _RUNGS.get(own, _NO_RUNG)

    def nearness(name: str) -> tuple[bool, int, int, bool, int]:
        its_functional, its_basis = functional(references[name]), _plain(references[name].get("basis"))
        its_rung = _RUNGS.get(its_functional, _NO_RUNG)
        return (
            its_functional == own != "",
            -abs(its_rung - rung) if rung != _NO_RUNG else 0,
            its_rung,
            its_basis == basis,
            basis_rank(references[name]),
        )

    return max(references, key=nearness)


def verdict(error: Estimate, floor: float, same: bool) -> str:
    """Return what a force error against a reference means.

    Parameters
    ----------
    error : Estimate
        Force MAE against the reference, meV/Angstrom.
    floor : float
        By how much good theories differ at the same structures, meV/Angstrom: see
        :func:`bench.protocols.accuracy.floor.spread_of`.
    same : bool
        Whether the method was made for the reference's level of theory: see :func:`same_theory`.

    Returns
    -------
    str
        :data:`SAME` for the same theory, where the error is the method's own whatever its size; else :data:`EDGE` if
        the interval contains the floor, :data:`WITHIN` if it is below and :data:`BEYOND` if it is above. Without an
        interval the estimate decides.

    Raises
    ------
    ValueError
        Where the floor is negative or NaN.
    """
    if not floor >= 0:
        raise ValueError(f"the largest error between references cannot be {floor}")
    if same:
        return SAME
    if error.low is not None and error.high is not None and error.low <= floor <= error.high:
        return EDGE
    return WITHIN if error.estimate <= floor else BEYOND


def _plain(name: str | None) -> str:
    """Return a name without what only spelling adds: case, hyphens, blanks, Greek letters, superscripts.

    Brackets stay in a basis or in CCSD(T), where they mean something, and go from a dispersion such as D3(BJ).
    """
    # NFKC turns a superscript 2 into a 2
    plain = unicodedata.normalize("NFKC", name or "").lower().replace("ω", "w")
    for without in "-_ \u2010\u2011\u2013":
        plain = plain.replace(without, "")
    return plain.replace("(bj)", "bj")

"""Which reference a method is measured against, and what an error then means."""

import pytest

from bench.analysis.statistics import Estimate
from bench.protocols.accuracy import levels


def theory(functional, basis="-", dispersion="none"):
    return {"functional": functional, "basis": basis, "dispersion": dispersion, "source": "test"}


REFERENCES = {
    "pbe-svp": theory("PBE", "def2-SVP"),
    "pbe0-svp": theory("PBE0", "def2-SVP"),
    "pbe0-tzvp": theory("PBE0", "def2-TZVP"),
    "wb97m-v-tzvp": theory("wB97M-V", "def2-TZVP", "VV10"),
}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("PBE0", "def2-SVP"), ("pbe0", "def2svp")),
        (("ωB97M-V", "def2-TZVPD"), ("wb97m_v", "def2-tzvpd")),
        (("wB97M-D3(BJ)", "def2-TZVPPD", "D3(BJ)"), ("wb97m-d3bj", "Def2 TZVPPD", "d3bj")),
        (("r²SCAN", "plane waves"), ("R2SCAN", "plane-waves")),
    ],
)
def test_spelling_is_no_difference_of_theory(one, other):
    assert levels.same_theory(theory(*one), theory(*other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("PBE", "def2-SVP"), ("PBE0", "def2-SVP")),
        (("PBE", "def2-SVP"), ("PBE+U", "def2-SVP")),
        (("PBE0", "def2-SVP"), ("PBE0", "def2-TZVP")),
        (("B3LYP", "6-31G*"), ("B3LYP", "6-31G**")),
        (("CCSD", "cc-pVTZ"), ("CCSD(T)", "cc-pVTZ")),
        (("PBE0", "def2-SVP", "D4"), ("PBE0", "def2-SVP", "none")),
        (("PBE", "-"), ("PBE", "-")),
        (("PBE", "def2-SVP", "-"), ("PBE", "def2-SVP", "-")),
        (("", "def2-SVP"), ("", "def2-SVP")),
    ],
)
def test_another_functional_basis_or_dispersion_or_an_unknown_one_is_another_theory(one, other):
    assert not levels.same_theory(theory(*one), theory(*other))


def test_a_theory_without_a_functional_is_the_same_as_none():
    assert not levels.same_theory({"functional": None}, {"functional": None})


@pytest.mark.parametrize(
    ("method", "reference"),
    [
        (theory("PBE0", "def2-SVP"), "pbe0-svp"),
        (theory("PBE0", "def2-TZVP"), "pbe0-tzvp"),
        (theory("PBE0"), "pbe0-tzvp"),
        (theory("PBE0", "numeric atomic orbitals"), "pbe0-tzvp"),
        (theory("PBE", "plane waves"), "pbe-svp"),
        (theory("PBE+U", "plane waves"), "pbe-svp"),
        (theory("RPBE", "plane waves"), "pbe-svp"),
        # as near to GGA as to hybrids: the higher one
        (theory("r2SCAN", "plane waves"), "pbe0-tzvp"),
        (theory("B3LYP", "def2-SVP"), "pbe0-svp"),
        (theory("wB97X", "6-31G*"), "wb97m-v-tzvp"),
        (theory("wB97M-D3(BJ)", "def2-TZVPPD"), "wb97m-v-tzvp"),
        (theory("CCSD(T)", "cc-pVTZ"), "wb97m-v-tzvp"),
        (theory("GFN2-xTB"), "wb97m-v-tzvp"),
        (theory("UFF"), "wb97m-v-tzvp"),
        ({}, "wb97m-v-tzvp"),
    ],
)
def test_the_nearest_reference_is_that_of_the_rule(method, reference):
    assert levels.nearest(method, REFERENCES) == reference
    assert levels.nearest(method, dict(reversed(REFERENCES.items()))) == reference


def test_the_same_functional_comes_before_rung_and_basis_even_where_it_has_no_rung():
    references = {**REFERENCES, "xtb": theory("GFN2-xTB")}
    assert levels.nearest(theory("GFN2-xTB"), references) == "xtb"
    assert levels.nearest(theory("UFF"), references) == "wb97m-v-tzvp"


def test_a_coupled_cluster_reference_is_the_truth_of_what_has_no_rung():
    references = {**REFERENCES, "cc": theory("CCSD(T)", "cc-pVDZ")}
    assert levels.nearest(theory("AMBER"), references) == "cc"
    assert levels.nearest(theory("wB97M-V", "def2-TZVPD"), references) == "wb97m-v-tzvp"


def test_without_a_reference_none_is_nearest():
    with pytest.raises(ValueError, match="no reference"):
        levels.nearest(theory("PBE"), {})


@pytest.mark.parametrize(
    ("basis", "near"),
    [
        ("def2-SVP", False),
        ("6-31G(d)", False),
        ("def2-TZVP", True),
        ("Def2 TZVPP", True),
        ("def2-QZVP", True),
        ("-", False),
        (None, False),
        ("plane waves", False),
    ],
)
def test_a_basis_of_triple_zeta_is_near_the_limit_and_a_smaller_or_unknown_one_is_not(basis, near):
    assert levels.near_limit(theory("PBE", basis)) is near


def test_only_the_stated_functionals_near_the_limit_say_how_far_theories_differ():
    assert levels.stated(theory("PBE0", "def2-TZVPP"))
    assert levels.stated(theory("ωB97M-V", "def2-TZVP", "VV10"))
    assert not levels.stated(theory("PBE0", "def2-SVP"))
    assert not levels.stated(theory("HF", "def2-QZVP"))
    assert not levels.stated(theory("PBE", "def2-TZVPP"))


def test_pbe_with_u_has_the_functional_pbe():
    assert levels.own_functional(theory("PBE+U"), theory("PBE", "def2-TZVPP"))
    assert not levels.own_functional(theory("PBE0"), theory("PBE", "def2-TZVPP"))
    assert not levels.own_functional({}, {})


MINIMA = {
    "pbe-svp": theory("PBE", "def2-SVP"),
    "pbe0-svp": theory("PBE0", "def2-SVP"),
    "pbe-tzvpp": theory("PBE", "def2-TZVPP"),
    "pbe0-tzvpp": theory("PBE0", "def2-TZVPP"),
}


@pytest.mark.parametrize(
    ("method", "judge"),
    [
        (theory("PBE+U"), "pbe-tzvpp"),
        (theory("PBE", "plane waves"), "pbe-tzvpp"),
        (theory("PBE0"), "pbe0-tzvpp"),
        # the published level keeps its own small basis
        (theory("PBE0", "def2-SVP"), "pbe0-svp"),
        # another functional in the same small basis is no reason for it
        (theory("B3LYP", "def2-SVP"), "pbe0-tzvpp"),
        (theory("wB97M-V", "def2-TZVPD"), "pbe0-tzvpp"),
        (theory("GFN2-xTB"), "pbe0-tzvpp"),
        (theory("UFF"), "pbe0-tzvpp"),
    ],
)
def test_a_minimum_is_judged_near_the_basis_limit_and_by_the_own_functional(method, judge):
    names = levels.for_minima(method, MINIMA)
    assert levels.nearest(method, {name: MINIMA[name] for name in names}) == judge


@pytest.mark.parametrize(
    ("method", "judge"),
    [
        (theory("PBE+U"), "pbe-tzvpp"),
        # a Hessian of the same functional in a small basis is nearer than that of another one near the limit
        (theory("PBE0"), "pbe0-svp"),
        (theory("PBE0", "def2-SVP"), "pbe0-svp"),
        (theory("wB97M-V", "def2-TZVPD"), "pbe0-svp"),
        (theory("GFN2-xTB"), "pbe0-svp"),
        (theory("PBE", "def2-SVP"), "pbe-svp"),
        # another functional in the same small basis is no reason for it
        (theory("BLYP", "def2-SVP"), "pbe-tzvpp"),
    ],
)
def test_frequencies_are_judged_by_the_nearest_functional_first(method, judge):
    hessians = {name: one for name, one in MINIMA.items() if name != "pbe0-tzvpp"}
    names = levels.for_vibrations(method, hessians)
    assert levels.nearest(method, {name: hessians[name] for name in names}) == judge


def test_where_no_minimum_is_near_the_limit_all_may_judge():
    small = {name: one for name, one in MINIMA.items() if name.endswith("-svp")}
    assert levels.for_minima(theory("PBE+U"), small) == list(small)


def error(estimate, low=None, high=None):
    return Estimate(estimate, low, high, 10, None if low is None else "structures")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (error(30, 25, 35), levels.WITHIN),
        (error(48, 44, 52), levels.EDGE),
        (error(52, 48, 56), levels.EDGE),
        (error(70, 60, 80), levels.BEYOND),
        (error(30), levels.WITHIN),
        (error(70), levels.BEYOND),
    ],
)
def test_an_error_is_judged_by_the_spread_of_theories(found, expected):
    assert levels.verdict(found, 50.0, same=False) == expected
    assert levels.verdict(found, 50.0, same=True) == levels.SAME


@pytest.mark.parametrize("floor", [-1.0, float("nan")])
def test_a_floor_that_cannot_be_is_an_error(floor):
    with pytest.raises(ValueError, match="cannot be"):
        levels.verdict(error(30), floor, same=False)

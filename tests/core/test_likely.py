"""What somebody may have meant by a word that is not known."""

import pytest

from bench.core.likely import similar

KNOWN = ["mace-mp-0-small", "gfn2-xtb", "uff", "7net-0", "table", "tune", "PBE0/def2-SVP (PySCF)"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("maec", "mace-mp-0-small"), ("tabel", "table"), ("gfn2xtb", "gfn2-xtb"), ("7net", "7net-0"), ("UF", "uff")],
)
def test_a_slip_and_a_beginning_find_the_word(typed, meant):
    assert similar(typed, KNOWN)[0] == meant


def test_what_is_like_nothing_finds_nothing():
    assert similar("xyzzy", KNOWN) == []

"""Every adapter file that comes with pesbench: what its header must say, and what the file may import."""

from collections import Counter
from pathlib import Path

import pytest

from bench.environments import checks as header_checks
from bench.environments.header import read_header

ADAPTERS = sorted((Path(__file__).parents[2] / "adapters").glob("*.py"))
PAPER_IDS = {
    *("mace-mh-1", "grace-2l-oam", "mattersim-v1-5m", "eqv2-m", "orb-v3", "sevennet-mf-ompa", "uma-s-1p2"),
    *("nequix-mp-1", "pet-mad-1.5-s", "uff", "pbe0-def2-svp"),
}
FUNCTIONALS = {
    *("PBE", "PBE+U", "r2SCAN", "PBE0", "wB97X", "wB97M-V", "wB97M-D3(BJ)", "CCSD(T)"),
    *("GFN1-xTB", "GFN2-xTB", "force field (UFF)"),
}
"""In one spelling, so that methods of one theory can be found."""
each_adapter = pytest.mark.parametrize("path", ADAPTERS, ids=lambda path: path.stem)


def test_there_are_adapters_to_look_at():
    assert ADAPTERS


@each_adapter
def test_a_header_reads_and_names_a_method(path):
    header = read_header(path)
    assert header.family
    assert header.methods


@each_adapter
@pytest.mark.parametrize("complaints", [check[1] for check in header_checks.CHECKS], ids=lambda check: check.__name__)
def test_the_conformance_kit_has_no_complaints(path, complaints):
    assert complaints(read_header(path)) == []


def test_all_adapters_fix_the_same_day():
    assert len({read_header(path).exclude_newer for path in ADAPTERS}) == 1


def test_no_two_methods_have_the_same_name():
    names = Counter(name for path in ADAPTERS for name in read_header(path).methods)
    assert [name for name, count in names.items() if count > 1] == []


def test_no_two_methods_have_the_same_label():
    labels = Counter(method.label for path in ADAPTERS for method in read_header(path).methods.values())
    assert [label for label, count in labels.items() if count > 1] == []


@each_adapter
def test_every_method_names_its_level_of_theory_and_who_says_so(path):
    for method in read_header(path).methods.values():
        if method.engine_of:  # it has that of its reference
            continue
        assert method.theory is not None, method.name
        assert method.theory.functional in FUNCTIONALS, method.name


def test_a_method_is_compared_only_with_a_row_of_the_papers_table():
    rows = {method.paper for path in ADAPTERS for method in read_header(path).methods.values()} - {None}
    assert rows <= PAPER_IDS


def test_each_row_of_the_papers_table_is_carried_by_one_method():
    carried = Counter(
        method.paper for path in ADAPTERS for method in read_header(path).methods.values() if method.paper
    )
    assert carried == Counter(PAPER_IDS)

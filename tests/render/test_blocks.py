"""Narrow blocks for a terminal: what does not fit beside each other stands below, and nothing is cut off."""

import csv
import io
import json
import math

import pytest

from bench.render.blocks import Block, Page, as_csv, as_json, terminal

NAMES = ("GFN2-xTB", "Orb v3 conservative, trained on OMol25")


def page(columns):
    """Return a page with a block of so many columns, each of whose figures is unlike all others."""
    headings = (("Method", ""), *((f"level {i}", "cm-1") for i in range(columns)))
    lines = tuple((name, *(f"{100 * row + i}.25 [±{i}]" for i in range(columns))) for row, name in enumerate(NAMES, 1))
    return Page([("Run", "r")], [Block("How far?", headings, lines)], [], [])


@pytest.mark.parametrize("width", [60, 80])
@pytest.mark.parametrize("columns", [1, 4, 12])
def test_every_figure_and_heading_is_there_whole_at_any_width(columns, width):
    shown = page(columns)
    text = terminal(shown, width)
    assert max(map(len, text.splitlines())) <= width
    for line in shown.blocks[0].lines:
        for figure in line[1:]:
            assert text.count(figure) == 1
    for i in range(columns):
        assert f"level {i}" in text


def test_each_part_names_the_methods_and_the_title_is_there_once():
    text = terminal(page(12), 80)
    assert text.count("GFN2-xTB") == text.count("Method") > 1
    assert text.count("How far?") == 1
    assert terminal(page(3), 80).count("Method") == 1


def test_a_name_of_one_word_is_not_folded_in_a_narrow_terminal():
    headings = (("level", ""), ("Hessian", ""), ("residue", "cm⁻¹"))
    block = Block("Minima", headings, (("PBE/def2-TZVPP", "central differences", "12.9"),))
    assert "PBE/def2-TZVPP" in terminal(Page([], [block], [], []), 40)


def test_a_column_wider_than_the_terminal_has_a_part_of_its_own():
    block = Block("Long", (("Method", ""), ("a", ""), ("b", "")), (("m", "x" * 70, "1"),))
    assert terminal(Page([], [block], [], []), 80).count("Method") == 2


def test_a_line_of_csv_has_a_field_for_each_part_and_text_for_lists_and_failures():
    time = {"estimate": 1.25, "low": None, "high": 1.5}
    rows = [
        {"method": "a", "theory": None, "time": time, "levels": ["x", "y"], "failures": {}},
        {"method": "b", "theory": {"basis": {"name": "def2"}}, "time": time, "levels": (), "failures": {"crash": 2}},
    ]
    first, second = csv.DictReader(io.StringIO(as_csv(rows)))
    assert first | {"theory_basis_name": "", "levels": "x; y", "failures": ""} == first
    assert second | {"time_estimate": "1.25", "failures": "crash: 2", "theory_basis_name": "def2"} == second
    assert second | {"time_low": "", "time_high": "1.5", "levels": ""} == second
    assert "theory" not in second and "time" not in second


def test_a_field_stays_in_csv_where_no_row_has_a_value():
    assert as_csv([{"minima": None, "minima_mev": None}]) == "minima,minima_mev\n,\n"
    assert as_csv([]) == ""


def test_rounding_touches_fractions_only():
    words = "took 1.23456789 s"
    document = {"ns": 1234567, "ms": [1234.5678, 1.23456789e-9], "note": words, "deep": {"x": (0.1 + 0.2,)}}
    expected = {"ns": 1234567, "ms": [1234.57, 1.23457e-09], "note": words, "deep": {"x": [0.3]}}
    assert json.loads(as_json(document, 6)) == expected
    assert json.loads(as_json(document))["deep"] == {"x": [0.1 + 0.2]}


def test_what_is_not_finite_is_null_and_an_empty_field():
    assert json.loads(as_json({"sum": math.inf, "deep": [{"x": -math.inf}]})) == {"sum": None, "deep": [{"x": None}]}
    assert as_csv([{"a": 1.5, "sum": math.nan}]) == "a,sum\n1.5,\n"

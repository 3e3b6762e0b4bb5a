"""Figures inside a page: ids, names, colours and marks of the SVG, by an XML parser."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from matplotlib.figure import Figure

from bench.render import figure, marks
from bench.render.svg import inline_svg

SVG = "{http://www.w3.org/2000/svg}"


def parsed(drawn, name="one"):
    return ElementTree.fromstring(inline_svg(drawn, name=name, title="T & t", description="<b>"))


@pytest.fixture
def root(gpu_table):
    return parsed(figure.draw(gpu_table))


def test_it_has_a_name_and_a_description(root):
    assert root.get("role") == "group"
    by_id = {element.get("id"): element for element in root.iter() if element.get("id")}
    assert by_id[root.get("aria-labelledby")].text == "T & t"
    assert by_id[root.get("aria-describedby")].text == "<b>"


def test_every_reference_leads_somewhere_and_two_figures_share_no_id(gpu_table, root):
    other = parsed(figure.draw(gpu_table), "two")
    ids = [{element.get("id") for element in one.iter() if element.get("id")} for one in (root, other)]
    assert not ids[0] & ids[1]
    needed = {element.get("href")[1:] for element in root.iter() if element.get("href")}
    needed |= {
        found for element in root.iter() for found in re.findall(r"url\(#([^)]+)\)", element.get("clip-path", ""))
    }
    assert needed and needed <= ids[0]


def test_each_time_is_a_mark_that_says_its_interval(gpu_table, root):
    said = [element.get("aria-label") for element in root.iter() if "mark" in element.get("class", "").split()]
    measured = [row for row in gpu_table.rows if row.time is not None]
    assert len([text for text in said if "paper" not in text]) == len(measured)
    assert any(
        re.fullmatch(r"Nequix MP-1; CPU; 61\.0 \[.*\] ms per step; 101 of 101 structures", text) for text in said
    )
    for element in root.iter():
        if "mark" in element.get("class", "").split():
            assert (element.get("tabindex"), element.get("role")) == ("0", "img")
            assert element.find(f"{SVG}circle") is not None


def test_no_colour_is_fixed(root):
    text = ElementTree.tostring(root, encoding="unicode")
    assert "var(--ink)" in text and "var(--paper)" in text
    assert not re.findall(r"(?<!, )#[0-9a-f]{6}", text)
    for grey in re.findall(r"var\((--g\d+)\)", text):
        assert f"{grey}: color-mix(" in root.get("style")


def test_text_stays_text(root):
    texts = [element.text for element in root.iter(f"{SVG}text")]
    assert "SevenNet-0" in texts
    assert "font-family" not in ElementTree.tostring(root, encoding="unicode")


def test_the_figure_for_paper_is_as_it_was(gpu_table, tmp_path):
    drawn = figure.draw(gpu_table)
    before = figure.save(drawn, tmp_path / "before")[0].read_bytes()
    inline_svg(drawn, name="one", title="", description="")
    assert figure.save(drawn, tmp_path / "after")[0].read_bytes() == before


def test_a_mark_of_many_has_no_place_to_aim_at_and_says_its_style_once():
    drawn = Figure()
    (line,) = drawn.add_axes((0.1, 0.1, 0.8, 0.8)).plot([1, 2, 3], [1, 2, 3], "|", color="#0072B2")
    marks.say(line, "three", None, "ticks")
    (mark,) = [element for element in parsed(drawn).iter() if "mark" in element.get("class", "").split()]
    assert mark.get("aria-label") == "three; ticks"
    assert mark.find(f"{SVG}circle") is None
    uses = list(mark.iter(f"{SVG}use"))
    assert len(uses) == 3 and not any(use.get("style") or use.get("class") for use in uses)

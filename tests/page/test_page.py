"""The page without a browser: what stands in it, what it weighs, and that its numbers can be read back."""

from __future__ import annotations

import csv
import io
import json
from html.parser import HTMLParser

import pytest

from bench.render.page.sections import Passage, has_something

MOST = 500_000
"""Bytes of a page of a run with all methods and all protocols."""


class Outline(HTMLParser):
    """Collects addresses, ids and headings of a page."""

    def __init__(self, text):
        super().__init__()
        self.addresses, self.ids, self.tags = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.tags.append(tag)
        self.addresses += [value for name, value in found.items() if name in ("src", "href", "action")]
        self.ids += [found["id"]] if "id" in found else []


@pytest.fixture(scope="module")
def outline(whole_page):
    return Outline(whole_page.read_text())


def test_a_run_ends_with_the_path_of_its_page(whole_run, pesbench):
    done = pesbench("report", whole_run)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(whole_run / "report.html")]


def test_nothing_comes_from_outside(outline):
    assert all(one.startswith(("#", "data:,")) for one in outline.addresses)


def test_every_id_is_there_once(outline):
    assert len(outline.ids) == len(set(outline.ids))


def test_each_question_has_a_section_and_each_protocol_a_figure(outline, whole_page):
    questions = ("choice", "speed", "stability", "accuracy", "growth", "throughput", "evidence", "method")
    assert [one for one in outline.ids if one in questions] == list(questions)
    assert outline.tags.count("svg") >= 5


def test_it_is_small(whole_page):
    assert whole_page.stat().st_size < MOST


@pytest.mark.parametrize("protocol", ["speed", "md", "accuracy", "scaling", "throughput"])
def test_the_numbers_come_back_from_the_page_alone(whole_page, whole_run, pesbench, protocol):
    for form, read in (("json", json.loads), ("csv", lambda text: list(csv.reader(io.StringIO(text))))):
        kept, fresh = (
            pesbench("table", place, "--protocols", protocol, "--format", form) for place in (whole_page, whole_run)
        )
        assert kept.returncode == 0, kept.stderr
        found = differences(read(kept.stdout), read(fresh.stdout))
        assert not found, found[:3]


def differences(kept, fresh, where=""):
    """Return where two documents differ by more than the six digits of a page."""
    if isinstance(fresh, dict) and isinstance(kept, dict) and kept.keys() == fresh.keys():
        return [one for key in fresh for one in differences(kept[key], fresh[key], f"{where}.{key}")]
    if isinstance(fresh, list) and isinstance(kept, list) and len(kept) == len(fresh):
        return [one for i in range(len(fresh)) for one in differences(kept[i], fresh[i], f"{where}[{i}]")]
    try:
        same = kept == fresh or float(kept) == pytest.approx(float(fresh), rel=1e-5)
    except (TypeError, ValueError):
        same = kept == fresh
    return [] if same else [(where, kept, fresh)]


def test_another_format_of_a_page_is_refused_in_a_sentence(whole_page, pesbench):
    done = pesbench("table", whole_page, "--format", "latex")
    assert done.returncode == 2
    assert done.stderr.strip() == (
        "pesbench: a page carries its numbers as json and csv; add --format json or --format csv, not latex."
    )
    assert pesbench("table", whole_page).stdout == pesbench("table", whole_page, "--format", "csv").stdout


def test_a_page_of_something_else_is_refused_in_a_sentence(tmp_path, pesbench):
    for text in ("<html></html>", '<script id="pesbench-data">{"format": 1}</script>', '<script id="pesbench-data">{'):
        page = tmp_path / "other.html"
        page.write_text(text)
        done = pesbench("table", page, "--format", "csv")
        assert done.returncode == 2
        assert "has no numbers of pesbench in it" in done.stderr
        assert "Traceback" not in done.stderr


def test_two_runs_stand_beside_each_other(whole_run, hostile_page, pesbench, tmp_path):
    page = tmp_path / "both.html"
    done = pesbench("report", whole_run, hostile_page.parent, "--output", page)
    assert done.returncode == 0, done.stderr
    text = page.read_text()
    assert text.count("<h3>") == 2 * text.count("<h2")
    ids = Outline(text).ids
    assert "choice-runs" in ids and "choice-0-methods" not in ids  # one table for both
    assert all(f"ms/step {run.name}" in text for run in (whole_run, hostile_page.parent))
    runs = json.loads(pesbench("table", page, "--format", "json").stdout)
    assert [one["head"]["run_id"] for one in runs] == [whole_run.name, hostile_page.parent.name]
    assert len(set(Outline(text).ids)) == len(Outline(text).ids)


def test_words_that_look_like_markup_stay_words(hostile_page):
    outline = Outline(hostile_page.read_text())
    assert outline.tags.count("script") == 3  # the numbers, the lines' properties, and ours
    assert "img" not in outline.tags
    assert "b" not in outline.tags


def test_a_page_that_cannot_be_written_says_so(whole_run, pesbench, tmp_path):
    (tmp_path / "file").write_text("")
    for output in (tmp_path, tmp_path / "file" / "page.html"):
        done = pesbench("report", whole_run, "--output", output)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr


def test_a_run_can_do_without_a_page(fake_run):
    assert not (fake_run / "report.html").exists()


def test_a_section_without_content_is_not_there(hostile_page):
    ids = Outline(hostile_page.read_text()).ids
    assert {"choice", "speed", "evidence", "method"} <= set(ids)
    assert not {"stability", "accuracy", "growth", "throughput"} & set(ids)


def test_a_passage_without_words_figures_and_tables_has_nothing_to_read():
    assert not has_something(Passage(run=None))
    assert has_something(Passage(run=None, notes=["a note"]))

"""The page that says how to extend pesbench names files that are there, and no more of them than were promised."""

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
SECTIONS = {
    title: re.findall(r"^\| `([^`]+)`", body, flags=re.MULTILINE)
    for title, _, body in (
        part.partition("\n") for part in (PROJECT / "docs" / "extending.md").read_text().split("\n## ")[1:]
    )
}
MOST = {
    "A method": 1,
    "An engine": 1,
    "An optimiser": 1,
    "A protocol": 6,  # of one folder; test_a_protocol_is_a_folder.py really adds one
    "A metric, or a column of the table": 3,
    "A fact that a worker reports": 4,
    "A reference level of theory": 1,
    "A verb": 1,
    "A device": 3,
    "Advice after a failure on a GPU": 1,
    "A data set": 1,
    "A scheduler": 1,
    "A format of the table": 1,
    "A question on the page": 1,
}


def test_each_kind_of_thing_has_a_section():
    assert set(SECTIONS) == set(MOST)


@pytest.mark.parametrize("title", MOST)
def test_it_takes_no_more_files_than_promised_and_each_is_there(title):
    files = SECTIONS[title]
    assert 1 <= len(files) <= MOST[title]
    assert not [name for name in files if not (PROJECT / name).is_file()]


def test_every_file_that_the_page_names_is_there():
    named = re.findall(r"`((?:bench|tests|adapters)/[\w/]+\.py)`", (PROJECT / "docs" / "extending.md").read_text())
    assert named
    assert not [name for name in named if not (PROJECT / name).is_file()]

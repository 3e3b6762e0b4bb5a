"""Every column has its meaning, and a reader finds it by the name that stands in the table."""

from __future__ import annotations

import pytest

from bench.render.columns import columns
from bench.render.glossary import WORDS, meaning, named


@pytest.mark.parametrize("which", ["cpu_table", "gpu_table", "both_gpu_table", "replay_table"])
def test_every_column_but_the_name_has_a_meaning(which, request):
    for column in columns(request.getfixturevalue(which)):
        assert bool(meaning(column.title, column.unit)) == (column.title != "Method"), column.title


@pytest.mark.parametrize(
    ("typed", "title"),
    [
        ("ms/step", "ms/step"),
        ("MS/STEP", "ms/step"),
        ("n/101", "n/N"),
        ("md", "MD"),
        ("param", "param."),
        ("conv.", "conv."),
    ],
)
def test_a_column_is_found_by_its_name(typed, title):
    assert named(typed) == title
    assert title in WORDS


def test_what_is_no_column_is_none():
    assert named("7net-0") is None

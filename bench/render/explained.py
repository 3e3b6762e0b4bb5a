"""All that a run has to say about one method: every figure with what it means, and every note that concerns it."""

from __future__ import annotations

import dataclasses

from bench.analysis.table import Table
from bench.render.columns import columns, failures
from bench.render.glossary import meaning
from bench.render.lines import lines
from bench.render.notes import notes
from bench.render.numbers import DASH


@dataclasses.dataclass(frozen=True)
class Figure:
    """A figure of a method."""

    name: str
    text: str
    meaning: str


def of_method(table: Table, method: str) -> Table:
    """Return the table with one method alone; empty where the table does not have it."""
    return dataclasses.replace(
        table,
        rows=tuple(row for row in table.rows if row.method == method),
        disturbances=tuple(one for one in table.disturbances if one.method == method),
        geometric_means=(),
        published_means=(),
        claims=(),
        rank_correlation=None,
        published=(),
    )


def figures(table: Table) -> list[Figure]:
    """Return the figures of the only method of a table, in the order of its columns."""
    found = []
    for line in lines(table):
        for column in columns(table):
            text = column.text(line)
            if text != DASH and (words := meaning(column.title, column.unit)):
                found.append(Figure(column.heading, text, words))
    return found


def remarks(table: Table) -> list[str]:
    """Return the failures and the notes of the only method of a table."""
    return [*(f"Failed: {text}" for _, text in failures(table)), *notes(table)]

"""A table of the page: a caption, headings that sort it, and lines that know what they are about."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from bench.analysis.table import Table
from bench.render.blocks import Block, RowKey
from bench.render.cells import DASH, Cell
from bench.render.columns import Column
from bench.render.lines import lines


@dataclasses.dataclass(frozen=True)
class Field:
    """One cell of a grid: the figure, and what stands behind it in lighter ink."""

    text: str
    rest: str
    key: float | None
    """What it is sorted by; None for words."""


@dataclasses.dataclass(frozen=True)
class Heading:
    """The heading of a column."""

    title: str
    unit: str
    numeric: bool
    compared: bool = False
    """Whether its figures can be divided by those of a method that the reader chooses."""


@dataclasses.dataclass(frozen=True)
class Grid:
    """A table of the page."""

    identifier: str
    caption: str
    headings: tuple[Heading, ...]
    lines: tuple[tuple[RowKey | None, tuple[Field, ...]], ...]


def field(cell: Cell) -> Field:
    """Return a cell as a field: ``113.2 [111.0, 115.9]`` is a figure and its interval."""
    figure, bracket, rest = cell.partition(" [")
    return Field(figure, f"[{rest}" if bracket else "", cell.value)


def grid(
    identifier: str,
    caption: str,
    headings: Sequence[tuple[str, str]],
    texts: Iterable[Sequence[Cell]],
    subjects: Sequence[RowKey] = (),
    compared: Sequence[bool] = (),
) -> Grid:
    """Return a table of texts; a column is one of numbers where all its cells are, but for dashes."""
    cells = [tuple(map(field, line)) for line in texts]
    made = []
    for i, (title, unit) in enumerate(headings):
        column = [line[i] for line in cells if line[i].text not in ("", DASH)]
        numeric = bool(column) and sum(one.key is not None for one in column) > len(column) / 2 and i > 0
        made.append(Heading(title, unit, numeric, bool(compared) and compared[i]))
    about: Sequence[RowKey | None] = subjects or [None] * len(cells)
    return Grid(identifier, caption, tuple(made), tuple(zip(about, cells, strict=True)))


def of_block(identifier: str, block: Block) -> Grid:
    """Return a block of a report as a table."""
    return grid(identifier, block.title, block.headings, block.lines, block.subjects)


def of_columns(identifier: str, caption: str, table: Table, chosen: Sequence[Column]) -> Grid:
    """Return some columns of the table of times."""
    shown = lines(table)
    return grid(
        identifier,
        caption,
        [(column.title, column.unit) for column in chosen],
        [[column.text(line) for column in chosen] for line in shown],
        [RowKey(line.row.method, line.row.device, line.row.kind, line.row.weights) for line in shown],
        [column.unit in ("ms/step", "ms/call") for column in chosen],
    )

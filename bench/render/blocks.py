"""A report of narrow blocks, each with a question as its title, in the formats for people."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from rich.console import RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from bench.analysis.statistics import Estimate
from bench.errors import BadInput
from bench.render import console
from bench.render.cells import DASH, Cell, of
from bench.render.console import GAP, labelled, printed, styled, width_of
from bench.render.latex import escape, tabular

ANY_WIDTH = 10_000
"""More characters than any line has."""
FIRST = 12  # characters of the column with names, at least
MORE = "'pesbench explain NAME' says what a method or a column is; 'pesbench report' makes a page with everything."
"""The last line in a terminal, which has no room for all notes."""


@dataclasses.dataclass(frozen=True)
class Subject:
    """What a line is about."""

    method: str
    device: str
    kind: str
    weights: str | None


@dataclasses.dataclass(frozen=True)
class Block:
    """One table of a report: one line per method."""

    title: str
    headings: tuple[tuple[str, str], ...]
    """Title and unit of each column."""
    lines: tuple[tuple[Cell, ...], ...]
    subjects: tuple[Subject, ...] = ()
    """What each line is about; empty where lines are not about single methods."""


Column = tuple[str, str, Callable[[Any], str]]
"""Title, unit, and the text for a row."""


def by_method(title: str, rows: Sequence[Any], name: Callable[[Any], str], *columns: Column) -> Block:
    """Return a block with a line per row; columns and lines without values are left out.

    `rows` are those of a table of methods: they have a `method`, a `device`, a `kind` and `weights`.
    """
    kept = [column for column in columns if any(column[2](row) != DASH for row in rows)]
    lines = [(row, (Cell(name(row)), *(of(column[2](row)) for column in kept))) for row in rows]
    lines = [(row, line) for row, line in lines if any(cell != DASH for cell in line[1:])]
    return Block(
        title,
        (("Method", ""), *((title, unit) for title, unit, _ in kept)),
        tuple(line for _, line in lines),
        tuple(Subject(row.method, row.device, row.kind, row.weights) for row, _ in lines),
    )


def filled(blocks: Sequence[Block]) -> list[Block]:
    """Return the blocks that have something to show."""
    return [one for one in blocks if one.lines and len(one.headings) > 1]


@dataclasses.dataclass(frozen=True)
class Page:
    """A whole report."""

    heading: Sequence[tuple[str, str]]
    blocks: Sequence[Block]
    reasons: Sequence[tuple[str, str]]
    """Why a method has its verdict, or is missing."""
    notes: Sequence[str]
    urgent: Sequence[str] = ()
    """The notes that a terminal shows, too."""


@dataclasses.dataclass(frozen=True)
class Formats:
    """A report in each of the formats that people and programs read."""

    page: Callable[[Any], Page]
    csv: Callable[[Any], str]
    json: Callable[[Any], str]
    names: ClassVar[tuple[str, ...]] = ("terminal", "markdown", "latex", "csv", "json")

    def render(self, table: Any, form: str, width: int | None = None, color: bool = False, wide: bool = False) -> str:
        """Return the table as text; raises BadInput where the format is not known."""
        match form:
            case "terminal":
                return terminal(self.page(table), width, color, wide)
            case "markdown":
                return markdown(self.page(table))
            case "latex":
                return latex(self.page(table))
            case "csv":
                return self.csv(table)
            case "json":
                return self.json(table)
        raise BadInput(f"there is no format {form!r}; use {', '.join(self.names)}.")


def estimate_object(estimate: Estimate | None) -> dict[str, float | None]:
    """Return an estimate and its interval for scripts; null where there is none."""
    return {part: getattr(estimate, part, None) for part in ("estimate", "low", "high")}


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows of one kind as comma-separated values, with the first row's keys as the head."""
    file = io.StringIO()
    if rows:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return file.getvalue()


def as_json(document: Mapping[str, Any]) -> str:
    """Return a document as JSON."""
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def terminal(page: Page, width: int | None = None, color: bool = False, wide: bool = False) -> str:
    """Return the page for a terminal of `width` characters, by default that of this one.

    A table with more columns is shown in parts below each other; with `wide`, in one, in lines as long as it needs.
    """
    width = width_of(width)
    room = ANY_WIDTH if wide else width
    text = printed([labelled(page.heading, width)], width, color)
    for block in page.blocks:
        parts: list[RenderableType] = [Text(), Text(block.title, style="bold")]
        for number, part in enumerate(_narrow(block, room)):
            parts += [Text()] * (number > 0) + [_grid(part, room)]
        text += printed(parts, room, color)
    below: list[RenderableType] = []
    if page.reasons:
        below += [Text(), labelled(page.reasons, width)]
    return text + printed([*below, Text(), console.notes([*page.urgent, MORE])], width, color)


def _grid(block: Block, width: int) -> RichTable:
    grid = console.table()
    wide = [max(least, *map(len, heading)) for least, heading in zip(_least(block), block.headings, strict=True)]
    # names fold where there is no room for them; figures never do
    most = max(FIRST, width - sum(GAP + needed for needed in wide[1:]))
    wide[0] = min(most, max(*map(len, block.headings[0]), *(len(line[0]) for line in block.lines)))
    units = any(unit for _, unit in block.headings)
    for i, ((title, unit), needed) in enumerate(zip(block.headings, wide, strict=True)):
        side: Any = "left" if i == 0 else "right"
        grid.add_column(
            Text(f"{title}\n{unit}" if units else title, justify=side), justify=side, overflow="fold", width=needed
        )
    for line in block.lines:
        grid.add_row(*map(styled, line))
    return grid


def _least(block: Block) -> list[int]:
    """Return the width that each column needs: the first one may fold, figures may not."""
    return [FIRST, *(max(map(len, column)) for column in list(zip(*block.lines, strict=True))[1:])]


def _narrow(block: Block, width: int) -> list[Block]:
    """Return the block in as many parts as fit below each other, each with the first column: no figure is cut off."""
    parts: list[list[int]] = [[]]
    left = width - FIRST
    for i, least in enumerate(_least(block)[1:], 1):
        needed = GAP + max(least, *map(len, block.headings[i]))
        if needed > left and parts[-1]:
            parts.append([])
            left = width - FIRST
        parts[-1].append(i)
        left -= needed
    return [
        Block(
            block.title,
            tuple(block.headings[i] for i in (0, *part)),
            tuple(tuple(line[i] for i in (0, *part)) for line in block.lines),
        )
        for part in parts
    ]


def markdown(page: Page) -> str:
    """Return the page as Markdown."""
    parts = [f"**{label}:** {text}  " for label, text in page.heading]
    for block in page.blocks:
        titles = [" ".join(filter(None, pair)) for pair in block.headings]
        parts += ["", f"**{block.title}**", "", "| " + " | ".join(titles) + " |"]
        parts += ["|" + "|".join([":---", *["---:"] * (len(titles) - 1)]) + "|"]
        parts += ["| " + " | ".join(line) + " |" for line in block.lines]
    if page.reasons:
        parts += ["", *(f"- {label}: {text}" for label, text in page.reasons)]
    return "\n".join([*parts, "", *(f"- {note}" for note in page.notes), ""])


def latex(page: Page) -> str:
    """Return ``tabular`` environments that need ``booktabs``."""
    parts = []
    for block in page.blocks:
        parts += [r"\begin{table*}", r"\centering", r"\caption{" + escape(block.title) + "}", r"\footnotesize"]
        parts += [
            tabular(block.headings, [[escape(cell) for cell in line] for line in block.lines]),
            r"\end{table*}",
            "",
        ]
    texts = [*(f"{label}: {text}" for label, text in page.reasons), *page.notes]
    return "\n".join([*parts, *(escape(text) + r"\par" for text in texts), ""])

"""A report of narrow blocks, each with a question as its title, in the formats for people."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
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
FIRST, LONGEST = 12, 20  # characters of the column with names, at least; of a word in it that does not fold
COUNTS = "failures"
"""The field with how often each class of failures occurred: in CSV one text, because each run has other classes."""
MORE = "'pesbench explain NAME' says what a method or a column is; 'pesbench report' makes a page with everything."
"""The last line in a terminal, which has no room for all notes."""


@dataclasses.dataclass(frozen=True)
class RowKey:
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
    subjects: tuple[RowKey, ...] = ()
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
        tuple(RowKey(row.method, row.device, row.kind, row.weights) for row, _ in lines),
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
    rows: Callable[[Any], Sequence[Mapping[str, Any]]]
    """For CSV, one for each line; see :func:`as_csv`."""
    document: Callable[[Any], Mapping[str, Any]]
    """For JSON."""
    names: ClassVar[tuple[str, ...]] = ("terminal", "markdown", "latex", "csv", "json")

    def render(
        self,
        table: Any,
        form: str,
        width: int | None = None,
        color: bool = False,
        wide: bool = False,
        digits: int | None = None,
    ) -> str:
        """Return the table as text; raises BadInput where the format is not known.

        `width`, `color` and `wide` are for a terminal, `digits` for CSV and JSON; see :func:`rounded`.
        """
        match form:
            case "terminal":
                return terminal(self.page(table), width, color, wide)
            case "markdown":
                return markdown(self.page(table))
            case "latex":
                return latex(self.page(table))
            case "csv":
                return as_csv(self.rows(table), digits)
            case "json":
                return as_json(self.document(table), digits)
        raise BadInput(f"there is no format {form!r}; use {', '.join(self.names)}.")


def estimate_object(estimate: Estimate | None) -> dict[str, float | None]:
    """Return an estimate and its interval for scripts; null where there is none."""
    return {part: getattr(estimate, part, None) for part in ("estimate", "low", "high")}


def as_csv(rows: Sequence[Mapping[str, Any]], digits: int | None = None) -> str:
    """Return rows of one kind as comma-separated values; see :func:`flat` and :func:`rounded`."""
    parents = {name for row in rows for name in _parents(row)}
    lines = [flat(rounded(row, digits)) for row in rows]
    # the parts of a mapping, in rows that have one, take the place of the empty field of the others
    names = [name for name in dict.fromkeys(name for line in lines for name in line) if name not in parents]
    file = io.StringIO()
    if lines:
        writer = csv.DictWriter(file, names, lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(lines)
    return file.getvalue()


def flat(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a line of CSV: a part of a mapping has a field of its own, and lists are text."""
    found: dict[str, Any] = {}
    for name, value in fields.items():
        if name == COUNTS and isinstance(value, Mapping):
            found[name] = "; ".join(f"{kind}: {count}" for kind, count in value.items())
        elif isinstance(value, Mapping):
            found |= flat({f"{name}_{key}": inner for key, inner in value.items()})
        else:
            found[name] = "; ".join(map(str, value)) if isinstance(value, list | tuple) else value
    return found


def _parents(fields: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of the mappings that :func:`flat` takes apart."""
    for name, value in fields.items():
        if isinstance(value, Mapping) and name != COUNTS:
            yield name
            yield from _parents({f"{name}_{key}": inner for key, inner in value.items()})


def as_json(document: Mapping[str, Any], digits: int | None = None) -> str:
    """Return a document as JSON; see :func:`rounded`."""
    return json.dumps(rounded(document, digits), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def rounded(value: Any, digits: int | None) -> Any:
    """Return plain data with its fractions in so many significant digits; None: as they are.

    What is not finite, such as a sum that is too large, becomes None: JSON has no word for it.
    """
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return value if digits is None else float(f"{value:.{digits}g}")
    if isinstance(value, Mapping):
        return {name: rounded(inner, digits) for name, inner in value.items()}
    return [rounded(inner, digits) for inner in value] if isinstance(value, list | tuple) else value


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
    most = max(_first(block), width - sum(GAP + needed for needed in wide[1:]))
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
    return [_first(block), *(max(map(len, column)) for column in list(zip(*block.lines, strict=True))[1:])]


def _first(block: Block) -> int:
    """Return the least width of the first column: it folds between words, as long as these are of a usual length."""
    words = [word for line in block.lines for word in line[0].split()]
    return max(FIRST, min(LONGEST, max(map(len, words), default=0)))


def _narrow(block: Block, width: int) -> list[Block]:
    """Return the block in as many parts as fit below each other, each with the first column: no figure is cut off."""
    parts: list[list[int]] = [[]]
    left = width - _first(block)
    for i, least in enumerate(_least(block)[1:], 1):
        needed = GAP + max(least, *map(len, block.headings[i]))
        if needed > left and parts[-1]:
            parts.append([])
            left = width - _first(block)
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

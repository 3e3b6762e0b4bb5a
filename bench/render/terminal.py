"""The table in a terminal: as many columns as fit, chosen by importance."""

from __future__ import annotations

import io

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from bench.analysis.doubts import ALTERS, VARIES
from bench.analysis.fingerprint import CHANGED
from bench.analysis.table import Table
from bench.core.failure import FAILURES
from bench.render.blocks import MORE, STYLES
from bench.render.columns import GAP, REFERENCE, failures, fitting, means
from bench.render.heading import heading
from bench.render.lines import lines
from bench.render.notes import REPLAY_MARK, urgent
from bench.render.numbers import DASH

_BLANK = "\u2800"
"""Takes the place of a blank, which rich would strip from the end of a cell."""


def render_terminal(table: Table, width: int | None = None, color: bool = False) -> str:
    """Return the table as text of at most `width` columns (the terminal's own width where None).

    Parameters
    ----------
    table : Table
        What to show.
    width : int, optional
        Characters in a line.
    color : bool
        Whether to add escape sequences for colours.
    """
    width = width or Console().width
    file = io.StringIO()
    console = Console(
        file=file,
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
        highlight=False,
        legacy_windows=False,
    )
    parts: list[RenderableType] = [_labelled(heading(table), width), Text(), _grid(table, width)]
    if found := failures(table):
        parts += [Text(), Text("Failures", style="bold"), _labelled(found, width, "red")]
    if found := means(table):
        parts += [Text(), Text("How many times faster", style="bold"), _labelled(found, width)]
    below = RichTable.grid(padding=(0, 1))
    for note in (*urgent(table), MORE):
        below.add_row("·", Text(note, overflow="fold"))
    parts += [Text(), below]
    console.print(Group(*parts))
    # rich fills lines with blanks up to the width
    return "\n".join(line.replace(_BLANK, " ").rstrip() for line in file.getvalue().splitlines()) + "\n"


def _labelled(pairs: list[tuple[str, str]], width: int, style: str = "bold") -> RichTable:
    grid = RichTable.grid(padding=(0, GAP))
    grid.add_column(max_width=width // 3)
    for label, text in pairs:
        grid.add_row(Text(label, style=style), Text(text, overflow="fold"))
    return grid


def _grid(table: Table, width: int) -> RichTable:
    shown = lines(table)
    grid = RichTable(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, GAP - 1, 0, 0))
    chosen = fitting(table, width)
    for column in chosen:
        grid.add_column(
            Text("\n".join(column.title_lines), justify="right" if column.right else "left"),
            justify="right" if column.right else "left",
            no_wrap=column.priority > 0 or column.right,  # only a name may be wrapped
            overflow="fold",
        )
    texts = [_aligned([column.text(line) for line in shown]) for column in chosen]
    for cells in zip(*texts, strict=True):
        grid.add_row(*(Text(cell, style=_style(cell)) for cell in cells))
    return grid


def _aligned(cells: list[str]) -> list[str]:
    """Align the intervals of a column, and with them the estimates; a mark stands outside."""
    if any(cell.endswith(REPLAY_MARK) for cell in cells):
        cells = [cell if cell.endswith(REPLAY_MARK) else cell + _BLANK for cell in cells]
    width = max((len(cell) - cell.index("[") for cell in cells if "[" in cell), default=0)
    return [
        f"{cell[: cell.index('[')]}{cell[cell.index('[') :]:<{width}}"
        if "[" in cell
        else cell + " " * width
        if cell.strip(_BLANK) in (DASH, REFERENCE)
        else cell
        for cell in cells
    ]


def _style(cell: str) -> str:
    text = cell.strip(f" {_BLANK}")
    if text in FAILURES or text == CHANGED or text.partition(",")[0] in (VARIES, ALTERS):
        return "bold red"
    if text in STYLES:
        return STYLES[text]
    return "dim" if text == DASH else ""

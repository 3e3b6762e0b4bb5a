"""The table in a terminal: as many columns as fit, chosen by importance."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from bench.analysis.table import Table
from bench.render import console
from bench.render.blocks import ANY_WIDTH, MORE
from bench.render.cells import DASH, Cell
from bench.render.columns import REFERENCE, Column, columns, failures, fitting, means
from bench.render.console import labelled, notes, printed, styled, width_of
from bench.render.heading import heading
from bench.render.lines import lines
from bench.render.notes import REPLAY_MARK, urgent

_BLANK = "\u2800"
"""Takes the place of a blank, which rich would strip from the end of a cell."""


def render_terminal(table: Table, width: int | None = None, color: bool = False, wide: bool = False) -> str:
    """Return the table as text of at most `width` columns (the terminal's own width where None).

    Parameters
    ----------
    table : Table
        What to show.
    width : int, optional
        Characters in a line.
    color : bool
        Whether to add escape sequences for colours.
    wide : bool
        Whether all columns are shown, in lines as long as they need; else a line names those that do not fit.
    """
    width = width_of(width)
    every = columns(table)
    chosen = every if wide else fitting(table, width)
    above: list[RenderableType] = [labelled(heading(table), width), Text()]
    parts: list[RenderableType] = []
    if told := hidden(every, chosen):
        parts += [Text(), Text(told, style="dim")]
    if found := failures(table):
        parts += [Text(), Text("Failures", style="bold"), labelled(found, width, "red")]
    if found := means(table):
        parts += [Text(), Text("How many times faster", style="bold"), labelled(found, width)]
    parts += [Text(), notes([*urgent(table), MORE])]
    text = printed(above, width, color) + printed([_grid(table, chosen)], ANY_WIDTH if wide else width, color)
    text += printed(parts, width, color)
    return "\n".join(line.replace(_BLANK, " ").rstrip() for line in text.splitlines()) + "\n"


def hidden(every: Sequence[Column], shown: Sequence[Column]) -> str:
    """Return a line that names the columns for which there is no room; empty where all are shown."""
    there = {column.heading for column in shown}
    left = [column.title for column in every if column.heading not in there]
    if not left:
        return ""
    titles = ", ".join(dict.fromkeys(left))
    return f"{len(left)} column{'s' if len(left) > 1 else ''} hidden: {titles}; 'table --wide' shows all."


def _grid(table: Table, chosen: Sequence[Column]) -> RichTable:
    shown = lines(table)
    grid = console.table()
    for column in chosen:
        grid.add_column(
            Text("\n".join(column.title_lines), justify="right" if column.right else "left"),
            justify="right" if column.right else "left",
            no_wrap=column.priority > 0 or column.right,  # only a name may be wrapped
            overflow="fold",
        )
    texts = [_aligned([column.text(line) for line in shown]) for column in chosen]
    for line in zip(*texts, strict=True):
        grid.add_row(*map(styled, line))
    return grid


def _aligned(cells: list[Cell]) -> list[Cell]:
    """Align the intervals of a column, and with them the estimates; a mark stands outside."""
    if any(cell.endswith(REPLAY_MARK) for cell in cells):
        cells = [cell if cell.endswith(REPLAY_MARK) else cell + _BLANK for cell in cells]
    width = max((len(cell) - cell.index("[") for cell in cells if "[" in cell), default=0)
    return [
        cell.with_text(f"{cell[: cell.index('[')]}{cell[cell.index('[') :]:<{width}}")
        if "[" in cell
        else cell + " " * width
        if cell.strip(_BLANK) in (DASH, REFERENCE)
        else cell
        for cell in cells
    ]

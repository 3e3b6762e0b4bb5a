"""What every report in a terminal is made with: one console, labelled lines, grids, and the style of a state."""

from __future__ import annotations

import io
from collections.abc import Sequence

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from bench.paths import told
from bench.render import cells
from bench.render.cells import ABSENT, BAD, GOOD, WARNING

GAP = 2
"""Characters between two columns."""
STYLES = {GOOD: "green", WARNING: "yellow", BAD: "bold red", ABSENT: "dim"}


def width_of(width: int | None) -> int:
    """Return a width in characters: that of this terminal where none is given."""
    return width or Console().width


def printed(parts: Sequence[RenderableType], width: int, color: bool) -> str:
    """Return parts as text of at most `width` columns; with `color`, with escape sequences."""
    file = io.StringIO()
    console = Console(
        file=file,
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
        highlight=False,
        legacy_windows=False,
    )
    console.print(Group(*parts))
    # rich fills lines with blanks up to the width
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"


def labelled(pairs: Sequence[tuple[str, str]], width: int, style: str = "bold", bad: str = "") -> RichTable:
    """Return lines, each with its label at the left; a label stands once, and one that ends with `bad` is red."""
    grid = RichTable.grid(padding=(0, GAP))
    grid.add_column(max_width=width // 3)
    last = ""
    for label, text in pairs:
        chosen = "red" if bad and label.endswith(bad) else style
        grid.add_row(Text(label if label != last else "", style=chosen), Text(told(text), overflow="fold"))
        last = label
    return grid


def notes(lines: Sequence[str]) -> RichTable:
    """Return notes, each with a dot before it."""
    grid = RichTable.grid(padding=(0, 1))
    for line in lines:
        grid.add_row("·", Text(told(line), overflow="fold"))
    return grid


def table() -> RichTable:
    """Return an empty grid with a rule below its head."""
    return RichTable(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, GAP - 1, 0, 0))


def styled(cell: str, style: str = "") -> Text:
    """Return a cell in the style of its state, or in `style`."""
    return Text(cell, style=STYLES.get(cells.of(cell).state) or style)

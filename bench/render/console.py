"""What every report in a terminal is made with: one console, labelled lines, grids, and the style of a state."""

from __future__ import annotations

import io
from collections.abc import Collection, Sequence
from typing import Literal

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


def table_of(titles: Sequence[str], shown: Sequence[int], right: Collection[int], least: int) -> RichTable:
    """Return a table without lines that has the columns `shown`, by their numbers in `titles`.

    The columns `right` are aligned to the right. Only the first may be wrapped, to `least` characters.
    """
    made = table()
    for i in shown:
        side: Literal["left", "right"] = "right" if i in right else "left"
        made.add_column(
            Text(titles[i], justify=side),
            justify=side,
            overflow="fold",
            no_wrap=i > 0,
            min_width=least if i == 0 else None,
        )
    return made


def fitting(
    titles: Sequence[str], lines: Sequence[Sequence[str]], width: int, least: Sequence[str], first: int
) -> list[int]:
    """Return which columns of a table fit into a terminal, by their numbers.

    Parameters
    ----------
    titles : sequence of str
        May have several lines.
    lines : sequence of sequence of str
        The cells.
    width : int
        Of the terminal, in characters.
    least : sequence of str
        The titles of the columns that may be left out, the least important one first.
    first : int
        The least width of the first column, whose texts may be wrapped.
    """
    needed = [
        max(*map(len, title.split("\n")), *(len(line[i]) for line in lines)) + GAP for i, title in enumerate(titles)
    ]
    needed[0] = min(needed[0], first + GAP)
    shown = list(range(len(titles)))
    for title in least:
        if sum(needed[i] for i in shown) - GAP > width:
            shown.remove(titles.index(title))
    return shown


def hidden(titles: Sequence[str]) -> list[str]:
    """Return a note that names the columns for which there is no room."""
    if not titles:
        return []
    columns = f"{len(titles)} column{'s' if len(titles) > 1 else ''}"
    names = ", ".join(title.partition(",")[0].replace("\n", " ") for title in titles)
    return [f"{columns} hidden: {names}; a wider terminal and --json show all."]


def styled(cell: str, style: str = "") -> Text:
    """Return a cell in the style of its state, or in `style`."""
    return Text(cell, style=STYLES.get(cells.of(cell).state) or style)

"""How verbs print."""

from __future__ import annotations

import io
import json
import re
import sys
from typing import TYPE_CHECKING, Any, TextIO, cast

from bench.paths import told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.table import Table

    from bench.data.structures import DataSet


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    print(json.dumps(value, indent=1))


def print_text(text: str) -> None:
    """Print a rendered report."""
    sys.stdout.write(text.rstrip("\n") + "\n")
    sys.stdout.flush()


def plain_table(*columns: str) -> Table:
    """Return an empty table without rules."""
    from rich.table import Table

    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def print_columns(head: Sequence[str], lines: Sequence[Sequence[str]], below: Sequence[str] = ()) -> None:
    """Print lines in columns; none is wrapped, so that a name can be copied, and empty columns are left out.

    Parameters
    ----------
    head : sequence of str
        The titles of the columns.
    lines : sequence of sequence of str
        One or more.
    below : sequence of str
        What is printed below each line, indented and wrapped; by default nothing.
    """
    from rich.text import Text

    columns = [(title, *column) for title, column in zip(head, zip(*lines, strict=True), strict=True) if any(column)]
    wide = [max(map(len, column)) for column in columns]
    console = out()
    for number, cells in enumerate(zip(*columns, strict=True)):
        text = "  ".join(map(str.ljust, cells, wide)).rstrip()
        console.print(Text(text, style="" if number else "bold"), soft_wrap=True)
        if number and below and below[number - 1]:
            print_below(below[number - 1])


def print_below(text: str) -> None:
    """Print details of the line above, indented and wrapped."""
    from rich.padding import Padding
    from rich.text import Text

    out().print(Padding(Text(told(text), style="dim", overflow="fold"), (0, 0, 0, 4), expand=False))


def out() -> Console:
    """Return the console of standard output."""
    from rich.console import Console

    return Console(highlight=False, file=cast(TextIO, _Trimmed()))


class _Trimmed(io.TextIOBase):
    """Standard output without the blanks that rich puts at the ends of lines, which a script would have to strip."""

    encoding = property(lambda self: sys.stdout.encoding)

    def isatty(self) -> bool:
        """Return whether it is a terminal."""
        return sys.stdout.isatty()

    def write(self, text: str) -> int:
        """Write whole lines."""
        return sys.stdout.write(re.sub(" +$", "", text, flags=re.MULTILINE))

    def flush(self) -> None:
        """Flush standard output."""
        sys.stdout.flush()


def warn(line: str) -> None:
    """Say on standard error what is left out of the results."""
    to_stderr(f"pesbench: {line}")


def to_stderr(line: str) -> None:
    """Print a line of progress, separate from the output that a script reads."""
    print(told(line), file=sys.stderr, flush=True)


def say_notes(dataset: DataSet) -> None:
    """Say on standard error what is doubtful in the user's files: a wrong charge is better seen before measuring."""
    for note in dataset.notes:
        to_stderr(f"note: {note}")


def say_what_was_read(dataset: DataSet) -> None:
    """Say on standard error what is doubtful in the user's files, and what they say that nothing uses.

    For verbs whose report has no head with these.
    """
    say_notes(dataset)
    if dataset.unused:
        to_stderr(f"not used: {'; '.join(dataset.unused)}")

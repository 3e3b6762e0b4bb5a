"""How commands print."""

from __future__ import annotations

import json
import sys
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable


def print_json(value: Any) -> int:
    """Print a value as JSON, and return the exit status of success."""
    print(json.dumps(value, indent=1))
    return 0


def plain_table(*columns: str) -> RichTable:
    """Return an empty table without rules."""
    made = RichTable(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def out() -> Console:
    """Return the console of standard output."""
    return Console(highlight=False)


def to_stderr(line: str) -> None:
    """Print a line of progress, apart from what a script reads."""
    print(line, file=sys.stderr, flush=True)

"""How verbs print."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    print(json.dumps(value, indent=1))


def print_text(text: str) -> None:
    """Print what a report rendered."""
    sys.stdout.write(text.rstrip("\n") + "\n")
    sys.stdout.flush()


def short(path: Path) -> Path:
    """Return a path as it is printed: within the project, from there on."""
    from bench.paths import PROJECT

    return path.relative_to(PROJECT) if path.is_relative_to(PROJECT) else path


def plain_table(*columns: str) -> Table:
    """Return an empty table without rules."""
    from rich.table import Table

    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def out() -> Console:
    """Return the console of standard output."""
    from rich.console import Console

    return Console(highlight=False)


def to_stderr(line: str) -> None:
    """Print a line of progress, apart from what a script reads."""
    print(line, file=sys.stderr, flush=True)

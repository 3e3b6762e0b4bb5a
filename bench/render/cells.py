"""A cell of a table: its text, and the value, the interval and the state behind it, for writers that need them.

It is a ``str``, so that code which only prints it need not know. A text put together from a cell and something after it
(``cell + mark``) keeps what is behind the cell.
"""

from __future__ import annotations

from typing import Any

GOOD, WARNING, BAD, ABSENT = "good", "warning", "bad", "absent"
"""States: what a reader should notice first, and what was not measured."""


class Cell(str):
    """The text of a cell, with what is behind it."""

    __slots__ = ("high", "low", "state", "value")

    value: float | None
    """What it is sorted by, in the unit of its column; None for words."""
    low: float | None
    high: float | None
    state: str
    """One of the states above, or empty."""

    def __new__(
        cls,
        text: str,
        value: float | None = None,
        low: float | None = None,
        high: float | None = None,
        state: str = "",
    ) -> Cell:
        """Make a cell."""
        made = super().__new__(cls, text)
        made.value, made.low, made.high, made.state = value, low, high, state
        return made

    def __add__(self, after: str) -> Cell:
        """Return the cell with more text."""
        return self.with_text(str(self) + after)

    def with_text(self, text: str) -> Cell:
        """Return the same cell with another text."""
        return Cell(text, self.value, self.low, self.high, self.state)


def of(text: Any) -> Cell:
    """Return a text as a cell; words have no value."""
    return text if isinstance(text, Cell) else Cell(str(text))


DASH = Cell("–", state=ABSENT)
"""Where there is no value."""

AT_THE_START = Cell("0 steps")
"""In place of a time: every structure met the criterion before the first step."""

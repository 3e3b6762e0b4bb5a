"""The progress that a campaign reports; :mod:`bench.engine.display` shows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bench.core.protocol import Key
from bench.core.records import Record


class Progress(Protocol):
    """What a campaign reports while it runs."""

    def say(self, line: str) -> None:
        """Show one line."""

    def begin(self, keys: Sequence[Key], round_number: int, items: int) -> None:
        """Announce a round of some methods, which have so many items together."""

    def measured(self, record: Record) -> None:
        """Announce the record of one item."""

    def alive(self, key: Key, number: int, steps: int) -> None:
        """Give a sign of life of a long item."""

    def end(self, seconds_left: float | None) -> None:
        """Announce that the round ended, and how much measuring time is left at most (None: no limit)."""

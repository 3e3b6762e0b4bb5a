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

    def end(self, seconds_left: float | None, job: int, jobs: int | None) -> None:
        """Announce that the round ended, and when the campaign will.

        `seconds_left` is of wall clock (None: not known), `job` how many jobs are done, of `jobs` (None: as many as the
        time allows); a job is a method's part of a round.
        """

"""A turn of a paced worker: how long it may measure before it waits again. One line of its standard input."""

from __future__ import annotations

import dataclasses
import json


@dataclasses.dataclass(frozen=True)
class Turn:
    """Either a number of force calls, or seconds."""

    calls: int | None = None
    seconds: float = 0.0
    """No item begins after these."""
    most_seconds: float = 0.0
    """A longer item pauses at its next step after these, and goes on in the next turn."""

    def to_line(self) -> str:
        """Return it as one line, without the newline."""
        return json.dumps(dataclasses.asdict(self), separators=(",", ":"))

    @classmethod
    def from_line(cls, line: str) -> Turn | None:
        """Read a line; None where the input ended: there is nothing more to measure."""
        return cls(**json.loads(line)) if line.strip() else None

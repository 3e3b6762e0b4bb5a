"""The record of the stretched protocol."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from bench.core.failure import Failure
from bench.core.records import Record


@dataclasses.dataclass(frozen=True)
class Stretched(Record):
    """Force calls at a structure whose coordinates were multiplied by a factor."""

    record: ClassVar[str] = "stretched"
    structure: int
    status: str
    factor: float
    energy: float | None
    calculator_ns: tuple[int, ...]
    wall_ns: int
    failure: Failure | None = None

    def wrong(self) -> str | None:
        """Return what is wrong with the factor."""
        return None if self.factor > 0 else "its factor is not positive"

"""Which methods of a run are faster than which, as far as their intervals tell."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Ranks:
    """The places that a method can have among those of its protocol and device, with 95 % confidence for all."""

    low: int
    """1, plus the number of methods that are certainly faster."""
    high: int
    """The number of methods, less those that are certainly slower."""


@dataclasses.dataclass(frozen=True)
class Relative:
    """How many times slower a method is than a reference, paired by structure and round."""

    to: str
    """Name of the reference."""
    estimate: float
    low: float | None
    high: float | None

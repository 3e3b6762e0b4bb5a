"""One setting that a search for the fastest ones tries, and how the search stands after a round."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import NamedTuple


@dataclasses.dataclass(frozen=True)
class Candidate:
    """A number of threads, and a value of each knob of a method."""

    method: str
    """Its name in the records: that of the method and, after an ``@``, what is changed."""
    threads: int
    knobs: dict[str, str]
    """``dtype`` among them."""
    changes: tuple[str, ...] = ()
    """``NAME=VALUE`` for all that differs from the default; empty for the default itself."""

    @property
    def label(self) -> str:
        """What is changed, in words."""
        return ", ".join(self.changes) or "default"


class Standing(NamedTuple):
    """How a search stands after a round."""

    keep: tuple[str, ...]
    """Names of the settings to measure further, the fastest first; never the default, which is always measured."""
    other_answers: tuple[str, ...]
    """Settings that change the answers: they are measured no further."""
    times: Mapping[str, float]
    """Of the settings with the default's answers, over the time of the default."""
    decided: bool
    """Whether it is known which setting is the fastest."""

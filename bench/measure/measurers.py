"""How a protocol measures an item: the class ``Measurer`` of its ``measure.py``, made anew for each phase."""

from __future__ import annotations

from typing import Protocol

from bench import protocols
from bench.core.records import Record
from bench.core.task import Item
from bench.measure.session import Deadlines, Session


class CannotKeep(Exception):
    """A file of the run could not be written: the disk's fault, not the method's."""


class Measurer(Protocol):
    """Measures the items of one protocol."""

    def __init__(self, session: Session, deadlines: Deadlines) -> None:
        """Prepare for the items of a phase that begins now."""

    def measure(self, item: Item) -> Record | None:
        """Return the record of an item; None where a paced worker was told to end. An exception counts as a failure."""


def measurer(name: str) -> type[Measurer]:
    """Return how a protocol measures."""
    found: type[Measurer] = protocols.module(name, "measure").Measurer  # type: ignore[union-attr]
    return found

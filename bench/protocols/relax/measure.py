"""Measures items of the relax protocol; see :mod:`bench.measure.relax`."""

from __future__ import annotations

from bench.core.records import Record
from bench.core.task import Item
from bench.measure.session import Deadlines, Session


class Measurer:
    """Relaxes each structure."""

    def __init__(self, session: Session, deadlines: Deadlines) -> None:
        self.session = session
        self.deadlines = deadlines

    def measure(self, item: Item) -> Record | None:
        """Relax a structure."""
        assert self.session.task.criterion is not None
        structure = self.session.structures[item.number]
        return self.session.relax(item.number, structure, self.session.task.criterion.max_steps, self.deadlines.end)

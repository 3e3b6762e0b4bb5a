"""The lines of a table: one per method, with its rows on each kind of device."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from bench.analysis.table import Row, Table
from bench.core.device import CPU, DEVICES, DeviceKind
from bench.core.protocol import RELAX, REPLAY


@dataclasses.dataclass(frozen=True)
class Line:
    """A method with one kind of weights: its row on each kind of device; some may be missing.

    The rows are of relaxations where the method has any, else of replayed paths.
    """

    rows: Mapping[str, Row]
    """By the name of the kind of device, the CPU first."""
    replays: Mapping[str, Row]
    published: bool
    """It is a line of the published table; its figures are shown as printed."""
    steps: bool = True
    """The table has times per step, so that one of a force call alone is marked."""
    replay_steps: bool = False
    """So have its columns of replayed paths."""

    @property
    def row(self) -> Row:
        """The row for the columns that name no device: the CPU's where it was measured."""
        rows = list(self.rows.values())
        return next((row for row in rows if row.time), rows[-1])

    @property
    def label(self) -> str:
        """The method's name, with a remark where its weights are random."""
        return self.row.name

    def is_marked(self, row: Row | None) -> bool:
        """Return whether one of its rows has the time of a force call alone, in a table of times per step."""
        return self.steps and row is not None and row.of_calls and row.time is not None

    def is_marked_replay(self, row: Row | None) -> bool:
        """Return the same for a column of replayed paths."""
        return self.replay_steps and row is not None and row.of_calls and row.time is not None


def lines(table: Table) -> list[Line]:
    """Return the table's lines in the order of its rows; a method's second device of a kind has a line of its own."""
    # the weights of a row that could not be measured are unknown; it belongs beside the method's other device
    weights = {row.method: row.weights for row in table.rows if row.weights}
    groups: dict[tuple[str, str | None], list[Row]] = {}
    for row in table.rows:
        groups.setdefault((row.method, row.weights or weights.get(row.method)), []).append(row)
    steps, replay_steps = has_steps(table), replay_unit(table) == "ms/step"
    found = []
    for group in groups.values():
        replays = {row.device: row for row in group if row.protocol == REPLAY}
        shown = [row for row in group if row.protocol == RELAX] or list(replays.values())
        by_kind = {kind.name: [row for row in shown if row.on.kind is kind] for kind in DEVICES.values()}
        for i in range(max(map(len, by_kind.values()))):
            rows = {name: mine[i] for name, mine in by_kind.items() if i < len(mine)}
            found.append(
                Line(
                    rows,
                    {name: replays[row.device] for name, row in rows.items() if row.device in replays},
                    table.is_paper,
                    steps,
                    replay_steps,
                )
            )
    return found


def kinds(table: Table) -> list[DeviceKind]:
    """Return the kinds of devices in the table, the CPU first."""
    there = {row.on.kind.name for row in table.rows} or {CPU}
    return [kind for name, kind in DEVICES.items() if name in there]


def has_steps(table: Table) -> bool:
    """Return whether the table shows times per step; else it shows times of force calls alone."""
    return not table.rows or any(row.protocol == RELAX or row.ms_per_step for row in table.rows)


def unit(table: Table) -> str:
    """Return the unit of the table's times."""
    return "ms/step" if has_steps(table) else "ms/call"


def replay_unit(table: Table) -> str:
    """Return the unit of its columns of replayed paths beside those of relaxations."""
    return "ms/step" if any(row.protocol == REPLAY and row.ms_per_step for row in table.rows) else "ms/call"


def marked(table: Table) -> list[Row]:
    """Return the rows whose times are of force calls alone, and marked."""
    found = [(line, row) for line in lines(table) for row in (*line.rows.values(), *line.replays.values())]
    return [
        row for line, row in found if (line.is_marked(row) if row in line.rows.values() else line.is_marked_replay(row))
    ]

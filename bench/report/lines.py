"""The lines of a table: one a method, with its rows on each kind of device."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from bench.analysis.table import Row, Table
from bench.contract.device import CPU, DEVICES, DeviceKind
from bench.contract.protocol import RELAX, REPLAY


@dataclasses.dataclass(frozen=True)
class Line:
    """A method with one kind of weights: its row on each kind of device, of which some may be missing.

    They are rows of relaxations where the method has such, else of replayed paths.
    """

    rows: Mapping[str, Row]
    """By the name of the kind of device, the CPU first."""
    replays: Mapping[str, Row]
    published: bool
    """It is a line of the published table, whose figures are shown as printed."""
    marked: bool = False
    """Its times are those of a force call, in a table where others are those of a step."""

    @property
    def row(self) -> Row:
        """The row that the columns without a device are of: the CPU's where it was measured."""
        rows = list(self.rows.values())
        return next((row for row in rows if row.time), rows[-1])

    @property
    def label(self) -> str:
        """The method's name, which says so where its weights are random."""
        return self.row.name


def lines(table: Table) -> list[Line]:
    """Return the table's lines in the order of its rows; a method's second device of a kind has a line of its own."""
    # a row that could not be measured does not know its weights; it belongs beside the same method's other device
    weights = {row.method: row.weights for row in table.rows if row.weights}
    groups: dict[tuple[str, str | None], list[Row]] = {}
    for row in table.rows:
        groups.setdefault((row.method, row.weights or weights.get(row.method)), []).append(row)
    steps = has_steps(table)
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
                    marked=steps and shown[0].protocol == REPLAY,
                )
            )
    return found


def kinds(table: Table) -> list[DeviceKind]:
    """Return the kinds of devices that the table is about, the CPU first."""
    there = {row.on.kind.name for row in table.rows} or {CPU}
    return [kind for name, kind in DEVICES.items() if name in there]


def has_steps(table: Table) -> bool:
    """Tell whether the table is about times of steps; where nothing was relaxed it is about those of force calls."""
    return not table.rows or any(row.protocol == RELAX for row in table.rows)


def unit(table: Table) -> str:
    """Return the unit of the table's times."""
    return "ms/step" if has_steps(table) else "ms/call"

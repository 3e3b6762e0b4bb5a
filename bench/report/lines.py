"""The lines of a table: one per method, with its rows on each kind of device."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from bench.analysis.table import Row, Table
from bench.contract.device import CPU, DEVICES, DeviceKind
from bench.contract.protocol import RELAX, REPLAY


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
    marked: bool = False
    """Its times are per force call, in a table of times per step."""

    @property
    def row(self) -> Row:
        """The row for the columns that name no device: the CPU's where it was measured."""
        rows = list(self.rows.values())
        return next((row for row in rows if row.time), rows[-1])

    @property
    def label(self) -> str:
        """The method's name, with a remark where its weights are random."""
        return self.row.name


def lines(table: Table) -> list[Line]:
    """Return the table's lines in the order of its rows; a method's second device of a kind has a line of its own."""
    # the weights of a row that could not be measured are unknown; it belongs beside the method's other device
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
    """Return the kinds of devices in the table, the CPU first."""
    there = {row.on.kind.name for row in table.rows} or {CPU}
    return [kind for name, kind in DEVICES.items() if name in there]


def has_steps(table: Table) -> bool:
    """Return whether the table shows times per step; where nothing was relaxed, it shows times per force call."""
    return not table.rows or any(row.protocol == RELAX for row in table.rows)


def unit(table: Table) -> str:
    """Return the unit of the table's times."""
    return "ms/step" if has_steps(table) else "ms/call"

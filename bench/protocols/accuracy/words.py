"""Which method to take, in sentences: the fastest, the fastest that is good enough, the closest."""

from __future__ import annotations

from bench.protocols.accuracy.page import name
from bench.protocols.accuracy.table import Accuracy, AccuracyTable
from bench.render import numbers


def answer(table: AccuracyTable) -> list[str]:
    """Return what speed and errors say together, of the methods that have both; empty where none has."""
    rows = sorted(_placed(table), key=lambda row: row.time.estimate if row.time else 0.0)
    if not rows:
        return []
    said = [f"The fastest is {_described(rows[0], table)}."]
    closest = min((row for row in rows if row.kind != "dft"), key=_error, default=rows[0])
    if table.spread is not None:
        spread = table.spread.force_mae
        within = next((row for row in rows if _error(row) <= spread), None)
        close = f"within {numbers.plain(spread)} meV/Å of {closest.common_label}"
        if within is None:
            said.append(f"No method is {close}; accepted theories differ by that much.")
        elif within is not rows[0]:
            said.append(f"The fastest {close}, by which accepted theories differ, is {_described(within, table)}.")
    if closest is not rows[0]:
        said.append(f"The closest to {closest.common_label}{_without_dft(rows)} is {_described(closest, table)}.")
    return said


def reading(table: AccuracyTable) -> str:
    """Return how the figure of speed and errors is read; empty where there is none."""
    rows = _placed(table)
    if not rows:
        return ""
    said = f"Left is faster, low is closer to {rows[0].common_label}, with which all are compared."
    if table.spread is not None:
        said += " In the grey band, errors are no larger than the differences between accepted theories."
    if len(rows) > 1:
        said += " No other method beats those on the dashed line in both."
    return said


def _placed(table: AccuracyTable) -> list[Accuracy]:
    """Return the methods with a time and an error, of several systems those that have most of them."""
    rows = [row for row in table.rows if row.time is not None and row.common_mae is not None]
    most = max((_systems(row) for row in rows), default=1)
    return [row for row in rows if _systems(row) == most]


def _systems(row: Accuracy) -> int:
    """Return at how many systems a method is compared with the common level."""
    return row.references[row.common].systems if row.common else 0


def _error(row: Accuracy) -> float:
    return row.common_mae.estimate if row.common_mae else float("inf")


def _described(row: Accuracy, table: AccuracyTable) -> str:
    assert row.time is not None
    return (
        f"{name(row, table)}: {numbers.plain(row.time.estimate)} ms a force call, forces "
        f"{numbers.plain(_error(row))} meV/Å off"
    )


def _without_dft(rows: list[Accuracy]) -> str:
    return ", DFT aside," if any(row.kind == "dft" for row in rows) else ""

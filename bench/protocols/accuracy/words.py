"""Which method to take, in sentences: the fastest, the fastest that is good enough, the closest."""

from __future__ import annotations

from collections import Counter

from bench.protocols.accuracy.page import name
from bench.protocols.accuracy.table import Accuracy, AccuracyTable
from bench.render import numbers
from bench.render.heading import some


def answer(table: AccuracyTable) -> list[str]:
    """Return what speed and errors say together, of the methods that have both; empty where none has."""
    rows = sorted(placed(table), key=lambda row: row.time.estimate if row.time else 0.0)
    if not rows:
        return []
    said = [f"{_where(rows[0], table)} is {_described(rows[0], table)}."]
    closest = min((row for row in rows if row.kind != "dft"), key=_error, default=rows[0])
    if table.spread is not None:
        spread = table.spread.force_mae
        within = next((row for row in rows if _error(row) <= spread), None)
        differ = f"Accepted theories differ by {numbers.plain(spread)} meV/Å"
        if within is None:
            said.append(f"{differ}; no method is that close to {closest.common_label}.")
        elif within is not rows[0]:
            said.append(f"{differ}; the fastest that close to {closest.common_label} is {_described(within, table)}.")
    if closest is not rows[0]:
        said.append(f"The closest to {closest.common_label}{_without_dft(rows)} is {_described(closest, table)}.")
    return said


def reading(table: AccuracyTable) -> str:
    """Return how the figure of speed and errors is read; empty where there is none."""
    rows = placed(table)
    if not rows:
        return ""
    said = f"Left is faster, low is closer to {rows[0].common_label}, with which all are compared."
    if table.spread is not None:
        said += " In the grey band, errors are no larger than the differences between accepted theories."
    if len(rows) > 1:
        said += " No other method beats those on the dashed line in both."
    others = [row.label for row in _with_both(table) if row not in rows]
    if others:
        said += f" Not shown, because they are compared at other systems: {', '.join(others)}."
    return said


def placed(table: AccuracyTable) -> list[Accuracy]:
    """Return the methods with a time and an error, of several systems those that are compared at the same ones.

    These are the largest set of systems that some method has and, of sets of one size, that which most methods have.
    """
    rows = _with_both(table)
    sets = Counter(row.common_systems for row in rows)
    best = max(sets, key=lambda names: (len(names), sets[names]), default=())
    return [row for row in rows if row.common_systems == best]


def _with_both(table: AccuracyTable) -> list[Accuracy]:
    """Return the methods with a time and an error."""
    return [row for row in table.rows if row.time is not None and row.common_mae is not None]


def _where(row: Accuracy, table: AccuracyTable) -> str:
    """Return the beginning of the first sentence, with the systems where these are not all of the run."""
    names = row.common_systems
    if not names or len(names) == len(table.description.dataset.systems):
        return "The fastest"
    return f"Where errors are known, at {some(names)}, the fastest"


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

"""Notes below a table on how certain its times are."""

from __future__ import annotations

from collections.abc import Iterable

from bench.analysis.table import Row
from bench.core.protocol import REPLAY
from bench.render.circumstances import elsewhere


def intervals(rows: list[Row]) -> str:
    """Return what the intervals of the times contain; empty without rows."""
    if not rows:
        return ""
    return (
        "Times are geometric means over structures; [low, high] is the 95 % interval, which includes the scatter of "
        "the rounds, each a fresh process, and that of the structures. What a machine does to a whole round is in the "
        "times' intervals. Ratios are paired by structure and round, so it is not in theirs."
    )


def limited(rows: list[Row]) -> str:
    """Return which times have no interval and why, and which are of first steps alone; may be empty."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        said = [f"{row.time.lacks}, so no interval" if row.time and row.time.lacks else ""]
        said.append(_first_steps(row.relaxation.first_steps))
        found.setdefault("; ".join(filter(None, said)), []).append(row)
    return " ".join(f"{_labels(mine)}: {words}." for words, mine in found.items() if words)


def _first_steps(count: int | None) -> str:
    if not count:
        return ""
    if count == 1:
        return "the first step only, which may be slower than later ones"
    return f"first {count} steps only, which may be slower than later ones"


def apart(rows: list[Row]) -> str:
    """Return which methods were not measured together with the one that their times are divided by."""
    to = {row.device: row.relative.to for row in rows if row.relative}
    labels = {row.method: row.label for row in rows}
    found: dict[str, list[Row]] = {}
    for row in rows:
        if row.relative is None and row.rank is not None and row.device in to:
            found.setdefault(to[row.device], []).append(row)
    return " ".join(f"Not measured together with {labels[name]}: {_labels(mine)}." for name, mine in found.items())


def rounds(rows: list[Row]) -> str:
    """Return how much the rounds of a method differ at most; may be empty."""
    inside = [row for row in rows if row.time and row.time.low is not None]
    widest = max(inside, key=lambda row: row.round_spread or 0.0, default=None)
    if widest is None or widest.round_spread is None:
        return ""
    where = elsewhere(widest.device) or f" on the {widest.on.label}"
    return (
        f"Rounds of the same method differ by up to {100 * (widest.round_spread - 1):.1f} % "
        f"({widest.label}{where}{_in_replay(widest)}); the intervals include this."
    )


def nodes(rows: list[Row]) -> str:
    """Return how much the nodes of a cluster differ at most; may be empty."""
    widest = max((row for row in rows if row.node_spread), key=lambda row: row.node_spread or 0.0, default=None)
    if widest is None or widest.node_spread is None:
        return ""
    text = f"Nodes differ by up to {100 * (widest.node_spread - 1):.1f} % ({widest.label}{_in_replay(widest)})"
    if widest.node_share is not None:
        text += f", which is {100 * widest.node_share:.0f} % of the variance of its rounds"
    return f"{text}; the intervals include this, because every round was measured on one node."


def _in_replay(row: Row) -> str:
    return " in replay" if row.protocol == REPLAY and row.weights != "random" else ""


def _labels(rows: Iterable[Row]) -> str:
    return ", ".join(dict.fromkeys(row.label for row in rows))

"""The notes below a table about the published one: the source of its figures, its claims, its order."""

from __future__ import annotations

from collections.abc import Iterable

from bench.analysis.table import Published, Table
from bench.core.protocol import REPLAY
from bench.paper import table1


def published(figures: Iterable[Published]) -> tuple[str, ...]:
    """Return the source of the published figures, and a note on each one that is ambiguous."""
    shown = list(figures)
    if not shown:
        return ()
    source = (
        f"Paper: {table1.SOURCE}; {table1.CPU}, {table1.THREADS} cores, and {table1.GPU}. It states no intervals, no "
        "convergence criterion, no precision and no warm-up."
    )
    return (source, *(f"Paper, {row.label}: {row.note}" for row in shown if row.note))


def judged_claims(table: Table) -> str:
    """Return the paper's claims that the table can judge, with the figure behind each verdict; may be empty."""
    parts = []
    labels = {row.method: row.label for row in table.rows}
    for claim in table.claims:
        if claim.figure is not None:
            low_high = "–" if claim.low is None or claim.high is None else f"{_3(claim.low)}, {_3(claim.high)}"
            how = ", replay" if claim.protocol == REPLAY else ""
            if claim.random:
                how += f", random weights for {', '.join(labels.get(method, method) for method in claim.random)}"
            parts.append(f"{claim.text}: {claim.verdict} ({_3(claim.figure)} [{low_high}]{how})")
    if not parts:
        return ""
    return "The paper's claims, here: " + "; ".join(parts) + "."


def order(correlation: tuple[float, int] | None) -> str:
    """Return how similar the order of the CPU times is to the published order; may be empty."""
    if correlation is None:
        return ""
    rho, count = correlation
    return f"Spearman's rank correlation of the CPU times with the paper's: {rho:.2f}, over {count} methods."


def _3(figure: float) -> str:
    return f"{figure:.0f}" if figure >= 100 else f"{figure:.3g}"

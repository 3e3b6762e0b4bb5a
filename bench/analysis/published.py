"""The published methods of a run alone, by which the paper's claims are judged.

Whatever else was measured beside them must not move a verdict, so these means are not those that a table shows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

from bench.analysis import speedup
from bench.analysis.table import Mean, Row, chosen, times_of
from bench.analysis.times import Times
from bench.core.protocol import RELAX, REPLAY


def by_steps(rows: Iterable[Row]) -> list[Row]:
    """Return the published methods that have a time of a step, each once on each device (DFT once for each program)."""
    return _once(row for row in chosen(rows) if row.paper and not row.of_calls)


def by_calls(rows: Iterable[Row]) -> list[Row]:
    """Return the published methods that have a time of a replayed force call, each once on each device."""
    return _once(row for row in rows if row.paper and row.protocol == REPLAY and row.calculator_ms_per_call is not None)


def means(rows: Iterable[Row], times: Mapping[str, Times], calls: Times) -> tuple[Mean, ...]:
    """Return the means of :func:`bench.analysis.speedup.means` over the published methods, of steps and of calls.

    Parameters
    ----------
    rows : iterable of Row
        Those of a table.
    times : mapping of protocol to Times
        Milliseconds per step or, in replayed paths without an optimiser, per force call.
    calls : Times
        Milliseconds per force call of the replayed paths.
    """
    rows = list(rows)
    steps = by_steps(rows)
    relaxed = {row.method for row in steps if row.protocol == RELAX}
    # the protocol of replayed paths admits random weights, and so all rows that were chosen here
    alike = [dataclasses.replace(row, protocol=REPLAY) for row in steps]
    of_steps = speedup.means(alike, times_of(steps, times), REPLAY)
    of_calls = speedup.means(by_calls(rows), calls, REPLAY)
    return (
        *(
            dataclasses.replace(
                mean, protocol=RELAX if relaxed.issuperset((*mean.methods, *mean.reference)) else REPLAY
            )
            for mean in of_steps
        ),
        *(dataclasses.replace(mean, of_calls=True) for mean in of_calls),
    )


def _once(rows: Iterable[Row]) -> list[Row]:
    """Return the first row of each published name and device: relaxed, and with the published name itself first."""
    found: dict[tuple[str, str], Row] = {}
    for row in sorted(rows, key=lambda row: (row.protocol != RELAX, row.method != row.paper, row.method)):
        # the paper's DFT stands here for several programs, whose times are not averaged
        found.setdefault((row.method if row.kind == "dft" else str(row.paper), row.device), row)
    return list(found.values())

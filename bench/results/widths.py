"""How well the ratios of a run that is not finished are known: what its campaign plans its rounds by."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from pathlib import Path

from bench.analysis.summary import summarise
from bench.analysis.table import Row
from bench.analysis.times import Key
from bench.results import store
from bench.results.dataframes import Run


def half_widths(directory: Path) -> dict[Key, float]:
    """Return for each method half the width of the interval of its ratio to the reference, relative to the ratio.

    The reference is that of the table, on each device: the fastest MLIP. Its own width is 0. A ratio without an
    interval is as wide as can be. Relaxations that were cut are taken as they are, which is quicker and hardly changes
    a width.

    Parameters
    ----------
    directory : Path
        Of the run, as far as it was measured.

    Returns
    -------
    dict of (method, device) to float
        Half the width of the interval of the logarithm; methods that have no time or no reference are missing.
    """
    run = Run(directory, store.read(directory))
    return of_rows(summarise(dataclasses.replace(run.measurements(), steps=None)).rows)


def of_rows(rows: Iterable[Row]) -> dict[Key, float]:
    """Return the half-widths of a table's rows."""
    found: dict[Key, float] = {}
    for row in rows:
        if row.relative is not None:
            low, high = row.relative.low, row.relative.high
            found[row.key] = math.log(high / low) / 2 if low and high else math.inf
    return found

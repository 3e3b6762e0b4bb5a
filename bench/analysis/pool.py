"""Every method of a run once on each device, in one order: by its relaxations or, without any, along replayed paths."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bench.analysis.like_steps import StepTimes
from bench.analysis.table import Row
from bench.analysis.times import Times
from bench.core.protocol import RELAX, REPLAY


def chosen(rows: Iterable[Row]) -> list[Row]:
    """Return the rows by which methods are ordered: those with a time of a step, each method once on each device.

    A relaxation counts more than a replayed path, which is all that a model with random weights has. Where no row has a
    time of a step, these are the rows with the time of a force call; a call and a step are not compared.
    """
    timed = [row for row in rows if row.time is not None and (row.protocol == REPLAY or row.weights != "random")]
    steps = [row for row in timed if not row.of_calls]
    relaxed = {row.key for row in steps if row.protocol == RELAX}
    return [row for row in steps or timed if row.protocol == RELAX or row.key not in relaxed]


def times(rows: Iterable[Row], measured: Mapping[str, Times]) -> Times:
    """Return the times of chosen rows.

    Parameters
    ----------
    rows : iterable of Row
        Those of :func:`chosen`, or some of them.
    measured : mapping of protocol to Times
        Milliseconds per step or, in replayed paths without an optimiser, per force call.
    """
    rows = list(rows)
    found = {row.key: measured[row.protocol][row.key] for row in rows}
    relaxed = measured[RELAX]
    if not isinstance(relaxed, StepTimes):
        return found
    walked = frozenset(row.key for row in rows if row.protocol == REPLAY)
    return StepTimes(found, relaxed.cut, relaxed.steps, relaxed.system_of, walked)

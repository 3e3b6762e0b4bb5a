"""What replayed paths give: the time of a step, or of a force call alone where no optimiser worked along them."""

from __future__ import annotations

import pandas as pd

from bench.analysis.times import Key, per_round
from bench.core.records import FAILED


def calls(replays: pd.DataFrame) -> dict[Key, pd.DataFrame]:
    """Return the milliseconds per force call of each structure in each round, as ``per_round`` does.

    Parameters
    ----------
    replays : DataFrame
        One row per replayed path, with the columns of ``docs/format.md``.
    """
    return per_round(replays, "calculator_ns", "force_calls")


def with_steps(replays: pd.DataFrame) -> frozenset[Key]:
    """Return the methods and devices in whose timed paths an optimiser worked at each geometry.

    A run that an older version began may have paths of both kinds; such a method is judged by its force calls, so that
    all its paths count.
    """
    timed = replays[(replays["status"] != FAILED) & (replays["force_calls"] > 0)]
    return frozenset(
        (str(method), str(device))
        for (method, device), mine in timed.groupby(["method", "device"])
        if mine["step_ns"].notna().all()
    )


def calculator_share(replays: pd.DataFrame) -> float:
    """Return the calculator's share of the steps along the paths of one method on one device, 0 to 1."""
    timed = replays[replays["status"] != FAILED]
    return float(timed["calculator_ns"].sum() / timed["step_ns"].sum())


def times(replays: pd.DataFrame) -> dict[Key, pd.DataFrame]:
    """Return the milliseconds per step of the methods of :func:`with_steps`, and per force call of the others."""
    stepped = with_steps(replays)
    steps = per_round(replays, "step_ns", "force_calls")
    return calls(replays) | {key: found for key, found in steps.items() if key in stepped}

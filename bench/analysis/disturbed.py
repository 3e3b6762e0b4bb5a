"""Rounds that were disturbed: the table names them, and they stay in the means.

Runs of older versions repeated disturbed rounds. A repeat is one more round: in place of the disturbed one it would
lower the mean, because only slow rounds are ever replaced.
"""

from __future__ import annotations

import dataclasses

import pandas as pd

MEASURED_AGAIN = "measured again, and both are in the mean"
KEPT = "still in the mean"


@dataclasses.dataclass(frozen=True)
class Disturbance:
    """A round that was disturbed by something else on the machine."""

    method: str
    device: str
    round: int
    """From 0."""
    reasons: tuple[str, ...]
    fate: str
    """:data:`KEPT`, or :data:`MEASURED_AGAIN` where an older version repeated it."""


def disturbances(watched: pd.DataFrame) -> tuple[Disturbance, ...]:
    """Return the disturbed rounds of a campaign.

    Parameters
    ----------
    watched : DataFrame
        One row per round of a method on a device, with the reasons in ``disturbed`` and, in ``again``, the round that
        it repeats. A repeat that was disturbed itself is one of them.
    """
    rows = watched.to_dict("records")
    repeated = {(row["method"], row["device"], int(row["again"])) for row in rows if pd.notna(row["again"])}
    return tuple(
        Disturbance(
            row["method"],
            row["device"],
            int(row["round"]),
            tuple(row["disturbed"]),
            MEASURED_AGAIN if (row["method"], row["device"], row["round"]) in repeated else KEPT,
        )
        for row in rows
        if row["disturbed"]
    )


def revisits(measured: pd.DataFrame) -> int:
    """Return how many structures were measured again, because the method's threads had waited long for a core.

    Parameters
    ----------
    measured : DataFrame
        One row per relaxation or path, with the number of its ``visit``; None in older runs.
    """
    return int((pd.to_numeric(measured["visit"]) > 1).sum()) if "visit" in measured else 0

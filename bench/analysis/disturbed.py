"""Rounds that were disturbed: what was measured again takes their place, and the table says so."""

from __future__ import annotations

import dataclasses

import pandas as pd

MEASURED_AGAIN = "measured again"
KEPT = "in the mean all the same"
WORSE = "measured again, and disturbed again"


@dataclasses.dataclass(frozen=True)
class Disturbance:
    """A round that something on the machine disturbed."""

    method: str
    device: str
    round: int
    """From 0."""
    reasons: tuple[str, ...]
    fate: str
    """:data:`MEASURED_AGAIN`: an undisturbed round stands in its place. Otherwise it is in the mean."""


def disturbances(watched: pd.DataFrame) -> tuple[Disturbance, ...]:
    """Return the disturbed rounds of a campaign.

    Parameters
    ----------
    watched : DataFrame
        One row a round of a method on a device, with the reasons in ``disturbed`` and, in ``again``, the round that it
        measured again.
    """
    rows = watched.to_dict("records")
    repeats = {(row["method"], row["device"], int(row["again"])): row for row in rows if pd.notna(row["again"])}
    found = []
    for row in rows:
        if not row["disturbed"] or pd.notna(row["again"]):
            continue
        repeat = repeats.get((row["method"], row["device"], row["round"]))
        fate = KEPT if repeat is None else WORSE if repeat["disturbed"] else MEASURED_AGAIN
        found.append(Disturbance(row["method"], row["device"], int(row["round"]), tuple(row["disturbed"]), fate))
    return tuple(found)


def in_place(frame: pd.DataFrame, watched: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a campaign with each disturbed round replaced by its repeat.

    A repeat takes the number of the round that it stands for, so that it is paired with what was measured beside that.
    One that was disturbed itself is left out, and its round stays: nothing was gained by it.

    Parameters
    ----------
    frame : DataFrame
        With the columns ``method``, ``device`` and ``round``.
    watched : DataFrame
        See :func:`disturbances`.
    """
    for row in watched[watched["again"].notna()].to_dict("records"):
        mine = (frame["method"] == row["method"]) & (frame["device"] == row["device"])
        original, repeat = mine & (frame["round"] == row["again"]), mine & (frame["round"] == row["round"])
        if row["disturbed"]:
            frame = frame[~repeat]
        else:
            frame = frame.assign(round=frame["round"].mask(repeat, int(row["again"])))[~original]
    return frame

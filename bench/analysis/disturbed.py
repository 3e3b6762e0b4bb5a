"""Rounds that were disturbed: repeats replace them, and the table says so."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from bench.contract.records import CENSORED, FAILED

MEASURED_AGAIN = "measured again"
KEPT = "still in the mean"
WORSE = "measured again, and disturbed again"


@dataclasses.dataclass(frozen=True)
class Disturbance:
    """A round that was disturbed by something else on the machine."""

    method: str
    device: str
    round: int
    """From 0."""
    reasons: tuple[str, ...]
    fate: str
    """:data:`MEASURED_AGAIN`: an undisturbed round replaces it, as far as that one got. Otherwise it is in the mean."""


def disturbances(watched: pd.DataFrame) -> tuple[Disturbance, ...]:
    """Return the disturbed rounds of a campaign.

    Parameters
    ----------
    watched : DataFrame
        One row per round of a method on a device, with the reasons in ``disturbed`` and, in ``again``, the round that
        it repeats.
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


def with_repeats(
    data: pd.DataFrame, watched: pd.DataFrame, planned: int, statuses: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return the rows of a campaign, with disturbed rounds replaced by their repeats, structure by structure.

    A repeat takes the number of the round that it replaces, so that it is paired with the same rounds of other methods.
    A structure is not replaced where the repeat failed, or where only the repeat was cut off. Nothing is replaced where
    the repeat was disturbed itself. A repeat that was interrupted is ignored.

    Parameters
    ----------
    data : DataFrame
        With the columns ``method``, ``device``, ``round`` and ``structure``.
    watched : DataFrame
        See :func:`disturbances`.
    planned : int
        The rounds of the campaign; those after them are repeats.
    statuses : DataFrame, optional
        Rows that also have the column ``status``; by default `data` itself.
    """
    statuses = data if statuses is None else statuses
    seen = {(row["method"], row["device"], row["round"]) for row in watched.to_dict("records")}
    numbers = data["round"]
    keys = zip(data["method"], data["device"], numbers, strict=True)
    left_out = pd.Series([key[2] >= planned and key not in seen for key in keys], index=data.index, dtype=bool)
    for row in watched[watched["again"].notna()].to_dict("records"):
        original, repeat = (_of(data, row, row[name]) for name in ("again", "round"))
        if row["disturbed"]:
            left_out |= repeat
            continue
        better = data["structure"].isin(_no_worse(statuses, row))
        left_out |= (original & better) | (repeat & ~better)
        numbers = numbers.mask(repeat, int(row["again"]))
    return data.assign(round=numbers)[~left_out]


def _of(data: pd.DataFrame, row: Mapping[Hashable, Any], number: int) -> pd.Series:
    return (data["method"] == row["method"]) & (data["device"] == row["device"]) & (data["round"] == number)


def _no_worse(statuses: pd.DataFrame, row: Mapping[Hashable, Any]) -> set[Any]:
    """Return the structures for which a repeat has at least as much as the round that it replaces."""
    before, again = (
        statuses[_of(statuses, row, row[name])].set_index("structure")["status"].to_dict()
        for name in ("again", "round")
    )
    return {
        structure
        for structure, status in again.items()
        if status != FAILED and (status != CENSORED or before.get(structure, CENSORED) in (CENSORED, FAILED))
    }

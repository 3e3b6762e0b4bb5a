"""Sentences for the tables on joules: what they are, and why some are missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from bench.analysis.joules import LEAST_SECONDS, OVERHEAD, SHORT, STILL
from bench.analysis.table import Row
from bench.core.description import EnergyCounter
from bench.core.device import CPU, Device, is_accelerator

_MISSING = {
    SHORT: f"No joules where every round has less than {LEAST_SECONDS:g} s of work",
    OVERHEAD: "No joules where less than half of a round's time is the method's own work",
    STILL: "No joules where the counter stood still during the work",
}


def joules(rows: Iterable[Row], counters: Mapping[str, EnergyCounter]) -> Iterator[str]:
    """Return the notes on the joules of a table.

    Parameters
    ----------
    rows : iterable of Row
        Those with a time.
    counters : mapping of str to EnergyCounter
        What the campaign found, by device; empty where nobody looked for counters.
    """
    rows = list(rows)
    with_joules = [row for row in rows if row.energy.watts is not None]
    if with_joules:
        yield _meaning(with_joules, counters)
    for device, found in counters.items():
        without = [row for row in rows if row.device == device and row.energy.watts is None]
        if found.missing and without:
            yield f"No joules on the {Device.parse(device).label} ({found.missing})."
    for reason, text in _MISSING.items():
        if named := _names(row for row in rows if row.energy.no_joules == reason):
            yield f"{text}: {named}."
    if named := _names(row for row in with_joules if row.joules is not None and row.joules_net is None):
        yield f"No net joules where a round took no more power than the idle machine: {named}."


def _meaning(rows: list[Row], counters: Mapping[str, EnergyCounter]) -> str:
    text = (
        "Joules are the mean power of a round's work times the time in this table. The power is that of the whole CPU "
        "(all its packages, whatever else runs there)"
    )
    if any(is_accelerator(row.device) for row in rows):
        text += ", and on a GPU also of the whole GPU"
    text += "; memory and power supply are not in it."
    alone = _names(row for row in rows if CPU not in row.energy.joules_of)
    if alone:
        reason = counters[CPU].missing if CPU in counters else ""
        text += f" Only of the GPU, without the CPU{f' ({reason})' if reason else ''}: {alone}."
    idle = [
        f"{Device.parse(device).label} {found.idle_watts:.0f} W"
        for device, found in counters.items()
        if found.idle_watts is not None
    ]
    return f"{text} Net: less the idle power before the campaign ({', '.join(idle)})." if idle else text


def _names(rows: Iterable[Row]) -> str:
    return ", ".join(dict.fromkeys(row.label for row in rows))

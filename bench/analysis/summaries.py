"""How the records of each protocol are summed up: ``SUMMARY`` of its ``analyse.py``."""

from __future__ import annotations

from collections.abc import Iterable

from bench import protocols
from bench.analysis.measurements import Measurements, Summary
from bench.analysis.times import Times
from bench.core.protocol import RELAX
from bench.protocols import PROTOCOLS

SUMMARIES: dict[str, Summary] = {
    name: found.SUMMARY for name in PROTOCOLS if (found := protocols.module(name, "analyse")) is not None
}
"""Of the protocols whose records are summed up."""


def shown_first(protocols: Iterable[str]) -> str:
    """Return the protocol by which a run is shown by default: one with times, if there is one."""
    planned = list(protocols) or [RELAX]
    return next((name for name in planned if SUMMARIES[name].table is None), planned[0])


def all_times(measurements: Measurements) -> dict[str, Times]:
    """Return the times of each protocol that has times."""
    return {name: summary.times(measurements) for name, summary in SUMMARIES.items() if summary.times is not None}

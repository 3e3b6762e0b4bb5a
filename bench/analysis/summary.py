"""From the measurements of a campaign to the table of times: one row per method, protocol and device."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bench import protocols
from bench.analysis import ordering, per_molecule, published, speedup
from bench.analysis.disturbed import disturbances, revisits
from bench.analysis.doubts import doubts
from bench.analysis.measurements import Measurements, Summary
from bench.analysis.methods import MeasuredMethod
from bench.analysis.table import Coverage, Mean, Published, Row, Table, chosen, in_order, times_of
from bench.analysis.times import Key, Times, call_times
from bench.core.protocol import RELAX, REPLAY
from bench.protocols import PROTOCOLS

SUMMARIES: dict[str, Summary] = {
    name: found.SUMMARY for name in PROTOCOLS if (found := protocols.module(name, "analyse")) is not None
}
"""How the records of each protocol are summed up."""


def shown_first(planned: Iterable[str]) -> str:
    """Return the protocol by which a run is shown by default: one with times, if there is one."""
    names = list(planned) or [RELAX]
    return next((name for name in names if SUMMARIES[name].table is None), names[0])


def all_times(measurements: Measurements) -> dict[str, Times]:
    """Return the times of each protocol that has times."""
    return {name: summary.times(measurements) for name, summary in SUMMARIES.items() if summary.times is not None}


def summarise(
    measurements: Measurements,
    answers: Mapping[Key, Sequence[str]] | None = None,
    paper: Mapping[str, Published] | None = None,
    relative_to: str | None = None,
) -> Table:
    """Return the table of a campaign.

    Parameters
    ----------
    measurements : Measurements
        A method has a row for each protocol of the campaign's settings that has rows; with random weights, only for
        protocols that admit them, and always for ``replay``.
    answers : mapping of (method, device) to sequence of str, optional
        Where the answers of a method differ from its baseline; empty where they do not.
    paper : mapping of str to Published, optional
        The published figures by method, as ``bench.paper.table1.read()`` gives them.
    relative_to : str, optional
        The method by which times are divided in :attr:`Row.relative`; by default the fastest MLIP.

    Returns
    -------
    Table
        Rows by kind, light ones first, and within a kind by speed. Milliseconds, seconds, bytes, Angstrom. The paper's
        claims are not judged yet: :func:`bench.paper.claims.judged` does that.
    """
    watched = measurements.watched
    times = all_times(measurements)
    rows = summarised_rows(measurements, times, answers, paper, relative_to)
    calls = call_times(measurements.replays)
    return Table(
        description=measurements.description,
        rows=tuple(rows),
        geometric_means=(*speedup.means(rows, times[RELAX]), *_replay_means(rows, times[REPLAY], calls)),
        published_means=published.means(rows, times, calls),
        disturbances=disturbances(watched) if watched is not None else (),
        revisits=revisits(measurements.structures) + revisits(measurements.replays),
        damaged=measurements.damaged,
    )


def summarised_rows(
    measurements: Measurements,
    times: Mapping[str, Times],
    answers: Mapping[Key, Sequence[str]] | None = None,
    paper: Mapping[str, Published] | None = None,
    relative_to: str | None = None,
) -> list[Row]:
    """Return the rows of :func:`summarise` alone; `times` are those of :func:`all_times`."""
    every = doubts(
        measurements.methods,
        measurements.answers,
        measurements.structures,
        measurements.replays,
        frozenset(frame for one in measurements.description.dataset.systems if one.fixed for frame in one.frames),
    )
    fields: dict[Key, dict[str, Any]] = {key: {"doubts": found} for key, found in every.items()}
    for key, differences in (answers or {}).items():
        fields.setdefault(key, {})["answers"] = tuple(differences)
    own: dict[Key, dict[str, Any]] = {}
    for name, summary in SUMMARIES.items():
        for key, found in summary.own(measurements).items() if summary.own is not None else ():
            own.setdefault(key, {})[name] = found
    for key, each in own.items():
        fields.setdefault(key, {})["own"] = each
    bare = [_bare(method, measurements, paper or {}, fields.get(method.key, {})) for method in measurements.methods]
    rows_of = _protocols(measurements)
    rows: list[Row] = []
    for name, series in times.items():
        make = SUMMARIES[name].rows
        assert make is not None
        mine = [dataclasses.replace(row, protocol=name) for row in bare if name in rows_of[row.key]]
        rows += make(measurements, mine, series)
    return in_order(_compared(rows, times, relative_to))


def _replay_means(rows: Sequence[Row], times: Times, calls: Times) -> tuple[Mean, ...]:
    """Return the means over replayed paths: of steps, or of force calls where some method has nothing else."""
    of_calls = [dataclasses.replace(mean, of_calls=True) for mean in speedup.means(rows, calls, REPLAY)]
    stepped = speedup.means([row for row in rows if not row.of_calls], times, REPLAY)
    of_steps = {(mean.name, mean.reference): mean for mean in stepped}
    return tuple(of_steps.get((mean.name, mean.reference), mean) for mean in of_calls)


def _compared(rows: Sequence[Row], measured: Mapping[str, Times], relative_to: str | None) -> list[Row]:
    """Return the rows with their ranks and their times relative to a reference, each on its device.

    Each method has a place once on a device: see :func:`bench.analysis.table.chosen`.
    """
    placed = chosen(rows)
    times = times_of(placed, measured)
    ranks: dict[Key, ordering.Ranks] = {}
    relatives: dict[Key, ordering.Relative | None] = {}
    for device in dict.fromkeys(row.device for row in placed):
        mine = [row for row in placed if row.device == device]
        keys = [row.key for row in mine]
        ranks |= ordering.ranks(times, keys)
        if relative_to is None:
            to = ordering.fastest(times, [row.key for row in mine if row.kind == "mlip"])
        else:
            to = next((key for key in keys if key[0] == relative_to), None)
        if to is not None:
            relatives |= {key: ordering.relative(times, key, to) for key in keys}
    places = {(row.key, row.protocol): row for row in placed}
    compared = []
    for row in rows:
        if (row.key, row.protocol) in places:
            found = relatives.get(row.key)
            row = dataclasses.replace(row, rank=ranks.get(row.key), relative=found)
            other = places.get(((found.to, row.device), row.protocol)) if found else None
            if found is not None and other is not None and other.key != row.key:
                over = functools.partial(ordering.relative, times, row.key, other.key)
                row = dataclasses.replace(row, per_molecule_relative=per_molecule.ratio(over, [(row, other)]))
        compared.append(row)
    return compared


def _protocols(measurements: Measurements) -> dict[Key, tuple[str, ...]]:
    """Return the protocols in which each method on each device has rows."""
    planned = measurements.description.settings.protocols
    of_random = (REPLAY, *(name for name in planned if PROTOCOLS[name].random_weights))
    # where a method could not start, only its other device knows its weights
    random = {method.method for method in measurements.methods if method.weights == "random"}
    found = {}
    for method in measurements.methods:
        is_random = method.weights == "random" or (method.weights is None and method.method in random)
        found[method.key] = of_random if is_random else planned
    return found


def _bare(
    method: MeasuredMethod, measurements: Measurements, paper: Mapping[str, Published], fields: Mapping[str, Any]
) -> Row:
    """Return the row of a method before anything was measured."""
    published = paper.get(method.paper or "")
    return Row(
        **vars(method),
        **fields,
        coverage=Coverage(0, max(len(measurements.description.dataset.systems), 1)),
        left_out=facts.left_out if (facts := measurements.description.methods.get(method.method)) else {},
        done=0,
        total=measurements.description.dataset.count,
        converged=0,
        failures={method.failure: 1} if method.failure else {},
        paper_ms_per_step=published.on(method.device) if published else None,
    )

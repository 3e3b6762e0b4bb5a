"""From one run directory, or two, to the tables that the report shows: reading, analysis, paper."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.analysis import likeness, regression
from bench.analysis.disturbed import disturbances
from bench.analysis.fingerprint import differences
from bench.analysis.likeness import Circumstances, ComparedRuns
from bench.analysis.pool import chosen
from bench.analysis.simulated import StabilityTable
from bench.analysis.summaries import SUMMARIES, shown_first
from bench.analysis.summary import summarise
from bench.analysis.table import PAPER, Table
from bench.contract.protocol import MD, RELAX
from bench.errors import BadInput
from bench.paper import table1
from bench.paper.claims import judged
from bench.runs import baselines, store
from bench.runs.dataframes import Run, load
from bench.runs.simulations import simulations
from bench.runs.truths import truths

Say = Callable[[str], None]
"""Called with a sentence on the parts of a run that cannot be read and are left out."""


def nobody(line: str) -> None:
    """Tell nobody."""


def protocol_of(run: str | Path | None) -> str:
    """Return the protocol by which a run, or ``paper``, is shown by default."""
    return RELAX if run == PAPER else shown_first(store.describe(store.find(run)).settings.protocols)


def shown_as(run: str | Path | None, protocol: str, say: Say = nobody, relative_to: str | None = None) -> Any:
    """Return the table that shows a protocol of a run, or of ``paper``: its own, or that of times.

    `relative_to` is the method by which times are divided. Raises BadInput where the run has no such results.
    """
    if SUMMARIES[protocol].table is None:
        return table_of(run, say, relative_to)
    if relative_to is not None:
        raise BadInput(f"--relative-to belongs to the table of times, and {protocol} has a table of its own.")
    if run == PAPER:
        raise BadInput(f"the paper has no records of the protocol {protocol}; name a run.")
    return _own_table(load(run, say), protocol)


def table_of(run: str | Path | None, say: Say = nobody, relative_to: str | None = None) -> Table:
    """Return the table of times of a run, or of ``paper``.

    `relative_to` is the method by which times are divided; None: the fastest MLIP. Raises BadInput for one that the run
    has no time of.
    """
    if run == PAPER:
        if relative_to is not None:
            raise BadInput("the paper's times are not divided by those of a method; name a run with --relative-to.")
        return table1.table()
    loaded = load(run, say)
    simulated, compared = None, None
    try:
        simulated = simulations(loaded)
    except BadInput as error:  # the times are still complete
        say(f"the dynamics is left out: {error}")
    try:
        compared = truths(loaded)
    except BadInput as error:
        say(f"the accuracy is left out: {error}")
    paper = table1.figures_for(loaded.description.dataset)
    measured = loaded.measurements(simulated, compared)
    if relative_to is not None:  # the names of the published table are method names, too
        names = [one.method for one in loaded.measured_methods if relative_to in (one.method, one.paper)]
        relative_to = next((name for name in names if name == relative_to), next(iter(names), relative_to))
    table = judged(summarise(measured, baselines.checked(loaded), paper, relative_to), paper)
    if relative_to is not None and not any(row.relative for row in table.rows):
        raise BadInput(_no_reference(table, relative_to))
    return table


def _no_reference(table: Table, name: str) -> str:
    """Return why times cannot be divided by those of a method, and what can be named."""
    timed = list(dict.fromkeys(row.method for row in chosen(table.rows)))
    known = any(row.method == name for row in table.rows)
    near = difflib.get_close_matches(name, timed, n=3) or timed[:3]
    hint = f"; it has times of {', '.join(near)}." if near else "."
    problem = f"has no time of {name}" if known else f"did not measure {name!r}"
    return f"--relative-to: run {table.description.run_id} {problem}{hint}"


def stabilities(run: str | Path | None, say: Say = nobody) -> StabilityTable:
    """Return the stability of each method of a run; raises BadInput for a run without simulations."""
    found: StabilityTable = shown_as(run, MD, say)
    return found


def _own_table(run: Run, protocol: str) -> Any:
    if protocol not in run.description.settings.protocols:
        raise BadInput(
            f"{run.directory.name} has no records of the protocol {protocol}; "
            f"'pesbench run --protocols relax,{protocol}' makes some."
        )
    make = SUMMARIES[protocol].table
    assert make is not None
    return make(run.measurements(simulations(run), truths(run)))


def compared(old: Run, new: Run, threshold: float, force: bool = False) -> ComparedRuns:
    """Compare two runs.

    Raises BadInput where they are too different, unless `force` is set, and where they have nothing in common that was
    timed. `threshold` is that of :func:`bench.analysis.regression.verdict`.
    """
    variables = [{one.method: one.environment for one in run.contents.started} for run in (old, new)]
    unlike = likeness.unlike(old.description, new.description) + likeness.unlike_waiting(*variables)
    if unlike and not force:
        raise BadInput(
            f"{old.directory.name} and {new.directory.name} cannot be compared: {'; '.join(unlike)}. "
            "The times of such runs say nothing about the methods; --force shows them anyway."
        )
    prints = baselines.of_run(old), baselines.of_run(new)
    answers = {key: differences(prints[1][key], prints[0][key]) for key in prints[0] if key in prints[1]}
    earlier, later = (regression.Side.of(run.measurements()) for run in (old, new))
    before, after = earlier.beside(later), later.beside(earlier)
    found = regression.compare(before, after, threshold, answers)
    if not any(one.ratio for one in found):
        reasons = dict.fromkeys(f"{one.label}: {one.why.rstrip('.')}" for one in found)
        raise BadInput(
            f"{old.directory.name} and {new.directory.name} have nothing in common that was timed"
            f"{': ' if reasons else ''}{'; '.join(reasons)}."
        )
    return ComparedRuns(
        old=_circumstances(old),
        new=_circumstances(new),
        comparisons=tuple(found),
        threshold=threshold,
        means={protocol: regression.mean_ratio(before, after, found, protocol) for protocol in before.times},
        unlike=tuple(unlike),
        explain=tuple(
            likeness.explain(
                old.description,
                new.description,
                [{one.method: one.versions for one in run.contents.started} for run in (old, new)],
                variables,
            )
        ),
    )


def _circumstances(run: Run) -> Circumstances:
    unsettled = dict.fromkeys(one.label for one in run.measured_methods if one.settled is False)
    return Circumstances(
        name=run.directory.name,
        description=run.description,
        disturbances=disturbances(run.watched),
        unsettled=tuple(unsettled),
        damaged=run.contents.damaged,
    )

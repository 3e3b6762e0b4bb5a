"""From one run directory, or two, to the tables that the report shows: reading, analysis, paper."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import protocols
from bench.analysis import likeness, regression
from bench.analysis.by_system import SystemsTable, by_system
from bench.analysis.disturbed import disturbances
from bench.analysis.fingerprint import differences
from bench.analysis.likeness import Circumstances, ComparedRuns
from bench.analysis.measurements import Measurements
from bench.analysis.summary import SUMMARIES, summarise
from bench.analysis.table import PAPER, Table, chosen
from bench.errors import BadInput
from bench.paper import table1
from bench.paper.claims import judged
from bench.results import baselines
from bench.results.dataframes import Run, load
from bench.results.finding import some

Say = Callable[[str], None]
"""Called with a sentence on the parts of a run that cannot be read and are left out."""


def nobody(line: str) -> None:
    """Tell nobody."""


class Results:
    """Everything that can be shown of a run: its records are read once, and each figure is computed once.

    `say` is called with a sentence on each part that cannot be read and is left out.
    """

    def __init__(self, run: str | Path | None, say: Say = nobody) -> None:
        self.say = say
        self.run = load(run, say)
        self.unreadable: dict[str, BadInput] = {}
        """By protocol: why its files cannot be read."""
        self._times: dict[str | None, Table] = {}

    @functools.cached_property
    def measurements(self) -> Measurements:
        """The input of the analysis, with what each protocol needs from the run's files."""
        read: dict[str, Any] = {}
        for name in self.run.description.settings.protocols:
            reader = protocols.module(name, "read")
            try:
                if reader is not None:
                    read[name] = reader.read(self.run)
            except BadInput as error:
                self.unreadable[name] = error
        return self.run.measurements(read)

    def times(self, relative_to: str | None = None) -> Table:
        """Return the table of times; see :func:`table_of`."""
        if relative_to not in self._times:
            self._times[relative_to] = self._summarised(relative_to)
        return self._times[relative_to]

    def _summarised(self, relative_to: str | None) -> Table:
        run, measured = self.run, self.measurements
        for name, error in self.unreadable.items():  # the times are still complete
            self.say(f"the results of {name} are left out: {error}")
        paper = table1.figures_for(run.description.dataset)
        if relative_to is not None:  # the names of the published table are method names, too
            names = [one.method for one in run.measured_methods if relative_to in (one.method, one.paper)]
            relative_to = next((name for name in names if name == relative_to), next(iter(names), relative_to))
        table = judged(summarise(measured, baselines.checked(run), paper, relative_to), paper)
        if relative_to is not None and not any(row.relative for row in table.rows):
            raise BadInput(_no_reference(table, relative_to))
        return table

    def by_system(self, relative_to: str | None = None) -> SystemsTable:
        """Return the table of times system by system."""
        return by_system(self.measurements, relative_to)

    def own(self, protocol: str) -> Any:
        """Return the table of a protocol that has one of its own; raises BadInput where the run has no such results."""
        if protocol not in self.run.description.settings.protocols:
            raise BadInput(
                f"{self.run.directory.name} has no records of the protocol {protocol}; "
                f"'pesbench run --protocols relax,{protocol}' makes some."
            )
        make = SUMMARIES[protocol].table
        assert make is not None
        measured = self.measurements
        if protocol in self.unreadable:
            raise self.unreadable[protocol]
        return make(measured)

    def shown_as(self, protocol: str, relative_to: str | None = None) -> Any:
        """Return the table that shows a protocol: its own, or that of times."""
        if SUMMARIES[protocol].table is None:
            return self.times(relative_to)
        if relative_to is not None:
            raise BadInput(f"--relative-to belongs to the table of times, and {protocol} has a table of its own.")
        return self.own(protocol)


def shown_as(run: str | Path | None, protocol: str, say: Say = nobody, relative_to: str | None = None) -> Any:
    """Return the table that shows a protocol of a run, or of ``paper``: its own, or that of times.

    `relative_to` is the method by which times are divided. Raises BadInput where the run has no such results.
    """
    if run == PAPER:
        if SUMMARIES[protocol].table is not None:
            raise BadInput(f"the paper has no records of the protocol {protocol}; name a run.")
        return table_of(run, say, relative_to)
    return Results(run, say).shown_as(protocol, relative_to)


def table_of(run: str | Path | None, say: Say = nobody, relative_to: str | None = None) -> Table:
    """Return the table of times of a run, or of ``paper``.

    `relative_to` is the method by which times are divided; None: the fastest MLIP. Raises BadInput for one that the run
    has no time of.
    """
    if run == PAPER:
        if relative_to is not None:
            raise BadInput("the paper's times are not divided by those of a method; name a run with --relative-to.")
        return table1.table()
    return Results(run, say).times(relative_to)


def _no_reference(table: Table, name: str) -> str:
    """Return why times cannot be divided by those of a method, and what can be named."""
    timed = list(dict.fromkeys(row.method for row in chosen(table.rows)))
    known = any(row.method == name for row in table.rows)
    near = difflib.get_close_matches(name, timed, n=3) or timed[:3]
    hint = f"; it has times of {', '.join(near)}." if near else "."
    problem = f"has no time of {name}" if known else f"did not measure {name!r}"
    return f"--relative-to: run {table.description.run_id} {problem}{hint}"


def compared(old: Run, new: Run, threshold: float, force: bool = False) -> ComparedRuns:
    """Compare two runs.

    Raises BadInput where they are too different, unless `force` is set, and where they have nothing in common that was
    timed. `threshold` is that of :func:`bench.analysis.regression.verdict`.
    """
    if old.directory.resolve() == new.directory.resolve():
        raise BadInput(f"{old.directory.name} is compared with itself, and nothing can differ; name two runs.")
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
        reasons: dict[str, list[str]] = {}
        for one in found:
            reasons.setdefault(one.why.rstrip("."), []).append(one.label)
        said = "; ".join(f"{some(dict.fromkeys(labels))}: {why}" for why, labels in reasons.items())
        raise BadInput(
            f"{old.directory.name} and {new.directory.name} have nothing in common that was timed"
            f"{': ' if said else ''}{said}."
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

"""Shows the results of a run by protocol, printed or drawn."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.commands._options import SPEED
from bench.commands._output import print_text, to_stderr, warn
from bench.core.protocol import RELAX, REPLAY
from bench.errors import BadInput

if TYPE_CHECKING:
    from bench.render.page.sections import Measured
    from bench.render.view import View
    from bench.results.tables import Results

PAGE = "report.html"
"""The name of the page in a run directory."""


def found(protocol: str, run: str | Path | None, relative_to: str | None = None) -> tuple[View, Any]:
    """Return how a protocol is shown, and the results to show.

    Without a protocol, a run is shown by its times or, where it timed nothing, by its first protocol. Raises BadInput
    where the run has no results of the named protocol.
    """
    from bench.analysis.table import PAPER
    from bench.render.shown import SHOWN
    from bench.results import tables

    if run == PAPER:
        chosen = RELAX if protocol == SPEED else protocol
        return SHOWN[chosen], _only(tables.shown_as(run, chosen, warn, relative_to), protocol, PAPER)
    return _of(tables.Results(directory(protocol, run), warn), protocol, relative_to)


def directory(protocol: str, run: str | Path | None) -> Path:
    """Return the directory of a run; None means the newest with results of the protocol, if one is named."""
    from bench.results import store

    return store.find(run, protocols=() if protocol == SPEED else (protocol,), say=warn)


def with_times(run: str | Path | None, fits: Callable[[Path], bool] = lambda directory: True) -> Path:
    """Return the directory of a run; None means the newest with times of relaxations or replays, and that `fits`."""
    from bench.results import store

    return store.find(run, protocols=(RELAX, REPLAY), fits=fits, say=warn)


def _of(results: Results, protocol: str, relative_to: str | None) -> tuple[View, Any]:
    from bench.analysis.summary import shown_first
    from bench.render.shown import SHOWN

    chosen = shown_first(results.run.description.settings.protocols) if protocol == SPEED else protocol
    table = results.shown_as(chosen, relative_to)
    return SHOWN[chosen], _only(table, protocol, str(results.run.directory))


def _only(table: Any, protocol: str, run: str) -> Any:
    """Return the rows of a table of times that are of a protocol, where the user named one."""
    from bench.analysis.table import Table

    if protocol == SPEED or not isinstance(table, Table):
        return table
    table = table.only(protocol)
    if not table.rows:
        raise BadInput(f"there are no {protocol} results in {run}; 'pesbench run --protocols {protocol}' measures it.")
    return table


def show(protocol: str, run: str | Path | None, form: str, relative_to: str | None = None, wide: bool = False) -> bool:
    """Print the results of a protocol in one of the formats; returns whether anything was measured."""
    return _print(*found(protocol, run, relative_to), form, wide)


def _print(shown: View, table: Any, form: str, wide: bool = False) -> bool:
    print_text(shown.render(table, form, color=sys.stdout.isatty(), wide=wide))
    # what was relaxed at the start has no time of a step, and is a result all the same
    return any(row.measured or getattr(row, "converged", None) for row in table.rows)


def finish(run: Path, form: str = "terminal", relative_to: str | None = None, page: bool = True) -> int:
    """Print the table of a run and, with `page`, write its page.

    Returns the exit status, 1 if nothing was measured.
    """
    from bench.results.tables import Results

    results = Results(run, warn)
    try:
        measured = _print(*_of(results, SPEED, relative_to), form)
    except BadInput as error:  # that method could not be measured, but others were
        if relative_to is None:
            raise
        warn(str(error))
        relative_to = None
        measured = _print(*_of(results, SPEED, None), form)
    if measured and page:
        try:
            to_stderr(f"page: {_write([results], run / PAGE, relative_to)}")
        except BadInput as error:  # a run that cannot have a page is a run all the same
            warn(f"there is no page: {error}")
    return 0 if measured else 1


def write_page(runs: Sequence[Path], output: Path, relative_to: str | None = None) -> Path:
    """Write the page of some run directories, and return its path; raises BadInput where it cannot be written."""
    from bench.results.tables import Results

    return _write([Results(run, warn) for run in runs], output, relative_to)


def _write(runs: Sequence[Results], output: Path, relative_to: str | None) -> Path:
    from bench import __version__
    from bench.render.page.document import document

    text = document([_measured(run, relative_to) for run in runs], __version__)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"cannot write {output}: {error.strerror}; choose another place with --output.") from None
    return output


def _measured(results: Results, relative_to: str | None) -> Measured:
    """Return all that a run has measured; what cannot be read is told and left out."""
    from bench.analysis.summary import SUMMARIES
    from bench.render.page.sections import Measured

    own = {}
    for protocol in results.run.description.settings.protocols:
        if SUMMARIES[protocol].table is not None:
            try:
                own[protocol] = results.own(protocol)
            except BadInput as error:
                warn(f"{protocol} is left out of the page: {error}")
    several = len(results.run.description.dataset.systems) > 1
    by_system = results.by_system(relative_to) if several and results.times().rows else None
    return Measured(results.run.directory.name, results.times(relative_to), own, by_system, _packages())


def _packages() -> frozenset[str]:
    """Return the names of the packages that the adapters here ask for."""
    from packaging.requirements import Requirement

    from bench.environments.catalogue import Catalogue

    return frozenset(Requirement(text).name for header in Catalogue().headers for text in header.dependencies)

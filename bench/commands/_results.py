"""Shows the results of a run by protocol, printed or drawn."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.commands._options import SPEED
from bench.commands._output import print_text, to_stderr, warn
from bench.errors import BadInput

if TYPE_CHECKING:
    from bench.report.page.sections import Measured
    from bench.report.shown import Shown

PAGE = "report.html"
"""The name of the page in a run directory."""


def found(protocol: str, run: str | Path | None, relative_to: str | None = None) -> tuple[Shown, Any]:
    """Return how a protocol is shown, and the results to show.

    Without a protocol, a run is shown by its times or, where it timed nothing, by its first protocol. Raises BadInput
    where the run has no results of the named protocol.
    """
    from bench.analysis.table import Table
    from bench.report.shown import SHOWN
    from bench.runs import tables

    if protocol == SPEED:
        chosen = tables.protocol_of(run)
        return SHOWN[chosen], tables.shown_as(run, chosen, warn, relative_to)
    table = tables.shown_as(run, protocol, warn, relative_to)
    if isinstance(table, Table):
        table = table.only(protocol)
        if not table.rows:
            raise BadInput(
                f"there are no {protocol} results in {run or 'the newest run'}; "
                f"'pesbench run --protocols {protocol}' measures it."
            )
    return SHOWN[protocol], table


def show(protocol: str, run: str | Path | None, form: str, relative_to: str | None = None) -> bool:
    """Print the results of a protocol in one of the formats; returns whether anything was measured."""
    shown, table = found(protocol, run, relative_to)
    print_text(shown.render(table, form, color=sys.stdout.isatty()))
    return any(row.measured for row in table.rows)


def finish(directory: Path, as_json: bool = False, relative_to: str | None = None) -> int:
    """Print the table of a run and write its page; returns the exit status, 1 where nothing was measured."""
    form = "json" if as_json else "terminal"
    try:
        measured = show(SPEED, directory, form, relative_to)
    except BadInput as error:  # that method could not be measured, but others were
        if relative_to is None:
            raise
        warn(str(error))
        relative_to = None
        measured = show(SPEED, directory, form)
    if measured:
        try:
            to_stderr(f"page: {write_page([directory], directory / PAGE, relative_to)}")
        except BadInput as error:  # a run that cannot have a page is a run all the same
            warn(f"there is no page: {error}")
    return 0 if measured else 1


def write_page(runs: Sequence[Path], output: Path, relative_to: str | None = None) -> Path:
    """Write the page of some run directories, and return its path; raises BadInput where it cannot be written."""
    from bench import __version__
    from bench.report.page.document import document

    text = document([_measured(run, relative_to) for run in runs], __version__)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"cannot write {output}: {error.strerror}; choose another place with --output.") from None
    return output


def _measured(directory: Path, relative_to: str | None) -> Measured:
    """Return all that a run has measured; what cannot be read is told and left out."""
    from bench.analysis.summaries import SUMMARIES
    from bench.report.page.sections import Measured
    from bench.runs import store, tables

    own = {}
    for protocol in store.describe(directory).settings.protocols:
        if SUMMARIES[protocol].table is not None:
            try:
                own[protocol] = tables.shown_as(directory, protocol, warn)
            except BadInput as error:
                warn(f"{protocol} is left out of the page: {error}")
    return Measured(directory.name, tables.table_of(directory, warn, relative_to), own, _packages())


def _packages() -> frozenset[str]:
    """Return the names of the packages that the adapters here ask for."""
    from packaging.requirements import Requirement

    from bench.methods.catalogue import Catalogue

    return frozenset(Requirement(text).name for header in Catalogue().headers for text in header.dependencies)

"""Shows the results of a run by protocol, printed or drawn."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.commands._options import SPEED
from bench.commands._output import print_text, warn
from bench.errors import BadInput

if TYPE_CHECKING:
    from bench.report.shown import Shown


def found(protocol: str, run: str | Path | None) -> tuple[Shown, Any]:
    """Return how a protocol is shown, and the results to show.

    Without a protocol, a run is shown by its times or, where it timed nothing, by its first protocol. Raises BadInput
    where the run has no results of the named protocol.
    """
    from bench.analysis.table import Table
    from bench.report.shown import SHOWN
    from bench.runs import tables

    if protocol == SPEED:
        chosen = tables.protocol_of(run)
        return SHOWN[chosen], tables.shown_as(run, chosen, warn)
    table = tables.shown_as(run, protocol, warn)
    if isinstance(table, Table):
        table = table.only(protocol)
        if not table.rows:
            raise BadInput(
                f"there are no {protocol} results in {run or 'the newest run'}; "
                f"'pesbench run --protocols {protocol}' measures it."
            )
    return SHOWN[protocol], table


def show(protocol: str, run: str | Path | None, form: str) -> bool:
    """Print the results of a protocol in one of the formats; returns whether anything was measured."""
    shown, table = found(protocol, run)
    print_text(shown.render(table, form, color=sys.stdout.isatty()))
    return any(row.measured for row in table.rows)

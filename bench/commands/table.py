"""The verb ``table``: the results of a run, or of the paper, as a table."""

from __future__ import annotations

import dataclasses
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.commands import _options, _results
from bench.commands._declared import option
from bench.commands._output import print_text, warn
from bench.errors import BadInput
from bench.protocols.optimizers.plan import OPTIMIZERS

if TYPE_CHECKING:
    from bench.results.tables import Results

HELP = """\
Print the table of a run or of the paper. Of a page that 'report' made, it
prints the numbers: as CSV, or with --format json."""
EXAMPLES = (
    "pesbench table --format markdown",
    "pesbench table --relative-to gfn2-xtb",
    "pesbench table --by system --elements C,H,O",
    "pesbench table --by system --protocols accuracy",
    "pesbench table --by optimizer",
    "pesbench table --protocols md",
    "pesbench table --protocols accuracy",
    "pesbench table --protocols throughput",
    "pesbench table paper",
)


@dataclasses.dataclass(frozen=True)
class Options:
    """The options of the verb."""

    run: str | None = _options.run(paper=True, page=True)
    protocols: str = _options.shown_protocols()
    format: str = _options.table_format()
    by: str | None = option(
        None, "a row for each method and system, or each optimiser", choices=("system", "optimizer")
    )
    systems: tuple[str, ...] = option((), "with --by system: only these", "A,B,...", commas=True)
    elements: tuple[str, ...] = option((), "with --by system: only those of these elements", "C,H,...", commas=True)
    relative_to: str | None = _options.relative_to()
    wide: bool = option(False, "all columns, in lines that may be longer than the terminal")


def run(options: Options) -> int:
    """Print a table."""
    if (options.systems or options.elements) and options.by != "system":
        name = "--systems" if options.systems else "--elements"
        raise BadInput(f"{name} chooses lines of a table by system; add --by system.")
    if options.run is not None and options.run.endswith(".html"):
        from bench.render.page import numbers_inside

        if options.relative_to is not None:
            raise BadInput("--relative-to needs a run; the page has its numbers as 'report --relative-to' wrote them.")
        form = "csv" if options.format == Options.format else options.format
        print_text(numbers_inside.table(Path(options.run), options.protocols, form))
        return 0
    if options.by == "optimizer":
        _results.show(OPTIMIZERS, options.run, options.format, options.relative_to)
        return 0
    if options.by is not None:
        print_text(_by_system(options))
        return 0
    _results.show(options.protocols, options.run, options.format, options.relative_to, options.wide)
    return 0


def _by_system(options: Options) -> str:
    """Return the table with a line for each method at each system; raises BadInput where there is none."""
    from bench.analysis.by_system import SystemsTable
    from bench.analysis.table import PAPER
    from bench.render.by_system import FORMATS, chosen
    from bench.render.shown import SHOWN
    from bench.render.view import BySystem
    from bench.results.tables import Results

    if options.run == PAPER:
        raise BadInput("the published table is of one system; name a run with --by system.")
    if options.protocols == _options.SPEED:
        shown = BySystem(FORMATS, SystemsTable.only)
        results = Results(_results.with_times(options.run), warn)
        table: Any = results.by_system(options.relative_to)
        if not table.rows:
            raise BadInput(_untimed(results, options.run))
    else:
        of_protocol = SHOWN[options.protocols].by_system
        if of_protocol is None:
            known = [_options.SPEED, *(name for name, view in SHOWN.items() if view.by_system)]
            raise BadInput(
                f"--by system belongs to {', '.join(known)}; leave it out with --protocols {options.protocols}."
            )
        shown = of_protocol
        results = Results(_results.directory(options.protocols, options.run), warn)
        table = results.shown_as(options.protocols, options.relative_to)
    names = chosen(table.description.dataset, options.systems, options.elements)
    return shown.formats.render(shown.only(table, names), options.format, color=sys.stdout.isatty(), wide=options.wide)


def _untimed(results: Results, run: str | None) -> str:
    """Return that a run has no times by system, with the protocol that it has by system, if there is one."""
    from bench.render.shown import SHOWN

    name, measured = results.run.directory.name, results.run.description.settings.protocols
    has = next((one for one in measured if one in SHOWN and SHOWN[one].by_system), None)
    typed = shlex.quote(run or name)  # a run may lie in another folder than the usual one
    hint = f"; 'pesbench table {typed} --by system --protocols {has}' shows what it has." if has else "."
    return f"run {name} measured {', '.join(measured)}, so it has no times of steps by system{hint}"

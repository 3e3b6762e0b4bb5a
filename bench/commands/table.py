"""The verb ``table``: the results of a run, or of the paper, as a table."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from bench.commands import _options, _results
from bench.commands._output import print_text

HELP = "Print the table of a run, of the paper, or of a page that 'report' made."
EXAMPLES = (
    "pesbench table --format markdown",
    "pesbench table --protocols md",
    "pesbench table --protocols accuracy",
    "pesbench table --protocols throughput",
    "pesbench table paper",
)


@dataclasses.dataclass(frozen=True)
class Options:
    """The options of the verb."""

    run: str | None = None
    protocols: str = _options.SPEED
    format: str = "terminal"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    _options.add_run(parser, paper=True, page=True)
    _options.add_shown_protocols(parser)
    _options.add_format(parser, "terminal, markdown, latex, csv or json")


def run(options: Options) -> int:
    """Print a table."""
    if options.run is not None and options.run.endswith(".html"):
        from bench.report.page import numbers_inside

        print_text(numbers_inside.table(Path(options.run), options.protocols, options.format))
        return 0
    _results.show(options.protocols, options.run, options.format)
    return 0

"""The verb ``table``: the results of a run, or of the paper, as a table."""

from __future__ import annotations

import argparse
import dataclasses

from bench.commands import _options, _results

HELP = "Print the table of a run, or of the paper."
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
    _options.add_run(parser, paper=True)
    _options.add_shown_protocols(parser)
    _options.add_format(parser, "terminal, markdown, latex, csv or json")


def run(options: Options) -> int:
    """Print a table."""
    _results.show(options.protocols, options.run, options.format)
    return 0

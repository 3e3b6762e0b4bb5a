"""The verb ``compare``: two runs side by side."""

from __future__ import annotations

import argparse
import dataclasses

from bench.commands import _comparing, _options
from bench.commands._output import warn

HELP = """\
Compare two runs on one machine: what got faster, what got slower.
Exit status: 0 nothing got slower, 1 something did, 2 bad input or runs that
cannot be compared."""
EXAMPLES = ("pesbench compare 20261122-101500 20261123-091200",)


@dataclasses.dataclass(frozen=True)
class Options:
    """The options of the verb."""

    a: str
    """The old run."""
    b: str
    """The new run."""
    threshold: float = 0.05
    """The smallest change that two runs at different times can show."""
    force: bool = False
    format: str = "terminal"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.add_argument("a", metavar="A", help="the old run: an id or a directory")
    parser.add_argument("b", metavar="B", help="the new run")
    _options.add_threshold(parser)
    parser.add_argument("--force", action="store_true", help="compare runs with different machines, data or settings")
    _options.add_format(parser, _comparing.FORMATS)


def run(options: Options) -> int:
    """Compare two runs; status 1 where something got slower."""
    from bench.render.comparison import report_of
    from bench.results.dataframes import load
    from bench.results.tables import compared

    found = compared(load(options.a, warn), load(options.b, warn), options.threshold, options.force)
    return _comparing.show(report_of(found), found.comparisons, options.format)

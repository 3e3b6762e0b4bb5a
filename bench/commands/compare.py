"""The verb ``compare``: two runs side by side."""

from __future__ import annotations

import dataclasses

from bench.commands import _comparing, _options
from bench.commands._declared import option, word
from bench.commands._output import warn

HELP = """\
Compare two runs on one machine: what got faster, what got slower.
Exit status: 0 nothing got slower, 1 something did, 2 bad input or runs that
cannot be compared."""
EXAMPLES = ("pesbench compare 20261122-101500 20261123-091200",)


@dataclasses.dataclass(frozen=True)
class Options:
    """The options of the verb."""

    a: str = word("the old run: an id or a directory", "A")
    b: str = word("the new run", "B")
    threshold: float = _options.threshold(0.05)
    """The smallest change that two runs at different times can show."""
    force: bool = option(False, "compare runs with different machines, data or settings")
    format: str = _options.table_format(_comparing.FORMATS)


def run(options: Options) -> int:
    """Compare two runs; status 1 where something got slower."""
    from bench.render.comparison import report_of
    from bench.results.dataframes import load
    from bench.results.tables import compared

    found = compared(load(options.a, warn), load(options.b, warn), options.threshold, options.force)
    return _comparing.show(report_of(found), found.comparisons, options.format)

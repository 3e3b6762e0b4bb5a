"""The verb ``report``: one or several runs as a page, a single HTML file that needs nothing else."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from bench.commands import _options, _results
from bench.commands._declared import option, word
from bench.errors import BadInput

HELP = """\
Write a page with everything that one or several runs have measured: one HTML
file that opens without a network. It carries its numbers:
'pesbench table FILE.html --format csv' reads them back."""
EXAMPLES = (
    "pesbench report",
    "pesbench report --output page.html",
)


@dataclasses.dataclass(frozen=True)
class Options:
    """The options of the verb."""

    runs: tuple[str, ...] = word("run ids or directories, side by side (default: the newest run)", "RUN", (), nargs="*")
    output: Path | None = option(
        None, f"default: {_results.PAGE} in the run directory, of several runs in this folder", "FILE.html"
    )
    relative_to: str | None = _options.relative_to()


def run(options: Options) -> int:
    """Write the page and print its path."""
    from bench.results import store

    directories = list(dict.fromkeys(store.find(run) for run in options.runs or (None,)))
    beside = directories[0] if len(directories) == 1 else Path()
    output = options.output or beside / _results.PAGE
    if output.is_dir():
        raise BadInput(f"{output} is a folder; give --output the name of a file.")
    print(_results.write_page(directories, output, options.relative_to))
    return 0

"""The verb ``plot``: the results of a run, or of the paper, as a figure."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from bench.commands import _options, _results
from bench.commands._declared import option
from bench.errors import BadInput

HELP = """\
Draw the results of a protocol for all methods, as SVG and PNG: by default the
milliseconds per step."""
EXAMPLES = (
    "pesbench plot --output speed",
    "pesbench plot --protocols md",
    "pesbench plot --protocols accuracy",
)


@dataclasses.dataclass(frozen=True)
class Options:
    """The options of the verb."""

    run: str | None = _options.run(paper=True)
    protocols: str = _options.shown_protocols()
    output: Path | None = option(None, "without extension (default: in the run directory)", "STEM")


def run(options: Options) -> int:
    """Draw a figure and print the names of its files."""
    from bench.analysis.table import PAPER
    from bench.render import figure

    run = PAPER if options.run == PAPER else _results.directory(options.protocols, options.run)
    shown, table = _results.found(options.protocols, run)
    if options.output is not None:
        stem = options.output
    else:
        stem = Path(f"{shown.stem}-paper") if run == PAPER else Path(run) / shown.stem
    if shown.draw is None:
        raise BadInput(f"the results of {options.protocols} have no figure; 'pesbench table' prints them.")
    made = shown.draw(table)
    try:
        stem.parent.mkdir(parents=True, exist_ok=True)
        for path in figure.save(made, stem):
            print(path)
    except OSError as error:
        raise BadInput(f"cannot write {stem}: {error.strerror}; choose another place with --output.") from None
    return 0

"""The verb ``merge``: joins runs of several like machines into one run."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from bench.commands import _options, _results
from bench.commands._declared import option, word
from bench.errors import BadInput

HELP = """\
Join runs of like machines, such as the nodes of a cluster: each brings its
rounds. Refuses unlike machines, data, settings or versions, and says why."""
EXAMPLES = ("pesbench merge RUN_A RUN_B --output results/merged",)


@dataclasses.dataclass(frozen=True)
class Options:
    """The options of the verb."""

    runs: tuple[str, ...] = word("run ids or directories", "RUN", nargs="+")
    output: Path | None = option(None, "the new run directory (default: in results)", "DIR")
    format: str = _options.table_format()
    force: bool = option(False, "join unlike runs, too; each round keeps its machine")


def run(options: Options) -> int:
    """Merge, print the table, and say where the run is."""
    from bench.commands._output import to_stderr
    from bench.engine.describing import new_directory
    from bench.results import merging, store

    runs = list(dict.fromkeys(store.find(run).resolve() for run in options.runs))
    if len(runs) < 2:
        raise BadInput("there is only one run to merge; name two or more run directories.")
    output = options.output or new_directory(None)
    for line in merging.merge(runs, output, options.force):
        to_stderr(f"pesbench: {line}")
    to_stderr(f"run {output}")
    return _results.finish(output, options.format)

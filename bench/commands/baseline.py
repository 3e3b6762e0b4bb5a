"""The verb ``baseline``: keeps the answers of methods."""

from __future__ import annotations

import dataclasses
import sys

from bench.commands import _options, _output, _results
from bench.errors import BadInput

HELP = """\
Keep the answers of a run as baselines, with which later runs are compared:
energies and forces of five structures, relaxed energies and bonds, by method.
Exit status: 1 where the run has none to keep."""
EXAMPLES = ("pesbench baseline 20261122-101500",)


@dataclasses.dataclass(frozen=True)
class Options:
    """The options of the verb."""

    run: str | None = _options.run()


def run(options: Options) -> int:
    """Keep the answers of a run as baselines; status 1 where it has none to keep."""
    from bench.commands._comparing import is_plain, refuse_versions
    from bench.paths import shown
    from bench.results import baselines
    from bench.results.dataframes import load

    loaded = load(_results.with_times(options.run, is_plain), _output.warn)
    refuse_versions(loaded)
    if loaded.description.settings.knobs:
        raise BadInput(f"{loaded.directory.name} was measured with --knob; a baseline has the default settings.")
    written = baselines.keep(loaded)
    for path in written:
        print(shown(path))
    if not written:
        print(
            "pesbench: nothing to keep: no answers with real weights, or no relaxations where the baseline has some.",
            file=sys.stderr,
        )
    return 0 if written else 1
